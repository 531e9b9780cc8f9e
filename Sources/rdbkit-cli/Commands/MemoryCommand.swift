public import ArgumentParser
public import RDBKit

struct MemoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory",
        abstract: "Tell what keys take in a server's memory.",
        discussion: """
            The largest keys, sums by type, encoding, database and prefix, histograms, and encodings that just missed \
            their compact form. Several inputs, the shards of a cluster, are counted together. Prefixes are found by \
            themselves: numbers, UUIDs, hashes and the like become *, so that user:1:cart and user:2:cart are one group; \
            with --prefix-depth or --delimiter they are taken as they are. With --fail-if the command ends with 1 when a \
            condition holds, and names the keys.
            """)

    @Argument(help: ArgumentHelp("RDB files; - is standard input.", valueName: "input"))
    var inputs: [String]

    @Option(help: ArgumentHelp("Rows of keys, prefixes and slots to tell, up to 10000.", valueName: "n"))
    var top = 10

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Rank keys by memory, size (bytes in the file), elements, or element (bytes of the largest).",
            valueName: "measure"))
    var by: [AuditMeasure] = []

    @Flag(help: "Rank the keys of each type on their own.")
    var perType = false

    @Option(help: ArgumentHelp("Group keys by so many parts, as they are, up to 8.", valueName: "n"))
    var prefixDepth: Int?

    @Option(
        help: ArgumentHelp("Where the parts of keys end. By default : with --prefix-depth.", valueName: "text"))
    var delimiter: String?

    @Flag(help: "Write every key as a line of CSV instead, in the order of the file.")
    var all = false

    @Flag(help: "Tell what the keys of each cluster slot take.")
    var slotStats = false

    @Option(help: ArgumentHelp("Propose so many shards of equal bytes; includes --slot-stats.", valueName: "n"))
    var shards: Int?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "End with 1 when this holds: bytes>100MB, hash.elements>=10000, no_expiry_share>5%; see the manual.",
            valueName: "condition"))
    var failIf: [AuditCondition] = []

    @Option(help: ArgumentHelp("Write tables, JSON, CSV, or Prometheus' text form.", valueName: "format"))
    var format = MemoryFormat.table

    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Selection") var selection: SelectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func validate() throws {
        if !(0...10000).contains(top) { throw ValidationError("--top takes 0 to 10000") }
        if let prefixDepth, !(1...8).contains(prefixDepth) { throw ValidationError("--prefix-depth takes 1 to 8") }
        if let delimiter, delimiter.isEmpty { throw ValidationError("--delimiter takes at least one character") }
        if let shards, !(1...1000).contains(shards) { throw ValidationError("--shards takes 1 to 1000") }
        if failIf.count > 100 { throw ValidationError("--fail-if may be given up to 100 times") }
        if all, format != .table && format != .csv { throw ValidationError("--all writes CSV") }
    }

    func run() throws {
        let run = InputRun(options, selection)
        let file = try run.open(output)
        let wanted = selection.selection()
        var consumer = MemoryConsumer(settings(now: wanted.now), model.choice, linesTo: all ? file : nil)
        let status = MemoryRun.read(inputs, run, wanted, &consumer, threads: options.threadCount)
        let report = MemoryReport(consumer, maxRows: top, shardCount: shards, isWhole: selection.isEmpty)
        var failure = consumer.lines.failure
        if !all {
            var out = OutputBuffer(capacity: 64 << 10)
            report.append(to: &out, format)
            if failure == nil { do throws(OutputError) { try file.write(out.bytes) } catch { failure = error } }
        }
        for result in report.failed { run.diagnostics.failed(result) }
        try run.finish(
            file, failure: failure, status: report.failed.isEmpty ? status : status.combined(with: .differences))
    }

    private func settings(now: Int64) -> MemoryAudit.Settings {
        var settings = MemoryAudit.Settings(now: now)
        if !by.isEmpty { settings.measures = AuditMeasure.allCases.filter { by.contains($0) } }
        settings.topCount = top
        settings.ranksTypes = perType
        settings.countsSlots = slotStats || shards != nil
        settings.conditions = failIf
        if prefixDepth != nil || delimiter != nil {
            settings.division = .literal(delimiter: Array((delimiter ?? ":").utf8), depth: prefixDepth ?? 1)
        }
        return settings
    }
}

/// How `memory` and `report` read their inputs.
enum MemoryRun {
    static func read(
        _ inputs: [String], _ run: InputRun, _ wanted: Selection, _ consumer: inout MemoryConsumer, threads: Int
    ) -> ExitStatus {
        var wanted = wanted
        let limit = wanted.limit
        return run.forEach(inputs) { reader, path in
            wanted.limit = limit.map { $0 - min($0, consumer.audit.total.keys) }
            consumer.begin(path, reader.version)
            return run.run(&reader, path, wanted, &consumer, threads: threads) { $0.end() }
        }
    }
}

enum MemoryFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json, csv, prometheus
}

extension MemoryReport {
    func append(to out: inout OutputBuffer, _ format: MemoryFormat) {
        switch format {
        case .table: out.append(text)
        case .json:
            json.append(to: &out)
            out.append("\n")
        case .csv: out.append(csv)
        case .prometheus: out.append(prometheus)
        }
    }
}

extension AuditMeasure: ExpressibleByArgument {}

extension AuditCondition: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
