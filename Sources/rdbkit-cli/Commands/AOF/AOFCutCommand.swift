import ArgumentParser
import RDBKit

struct AOFCutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cut",
        abstract: "Write a log up to a moment: a time or an offset.",
        discussion: """
            Keeps whole commands and whole transactions only. --at keeps what stands before the first time of the log that \
            is later; such times are there where aof-timestamp-enabled is set. --at-offset counts in the last file of a \
            multi-part log unless it names another; the files behind that one are left out. The result is a file, or \
            for a multi-part log a folder with a manifest.
            """)

    @Argument(
        help: ArgumentHelp("An append-only file, a manifest or its folder; - is standard input.", valueName: "input"))
    var input: String

    // A time may begin with a dash: -2h.
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Up to this time, included: RFC 3339, Unix seconds, or relative such as -2h.", valueName: "time"))
    var at: Moment?

    @Option(help: ArgumentHelp("Up to this byte offset, at most.", valueName: "[file:]n"))
    var atOffset: AOFPlace?

    @OptionGroup(title: "Output") var output: LogOutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func validate() throws {
        if (at == nil) == (atOffset == nil) { throw ValidationError("give either --at or --at-offset") }
        if output.output == nil { throw ValidationError("where to? give -o OUT") }
    }

    func run() throws {
        let run = InputRun(options)
        var usage: ValidationError?
        let status = run.forEachLog([input]) { log in
            do throws(ValidationError) {
                return cut(log, try LogMoment(at: at, atOffset: atOffset).finderMoment(log), run)
            } catch {
                usage = error
                return .usage
            }
        }
        if let usage { throw usage }
        if status != .done { throw status.exitCode }
    }

    private func cut(_ log: AOFInput, _ moment: AOFCutFinder.Moment, _ run: InputRun) -> ExitStatus {
        let (found, outcomes) = run.findCut(log, moment)
        guard case .success(let finder) = found else {
            if case .failure(let refusal) = found { return refusal.status }
            return .damagedInput
        }
        let cut = finder.cut
        return run.write(AOFCopier(log, outcomes, cut), log, output, dropsEmptyFile: true) {
            let place = log.manifest == nil ? "" : " of \(log.files[cut.fileIndex].name)"
            run.diagnostics.notice(
                "\(log.path): \(counted(finder.keptCount, "command")) kept, up to byte \(cut.offset)\(place)")
        }
    }
}
