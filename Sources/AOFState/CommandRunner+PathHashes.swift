import RDBBytes
import RESPFormat

/// Commands on path hashes (Valkey 9.2).
enum PathHashCommand: String, CaseIterable {
    case phset = "PHSET"
    case phmset = "PHMSET"
    case phdel = "PHDEL"
    case phdelprefix = "PHDELPREFIX"
}

extension CommandRunner {
    mutating func run(_ command: PathHashCommand, _ arguments: CommandArguments) -> CommandOutcome { .cannotRun }
}
