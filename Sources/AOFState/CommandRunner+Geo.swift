import RDBBytes
import RESPFormat

/// Commands on positions in sorted sets.
enum GeoCommand: String, CaseIterable {
    case geoadd = "GEOADD"
    case georadius = "GEORADIUS"
    case georadiusbymember = "GEORADIUSBYMEMBER"
    case geosearchstore = "GEOSEARCHSTORE"
}

extension CommandRunner {
    mutating func run(_ command: GeoCommand, _ arguments: CommandArguments) -> CommandOutcome { .cannotRun }
}
