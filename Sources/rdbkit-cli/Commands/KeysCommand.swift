import ArgumentParser
import RDBKit

struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Write one key a line.",
        discussion: "Keys are written as they are, in the order of the file. Values are stepped over, which is fast.")

    @Argument(
        help: ArgumentHelp(
            "RDB files, append-only logs (files, folders, manifests), or URLs of live servers; - is standard input.",
            valueName: "input"))
    var inputs: [String]

    @Flag(name: [.customShort("0"), .customLong("null")], help: "End each key with NUL instead of a line feed.")
    var null = false

    @OptionGroup(title: "Selection") var selection: SelectionOptions
    @OptionGroup(title: "Live servers") var servers: ServerInputOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func run() throws {
        var wanted = selection.selection()
        let run = InputRun(options, selection, servers: servers, wanting: wanted)
        let file = try run.open(output)
        var consumer = KeysConsumer(file, terminator: null ? 0 : 0x0a)
        let limit = wanted.limit
        let status = run.forEach(inputs) { reader, path in
            wanted.limit = limit.map { $0 - min($0, consumer.writtenCount) }
            return run.run(&reader, path, wanted, &consumer) { $0.flush() }
        }
        try run.finish(file, failure: consumer.failure, status: status)
    }
}
