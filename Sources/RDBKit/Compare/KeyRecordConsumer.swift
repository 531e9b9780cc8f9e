import RDBBytes
import RDBFormat
import RDBModel
public import RDBTransforms

/// What of two inputs is compared.
public struct ComparisonOptions: Sendable {
    public var parts = EntryDigest.Parts.data
    /// Function libraries count as well.
    public var comparesFunctions = true
    /// Expiries of keys and fields may differ by so many milliseconds; nil compares them exactly.
    public var expiryTolerance: Int64?
    /// Bytes for what is kept of keys and elements.
    public var memory = 256 << 20

    public init() {}

    /// Expiries are compared as numbers.
    var isTimed: Bool { expiryTolerance != nil && !parts.isDisjoint(with: [.expiry, .fieldExpiry]) }
}

/// What a comparison gathers of both sides.
final class ComparisonState {
    let options: ComparisonOptions
    /// Nobody can make an input whose digests agree under it.
    let key = Digest128(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
    var table: KeyTable
    var functions = FunctionTable()
    var failure: SpillError?

    init(_ options: ComparisonOptions) {
        self.options = options
        table = KeyTable(isTimed: options.isTimed, memory: options.memory)
    }

    func add(_ records: inout KeyRecords, _ side: Side) {
        if failure == nil {
            do throws(SpillError) { try table.add(records, side) } catch { failure = error }
        }
        records.removeAll()
    }
}

/// The digests by which keys are found again in a later pass.
struct KeyHash: Sendable {
    private let beginning: SipHash
    private let hasDatabase: Bool

    init(_ state: ComparisonState) {
        beginning = SipHash(key: state.key)
        hasDatabase = state.options.parts.contains(.database)
    }

    func digest(database: UInt64, key: RawSpan) -> Digest128 {
        var message = beginning
        if hasDatabase { message.append(word: database) }
        message.append(text: key)
        return message.finish()
    }
}

/// Makes a record of each entry of one side.
struct KeyRecordConsumer: ParallelConsumer, ~Copyable {
    private let side: Side
    private let hash: KeyHash
    private let timed: Bool
    private var digest: EntryDigest
    private var fieldDigest: EntryDigest
    private var records: KeyRecords
    /// nil in workers.
    private let state: ComparisonState?

    init(_ state: ComparisonState, _ side: Side) {
        self.side = side
        self.state = state
        hash = KeyHash(state)
        timed = state.options.isTimed
        var parts = state.options.parts
        let untimed = parts.subtracting(.expiry)
        if timed { parts.subtract([.expiry, .fieldExpiry]) }
        digest = EntryDigest(parts, key: state.key)
        fieldDigest = EntryDigest(untimed, key: state.key)
        records = KeyRecords(isTimed: timed)
    }

    private init(workerOf other: borrowing KeyRecordConsumer) {
        side = other.side
        hash = other.hash
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
        digest.begin(header, key: reader.key)
        try reader.readValue(into: &digest)
        var record = KeyRecord(
            key: hash.digest(database: header.database, key: reader.key), value: digest.finish(),
            database: header.database, type: header.type)
        if timed {
            record.expiresAt = header.expiresAt
            if header.hasFieldExpiries {
                try reader.rewindToValue()
                fieldDigest.begin(header, key: reader.key)
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

    mutating func section(_ item: RDBItem) {
        guard case .function(let library) = item, let state, state.options.comparesFunctions else { return }
        state.functions.add(library, digest.digest(of: library), side)
    }

    /// To be called after the run.
    mutating func flush() { state?.add(&records, side) }

    // MARK: - As one of several

    func makeWorker() -> KeyRecordConsumer { KeyRecordConsumer(workerOf: self) }

    mutating func absorb(_ worker: inout KeyRecordConsumer) {
        flush()
        state?.add(&worker.records, side)
    }

    var isFull: Bool { false }
    var mustConsumeAlone: Bool { false }
}
