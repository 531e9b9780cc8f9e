import RDBBytes
import RESPFormat

/// Commands on sets.
enum SetCommand: String, CaseIterable {
    case sadd = "SADD"
    case srem = "SREM"
    case smove = "SMOVE"
    case sinterstore = "SINTERSTORE"
    case sunionstore = "SUNIONSTORE"
    case sdiffstore = "SDIFFSTORE"
    case spop = "SPOP"
}

extension CommandRunner {
    mutating func run(_ command: SetCommand, _ arguments: CommandArguments) -> CommandOutcome { .cannotRun }
}
