import RDBBytes
import RDBFormat
import RDBModel
import RDBTransforms

/// Makes a record of each entry of one side, or of those whose keys can differ.
struct KeyRecordConsumer: ParallelConsumer, ~Copyable {
    private let side: Side
    private var hash: KeyHash
    private let timed: Bool
    private var digest: EntryDigest
    private var fieldDigest: EntryDigest
    private let suspects: KeyGroups?
    private var records: KeyRecords
    /// Side A's, where only some keys are recorded.
    private var counts = ComparisonCounts()
    /// nil in workers.
    private let state: ComparisonState?

    init(_ state: ComparisonState, _ side: Side) {
        self.side = side
        self.state = state
        hash = KeyHash(state)
        suspects = state.suspects
        timed = state.options.isTimed
        // Database and key are in the digest of the key.
        var parts = state.options.parts.subtracting(.database)
        let untimed = parts.subtracting(.expiry)
        if timed { parts.subtract([.expiry, .fieldExpiry]) }
        digest = EntryDigest(parts, key: state.key)
        fieldDigest = EntryDigest(untimed, key: state.key)
        digest.fieldsExpireAfter = state.options.fieldsExpireAfter
        fieldDigest.fieldsExpireAfter = state.options.fieldsExpireAfter
        records = KeyRecords(isTimed: timed)
    }

    private init(workerOf other: borrowing KeyRecordConsumer) {
        side = other.side
        hash = other.hash
        suspects = other.suspects
        timed = other.timed
        digest = other.digest
        fieldDigest = other.fieldDigest
        records = other.records
        records.removeAll()
        state = nil
    }

    var isDone: Bool { state?.failure != nil }

    mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        let header = reader.header
        if header.database > KeyRecord.maxDatabase {
            throw DecodeError(
                .limitExceeded, at: ByteLocation(offset: header.startOffset), expected: "a database below 2^56",
                found: .unsigned(header.database))
        }
        if let suspects {
            guard suspects.contains(hash.hash(database: header.database, key: reader.key)) else {
                return try reader.skipValue()
            }
            if side == .a { counts.add(database: header.database, type: header.type, .same) }
        }
        let key = hash.digest(database: header.database, key: reader.key)
        digest.begin(header, key: RawSpan())
        try reader.readValue(into: &digest)
        var record = KeyRecord(key: key, value: digest.finish(), database: header.database, type: header.type)
        if timed {
            record.expiresAt = header.expiresAt
            if header.hasFieldExpiries {
                try reader.rewindToValue()
                fieldDigest.begin(header, key: RawSpan())
                try reader.readValue(into: &fieldDigest)
                record.fieldExpiries = fieldDigest.finish().low
            } else {
                // Like a layout with expiries of which no field has one.
                record.fieldExpiries = record.value.low
            }
        }
        records.append(record)
        if state != nil, records.count >= 4096 { flush() }
    }

    mutating func section(_ item: RDBItem) { state?.add(item, side, digest) }

    /// To be called after the run.
    mutating func flush() { state?.add(&records, &counts, side) }

    // MARK: - As one of several

    func makeWorker() -> KeyRecordConsumer { KeyRecordConsumer(workerOf: self) }

    mutating func absorb(_ worker: inout KeyRecordConsumer) {
        flush()
        state?.add(&worker.records, &worker.counts, side)
    }

    var isFull: Bool { false }
    var mustConsumeAlone: Bool { false }
}
