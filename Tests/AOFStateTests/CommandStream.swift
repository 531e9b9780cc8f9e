import RDBBytes
import RESPFormat

@testable import AOFState

/// Runs commands that are given as words.
func run(_ commands: [[[UInt8]]], _ runner: inout CommandRunner) -> [CommandOutcome] {
    var out = OutputBuffer(capacity: 4096)
    for command in commands {
        out.beginCommand(command.count)
        for word in command { out.appendArgument(word.rawSpan) }
    }
    var reader = RESPCommandReader(ByteWindow(MemorySource(out.bytes.array)))
    var outcomes: [CommandOutcome] = []
    while let item = try? reader.next(), item == .command { outcomes.append(runner.run(reader.arguments)) }
    precondition(outcomes.count == commands.count)
    return outcomes
}
