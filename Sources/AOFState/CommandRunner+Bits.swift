import RDBBytes
import RESPFormat

/// Commands on the bits of strings.
enum BitCommand: String, CaseIterable {
    case setbit = "SETBIT"
    case bitfield = "BITFIELD"
    case bitop = "BITOP"
}

extension CommandRunner {
    mutating func run(_ command: BitCommand, _ arguments: CommandArguments) -> CommandOutcome { .cannotRun }
}
