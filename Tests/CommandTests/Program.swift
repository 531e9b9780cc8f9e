import Glibc
import Synchronization
import Testing

/// The program under test, run as a user runs it: its own process, an environment that says nothing of the tester's.
struct Program {
    /// Where standard input comes from.
    enum Feed {
        case nothing
        case file(String)
        /// A file's bytes through a pipe.
        case pipe(String)
        /// A descriptor that the test writes to the other end of.
        case descriptor(Int32)
    }

    struct Run {
        var status: Int32
        var output: [UInt8]
        var errors: String
        /// The largest resident set, sampled every two milliseconds. What wait4 tells begins with the tester's own.
        var peakKiB: Int
        var processorSeconds: Double

        var text: String { String(decoding: output, as: UTF8.self) }
        /// The lines of standard output. The last one has to be ended as well.
        var lines: [String] {
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
            #expect(lines.last == "", "the last line has no end")
            lines.removeLast()
            return lines
        }
    }

    /// `RDBKIT`, else the release build, else the debug build of this checkout. None is a failure: nothing is skipped.
    static let path: String = {
        let candidates =
            environment("RDBKIT").map { [$0] }
            ?? ["release", "debug"].map { "\(Checkout.root)/.build/\($0)/rdbkit" }
        guard let path = candidates.first(where: { access($0, X_OK) == 0 }) else {
            fatalError("no rdbkit at \(candidates.joined(separator: " or ")): build it, or name it in RDBKIT")
        }
        return path
    }()

    /// - Parameters:
    ///   - folder: the working folder; by default that of the demo dump, so that its name is just `shop.rdb`.
    ///   - output: where standard output goes instead of into `Run.output`.
    static func run(
        _ arguments: [String], input: Feed = .nothing, in folder: String = Checkout.demo, output: String? = nil,
        environment extra: [String: String] = [:], seconds: Double = 120
    ) throws -> Run {
        try Child([path] + arguments, input: input, in: folder, output: output, environment: extra)
            .end(seconds: seconds)
    }

    /// A line as one types it, with `rdbkit` found in PATH.
    static func shell(_ line: String, in folder: String = Checkout.demo) throws -> Run {
        let bin = try TemporaryFolder()
        try check(symlink(path, bin.file("rdbkit")), "symlink")
        return try Child(
            ["/bin/sh", "-c", line], input: .nothing, in: folder, output: nil,
            environment: ["PATH": "\(bin.path):/usr/local/bin:/usr/bin:/bin"]
        ).end(seconds: 120)
    }
}

/// A process that was started.
final class Child {
    private var identifier: pid_t = 0
    private let scratch: TemporaryFolder
    private let output: String
    private let errors: String
    private let feeder: Child?

    /// - Parameter output: where standard output goes; nil captures it.
    init(
        _ words: [String], input: Program.Feed, in folder: String, output: String? = nil,
        outputDescriptor: Int32? = nil, environment extra: [String: String] = [:]
    ) throws {
        scratch = try TemporaryFolder()
        self.output = output ?? scratch.file("out")
        errors = scratch.file("err")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var pipeEnds: [Int32] = []
        defer { for end in pipeEnds { close(end) } }
        switch input {
        case .nothing:
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            feeder = nil
        case .file(let path):
            posix_spawn_file_actions_addopen(&actions, 0, path, O_RDONLY, 0)
            feeder = nil
        case .descriptor(let descriptor):
            posix_spawn_file_actions_adddup2(&actions, descriptor, 0)
            feeder = nil
        case .pipe(let path):
            pipeEnds = try makePipe()
            feeder = try Child(["/bin/cat", path], input: .nothing, in: folder, outputDescriptor: pipeEnds[1])
            posix_spawn_file_actions_adddup2(&actions, pipeEnds[0], 0)
        }
        if let outputDescriptor {
            posix_spawn_file_actions_adddup2(&actions, outputDescriptor, 1)
        } else {
            posix_spawn_file_actions_addopen(&actions, 1, self.output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        }
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        // Glibc's own action for the folder is hidden from Swift.
        try start(["/usr/bin/env", "-C", folder] + words, &actions, extra)
    }

    private func start(
        _ words: [String], _ actions: inout posix_spawn_file_actions_t, _ extra: [String: String]
    ) throws {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // No signal is blocked or ignored, whatever the test runner has set.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var settings = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"]
        settings["TMPDIR"] = environment("TMPDIR")
        settings.merge(extra) { _, new in new }
        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = settings.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        let code = spawning.withLock { _ in
            posix_spawn(&identifier, words[0], &actions, &attributes, &argv, &envp)
        }
        guard code == 0 else { throw SystemFailure(what: "start \(words[0])", number: code) }
    }

    func interrupt() { send(SIGINT) }
    func send(_ signal: Int32) { kill(identifier, signal) }

    /// Waits for the end, and ends what takes longer.
    func end(seconds: Double) throws -> Program.Run {
        let deadline = monotonicSeconds() + seconds
        var peak = 0
        var status: Int32 = 0
        var usage = rusage()
        while true {
            peak = max(peak, Self.peakKiB(of: identifier))
            let done = wait4(identifier, &status, WNOHANG, &usage)
            if done == identifier { break }
            if monotonicSeconds() > deadline {
                kill(identifier, SIGKILL)
                wait4(identifier, &status, 0, &usage)
                throw SystemFailure(what: "end within \(seconds) s", number: ETIMEDOUT)
            }
            usleep(2000)
        }
        _ = try feeder?.end(seconds: 60)
        let signal = status & 0x7f
        return Program.Run(
            status: signal == 0 ? status >> 8 & 0xff : 128 + signal,
            output: output.hasPrefix("/dev/") ? [] : ((try? readFile(output)) ?? []),
            errors: String(decoding: try readFile(errors), as: UTF8.self), peakKiB: peak,
            processorSeconds: duration(usage.ru_utime) + duration(usage.ru_stime))
    }

    private func duration(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    private static func peakKiB(of process: pid_t) -> Int {
        guard let bytes = try? readFile("/proc/\(process)/status") else { return 0 }
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }
}
