import ArgumentParser
import RDBKit

struct GetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Write the named keys as JSON Lines, or one string as it is.",
        discussion: """
            Keys are looked for in all databases unless --db names one, where reading stops as soon as all are found. A \
            key that is nowhere is told, and the status is 1.
            """)

    @Argument(help: .anyInput("input"))
    var input: String

    @Argument(help: ArgumentHelp("The keys, exactly.", valueName: "key"))
    var keys: [String]

    @Flag(help: "Write the bytes of one string value as they are, without a line end.")
    var raw = false

    @OptionGroup(title: "Selection") var selection: SelectionOptions
    @OptionGroup(title: "JSON") var json: JSONFormOptions
    @OptionGroup(title: "Live servers") var servers: ServerInputOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func validate() throws {
        if raw, keys.count != 1 { throw ValidationError("--raw takes one key") }
    }

    func run() throws {
        var wanted = selection.selection()
        wanted.keys = Set(keys.map { Array($0.utf8) })
        let run = InputRun(options, selection, servers: servers, wanting: wanted)
        let file = try run.open(output)
        if raw {
            try writeRaw(wanted, file, run)
        } else {
            try writeJSON(wanted, file, run)
        }
    }

    private func writeJSON(_ wanted: Selection, _ file: OutputFile, _ run: InputRun) throws {
        let isOneDatabase =
            wanted.databases.count == 1 && wanted.databases[0].lowerBound == wanted.databases[0].upperBound
        var finder = KeyFinder(
            JSONConsumer(JSONEntryWriter(file, options: json.options)), wanted: wanted.keys,
            stopsWhenAllFound: isOneDatabase)
        var status = run.forEach([input]) { reader, path in
            finder.base.writer.options.doubtfulKeys = run.current.doubtfulKeys
            return run.run(&reader, path, wanted, &finder) { $0.base.writer.flush() }
        }
        finder.base.writer.finish()
        if status == .done {
            for key in finder.missing {
                run.diagnostics.missing(key, input: input)
                status = .differences
            }
        }
        try run.finish(file, failure: finder.base.writer.failure, status: status)
    }

    private func writeRaw(_ wanted: Selection, _ file: OutputFile, _ run: InputRun) throws {
        var consumer = RawConsumer(file)
        var status = run.forEach([input]) { reader, path in
            run.run(&reader, path, wanted, &consumer) { _ in }
        }
        if status == .done, consumer.foundString != true {
            if consumer.foundString == false {
                run.diagnostics.error("\(input): the key holds no string; --raw writes strings only", code: "wrongType")
            } else {
                run.diagnostics.missing(Array(keys[0].utf8), input: input)
            }
            status = .differences
        }
        try run.finish(file, failure: consumer.failure, status: status)
    }
}
