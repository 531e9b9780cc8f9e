public import RDBBytes
public import RDBModel

/// Makes a digest of each entry it is shown, and says how digests of many entries combine.
public protocol DigestVisitor: ValueVisitor, Sendable {
    associatedtype Digest: HexDigest
    associatedtype Total: DigestTotal where Total.Digest == Digest

    /// Begins an entry, whatever became of the one before.
    mutating func begin(_ header: EntryHeader, key: RawSpan)

    /// The digest of the entry whose value was read.
    mutating func finish() -> Digest

    /// Why the entry has no digest.
    var refusal: DecodeError? { get }

    func digest(of library: FunctionLibrary) -> Digest128

    /// One digest of databases, ascending by number, and of function libraries where they count.
    func combine(_ databases: [(number: UInt64, total: Total)], functions: DigestSum?) -> Digest
}

/// Digests of entries in no order, put together.
public protocol DigestTotal: Equatable, Sendable {
    associatedtype Digest

    init()
    var count: UInt64 { get }
    mutating func add(_ digest: Digest)
    mutating func add(_ other: Self)
}

extension DigestSum: DigestTotal {
    public typealias Digest = Digest128
}

/// Totals by database. Memory: `maxDatabases` of them at most.
public struct DatabaseTotals<Total: DigestTotal>: Sendable {
    /// Configurations have 16; a made file could have as many as it has bytes.
    public static var maxDatabases: Int { 1 << 16 }

    private var totals: [UInt64: Total] = [:]
    // Of the database of the entry before, not in `totals` yet.
    private var present = Total()
    private var presentNumber: UInt64 = 0

    public init() {}

    /// - Returns: false where there are too many databases already.
    public mutating func add(_ digest: Total.Digest, database: UInt64) -> Bool {
        if database != presentNumber, !select(database) { return false }
        present.add(digest)
        return true
    }

    public mutating func add(_ other: DatabaseTotals) -> Bool {
        for (number, total) in other.byNumber {
            if number != presentNumber, !select(number) { return false }
            present.add(total)
        }
        return true
    }

    private mutating func select(_ database: UInt64) -> Bool {
        put()
        presentNumber = database
        return totals.count < Self.maxDatabases || totals[database] != nil
    }

    private mutating func put() {
        if present.count > 0 { totals[presentNumber, default: Total()].add(present) }
        present = Total()
    }

    /// Databases that have entries, ascending.
    public var byNumber: [(number: UInt64, total: Total)] {
        var copy = self
        copy.put()
        return copy.totals.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Entries of all databases.
    public var count: UInt64 { totals.values.reduce(present.count) { $0 + $1.count } }

    public mutating func removeAll() { self = DatabaseTotals() }
}
