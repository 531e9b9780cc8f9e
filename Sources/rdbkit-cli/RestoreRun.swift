import Glibc
import RDBKit
import RDBServer

/// One `restore`: from the first connection to the summary.
struct RestoreRun {
    private let command: RestoreCommand
    private let inputs: InputRun
    private let seeds: [ServerURL]
    private var diagnostics: Diagnostics { inputs.diagnostics }

    init(_ command: RestoreCommand, _ run: InputRun, _ seeds: [ServerURL]) {
        self.command = command
        inputs = run
        self.seeds = seeds
    }

    func run() -> ExitStatus {
        let file: CheckpointFile?
        do throws(Checkpoint.Mismatch) { file = try openCheckpoint() } catch {
            tell(error)
            return .usage
        }
        // What is told relative to now means the same in every run of one restore.
        let selection = command.selection.selection(
            now: file?.isResumed == true ? file?.checkpoint.startedAt : nil)
        var options = RestoreOptions()
        options.form =
            switch command.way {
            case .restore: .restore
            case .commands: .commands
            default: .auto
            }
        options.onConflict = command.flush ? .replace : command.onConflict
        options.changes = command.changes.changes(now: selection.now)
        if let database = seeds.first?.database, database > 0, command.changes.databaseMap == nil {
            options.changes.otherDatabases = UInt64(database)
        }
        options.keepsExpired = command.keepExpired
        options.connections = command.connections
        options.maxBytesPerSecond = command.maxRate?.bytesPerSecond
        options.maxEntriesPerSecond = command.maxOps?.perSecond
        options.patienceMilliseconds = Int64(command.patience * 1000)
        options.isDryRun = command.dryRun
        if let bigValue = command.bigValue { options.bigValueByteCount = bigValue.byteCount }

        let errors: ErrorLines?
        do throws(OutputError) {
            errors = try command.errors.map { path throws(OutputError) in try ErrorLines(path) }
        } catch {
            diagnostics.error(error)
            return ExitStatus(error)
        }
        do throws(ServerError) {
            let restore = Restore(to: seeds, connection: try command.server.connection(for: seeds), options: options)
            defer { restore.close() }
            let status = try send(restore, selection, errors, file)
            if let failure = errors?.finish() {
                diagnostics.error(failure)
                return status.combined(with: ExitStatus(failure))
            }
            return status
        } catch {
            _ = errors?.finish()
            diagnostics.error(error)
            return ExitStatus(error)
        }
    }

    private func send(
        _ restore: Restore, _ selection: Selection, _ errors: ErrorLines?, _ file: CheckpointFile?
    ) throws(ServerError) -> ExitStatus {
        let description = try restore.connect()
        if command.flush, !command.dryRun {
            guard confirmsFlush(description) else { return .usage }
        }
        if command.way == .replication {
            let status = try ReplicationRun(command, inputs, restore, description).run(now: selection.now)
            guard status == .done, command.verify, !command.dryRun else { return status }
            var summary = RestoreSummary()
            let teller = FailureTeller(diagnostics, errors)
            let verified = verify(restore, selection, &summary, teller)
            teller.finish()
            diagnostics.notice("read back: \(summary.verified) the same, \(summary.differing) not")
            return summary.differing > 0 ? verified.combined(with: .differences) : verified
        }
        var result: Result<(RestoreSummary, ExitStatus), ServerError> = .success((RestoreSummary(), .done))
        var stopped: String?
        let teller = FailureTeller(diagnostics, errors)
        let opened = inputs.forEach([command.input]) { reader, path in
            do throws(ServerError) {
                // Not before it is known that there is something to put in its place.
                if command.flush, !command.dryRun { try flush(restore, file) }
                let outcome = try restore.run(
                    &reader, inputs.loop(path, selection), checkpoint: file, report: teller.tell)
                stopped = outcome.stop?.name
                // The reason why a run ends comes last.
                teller.finish()
                result = .success((outcome.summary, tell(outcome, path)))
            } catch { result = .failure(error) }
            return .done
        }
        guard opened == .done else { return opened }
        var (summary, status) = try result.get()
        if command.verify, !command.dryRun, status == .done || status == .differences {
            status = status.combined(with: verify(restore, selection, &summary, teller))
        }
        teller.finish()
        if restore.isRestoreDenied {
            diagnostics.notice("this user may not use RESTORE: everything went by commands")
        }
        diagnostics.losses(summary.losses, target: description.serverVersion)
        RestoreReport(summary, description, isDryRun: command.dryRun, isVerified: command.verify, stopped: stopped)
            .write(command.format, quiet: command.options.quiet)
        if status == .done, !summary.isWhole { status = .differences }
        return status
    }

    private func flush(_ restore: Restore, _ file: CheckpointFile?) throws(ServerError) {
        // A run that goes on must not remove what the one before it has sent.
        if file?.isResumed == true {
            diagnostics.notice("the checkpoint is resumed: the target is not flushed again")
        } else {
            _ = try restore.flush()
        }
    }

    private func verify(
        _ restore: Restore, _ selection: Selection, _ summary: inout RestoreSummary, _ teller: FailureTeller
    ) -> ExitStatus {
        inputs.forEach([command.input]) { reader, path in
            do throws(ServerError) {
                let loop = inputs.loop(path, selection)
                let result = try restore.verify(&reader, loop, &summary, report: teller.tell)
                diagnostics.clearProgress()
                guard case .failure(let fault) = result else { return .done }
                diagnostics.error(fault, input: path)
                return ExitStatus(fault.error)
            } catch {
                diagnostics.error(error)
                return ExitStatus(error)
            }
        }
    }

