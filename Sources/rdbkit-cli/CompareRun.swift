import ArgumentParser
import RDBKit
import RDBServer

/// Two inputs read for a comparison: opens them, tells what goes wrong with which, and never takes for compared what was
/// not read to its end.
struct CompareRun {
    let run: InputRun
    let sides: [any SnapshotSide]
    let selection: Selection
    let threads: Int
    private let steps = StepCounter()

    /// - Throws: the exit status of a URL that is none, or of a password that is not entered.
    init(_ options: RunOptions, _ inputs: [String], _ selecting: SelectionOptions, servers: ServerInputOptions) throws {
        run = InputRun(options, selecting)
        var selection = selecting.selection()
        threads = options.threadCount
        var sides: [any SnapshotSide] = []
        for input in inputs {
            guard ServerURL.isServerURL(input) else {
                do throws(AOFInputError) { sides.append(try run.side(input)) } catch { throw run.tell(error).exitCode }
                continue
            }
            do throws(ServerError) { sides.append(try servers.side(input, selection, run.diagnostics)) } catch {
                run.diagnostics.error(error)
                throw ExitStatus(error).exitCode
            }
        }
        self.sides = sides
        if run.moment != nil, !sides.contains(where: { $0 is LogSide }) {
            run.diagnostics.error(
                "--at and --at-offset are for append-only logs; neither input is one", code: "notALog")
            throw ExitStatus.usage.exitCode
        }
        // A server shows no keys whose expiry is over, even those that it has still to remove.
        if sides.contains(where: { $0.isLive }), selection.expiryStates.isEmpty {
            selection.expiryStates = [.none, .future]
        }
        self.selection = selection
    }

    func name(_ side: Side) -> String { sides[side.rawValue].name }

    /// nil where the side is no live server.
    func serverVersion(of side: Side) -> ServerVersion? {
        let description = try? (sides[side.rawValue] as? ServerSide)?.connect()
        return description?.serverVersion
    }

    /// What is compared, with what a live side cannot be held to.
    func comparison(_ options: ComparisonOptions) -> Comparison {
        var options = options
        if sides.contains(where: { $0.isLive }) { options.fieldsExpireAfter = selection.now }
        return Comparison(options)
    }

    /// Opens a side and hands its reader to `body`.
    private func open(
        _ side: Side, wanting: KeyFilter? = nil, isLast: Bool,
        _ body: (any ByteSource, inout RDBReader, EntryLoop) -> ExitStatus
    ) -> ExitStatus {
        let source: any ByteSource
        do { source = try sides[side.rawValue].open(wanting: wanting, isLast: isLast) } catch { return tell(error) }
        do throws(DecodeError) {
            var reader = try RDBReader(source)
            return body(source, &reader, run.loop(name(side), selection, step: "pass \(steps.number), \(name(side)):"))
        } catch {
            return tell(.failure(EntryFault(error: error, database: nil, key: nil, isSkipped: false)), side)
        }
    }

    /// Reads both sides to their ends, as far as they can be read, and finds out which keys differ.
    ///
    /// Files are tallied first: where nothing differs, as mostly, that is all. What can only be read once, or changes from
    /// one time to the next, is recorded at once.
    ///
    /// - Parameters:
    ///   - isLast: whether the sides will not be read once more for what the keys hold.
    ///   - keepsKeys: whether keys that differ will be looked for again.
    /// - Returns: what stands in the way of a verdict; with `--on-error skip`, damage does not keep the rest from being
    ///   compared.
    func compare(
        _ comparison: Comparison, isLast: Bool, keepsKeys: Bool = false
    ) -> (status: ExitStatus, goesOn: Bool) {
        func record(again: Bool) -> (status: ExitStatus, goesOn: Bool) {
            read(comparison, isLast: isLast) { side, reader, loop throws(EntryFault) in
                var loop = loop
                // All of it was told when the side was read first.
                if again { loop.notice = { _ in } }
                return try comparison.record(side, &reader, loop, threads: threads)
            }
        }
        do throws(SpillError) {
            var result: (status: ExitStatus, goesOn: Bool)
            if sides.allSatisfy(\.canReadAgain), !comparison.options.isTimed {
                result = read(comparison, isLast: false) { side, reader, loop throws(EntryFault) in
                    try comparison.tally(side, &reader, loop, threads: threads)
                }
                if result.goesOn, try comparison.findSuspects(threads: threads) {
                    let recorded = record(again: true)
                    result = (result.status.combined(with: recorded.status), recorded.goesOn)
                }
            } else {
                result = record(again: false)
            }
            if result.goesOn { try comparison.join(keepsKeys: keepsKeys) }
            return result
        } catch { return (tell(error), false) }
    }

