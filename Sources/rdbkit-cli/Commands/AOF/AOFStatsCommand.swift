import ArgumentParser
import RDBKit

struct AOFStatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Tell what is written in a log.",
        discussion: """
            Commands and bytes by command, database, key prefix and time (where the log bears times), the keys written most \
            often, and the largest commands. The keys are found in fixed memory: the count of each is at most as much too \
            high as "at least" tells, and no key that is written more often than once in 4096 writes is missed. The bytes \
            of a command with several keys are shared out evenly among their prefixes.
            """)

    @Argument(help: .logs)
    var inputs: [String]

    @Option(help: ArgumentHelp("Where the parts of keys end.", valueName: "text"))
    var delimiter = ":"

    @Option(help: ArgumentHelp("Parts of a key that make its prefix.", valueName: "n"))
    var depth = 1

    @Option(help: ArgumentHelp("Prefixes, keys and largest commands to tell.", valueName: "n"))
    var top = 10

    @Option(help: ArgumentHelp("Write tables, JSON (one object for each input), or CSV.", valueName: "format"))
    var format = StatsFormat.table

    @OptionGroup(title: "Selection") var selection: LogSelectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func validate() throws {
        if delimiter.isEmpty { throw ValidationError("--delimiter takes at least one character") }
        if depth < 1 { throw ValidationError("--depth is at least 1") }
        if !(0...4096).contains(top) { throw ValidationError("--top takes 0 to 4096") }
    }

    func run() throws {
        let run = InputRun(options)
        let file = try run.open(output)
        var failure: OutputError?
        var usage: ValidationError?
        var out = OutputBuffer(capacity: 4096)
        var isFirst = true
        if format == .csv { out.append(LogStatsReport.csvHead) }
        let status = run.forEachLog(inputs) { input in
            let wanted: CommandSelection
            do throws(ValidationError) { wanted = try selection.selection(input) } catch {
                usage = error
                return .usage
            }
            var statistics = LogStatistics(wanted, delimiter: Array(delimiter.utf8), depth: depth, maxLargest: top)
            var loop = run.logLoop(input)
            loop.keeping = .beginnings
            let outcomes = loop.run(input, &statistics)
            statistics.finish()
            run.diagnostics.clearProgress()
            let report = LogStatsReport(input: input, outcomes: outcomes, statistics: statistics, maxRows: top)
            switch format {
            case .table: out.append((isFirst ? "" : "\n") + report.text)
            case .json:
                report.json.append(to: &out)
                out.append("\n")
            case .csv: out.append(report.csv)
            }
            isFirst = false
            if failure == nil { do throws(OutputError) { try file.write(out.bytes) } catch { failure = error } }
            out.truncate(to: 0)
            return run.tell(outcomes)
        }
        if let usage {
            file.discard()
            throw usage
        }
        try run.finish(file, failure: failure, status: status)
    }
}

enum StatsFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json, csv
}
