import Dispatch
import Glibc
import Synchronization

/// A program started without a shell, its standard streams on files or on the null device, never on a pipe: a pipe's
/// reader would be measured along with the program.
struct ChildProcess {
    let identifier: pid_t
    private let start: ContinuousClock.Instant

    /// How a program ended and what it used.
    struct Usage {
        /// From start to exit, as a monotonic clock saw it.
        var wallSeconds: Double
        /// User and system time of all its threads.
        var processorSeconds: Double
        /// The largest resident set. Linux lets a child begin with its parent's largest resident set, so no figure is
        /// below this program's own.
        var peakBytes: Int
        /// The exit status, or 128 and the signal's number as shells say it.
        var exitStatus: CInt
        var timedOut: Bool
    }

    /// - Parameters:
    ///   - arguments: the program, looked up in `PATH`, and its arguments.
    ///   - input: a path that standard input is read from.
    ///   - output: a path that standard output is written to, created or emptied.
    ///   - errors: the same for standard error.
    init(
        _ arguments: [String], input: String = "/dev/null", output: String = "/dev/null", errors: String = "/dev/null"
    ) throws(BenchError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        var vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        vector.append(nil)
        defer { for word in vector { free(word) } }
        var child: pid_t = 0
        start = .now
        let status = posix_spawnp(&child, arguments[0], &actions, nil, vector, environ)
        guard status == 0 else {
            throw .failed("cannot start \(arguments[0]): \(String(cString: strerror(status)))")
        }
        identifier = child
    }

    func signal(_ number: CInt) {
        kill(identifier, number)
    }

    /// Waits for the end; a child still running `limitSeconds` from now is killed.
    func wait(limitSeconds: Double? = nil) throws(BenchError) -> Usage {
        let deadline = limitSeconds.map { Deadline(seconds: $0, child: identifier) }
        // The child stays a zombie until `deadline` is called off, so its identifier cannot by then be another's.
        var information = siginfo_t()
        while waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) != 0 {
            if errno != EINTR { throw .system("wait for a child") }
        }
        let elapsed = start.duration(to: .now)
        let timedOut = deadline?.callOff() ?? false
        var status: CInt = 0
        var usage = rusage()
        guard wait4(identifier, &status, 0, &usage) == identifier else {
            throw .system("wait for a child")
        }
        let signal = status & 0x7f
        return Usage(
            wallSeconds: elapsed / .seconds(1),
            processorSeconds: usage.ru_utime.seconds + usage.ru_stime.seconds,
            peakBytes: usage.ru_maxrss * 1024,
            exitStatus: signal == 0 ? (status >> 8) & 0xff : 128 + signal,
            timedOut: timedOut)
    }
}

/// Kills a child after a while unless called off before.
private final class Deadline: Sendable {
    private struct State {
        var isOff = false
        var hasKilled = false
    }

    private let state = Mutex(State())

    init(seconds: Double, child: pid_t) {
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { [weak self] in
            self?.state.withLock { state in
                if !state.isOff {
                    kill(child, SIGKILL)
                    state.hasKilled = true
                }
            }
        }
    }

    /// Returns whether it was too late.
    func callOff() -> Bool {
        state.withLock { state in
            state.isOff = true
            return state.hasKilled
        }
    }
}

extension timeval {
    fileprivate var seconds: Double { Double(tv_sec) + Double(tv_usec) / 1e6 }
}
