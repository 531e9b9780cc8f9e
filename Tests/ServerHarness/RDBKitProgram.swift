/// The program under test, run as a user would run it.
package struct RDBKitProgram: Sendable {
    /// What a run gave.
    package struct Run: Sendable {
        package let arguments: [String]
        /// The exit status; 128 + n if signal n ended the program.
        package let status: Int
        package let output: Bytes
        package let errors: String
        /// The largest resident set that was seen.
        package let peakKiB: Int
    }

    package let path: String

    /// The program that `RDBKIT` names, else the release build of this checkout, else the debug build.
    ///
    /// - Throws: `HarnessError` if there is none: without it nothing is tested.
    package static func locate() throws -> RDBKitProgram {
        if let path = Environment["RDBKIT"] {
            guard Files.isExecutable(path) else { throw HarnessError("RDBKIT names no program: \(path)") }
            return RDBKitProgram(path: path)
        }
        for build in ["release", "debug"] {
            let path = "\(Checkout.root)/.build/\(build)/rdbkit"
            if Files.isExecutable(path) { return RDBKitProgram(path: path) }
        }
        throw HarnessError("no rdbkit in .build/release or .build/debug: run swift build, or set RDBKIT")
    }

    /// - Parameters:
    ///   - input: the file that standard input reads; none if nil.
    ///   - timeoutSeconds: the program is killed after it.
    /// - Throws: `HarnessError` if the program does not end in time.
    package func run(
        _ arguments: [String], input: String? = nil, environment: [String: String] = [:], timeoutSeconds: Double = 180
    ) throws -> Run {
        try start(arguments, input: input, environment: environment).end(timeoutSeconds: timeoutSeconds)
    }

    /// The same without waiting for its end.
    ///
    /// - Parameter environment: variables beside the tester's own.
    package func start(
        _ arguments: [String], input: String? = nil, environment: [String: String] = [:]
    ) throws -> RunningProgram {
        try RunningProgram(path, arguments, input.map { .file($0) } ?? .nothing, environment)
    }

    /// Runs the program with a pipe for its standard input, through which a file comes.
    package func run(
        _ arguments: [String], piping path: String, timeoutSeconds: Double = 180
    ) throws -> Run {
        let script = "path=$1; shift; cat \"$path\" | \"$0\" \"$@\""
        return try RunningProgram("/bin/sh", ["-c", script, self.path, path] + arguments, .nothing, [:])
            .end(timeoutSeconds: timeoutSeconds)
    }

    /// Runs the program on a terminal of its own.
    package func start(_ arguments: [String], on terminal: Terminal) throws -> RunningProgram {
        try RunningProgram(path, arguments, .terminal(terminal.name), [:])
    }

    /// Runs the program and expects status 0.
    ///
    /// - Throws: `HarnessError` with what it said on standard error for any other status.
    package func output(_ arguments: [String], input: String? = nil) throws -> Bytes {
        let run = try run(arguments, input: input)
        guard run.status == 0 else {
            throw HarnessError(
                "rdbkit \(arguments.joined(separator: " ")) ends with status \(run.status): \(run.errors.prefix(2000))")
        }
        return run.output
    }
}

/// A program under test that runs.
package final class RunningProgram {
    private let arguments: [String]
    private let folder: TemporaryFolder
    private let child: ChildProcess

    fileprivate init(
        _ path: String, _ arguments: [String], _ input: ChildProcess.Input, _ environment: [String: String]
    ) throws {
        self.arguments = arguments
        folder = try TemporaryFolder()
        child = try ChildProcess(
            path, arguments, input: input, output: folder.file("out"), errors: folder.file("err"),
            environment: environment)
    }

    package func send(signal: Int32) { child.send(signal: signal) }

    /// What it has said on standard error so far.
    package func errors() throws -> String { try Files.text(folder.file("err")) }

    /// Waits until it has said this on standard error.
    ///
    /// - Returns: all that it has said.
    package func awaitErrors(_ words: String, seconds: Double = 60) throws -> String {
        let deadline = now() + seconds
        while true {
            let text = try errors()
            if text.contains(words) { return text }
            guard now() < deadline, !hasEnded(within: 0.02) else {
                throw HarnessError("the program does not say \"\(words)\", but: \(text)")
            }
        }
    }

    /// - Returns: whether it has ended, within that time.
    package func hasEnded(within seconds: Double) -> Bool { child.wait(seconds: seconds) != nil }

    /// Waits for its end.
    ///
    /// - Throws: `HarnessError` if it does not end in time; then it is killed.
    package func end(timeoutSeconds: Double = 180) throws -> RDBKitProgram.Run {
        guard let end = child.wait(seconds: timeoutSeconds) else {
            child.kill()
            let words = (try? errors()) ?? ""
            throw HarnessError(
                "rdbkit \(arguments.joined(separator: " ")) runs longer than \(timeoutSeconds) s: \(words.suffix(2000))"
            )
        }
        let status =
            switch end {
            case .exited(let status): Int(status)
            case .signalled(let signal): 128 + Int(signal)
            }
        return RDBKitProgram.Run(
            arguments: arguments, status: status, output: try Files.read(folder.file("out")), errors: try errors(),
            peakKiB: child.peakKiB)
    }
}

/// The servers' own client.
package enum RedisCLI {
    /// One command, whose end is not waited for.
    package static func start(_ arguments: [String], on server: ServerProcess) throws -> RunningProgram {
        try RunningProgram("redis-cli", ["-s", server.socketPath] + arguments, .nothing, [:])
    }

    /// What `redis-cli --pipe` says of commands that it sends to a server.
    package static func pipe(_ path: String, to server: ServerProcess) throws -> String {
        let folder = try TemporaryFolder()
        let child = try ChildProcess(
            "redis-cli", ["-s", server.socketPath, "--pipe"], input: .file(path), output: folder.file("out"),
            errors: folder.file("err"))
        let end = child.wait(seconds: 120)
        let text = try Files.text(folder.file("out")) + Files.text(folder.file("err"))
        guard end == .exited(0) else { throw HarnessError("redis-cli --pipe failed: \(text)") }
        return text
    }
}

/// Makes gzip files with the system's own program, independent of the one under test.
package enum Gzip {
    package static func compress(_ path: String, to target: String) throws {
        let child = try ChildProcess("gzip", ["-c", path], output: target, errors: target + ".err")
        guard child.wait(seconds: 60) == .exited(0) else { throw HarnessError("gzip of \(path) failed") }
    }

    package static func expand(_ path: String) throws -> Bytes {
        let folder = try TemporaryFolder()
        let child = try ChildProcess(
            "gzip", ["-dc", path], output: folder.file("out"), errors: folder.file("err"))
        guard child.wait(seconds: 60) == .exited(0) else { throw HarnessError("gzip -d of \(path) failed") }
        return try Files.read(folder.file("out"))
    }
}
