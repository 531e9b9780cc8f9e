import ArgumentParser
import RDBKit

/// What is known of the input that is being read.
final class CurrentInput {
    /// Of a log: keys whose values may not be what a server has.
    fileprivate(set) var doubtfulKeys = DoubtfulKeys()
    /// Of a log: what was done with its commands.
    fileprivate(set) var log: LogStateInput.Result?
    /// Of an RDB: commands follow it that were not applied.
    var hasUnreadCommands = false
}

extension InputRun {
    private static let maxTold = 20

    /// Hands the state behind a log to `body`, as an RDB that holds it, and then tells what was wrong with the log.
    func readState(_ input: AOFInput, _ body: (inout RDBReader, String) -> ExitStatus) -> ExitStatus {
        switch state(of: input) {
        case .failure(let refusal): return refusal.status
        case .success(let result):
            current.doubtfulKeys = result.doubtfulKeys
            current.log = result
            defer {
                current.doubtfulKeys = DoubtfulKeys()
                current.log = nil
                diagnostics.origin = nil
            }
            let status = result.source.map { read($0, input.path, body) } ?? .done
            return status.combined(with: tell(result, of: input))
        }
    }

    /// The state behind a log at the moment that is wanted. Commands that cannot be run are told.
    func state(of input: AOFInput) -> Result<LogStateInput.Result, CutRefusal> {
        var cut: AOFCut?
        if let moment {
            do throws(ValidationError) {
                switch findCut(input, try moment.finderMoment(input)).0 {
                case .success(let finder): cut = finder.cut
                case .failure(let refusal): return .failure(refusal)
                }
            } catch {
                diagnostics.error("\(error)", code: "usage")
                return .failure(CutRefusal(status: .usage))
            }
        }
        var toldCount = 0
        var state = LogStateInput(input, now: currentMilliseconds())
        state.cut = cut
        state.progress = diagnostics.progress(counting: "commands")
        state.notRun = { [diagnostics] file, record, name, reason in
            toldCount += 1
            if toldCount <= Self.maxTold { diagnostics.notRun(file, record, name, reason) }
        }
        let result = state.read()
        diagnostics.clearProgress()
        if toldCount > Self.maxTold {
            diagnostics.error("\(input.path): \(toldCount - Self.maxTold) more commands were not run", code: "more")
        }
        if let places = result.places, let base = result.base {
            diagnostics.origin = Diagnostics.Origin(input: input.path, file: base.path, places: places)
        }
        return .success(result)
    }

    /// Tells what was wrong with a log, and which keys are doubtful.
    func tell(_ result: LogStateInput.Result, of input: AOFInput) -> ExitStatus {
        var status = tell(result.outcomes)
        for (index, outcome) in result.outcomes.enumerated() { tellOpenTransaction(outcome, index, input, &status) }
        return status.combined(with: tellDoubts(result, input))
    }

    private func tellOpenTransaction(
        _ outcome: AOFFileOutcome, _ index: Int, _ input: AOFInput, _ status: inout ExitStatus
    ) {
        tellOpenTransaction(outcome)
        guard outcome.fault == nil, outcome.openTransactionOffset != nil, index < input.files.count - 1 else { return }
        diagnostics.error(
            "\(outcome.file.path): a transaction is open at the end of a file that is not the last; no server loads this",
            code: "badTransaction")
        status = status.combined(with: .damagedInput)
    }

    private func tellDoubts(_ result: LogStateInput.Result, _ input: AOFInput) -> ExitStatus {
        let report = result.report
        if report.refusedCount > 0 {
            diagnostics.notice(
                "\(input.path): \(counted(report.refusedCount, "command")) without effect, as servers answer them with an error"
            )
        }
        if result.leftOutCount > 0 {
            diagnostics.error(
                "\(input.path): \(counted(result.leftOutCount, "key")) left out: no RDB holds their types beside the others",
                code: "lost")
        }
        guard report.notRunCount > 0 else { return result.leftOutCount > 0 ? .differences : .done }
        var text = "\(input.path): \(counted(report.notRunCount, "command")) could not be run without a server; "
        text += "\(counted(UInt64(result.doubtfulKeys.count), "key")) doubtful"
        if report.unknownKeysCount > 0 {
            text +=
                "; \(counted(report.unknownKeysCount, "command")) of them named no keys, so that others may be as well"
        }
        diagnostics.error(text, code: "doubtful")
        return .differences
    }
}

extension Diagnostics {
    /// A command of a log that was not run.
    func notRun(_ file: AOFInput.File, _ record: AOFRecord, _ name: [UInt8], _ reason: LogState.NotRun) {
        let words =
            switch reason {
            case .script: "a script cannot be run without a server"
            case .module: "a command of a module cannot be run without a server"
            case .unknown: "a command that this release does not know"
            case .undetermined: "what comes of it only the server that ran it can tell"
            case .wrongArgumentCount: "the wrong number of arguments, for which no server loads the log"
            case .tooLarge: "a string this long is not made for a few bytes of a log"
            }
        error(
            "\(file.path): byte \(record.offset) (db \(record.database)): "
                + "\(String(decoding: name.prefix(64), as: UTF8.self)): \(words); its keys are doubtful",
            code: "notRun")
    }
}
