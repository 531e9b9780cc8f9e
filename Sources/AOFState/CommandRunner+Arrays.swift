import RDBBytes
import RESPFormat

/// Commands on arrays (Redis 8.8).
enum ArrayCommand: String, CaseIterable {
    case arset = "ARSET"
    case armset = "ARMSET"
    case arinsert = "ARINSERT"
    case arring = "ARRING"
    case arseek = "ARSEEK"
    case ardel = "ARDEL"
    case ardelrange = "ARDELRANGE"
}

extension CommandRunner {
    mutating func run(_ command: ArrayCommand, _ arguments: CommandArguments) -> CommandOutcome { .cannotRun }
}
