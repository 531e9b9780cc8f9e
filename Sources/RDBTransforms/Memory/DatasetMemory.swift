public import RDBModel

/// What a server's whole data set takes: entries, and the tables that hold them.
///
/// Parts of a file add up in any order and on any number of threads.
public struct DatasetMemory: Sendable {
    public let model: MemoryModel
    public private(set) var keyCount: UInt64 = 0
    /// The sum of `EntryMemory.bytes`.
    public private(set) var entryBytes: UInt64 = 0

    public init(_ model: MemoryModel) { self.model = model }

    public mutating func add(_ entry: EntryMemory, database: UInt64) {
        keyCount += 1
        entryBytes += entry.bytes
    }

    public mutating func add(_ other: DatasetMemory) {
        keyCount += other.keyCount
        entryBytes += other.entryBytes
    }

    /// Function libraries belong to the data set as well.
    public mutating func add(_ library: FunctionLibrary) {}

    /// Tables of keys and of expiries.
    public var tableBytes: UInt64 { 0 }

    /// What the data set adds to used_memory of INFO, beyond what the server takes when it starts with nothing.
    public var usedBytes: UInt64 { entryBytes + tableBytes }

    /// used_memory of the whole server: `usedBytes` and what the release takes at its start with its defaults.
    public var serverBytes: UInt64 { usedBytes + 900_000 }
}
