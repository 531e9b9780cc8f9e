import RDBBytes
import RESPFormat

/// Commands on HyperLogLogs.
enum HyperLogLogCommand: String, CaseIterable {
    case pfadd = "PFADD"
    case pfmerge = "PFMERGE"
    case pfcount = "PFCOUNT"
}

extension CommandRunner {
    mutating func run(_ command: HyperLogLogCommand, _ arguments: CommandArguments) -> CommandOutcome { .cannotRun }
}
