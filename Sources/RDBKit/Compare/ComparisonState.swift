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
    /// Hash fields whose expiry is not later do not count: a live server may or may not have removed them. Unix time in
    /// milliseconds.
    public var fieldsExpireAfter: Int64?
    /// Bytes for what is kept of keys and elements.
    public var memory = 256 << 20

    public init() {}

    /// Expiries are compared as numbers.
    public var isTimed: Bool { expiryTolerance != nil && !parts.isDisjoint(with: [.expiry, .fieldExpiry]) }
}

/// What a comparison gathers of both sides.
final class ComparisonState {
    let options: ComparisonOptions
    /// Nobody can make an input whose digests agree under it.
    let key = Digest128(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
    /// While sums are gathered; then the other one is empty.
    var tally: KeyTally?
    var table: KeyTable
    /// Keys that can differ, where that is known: only of these there are records.
    var suspects: KeyGroups?
    /// Keys of side A that were tallied, and those of them of which there are records.
    var tallied = ComparisonCounts()
    var recorded = ComparisonCounts()
    var functions = FunctionTable()
    var failure: SpillError?

    init(_ options: ComparisonOptions) {
        self.options = options
        table = KeyTable(isTimed: options.isTimed, memory: options.memory)
    }

    func add(_ records: inout KeyRecords, _ counts: inout ComparisonCounts, _ side: Side) {
        if failure == nil {
            do throws(SpillError) { try table.add(records, side) } catch { failure = error }
        }
        records.removeAll()
        recorded.add(counts)
        counts = ComparisonCounts()
    }

    func add(_ marks: inout KeyMarks, _ counts: inout ComparisonCounts, _ side: Side) {
        if failure == nil {
            do throws(SpillError) { try tally?.add(marks, side) } catch { failure = error }
        }
        marks.removeAll()
        tallied.add(counts)
        counts = ComparisonCounts()
    }

    /// A section between entries: function libraries count, in the first pass.
    func add(_ item: RDBItem, _ side: Side, _ digest: EntryDigest) {
        guard suspects == nil, options.comparesFunctions, case .function(let library) = item else { return }
        functions.add(library, digest.digest(of: library), side)
    }
}

/// What stands for a key, whatever its entry holds.
struct KeyHash: Sendable {
    private let key: Digest128
    private let hasDatabase: Bool
    /// The message up to the key, of the database before.
    private var beginning: SipHash
    private var database: UInt64 = 0

    init(_ state: ComparisonState) {
        key = state.key
        hasDatabase = state.options.parts.contains(.database)
        beginning = SipHash(key: key)
        if hasDatabase { beginning.append(word: database) }
    }

    mutating func digest(database: UInt64, key: RawSpan) -> Digest128 {
        if hasDatabase, database != self.database {
            beginning = SipHash(key: self.key)
            beginning.append(word: database)
            self.database = database
        }
        var message = beginning
        message.append(text: key)
        return message.finish()
    }

    /// By which a tally tells keys apart, without being sure.
    func hash(database: UInt64, key: RawSpan) -> UInt64 {
        ByteHash.hash(database: hasDatabase ? database : 0, key: key)
    }
}
