import ArgumentParser
import RDBKit

struct AOFRepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Cut a damaged log behind its last whole command or transaction.",
        discussion: """
            Writes what is whole to OUT: a file, or for a multi-part log a folder that is made for it. Only the last file \
            of a multi-part log can be cut, as servers do. Commands that servers load though they are irregular are \
            written anew, so that redis-check-aof accepts them too. With --in-place the log itself is cut, after the bytes \
            to be cut off have been saved beside it as FILE.cut-OFFSET.
            """)

    @Argument(help: .log)
    var input: String

    @Flag(help: "Cut the log where it lies, and keep the bytes cut off in a file of their own. Stop its server first.")
    var inPlace = false

    @OptionGroup(title: "Output") var output: LogOutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func validate() throws {
        if inPlace == (output.output != nil) { throw ValidationError("where to? give -o OUT, or --in-place") }
        if inPlace, input == "-" { throw ValidationError("standard input cannot be repaired in place") }
    }

    func run() throws {
        let run = InputRun(options)
        let status = run.forEachLog([input]) { log in
            var consumer = Framing()
            var loop = run.logLoop(log)
            loop.keeping = .beginnings
            loop.readsAgain = !inPlace
            let outcomes = loop.run(log, &consumer)
            run.diagnostics.clearProgress()
            guard let cut = cut(log, outcomes, run) else { return run.tell(outcomes).combined(with: .damagedInput) }
            if inPlace, let last = outcomes.last, last.isCompressed {
                run.diagnostics.error(
                    "\(log.path): compressed files are not repaired in place", code: "unsupportedInput")
                return .damagedInput
            }
            let copier = AOFCopier(log, outcomes, cut)
            return inPlace
                ? repair(log, outcomes, cut, copier, run)
                : run.write(copier, log, output, dropsEmptyFile: false) { tell(log, outcomes, cut, run) }
        }
        if status != .done { throw status.exitCode }
    }

    /// Steps over everything.
    private struct Framing: CommandConsumer {
        mutating func consume(_ record: AOFRecord, _ arguments: CommandArguments) {}
    }

    /// nil where a cut mends nothing; it was told why.
    private func cut(_ log: AOFInput, _ outcomes: [AOFFileOutcome], _ run: InputRun) -> AOFCut? {
        guard let last = outcomes.last else {
            run.diagnostics.error("\(log.path): the manifest names no file to load", code: "badManifest")
            return nil
        }
        if outcomes.contains(where: { $0.failure != nil || $0.fault?.error.isAboutInput == false }) { return nil }
        let damaged = outcomes.firstIndex { $0.fault != nil || $0.openTransactionOffset != nil }
        if let damaged, damaged < log.files.count - 1 {
            run.diagnostics.error(
                "\(outcomes[damaged].file.path): is not the last file, and only the last can be cut; "
                    + "rdbkit aof cut --at-offset writes what comes before", code: "notRepairable")
            return nil
        }
        if let fault = last.fault {
            if last.rdbVersion != nil, last.rdbEnd == nil {
                run.diagnostics.error(
                    "\(last.file.path): the fault lies in the RDB, which cannot be cut", code: "notRepairable")
                return nil
            }
            if last.safeCut == 0, last.file.role == .single, fault.error.code != .truncated {
                run.diagnostics.error("\(last.file.path): nothing in it is whole", code: "notRepairable")
                return nil
            }
        }
        return AOFCut(
            fileIndex: outcomes.count - 1, offset: last.lostByteCount > 0 ? last.safeCut : last.byteCount)
    }

    private func repair(
        _ log: AOFInput, _ outcomes: [AOFFileOutcome], _ cut: AOFCut, _ copier: AOFCopier, _ run: InputRun
    ) -> ExitStatus {
        do throws(AOFCopyError) {
            let done = try copier.repairInPlace()
            tell(log, outcomes, cut, run)
            if let done {
                run.diagnostics.notice(
                    "\(done.path): the bytes from \(done.changedFrom) on are saved in \(done.savedPath)")
            }
            return .done
        } catch { return run.tell(error) }
    }

    private func tell(_ log: AOFInput, _ outcomes: [AOFFileOutcome], _ cut: AOFCut, _ run: InputRun) {
        guard let last = outcomes.last else { return }
        let irregularCount = outcomes.reduce(0) { $0 + $1.irregularCount }
        if irregularCount > 0 {
            run.diagnostics.notice("\(log.path): \(counted(irregularCount, "irregular command")) written anew")
        }
        if last.lostByteCount > 0 {
            let cause = last.fault.map { "\($0.error)" } ?? "no EXEC follows the MULTI there"
            run.diagnostics.notice(
                "\(last.file.path): cut at byte \(cut.offset), \(counted(last.lostByteCount, "byte")) left out: \(cause)"
            )
        } else if irregularCount == 0 {
            run.diagnostics.notice("\(log.path): nothing to repair")
        }
    }
}

/// Where a log is written.
struct LogOutputOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            """
            Write to this file (- is standard output), or for a multi-part log to this folder, which must not be there \
            yet or be empty. It appears when it is whole.
            """, valueName: "out"))
    var output: String?
}

extension InputRun {
    func tell(_ error: AOFCopyError) -> ExitStatus {
        switch error {
        case .input(let failure):
            diagnostics.error(failure)
            return ExitStatus(failure.cause, isOpening: false)
        case .output(let failure):
            diagnostics.error(failure)
            return ExitStatus(failure)
        }
    }

    /// Writes what a copier keeps, and then says so.
    func write(
        _ copier: AOFCopier, _ log: AOFInput, _ options: LogOutputOptions, dropsEmptyFile: Bool, _ tell: () -> Void
    ) -> ExitStatus {
        do throws(AOFCopyError) {
            if log.manifest == nil {
                let file: OutputFile
                do throws(OutputError) {
                    file = try OutputOptions.open(options.output)
                    do throws(AOFCopyError) { try copier.write(to: file) } catch {
                        file.discard()
                        return self.tell(error)
                    }
                    try file.finish()
                } catch { throw .output(error) }
            } else {
                try copier.write(toFolder: options.output ?? "", dropsEmptyFile: dropsEmptyFile)
            }
            tell()
            return .done
        } catch { return self.tell(error) }
    }
}
