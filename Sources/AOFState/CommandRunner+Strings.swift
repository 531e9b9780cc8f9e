import RDBBytes
import RESPFormat

/// Commands on strings.
enum StringCommand: String, CaseIterable {
    case set = "SET"
    case setex = "SETEX"
    case psetex = "PSETEX"
    case setnx = "SETNX"
    case getset = "GETSET"
    case mset = "MSET"
    case msetnx = "MSETNX"
    case msetex = "MSETEX"
    case append = "APPEND"
    case setrange = "SETRANGE"
    case incr = "INCR"
    case decr = "DECR"
    case incrby = "INCRBY"
    case decrby = "DECRBY"
    case incrbyfloat = "INCRBYFLOAT"
    case getex = "GETEX"
    case getdel = "GETDEL"
    case increx = "INCREX"
}

extension CommandRunner {
    mutating func run(_ command: StringCommand, _ arguments: CommandArguments) -> CommandOutcome { .cannotRun }
}
