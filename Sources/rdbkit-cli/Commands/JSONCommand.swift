import ArgumentParser
import RDBKit

struct JSONCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "json",
        abstract: "Write entries as JSON Lines.",
        discussion: """
            One object a line: db, key, type, encoding, expires_at_ms, idle_seconds, lfu_freq, field_expires_at_ms and \
            value, in this order, absent where they do not apply. A byte string that is not UTF-8 is written as $base64: \
            and its base64, so that every string reads back to the same bytes.
            """)

    @Argument(
        help: ArgumentHelp(
            "RDB files, append-only logs (files, folders, manifests), or URLs of live servers; - is standard input.",
            valueName: "input"))
    var inputs: [String]

    @OptionGroup(title: "Selection") var selection: SelectionOptions
    @OptionGroup(title: "JSON") var json: JSONFormOptions
    @OptionGroup(title: "Live servers") var servers: ServerInputOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func run() throws {
        var wanted = selection.selection()
        let run = InputRun(options, selection, servers: servers, wanting: wanted)
        let file = try run.open(output)
        var consumer = JSONConsumer(JSONEntryWriter(file, options: json.options))
        let limit = wanted.limit
        // Without values there is little to share out, and an array's commas depend on what came before.
        let sharesOut = json.options.parts == .everything && !json.array
        let threads = sharesOut ? options.threadCount : 1
        let status = run.forEach(inputs) { reader, path in
            consumer.writer.options.doubtfulKeys = run.current.doubtfulKeys
            // --limit counts over all inputs.
            wanted.limit = limit.map { $0 - min($0, consumer.writer.writtenEntries) }
            return run.run(&reader, path, wanted, &consumer, threads: threads) { $0.writer.flush() }
        }
        consumer.writer.finish()
        try run.finish(file, failure: consumer.writer.failure, status: status)
    }
}
