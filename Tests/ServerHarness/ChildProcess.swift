internal import Glibc

/// A program started by a test.
final class ChildProcess {
    /// Where the program's standard input comes from.
    enum Input {
        case nothing
        case file(String)
        case descriptor(Int32)
    }

    /// How the program ended.
    enum End: Equatable {
        case exited(Int32)
        case signalled(Int32)
    }

    private let identifier: pid_t
    private var end: End?

    /// - Parameters:
    ///   - output: the file that gets standard output, made anew.
    ///   - errors: the same for standard error.
    /// - Throws: `SystemError` if the program cannot be started.
    init(_ program: String, _ arguments: [String], input: Input = .nothing, output: String, errors: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        switch input {
        case .nothing: posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        case .file(let path): posix_spawn_file_actions_addopen(&actions, 0, path, O_RDONLY, 0)
        case .descriptor(let descriptor): posix_spawn_file_actions_adddup2(&actions, descriptor, 0)
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
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        argv.append(nil)
        defer { for argument in argv { free(argument) } }
        var identifier = pid_t()
        let code = posix_spawnp(&identifier, program, &actions, &attributes, argv, environ)
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
