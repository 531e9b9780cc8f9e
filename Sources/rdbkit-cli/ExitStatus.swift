import ArgumentParser
import RDBKit
import RDBServer

/// How the program ends; the one place where errors become statuses.
enum ExitStatus: Int32 {
    case done = 0
    /// Faults or differences found, a named key missing.
    case differences = 1
    case usage = 64
    case damagedInput = 65
    case noInput = 66
    case serverUnavailable = 69
    case cannotCreate = 73
    case ioError = 74
    case interrupted = 130

    var exitCode: ExitCode { ExitCode(rawValue) }

    init(_ error: DecodeError) {
        switch error.code {
        case .interrupted: self = .interrupted
        case .readFailed: self = .ioError
        default: self = .damagedInput
        }
    }

    init(_ error: SourceError, isOpening: Bool) {
        switch error {
        case .system: self = isOpening ? .noInput : .ioError
        case .damaged: self = .damagedInput
        case .interrupted: self = .interrupted
        }
    }

    init(_ error: OutputError) {
        switch error {
        case .cannotCreate: self = .cannotCreate
        case .interrupted: self = .interrupted
        // A closed pipe ends the program silently.
        case .system: self = error.isClosedPipe ? .done : .ioError
        }
    }

    init(_ error: ServerError) {
        switch error.code {
        case .interrupted: self = .interrupted
        case .badURL: self = .usage
        case .sourceFailed: self = .ioError
        default: self = .serverUnavailable
        }
    }

    /// Of several inputs: what went wrong first counts, an interruption above all.
    func combined(with later: ExitStatus) -> ExitStatus {
        later == .interrupted || self == .done ? later : self
    }
}
