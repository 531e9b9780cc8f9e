public import RDBBytes
public import RDBFormat
import RDBModel
public import RDBTransforms

/// Whether two inputs hold the same data, whatever the order, encoding and version in which they hold it.
///
///     let comparison = Comparison(ComparisonOptions())
///     for (side, path) in [(Side.a, "old.rdb"), (.b, "new.rdb")] {
///         var reader = try RDBReader(Input(path: path).source)
///         _ = try comparison.record(side, &reader, EntryLoop(selection: Selection(now: currentMilliseconds())), threads: 4)
///     }
///     try comparison.join()
///     print(comparison.isSame, comparison.counts.total.different)
///
/// Inputs that can be read as often as needed are tallied first: what is kept of their keys then is a tenth, and only keys
/// that can differ, mostly none, have to be recorded. Where `tally` has read both sides, `findSuspects` tells whether
/// `record` has to read them again before `join`.
///
/// Keys and values are compared by 128-bit digests with a key of this run's own: two different values are taken for the
/// same about once in 2^128.
///
/// Memory: `ComparisonOptions.memory`, and what reading takes on each thread.
public final class Comparison {
    public let options: ComparisonOptions
    let state: ComparisonState
    public private(set) var counts = ComparisonCounts()
    /// Which keys differ, when they were asked for.
    public private(set) var differing: DifferingKeys?
    /// Keys whose expiries of fields differ by an unknown time: whether they differ shows when they are read again.
    public private(set) var doubtfulCount: UInt64 = 0

    public init(_ options: ComparisonOptions) {
        self.options = options
        state = ComparisonState(options)
    }

    /// Why temporary files failed; whatever was read then counts for nothing.
    public var failure: SpillError? { state.failure }
    public var functions: FunctionTable { state.functions }
    /// Keys that came more than once in the same input, of which the last one counts.
    public var duplicateCounts: [UInt64] { state.table.duplicateCounts }

    public var isSame: Bool { counts.total.isSame && functions.changes.isEmpty }

    /// Reads one side to its end, and sums up what groups of its keys hold. Not for expiries that may differ.
    public func tally(
        _ side: Side, _ reader: inout RDBReader, _ loop: EntryLoop, threads: Int
    ) throws(EntryFault) -> LoopOutcome {
        precondition(!options.isTimed, "sums tell whether expiries differ, not by how much")
        if state.tally == nil { state.tally = KeyTally(memory: options.memory) }
        var consumer = KeyTallyConsumer(state, side)
        defer { consumer.flush() }
        return try loop.run(&reader, &consumer, threads: threads)
    }

    /// After both sides were tallied: which keys can differ.
    /// - Returns: whether there are any, so that both sides must be recorded before `join`.
    public func findSuspects(threads: Int = 1) throws(SpillError) -> Bool {
        if let failure = state.failure { throw failure }
        let suspects = try state.tally.take()?.suspects(threads: threads)
        state.suspects = suspects
        return suspects?.isEmpty == false
    }

    /// Reads one side to its end, and keeps a record of each key, or of those that can differ.
    public func record(
        _ side: Side, _ reader: inout RDBReader, _ loop: EntryLoop, threads: Int
    ) throws(EntryFault) -> LoopOutcome {
        var consumer = KeyRecordConsumer(state, side)
        defer { consumer.flush() }
        return try loop.run(&reader, &consumer, threads: threads)
    }

    /// Compares what was read of both sides.
    /// - Parameter keepsKeys: whether keys that differ will be looked for again.
    public func join(keepsKeys: Bool = false) throws(SpillError) {
        if let failure = state.failure { throw failure }
        var judge = PairJudge(options, keepsKeys: keepsKeys)
        try state.table.join(into: &judge)
        counts = judge.counts
        if state.suspects != nil { counts.add(state.tallied, without: state.recorded) }
        doubtfulCount = judge.doubtfulCount
        if keepsKeys || doubtfulCount > 0 { differing = judge.keys }
    }

    /// Whether two expiries are at most so far apart, or both absent.
    static func agree(_ a: Int64?, _ b: Int64?, _ tolerance: Int64) -> Bool {
        guard let a, let b else { return a == b }
        let (distance, overflow) = a.subtractingReportingOverflow(b)
        return !overflow && distance.magnitude <= UInt64(tolerance)
    }

    /// A doubtful key that was looked at and does not differ.
    func correct(database: UInt64, type: ValueType) { counts.correct(database: database, type: type) }
}

/// Counts pairs of records, and keeps the keys that have to be looked at again.
private struct PairJudge: KeyPairVisitor {
    private let tolerance: Int64?
    private let comparesExpiry: Bool
    private let comparesFieldExpiry: Bool
    private let keepsKeys: Bool
    var keys: DifferingKeys
    var counts = ComparisonCounts()
    var doubtfulCount: UInt64 = 0

    init(_ options: ComparisonOptions, keepsKeys: Bool) {
        tolerance = options.isTimed ? options.expiryTolerance : nil
        comparesExpiry = options.parts.contains(.expiry)
        comparesFieldExpiry = options.parts.contains(.fieldExpiry)
        self.keepsKeys = keepsKeys
        keys = DifferingKeys(memory: options.memory / 8)
    }

    mutating func visit(_ pair: KeyPair) throws(SpillError) {
        switch pair {
        case .onlyA(let a):
            counts.add(database: a.database, type: a.type, .onlyA)
            if keepsKeys { try keys.append(a.key) }
        case .onlyB(let b):
            counts.add(database: b.database, type: b.type, .onlyB)
            if keepsKeys { try keys.append(b.key) }
        case .both(let a, let b):
            switch verdict(a, b) {
            case .same: counts.add(database: a.database, type: a.type, .same)
            case .different:
                counts.add(database: a.database, type: a.type, .different)
                if keepsKeys { try keys.append(a.key) }
            case .doubtful:
                counts.add(database: a.database, type: a.type, .different)
                doubtfulCount += 1
                try keys.append(a.key)
            }
        }
    }

    private enum Verdict { case same, different, doubtful }

    private func verdict(_ a: KeyRecord, _ b: KeyRecord) -> Verdict {
        if a.value != b.value { return .different }
        guard let tolerance else { return .same }
        if comparesExpiry, !Comparison.agree(a.expiresAt, b.expiresAt, tolerance) { return .different }
        return comparesFieldExpiry && a.fieldExpiries != b.fieldExpiries ? .doubtful : .same
    }
}
