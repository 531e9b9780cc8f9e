import Glibc

/// Why the benchmark could not go on.
enum BenchError: Error {
    /// The command line is wrong.
    case usage(String)
    /// A program or a file that is needed is not there.
    case missing(String)
    case failed(String)

    /// A failed system call, with what `errno` says about it.
    static func system(_ what: String) -> BenchError {
        .failed("\(what): \(String(cString: strerror(errno)))")
    }

    var message: String {
        switch self {
        case .usage(let text), .missing(let text), .failed(let text): text
        }
    }

    /// As the exit statuses of `rdbkit` itself: 64 usage, 66 no input, 1 otherwise.
    var exitStatus: CInt {
        switch self {
        case .usage: 64
        case .missing: 66
        case .failed: 1
        }
    }
}
