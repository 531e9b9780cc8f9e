import ArgumentParser
import RDBKit
import RDBServer

/// What every command does around its own work: opens inputs one after another, tells what goes wrong, and ends with
/// the status that it has.
struct InputRun {
    let options: RunOptions
    let diagnostics: Diagnostics
    /// The state of logs that is wanted; nil for the one at their end.
    let moment: LogMoment?
    /// What is known of the input that is read.
    let current = CurrentInput()
    /// nil where the command reads no live servers.
    let live: LiveInput?

    /// - Parameters:
    ///   - servers: how live servers are read, where the command reads them.
    ///   - wanted: what it reads of them; what `selection` says if nil.
    init(
        _ options: RunOptions, _ selection: SelectionOptions? = nil, servers: ServerInputOptions? = nil,
        wanting wanted: Selection? = nil
    ) {
        self.options = options
        moment = selection?.moment
        let diagnostics = options.diagnostics()
        self.diagnostics = diagnostics
        live = servers.map {
            LiveInput($0, wanted ?? selection?.selection() ?? Selection(now: currentMilliseconds()), diagnostics)
        }
    }

    /// Opens each input and hands its reader to `body`, which returns how it went. Of a log, the reader has the state.
    func forEach(_ inputs: [String], _ body: (inout RDBReader, String) -> ExitStatus) -> ExitStatus {
        func server(_ text: String) -> ExitStatus { readServer(text, body) }
        return forEachLog(inputs, server: server) { input in
            do throws(InputError) {
                if try input.isLog() { return readState(input, body) }
                if moment != nil {
                    diagnostics.error(
                        "\(input.path): --at and --at-offset are for append-only logs; this is none", code: "notALog")
                    return .usage
                }
                return try readRDB(input, body)
            } catch {
                diagnostics.error(error)
                return ExitStatus(error.cause, isOpening: true)
            }
        }
    }

    /// The same for inputs that may be logs: those are handed to `log`.
    func forEach(
        _ inputs: [String], log: (AOFInput) -> ExitStatus, rdb: (inout RDBReader, String) -> ExitStatus
    ) -> ExitStatus {
        forEachLog(inputs) { input in
            if input.manifest != nil || input.singleContent == .commands { return log(input) }
            do throws(InputError) { return try readRDB(input, rdb) } catch {
                diagnostics.error(error)
                return ExitStatus(error.cause, isOpening: true)
            }
        }
    }

    private func readRDB(
        _ input: AOFInput, _ body: (inout RDBReader, String) -> ExitStatus
    ) throws(InputError) -> ExitStatus {
        let part = try input.open(input.files[0])
        let source: any ByteSource
        do throws(SourceError) { source = try Input(part.source).source } catch {
            throw InputError(path: input.path, cause: error)
        }
        current.hasUnreadCommands = false
        let status = read(source, input.path, body)
        return current.hasUnreadCommands ? status.combined(with: .damagedInput) : status
    }

    func refuseServer() -> ExitStatus {
        diagnostics.error("this command reads no live servers", code: "badURL")
        return .usage
    }

    private func readServer(_ text: String, _ body: (inout RDBReader, String) -> ExitStatus) -> ExitStatus {
        guard let live else { return refuseServer() }
        defer { live.close() }
        do throws(ServerError) {
            let (source, name) = try live.open(text)
            return read(source, name, body)
        } catch {
            diagnostics.error(error)
            return ExitStatus(error)
        }
    }

    /// What really ended the reading of a live server.
    private func tellServer(_ error: DecodeError) -> ExitStatus? {
        guard error.code == .readFailed, let failure = live?.failure else { return nil }
        diagnostics.error(failure)
        return ExitStatus(failure)
    }

    /// Tells a fault that ended the reading of an input.
    func tell(_ fault: EntryFault, _ path: String) -> ExitStatus {
        if let status = tellServer(fault.error) { return status }
        diagnostics.error(fault, input: path)
        return ExitStatus(fault.error)
    }

    func read(
        _ source: any ByteSource, _ path: String, _ body: (inout RDBReader, String) -> ExitStatus
    ) -> ExitStatus {
        do throws(DecodeError) {
            var reader = try RDBReader(source)
            return body(&reader, path)
        } catch {
            return tell(EntryFault(error: error, database: nil, key: nil, isSkipped: false), path)
        }
    }

    /// The loop over one input's entries, with this run's notices and progress.
    /// - Parameter step: what of a longer work the loop is, for people.
    func loop(_ path: String, _ selection: Selection, step: String? = nil) -> EntryLoop {
        var loop = EntryLoop(selection: selection)
        loop.onError = options.onError
        loop.notice = { [diagnostics, current] notice in
            if case .trailingCommands = notice { current.hasUnreadCommands = true }
            diagnostics.notice(notice, input: path)
        }
        loop.progress = diagnostics.progress(step: step)
        return loop
    }

    /// Runs over one input's entries. `flush` writes what was decoded, before an error is told.
    func run<C: EntryConsumer & ~Copyable>(
        _ reader: inout RDBReader, _ path: String, _ selection: Selection, _ consumer: inout C,
        flush: (inout C) -> Void
    ) -> ExitStatus {
        let result: Result<LoopOutcome, EntryFault>
        do throws(EntryFault) { result = .success(try loop(path, selection).run(&reader, &consumer)) } catch {
            result = .failure(error)
        }
        flush(&consumer)
        return tell(result, path)
    }

    /// The same on several threads.
    func run<C: ParallelConsumer & ~Copyable>(
        _ reader: inout RDBReader, _ path: String, _ selection: Selection, _ consumer: inout C, threads: Int,
        flush: (inout C) -> Void
    ) -> ExitStatus {
        let result: Result<LoopOutcome, EntryFault>
        do throws(EntryFault) {
            result = .success(try loop(path, selection).run(&reader, &consumer, threads: threads))
        } catch { result = .failure(error) }
        flush(&consumer)
        return tell(result, path)
    }

    func tell(_ result: Result<LoopOutcome, EntryFault>, _ path: String) -> ExitStatus {
        diagnostics.clearProgress()
        switch result {
        case .success(let outcome):
            guard outcome.skippedCount > 0 else { return .done }
            diagnostics.skippedTotal(outcome.skippedCount, input: path)
            return .damagedInput
        case .failure(let fault): return tell(fault, path)
        }
    }

    /// Opens the output.
    func open(_ output: OutputOptions) throws -> OutputFile {
        do throws(OutputError) { return try output.open() } catch {
            diagnostics.error(error)
            throw ExitStatus(error).exitCode
        }
    }

    /// Gives the output its name, or removes what would look whole and is not, and ends with the status.
    func finish(_ file: OutputFile, failure: OutputError?, status: ExitStatus) throws {
        var failure = failure
        if failure == nil, status != .interrupted {
            do throws(OutputError) { try file.finish() } catch { failure = error }
        }
        if failure != nil || status == .interrupted { file.discard() }
        if let failure {
            diagnostics.error(failure)
            let own = ExitStatus(failure)
            if own != .done { throw own.exitCode }
        } else if status != .done {
            throw status.exitCode
        }
    }
}
