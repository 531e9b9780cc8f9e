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
            do throws(ValidationError) { return cut(log, try moment(log), run) } catch {
                usage = error
                return .usage
            }
        }
        if let usage { throw usage }
        if status != .done { throw status.exitCode }
    }

    private func moment(_ log: AOFInput) throws(ValidationError) -> AOFCutFinder.Moment {
        if let atOffset { return .position(try atOffset.position(in: log)) }
        let milliseconds = at?.milliseconds(now: currentMilliseconds()) ?? 0
        // Annotations have whole seconds; rounded down.
        return .time(milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0))
    }

    private func cut(_ log: AOFInput, _ moment: AOFCutFinder.Moment, _ run: InputRun) -> ExitStatus {
        var finder = AOFCutFinder(moment)
        var loop = run.logLoop(log)
        loop.keeping = .beginnings
        loop.readsAgain = true
        let outcomes = loop.run(log, &finder)
        run.diagnostics.clearProgress()
        if let status = refuse(log, moment, finder, outcomes, run) { return status }
        let cut = finder.cut
        return run.write(AOFCopier(log, outcomes, cut), log, output, dropsEmptyFile: true) {
            let place = log.manifest == nil ? "" : " of \(log.files[cut.fileIndex].name)"
            run.diagnostics.notice(
                "\(log.path): \(counted(finder.keptCount, "command")) kept, up to byte \(cut.offset)\(place)")
        }
    }

    /// Tells why there is nothing to write; nil where there is.
    private func refuse(
        _ log: AOFInput, _ moment: AOFCutFinder.Moment, _ finder: AOFCutFinder, _ outcomes: [AOFFileOutcome],
        _ run: InputRun
    ) -> ExitStatus? {
        func refusal(_ words: String) -> ExitStatus {
            run.diagnostics.error("\(log.path): \(words)", code: "nothingToKeep")
            return .damagedInput
        }
        guard let last = outcomes.last else { return refusal("the manifest names no file to load") }
        if last.failure != nil { return run.tell(outcomes) }
        if let fault = last.fault, !finder.isDone {
            // A tail that is cut off is one that servers cut off as well; and what lies behind the place is no matter.
            var isBehind = fault.error.code == .truncated && outcomes.count == log.files.count
            if case .position(let position) = moment, position.fileIndex == outcomes.count - 1 {
                isBehind = isBehind || fault.error.offset >= position.offset
            }
            if !isBehind || last.rdbVersion != nil && last.rdbEnd == nil {
                let status = run.tell(outcomes)
                run.diagnostics.notice("\(log.path): the log is damaged before the place to cut it at")
                return status
            }
        }
        switch moment {
        case .position(let position):
            if let end = last.rdbEnd, outcomes.count == position.fileIndex + 1, position.offset < end.byteCount {
                return refusal(
                    "byte \(position.offset) lies within the RDB before the commands, which ends at byte "
                        + "\(end.byteCount) and cannot be cut")
            }
        case .time(let seconds):
            if let time = finder.rdbTime, time > seconds {
                return refusal("its RDB was written at \(CivilTime.text(seconds: time)), which is later")
            }
            if !finder.hasTimes {
                return refusal("its commands bear no times; servers write them where aof-timestamp-enabled is yes")
            }
            // A base begins with the time at which it was written.
            let first = outcomes[0].firstTime
            let isLaterBase = log.manifest != nil && outcomes[0].rdbVersion == nil && (first ?? seconds) > seconds
            if isLaterBase || finder.cut == AOFCut(fileIndex: 0, offset: 0) {
                let words = first.map { "; the first time in it is \(CivilTime.text(seconds: $0))" } ?? ""
                return refusal("nothing in it is that early\(words)")
            }
        }
        return nil
    }
}