    private func tell(_ outcome: Restore.Outcome, _ path: String) -> ExitStatus {
        diagnostics.clearProgress()
        switch outcome.stop {
        case .server(let error):
            diagnostics.error(error)
            if ExitStatus(error) != .interrupted { tellHowToGoOn("stopped") }
            return ExitStatus(error)
        case .checkpoint(let error):
            diagnostics.error(error)
            return ExitStatus(error)
        case .interrupted:
            tellHowToGoOn("interrupted")
            return .interrupted
        case .conflict:
            let again = command.checkpoint == nil ? "" : ", from here with the same --checkpoint"
            diagnostics.notice(
                "stopped, because it exists; --on-conflict skip leaves such keys, replace replaces them\(again)")
            return .differences
        case nil: break
        }
        switch outcome.input {
        case .success(let loop):
            guard loop.skippedCount > 0 else { return .done }
            diagnostics.skippedTotal(loop.skippedCount, input: path)
            return .damagedInput
        case .failure(let fault):
            diagnostics.error(fault, input: path)
            return ExitStatus(fault.error)
        }
    }

    private func tellHowToGoOn(_ what: String) {
        diagnostics.notice(
            command.checkpoint == nil
                ? "\(what); without --checkpoint another run begins anew, and finds what this one has sent"
                : "\(what); the same command goes on from here")
    }

    // MARK: - Before anything is sent

    private func confirmsFlush(_ description: TargetDescription) -> Bool {
        if command.yes { return true }
        guard isatty(STDIN_FILENO) == 1 else {
            diagnostics.error("--flush removes all keys of the target: confirm it with --yes", code: "unconfirmed")
            return false
        }
        let name = "\(description.address)"
        let count = description.keyCounts.map { "\($0.values.reduce(0, +))" } ?? "all"
        diagnostics.prompt("This removes \(count) keys of \(description.name) at \(name). Type its address to go on: ")
        if readLine() == name { return true }
        diagnostics.error("not confirmed; nothing was removed", code: "unconfirmed")
        return false
    }

    private func openCheckpoint() throws(Checkpoint.Mismatch) -> CheckpointFile? {
        guard let path = command.checkpoint, !command.dryRun else { return nil }
        guard let identity = InputIdentity.of(path: command.input) else {
            throw .unreadable("a checkpoint needs a regular file as input")
        }
        let target = seeds.map { "\($0.address)" }.sorted().joined(separator: " ")
        return try CheckpointFile(
            path: path, input: identity, target: target, options: command.choices(database: seeds.first?.database),
            now: currentMilliseconds())
    }

    private func tell(_ mismatch: Checkpoint.Mismatch) {
        let path = command.checkpoint ?? ""
        switch mismatch {
        case .unreadable(let why): diagnostics.error("\(path): \(why)", code: "badCheckpoint")
        case .otherInput(let found):
            diagnostics.error("\(path) is a checkpoint of another input (\(found))", code: "badCheckpoint")
        case .otherTarget(let found):
            diagnostics.error("\(path) is a checkpoint for another target (\(found))", code: "badCheckpoint")
        case .otherOptions(let found):
            let options = found.isEmpty ? "without any that choose or change entries" : "with \(found)"
            diagnostics.error("\(path) is the checkpoint of a run \(options)", code: "badCheckpoint")
        }
    }
}

/// Tells entries that were not applied: the first of them on standard error, all of them to a file where one is named.
final class FailureTeller {
    private let diagnostics: Diagnostics
    private let errors: ErrorLines?
    private var count = 0
    private static let maxTold = 20

    init(_ diagnostics: Diagnostics, _ errors: ErrorLines?) {
        self.diagnostics = diagnostics
        self.errors = errors
    }

    func tell(_ failure: RestoreFailure) {
        errors?.append(failure)
        count += 1
        if count <= Self.maxTold { diagnostics.failure(failure) }
    }

    func finish() {
        if count > Self.maxTold {
            diagnostics.error("\(count - Self.maxTold) more entries were not applied", code: "more")
        }
        count = 0
    }
}

/// Failures as JSON Lines.
final class ErrorLines {
    private let file: OutputFile
    private var lines: LineBuffer

    init(_ path: String) throws(OutputError) {
        file = try OutputFile(path: path)
        lines = LineBuffer(file)
    }

    func append(_ failure: RestoreFailure) {
        failure.json.append(to: &lines.text)
        lines.text.append("\n")
        lines.relieve()
    }

    /// The file appears under its name.
    func finish() -> OutputError? {
        lines.flush()
        if let failure = lines.failure { return failure }
        do throws(OutputError) { try file.finish() } catch { return error }
        return nil
    }
}

extension RestoreFailure {
    /// Fields as in other machine output, the input's offset last.
    var json: JSONValue {
        .members(
            ("code", .text(reason.rawValue)), ("message", .text(message)), ("db", .unsigned(database)),
            ("key", .bytes(key)), ("type", .text(type?.name ?? "function")),
            ("offset", type == nil ? nil : .unsigned(offset)))
    }
}

extension Restore.Stop {
    /// For machines.
    fileprivate var name: String {
        switch self {
        case .conflict: "conflict"
        case .server: "server"
        case .checkpoint: "checkpoint"
        case .interrupted: "interrupted"
        }
    }
}
