import RDBBytes
import RESPFormat

/// Commands on lists.
enum ListCommand: String, CaseIterable {
    case lpush = "LPUSH"
    case rpush = "RPUSH"
    case lpushx = "LPUSHX"
    case rpushx = "RPUSHX"
    case lpop = "LPOP"
    case rpop = "RPOP"
    case linsert = "LINSERT"
    case lset = "LSET"
    case lrem = "LREM"
    case ltrim = "LTRIM"
    case rpoplpush = "RPOPLPUSH"
    case lmove = "LMOVE"
    case lmpop = "LMPOP"
    case blpop = "BLPOP"
    case brpop = "BRPOP"
    case blmove = "BLMOVE"
    case brpoplpush = "BRPOPLPUSH"
    case blmpop = "BLMPOP"
    case lmovem = "LMOVEM"
    case blmovem = "BLMOVEM"
}

extension CommandRunner {
    mutating func run(_ command: ListCommand, _ arguments: CommandArguments) -> CommandOutcome { .cannotRun }
}
