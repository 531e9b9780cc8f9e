import RDBKit
import RDBServer

/// What every command on logs does around its own work.
extension InputRun {
    /// Opens each input and hands it to `body`, which returns how it went.
    func forEachLog(_ inputs: [String], _ body: (AOFInput) -> ExitStatus) -> ExitStatus {
        forEachLog(inputs, server: { _ in refuseServer() }, body)
    }

    /// - Parameter server: what is done with a live server.
    func forEachLog(
        _ inputs: [String], server: (String) -> ExitStatus, _ body: (AOFInput) -> ExitStatus
    ) -> ExitStatus {
        var status = ExitStatus.done
        for path in inputs where status != .interrupted {
            if ServerURL.isServerURL(path) {
                status = status.combined(with: server(path))
                continue
            }
            do throws(AOFInputError) {
                status = status.combined(with: body(try AOFInput(path: path)))
            } catch {
                status = status.combined(with: tell(error))
            }
        }
        return status
    }

    func tell(_ error: AOFInputError) -> ExitStatus {
        switch error {
        case .unreadable(let failure):
            diagnostics.error(failure)
            return ExitStatus(failure.cause, isOpening: true)
        case .badManifest(let path, let fault):
            diagnostics.error(EntryFault(error: fault, database: nil, key: nil, isSkipped: false), input: path)
            return ExitStatus(fault)
        }
    }

    /// The loop over one log's commands, with this run's progress.
    func logLoop(_ input: AOFInput) -> AOFLoop {
        var loop = AOFLoop()
        loop.progress = diagnostics.progress(counting: "commands")
        return loop
    }

    /// Tells what ended the reading of a log early.
    func tell(_ outcomes: [AOFFileOutcome]) -> ExitStatus {
        diagnostics.clearProgress()
        var status = ExitStatus.done
        for outcome in outcomes {
            if let failure = outcome.failure {
                diagnostics.error(failure)
                status = status.combined(with: ExitStatus(failure.cause, isOpening: true))
            }
            if let fault = outcome.fault {
                diagnostics.error(fault, input: outcome.file.path)
                status = status.combined(with: ExitStatus(fault.error))
            }
        }
        return status
    }

    /// Of a log that was read to its end.
    func tellOpenTransaction(_ outcome: AOFFileOutcome) {
        guard outcome.fault == nil, let offset = outcome.openTransactionOffset else { return }
        diagnostics.notice(
            "\(outcome.file.path): byte \(offset): no EXEC follows this MULTI; servers do not apply what is behind it")
    }
}
