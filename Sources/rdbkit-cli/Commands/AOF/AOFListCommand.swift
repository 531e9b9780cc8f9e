import ArgumentParser
import RDBKit

struct AOFListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Write the commands of a log as JSON Lines.",
        discussion: """
            One object a line: file, offset, db, time (Unix seconds, where the log bears times), transaction (the number of \
            its MULTI/EXEC group), command and args, absent where they do not apply. An RDB before the commands is \
            stepped over.
            """)

    @Argument(help: .logs)
    var inputs: [String]

    @OptionGroup(title: "Selection") var selection: LogSelectionOptions

    @Option(
        help: ArgumentHelp(
            "How byte strings are written: auto (text where it is UTF-8, else $base64:…), base64, hex or latin1.",
            valueName: "form"))
    var strings = StringForm.auto

    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func run() throws {
        let run = InputRun(options)
        let file = try run.open(output)
        var failure: OutputError?
        var usage: ValidationError?
        var left = selection.limit
        let status = run.forEachLog(inputs) { input in
            var wanted: CommandSelection
            do throws(ValidationError) { wanted = try selection.selection(input) } catch {
                usage = error
                return .usage
            }
            // --limit counts over all inputs.
            wanted.limit = left
            var consumer = CommandListConsumer(CommandJSONWriter(file, form: strings), selection: wanted)
            let outcomes = run.logLoop(input).run(input, &consumer)
            consumer.writer.flush()
            left = left.map { $0 - min($0, consumer.writer.writtenCount) }
            failure = failure ?? consumer.writer.failure
            if !consumer.isDone, let last = outcomes.last { run.tellOpenTransaction(last) }
            return run.tell(outcomes)
        }
        if let usage {
            file.discard()
            throw usage
        }
        try run.finish(file, failure: failure, status: status)
    }
}
