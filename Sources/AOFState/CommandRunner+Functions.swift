import RDBBytes
import RESPFormat

/// FUNCTION and its second words.
enum FunctionCommand: String, CaseIterable {
    case function = "FUNCTION"
}

extension CommandRunner {
    mutating func run(_ command: FunctionCommand, _ arguments: CommandArguments) -> CommandOutcome { .cannotRun }
}
