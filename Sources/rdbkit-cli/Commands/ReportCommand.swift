import ArgumentParser
import RDBKit

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write a page that shows where the memory is.",
        discussion: """
            One HTML file that loads nothing: figures, findings with the commands that show more, a map of memory by prefix \
            to go into, histograms, and tables that can be sorted and filtered. Of two inputs the first is the older one, and \
            the page tells what grew; more are counted together, as the shards of a cluster are. With --since any number of \
            older inputs are held against all others.
            """)

    @Argument(help: ArgumentHelp("RDB files; - is standard input.", valueName: "input"))
    var inputs: [String]

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "An older input to tell the growth from; repeat it for the shards of a cluster.", valueName: "input"))
    var since: [String] = []

    @Flag(help: "Count two inputs together instead of telling what grew from the first to the second.")
    var merge = false

    @Option(help: ArgumentHelp("Keys in each list, up to 10000.", valueName: "n"))
    var top = 100

    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Selection") var selection: SelectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func validate() throws {
        if !(1...10000).contains(top) { throw ValidationError("--top takes 1 to 10000") }
        if merge, !since.isEmpty { throw ValidationError("--merge and --since exclude each other") }
    }

    func run() throws {
        let run = InputRun(options, selection)
        let file = try run.open(output)
        let wanted = selection.selection()
        let isPair = inputs.count == 2 && since.isEmpty && !merge
        let older = isPair ? [inputs[0]] : since
        var status = ExitStatus.done
        var old: MemoryReport?
        if !older.isEmpty { old = read(older, run, wanted, &status) }
        let report = read(isPair ? [inputs[1]] : inputs, run, wanted, &status)
        var failure: OutputError?
        // A page of what could not be read at all would show nothing.
        if report.inputs.isEmpty || !older.isEmpty && old?.inputs.isEmpty ?? true {
            file.discard()
            throw status.exitCode
        }
        var out = OutputBuffer(capacity: 256 << 10)
        ReportPage.append(title: title(report), data: data(report, old, now: wanted.now), to: &out)
        do throws(OutputError) { try file.write(out.bytes) } catch { failure = error }
        try run.finish(file, failure: failure, status: status)
    }

    private func read(
        _ inputs: [String], _ run: InputRun, _ wanted: Selection, _ status: inout ExitStatus
    ) -> MemoryReport {
        var settings = MemoryAudit.Settings(now: wanted.now)
        settings.measures = AuditMeasure.allCases
        settings.topCount = top
        var consumer = MemoryConsumer(settings, model.choice)
        status = status.combined(
            with: MemoryRun.read(inputs, run, wanted, &consumer, threads: options.threadCount))
        return MemoryReport(consumer, maxRows: 40, shardCount: nil, isWhole: selection.isEmpty)
    }

    private func title(_ report: MemoryReport) -> String {
        let name = report.inputs.first.map { ReportText.escaped(Array($0.name.utf8)) } ?? ""
        return "Memory of \(name)\(report.inputs.count > 1 ? " and \(report.inputs.count - 1) more" : "")"
    }

    private func data(_ report: MemoryReport, _ old: MemoryReport?, now: Int64) -> JSONValue {
        .members(
            ("tool", .text("rdbkit \(RDBKitCommand.configuration.version)")), ("now_ms", .integer(now)),
            ("findings", .array(MemoryFindings(report, since: old).findings.map(\.json))), ("report", report.json),
            ("old", old?.json))
    }
}
