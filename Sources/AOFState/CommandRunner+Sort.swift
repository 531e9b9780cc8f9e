import RDBBytes
import RESPFormat

/// SORT with STORE.
enum SortCommand: String, CaseIterable {
    case sort = "SORT"
}

extension CommandRunner {
    mutating func run(_ command: SortCommand, _ arguments: CommandArguments) -> CommandOutcome { .cannotRun }
}
