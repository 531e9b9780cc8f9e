import RDBBytes
import RDBFormat
import RDBModel
import RDBTransforms

/// Adds each entry of one side to the sum of its group of keys.
struct KeyTallyConsumer: ParallelConsumer, ~Copyable {
    private let side: Side
    private var hash: KeyHash
    private var digest: EntryDigest
    private var marks = KeyMarks()
    /// Side A's alone: where nothing differs, B's are the same.
    private var counts = ComparisonCounts()
    /// nil in workers.
    private let state: ComparisonState?

    init(_ state: ComparisonState, _ side: Side) {
        self.side = side
        self.state = state
        hash = KeyHash(state)
        digest = EntryDigest(state.options.parts, key: state.key)
        digest.fieldsExpireAfter = state.options.fieldsExpireAfter
    }

    private init(workerOf other: borrowing KeyTallyConsumer) {
        side = other.side
        hash = other.hash
        digest = other.digest
        state = nil
    }

    var isDone: Bool { state?.failure != nil }

    mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        let header = reader.header
        digest.begin(header, key: reader.key)
        try reader.readValue(into: &digest)
        marks.append(key: hash.low(database: header.database, key: reader.key), entry: digest.finish())
        if side == .a { counts.add(database: header.database, type: header.type, .same) }
        if state != nil, marks.count >= 4096 { flush() }
    }

    mutating func section(_ item: RDBItem) { state?.add(item, side, digest) }

    /// To be called after the run.
    mutating func flush() { state?.add(&marks, &counts, side) }

    // MARK: - As one of several

    func makeWorker() -> KeyTallyConsumer { KeyTallyConsumer(workerOf: self) }

    mutating func absorb(_ worker: inout KeyTallyConsumer) {
        flush()
        state?.add(&worker.marks, &worker.counts, side)
    }

    var isFull: Bool { false }
    var mustConsumeAlone: Bool { false }
}
