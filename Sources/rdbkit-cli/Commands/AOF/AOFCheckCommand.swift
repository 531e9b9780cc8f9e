import ArgumentParser
import RDBKit

struct AOFCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validate logs to the last byte.",
        discussion: """
            Checks the manifest, the framing of every command, the nesting of MULTI and EXEC, and an RDB before the \
            commands as rdbkit check does. Tells where each fault is, whether servers load the log all the same, and how \
            many bytes a cut behind the last whole command or transaction would lose. Status 0: sound; 1: faults found.
            """)

    @Argument(help: .logs)
    var inputs: [String]

    @Option(help: ArgumentHelp("Write the findings as text, as JSON Lines, or as CSV.", valueName: "format"))
    var format = CheckFormat.text

    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func run() throws {
        let run = InputRun(options)
        let file = try run.open(output)
        let report = CheckReport(file, format: format, quiet: options.quiet)
        let status = run.forEachLog(inputs) { run.check($0, report) }
        report.flush()
        try run.finish(file, failure: report.failure, status: status)
    }
}
