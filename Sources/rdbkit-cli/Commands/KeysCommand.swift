import ArgumentParser
import RDBKit

struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Write one key a line.",
        discussion: "Keys are written as they are, in the order of the file. Values are stepped over, which is fast.")

    @Argument(help: ArgumentHelp("RDB files or append-only logs (files, folders, manifests); - is standard input.", valueName: "input"))
    var inputs: [String]

    @Flag(name: [.customShort("0"), .customLong("null")], help: "End each key with NUL instead of a line feed.")
    var null = false

    @OptionGroup(title: "Selection") var selection: SelectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func run() throws {
        let run = InputRun(options, selection)
        let file = try run.open(output)
        var consumer = KeysConsumer(file, terminator: null ? 0 : 0x0a)
        var wanted = selection.selection()
        let limit = wanted.limit
        let status = run.forEach(inputs) { reader, path in
            wanted.limit = limit.map { $0 - min($0, consumer.writtenCount) }
            return run.run(&reader, path, wanted, &consumer) { $0.flush() }
        }
        try run.finish(file, failure: consumer.failure, status: status)
    }
}
