internal import Glibc

/// A program started by a test.
final class ChildProcess {
    /// Where the program's standard input comes from.
    enum Input {
        case nothing
        case file(String)
        case descriptor(Int32)
        /// The terminal of this name, which is the program's own.
        case terminal(String)
    }

    /// How the program ended.
    enum End: Equatable {
        case exited(Int32)
        case signalled(Int32)
    }

    private let identifier: pid_t
    private var end: End?
    /// The largest resident set seen while its end was waited for. What wait4 tells begins with the tester's own.
    private(set) var peakKiB = 0

    /// - Parameters:
    ///   - output: the file that gets standard output, made anew.
    ///   - errors: the same for standard error.
    ///   - environment: variables beside the tester's own.
    /// - Throws: `SystemError` if the program cannot be started.
    init(
        _ program: String, _ arguments: [String], input: Input = .nothing, output: String, errors: String,
        environment extra: [String: String] = [:]
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        switch input {
        case .nothing: posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        case .file(let path): posix_spawn_file_actions_addopen(&actions, 0, path, O_RDONLY, 0)
        case .descriptor(let descriptor): posix_spawn_file_actions_adddup2(&actions, descriptor, 0)
        // The first terminal that the leader of a session opens becomes its own.
        case .terminal(let path): posix_spawn_file_actions_addopen(&actions, 0, path, O_RDWR, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o644)

        // The child starts with no signal blocked or ignored, whatever the test runner has set.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        // POSIX_SPAWN_SETSID, which is a GNU extension.
        if case .terminal = input { flags |= 0x80 }
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        argv.append(nil)
        defer { for argument in argv { free(argument) } }
        var identifier = pid_t()
        let code: Int32
        if extra.isEmpty {
            code = posix_spawnp(&identifier, program, &actions, &attributes, argv, environ)
        } else {
            let settings: [UnsafeMutablePointer<CChar>?] = extra.map { strdup("\($0)=\($1)") }
            defer { for setting in settings { free(setting) } }
            // Of two with one name, the first counts.
            var envp = settings
            var next = environ
            while let variable = next.pointee {
                envp.append(variable)
                next += 1
            }
            envp.append(nil)
            code = posix_spawnp(&identifier, program, &actions, &attributes, argv, envp)
        }
        guard code == 0 else { throw SystemError("start \(program)", code: code) }
        self.identifier = identifier
    }

    /// Waits for the end of the program.
    ///
    /// - Returns: nil if it still runs after that time.
    func wait(seconds: Double) -> End? {
        let deadline = now() + seconds
        var pause: UInt32 = 500
        while true {
            if let end { return end }
            peakKiB = max(peakKiB, residentPeak())
            var status: Int32 = 0
            let result = waitpid(identifier, &status, WNOHANG)
            if result == identifier {
                let signal = status & 0x7f
                end = signal == 0 ? .exited(status >> 8 & 0xff) : .signalled(signal)
                return end
            }
            if result < 0 && errno != EINTR { return nil }
            if now() >= deadline { return nil }
            usleep(pause)
            pause = min(pause * 2, 20_000)
        }
    }

    /// Zero when it is gone.
    private func residentPeak() -> Int {
        guard let descriptor = Optional(open("/proc/\(identifier)/status", O_RDONLY | O_CLOEXEC)), descriptor >= 0
        else { return 0 }
        defer { close(descriptor) }
        var bytes = Bytes(repeating: 0, count: 4096)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return 0 }
        let lines = String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: "\n")
        let line = lines.first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }

    /// Sends a signal, if the program still runs.
    func send(signal: Int32) {
        if end == nil { Glibc.kill(identifier, signal) }
    }

    /// Ends the program at once and waits until it is gone.
    func kill() {
        if end != nil { return }
        Glibc.kill(identifier, SIGKILL)
        _ = wait(seconds: 10)
    }

    deinit {
        kill()
    }
}

/// Seconds of a clock that only goes forward.
func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
