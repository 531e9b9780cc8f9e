import RDBBytes
import RDBFormat
import RDBModel
import RDBTransforms

/// Adds each entry of one side to the sum of its group of keys.
struct KeyTallyConsumer: ParallelConsumer, PlainStringVisitor, ~Copyable {
    /// The fast way is that of batches.
    static var batchesAlways: Bool { true }

    private let side: Side
    private let hash: KeyHash
    private var digest: EntryDigest
    private var strings: StringDigests
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
        strings = StringDigests(digest)
    }

    private init(workerOf other: borrowing KeyTallyConsumer) {
        side = other.side
        hash = other.hash
        digest = other.digest
        strings = StringDigests(other.digest)
        state = nil
    }

    var isDone: Bool { state?.failure != nil }

    mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        // Field by field: a copy of the header for each entry would cost as much as the hashing.
        let (type, database) = (reader.header.type, reader.header.database)
        if type == .string {
            begin(database, reader.header.expiresAt, reader.key)
            try reader.readValue(into: &strings)
            return end(database)
        }
        digest.begin(reader.header, key: reader.key)
        try reader.readValue(into: &digest)
        marks.append(key: hash.hash(database: database, key: reader.key), entry: digest.finish())
        count(database, type)
    }

    mutating func consumePlainStrings(of batch: borrowing EntryBatch, _ reader: inout RDBReader) -> Int {
        batch.takePlainStrings(&reader, into: &self)
    }

    mutating func string(database: UInt64, expiresAt: Int64?, key: RawSpan, text: RawSpan) {
        begin(database, expiresAt, key)
        strings.text(text, as: .string)
        end(database)
    }

    mutating func string(database: UInt64, expiresAt: Int64?, key: RawSpan, integer: Int64) {
        begin(database, expiresAt, key)
        strings.integer(integer, as: .string)
        end(database)
    }

    /// Begins a string.
    @inline(__always)
    private mutating func begin(_ database: UInt64, _ expiresAt: Int64?, _ key: RawSpan) {
        let hash = hash.hash(database: database, key: key)
        strings.begin(database: database, expiresAt: expiresAt, key: key, hash: hash)
    }

    @inline(__always)
    private mutating func end(_ database: UInt64) {
        strings.end(into: &marks)
        count(database, .string)
    }

    @inline(__always)
    private mutating func count(_ database: UInt64, _ type: ValueType) {
        if side == .a { counts.add(database: database, type: type, .same) }
        if state != nil, marks.count >= 4096 { flush() }
    }

    mutating func section(_ item: RDBItem) { state?.add(item, side, digest) }

    mutating func discard() { strings.discard() }

    /// To be called after the run.
    mutating func flush() {
        strings.flush(into: &marks)
        state?.add(&marks, &counts, side)
    }

    // MARK: - As one of several

    func makeWorker() -> KeyTallyConsumer { KeyTallyConsumer(workerOf: self) }

    mutating func absorb(_ worker: inout KeyTallyConsumer) {
        flush()
        worker.strings.flush(into: &worker.marks)
        state?.add(&worker.marks, &worker.counts, side)
    }

    var isFull: Bool { false }
    var mustConsumeAlone: Bool { false }
}