    private func read(
        _ comparison: Comparison, isLast: Bool,
        _ body: (Side, inout RDBReader, EntryLoop) throws(EntryFault) -> LoopOutcome
    ) -> (status: ExitStatus, goesOn: Bool) {
        steps.number += 1
        var all = ExitStatus.done
        for side in Side.allCases {
            var isAtEnd = false
            let status = open(side, isLast: isLast) { _, reader, loop in
                let result: Result<LoopOutcome, EntryFault>
                do throws(EntryFault) { result = .success(try body(side, &reader, loop)) } catch {
                    result = .failure(error)
                }
                if let failure = comparison.failure { return tell(failure) }
                if case .success(let outcome) = result { isAtEnd = outcome.end != nil }
                return tell(result, side)
            }
            all = all.combined(with: status)
            if let log = sides[side.rawValue] as? LogSide { all = all.combined(with: log.status) }
            if !isAtEnd { return (all == .done ? .damagedInput : all, false) }
        }
        return (all, true)
    }

    // MARK: - Errors

    func tell(_ result: Result<LoopOutcome, EntryFault>, _ side: Side) -> ExitStatus {
        if case .failure(let fault) = result, fault.error.code == .readFailed,
            let failure = sides[side.rawValue].failure
        {
            return tell(failure)
        }
        return run.tell(result, name(side))
    }

    func tell(_ error: any Error) -> ExitStatus {
        run.diagnostics.clearProgress()
        switch error {
        case let refusal as CutRefusal: return refusal.status
        case let error as InputError:
            run.diagnostics.error(error)
            return ExitStatus(error.cause, isOpening: true)
        case let error as ServerError:
            run.diagnostics.error(error)
            return ExitStatus(error)
        case let error as SpillError:
            guard let number = error.number else { return .interrupted }
            run.diagnostics.error(
                "temporary file in \(error.folder): \(Diagnostics.systemMessage(number)); --tmp names another folder",
                code: "temporaryFile")
            return .ioError
        default:
            run.diagnostics.error("\(error)", code: "failed")
            return .ioError
        }
    }
}

/// How often both sides were gone through, for those who wait.
private final class StepCounter {
    var number = 0
}

// MARK: - Differences

extension CompareRun {
    /// Reads both sides again and tells what differs.
    func tellDifferences(_ comparison: Comparison, into sink: some DifferenceSink) -> ExitStatus {
        let difference = Difference(comparison)
        var status = ExitStatus.done
        let parts = difference.partCount
        for part in 0..<parts {
            let filter: KeyFilter
            do throws(SpillError) { filter = try difference.filter(part) } catch { return tell(error) }
            steps.number += 1
            for side in Side.allCases {
                let found = open(side, wanting: filter, isLast: part == parts - 1) { source, reader, loop in
                    var loop = loop
                    // All of it was told when the side was read first.
                    loop.notice = { _ in }
                    do throws(DifferenceFailure) {
                        try difference.locate(side, part, &reader, source, loop)
                        return .done
                    } catch { return tell(error) }
                }
                if found != .done { return found }
            }
        }
        difference.progress = run.diagnostics.progress(step: "values:")
        difference.skipped = { side, fault in
            var fault = fault
            fault.isSkipped = true
            run.diagnostics.clearProgress()
            run.diagnostics.error(fault, input: name(side))
            status = .damagedInput
        }
        run.diagnostics.clearProgress()
        do throws(DifferenceFailure) {
            try difference.run(into: sink, onError: run.options.onError == .skip ? .skip : .stop)
        } catch { return tell(error) }
        if difference.vanishedCount > 0, sides.contains(where: \.isLive) {
            run.diagnostics.notice(
                "\(difference.vanishedCount) keys changed while they were compared, and are the same now")
        }
        return status
    }

    private func tell(_ failure: DifferenceFailure) -> ExitStatus {
        switch failure {
        case .fault(let side, let fault): tell(.failure(fault), side)
        case .spill(let error): tell(error)
        }
    }
}
