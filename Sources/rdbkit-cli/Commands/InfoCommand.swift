import ArgumentParser
import RDBKit

struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Tell what a file is.",
        discussion: """
            Version, writer, aux fields, functions, keys by database, type and encoding, expiries, sizes and checksum. \
            Values are stepped over, which is fast; check looks into them.
            """)

    @Argument(
        help: ArgumentHelp(
            "RDB files, append-only logs (files, folders, manifests), or URLs of live servers; - is standard input.",
            valueName: "input"))
    var inputs: [String]

    @Flag(help: "Write one JSON object for each input.")
    var json = false

    @OptionGroup(title: "Selection") var selection: SelectionOptions
    @OptionGroup(title: "Live servers") var servers: ServerInputOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func run() throws {
        let wanted = selection.selection()
        let run = InputRun(options, selection, servers: servers, wanting: wanted)
        let file = try run.open(output)
        var failure: OutputError?
        var isFirst = true
        let status = run.forEach(inputs) { reader, path in
            var consumer = SummaryConsumer(version: reader.version, now: wanted.now)
            var fault: EntryFault?
            var end: RDBEnd?
            do throws(EntryFault) { end = try run.loop(path, wanted).run(&reader, &consumer).end } catch {
                fault = error
            }
            run.diagnostics.clearProgress()
            consumer.finish()
            let report = InfoReport(
                path: path, version: reader.version, consumer: consumer, end: end, fault: fault?.error,
                byteCount: reader.offset, log: run.current.log)
            var out = OutputBuffer(capacity: 4096)
            if json {
                report.json.append(to: &out)
                out.append("\n")
            } else {
                if !isFirst { out.append("\n") }
                out.append(report.text)
            }
            isFirst = false
            if failure == nil { do throws(OutputError) { try file.write(out.bytes) } catch { failure = error } }
            guard let fault else { return .done }
            return run.tell(fault, path)
        }
        try run.finish(file, failure: failure, status: status)
    }
}
