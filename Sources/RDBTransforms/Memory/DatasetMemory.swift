public import RDBModel

/// What a server's whole data set takes: entries, and the tables that hold them.
///
/// Parts of a file add up in any order and on any number of threads.
///
/// Memory: `maxDatabases` counters of databases at most, whatever the file claims; what is beyond is counted as one.
public struct DatasetMemory: Sendable {
    public let model: MemoryModel
    private let sizes: StructureSizes

    /// Configurations have 16; a made file could have as many as it has bytes.
    static let maxDatabases = 1024

    private struct Database {
        var keys: UInt64 = 0
        var expires: UInt64 = 0
    }
    private var databases: [UInt64: Database] = [:]
    // Of the database of the entry before, not in `databases` yet.
    private var present = Database()
    private var presentNumber: UInt64 = 0

    public private(set) var keyCount: UInt64 = 0
    /// The sum of `EntryMemory.bytes`.
    public private(set) var entryBytes: UInt64 = 0
    private var uncountedBytes: Int64 = 0
    private var libraryBytes: UInt64 = 0
    /// Tables of the slots that the file tells of, which stand in place of one for each database.
    private var slotTableBytes: UInt64 = 0
    /// Keys in these.
    private var slotKeyCount: UInt64 = 0

    public init(_ model: MemoryModel) {
        self.model = model
        sizes = StructureSizes(model.server)
    }

    public mutating func add(_ entry: EntryMemory, database: UInt64) {
        if database != presentNumber { select(database) }
        present.keys += 1
        if entry.hasExpiry { present.expires += 1 }
        keyCount += 1
        entryBytes &+= entry.bytes
        uncountedBytes &+= entry.uncountedBytes
    }

    private mutating func select(_ number: UInt64) {
        put()
        presentNumber = databases.count < Self.maxDatabases || databases[number] != nil ? number : .max
    }

    private mutating func put() {
        if present.keys > 0 {
            databases[presentNumber, default: Database()].keys += present.keys
            databases[presentNumber, default: Database()].expires += present.expires
        }
        present = Database()
    }

    /// Adds what another part of the same data set holds.
    public mutating func add(_ other: DatasetMemory) {
        var other = other
        other.put()
        put()
        for (number, database) in other.databases {
            select(number)
            present.keys += database.keys
            present.expires += database.expires
            put()
        }
        keyCount += other.keyCount
        entryBytes &+= other.entryBytes
        uncountedBytes &+= other.uncountedBytes
        libraryBytes &+= other.libraryBytes
        slotTableBytes &+= other.slotTableBytes
        slotKeyCount &+= other.slotKeyCount
    }

    /// A function library: its code, twice, and what the interpreter makes of it (measured).
    public mutating func add(_ library: FunctionLibrary) {
        libraryBytes &+= 8600 &+ 2 &* library.code.byteCount
    }

    /// A slot of a cluster node, which has tables of its own.
    public mutating func addSlot(keys: UInt64, expires: UInt64) {
        // Hints of the writer: more than a table can have is none of them.
        guard keys < 1 << 48, expires < 1 << 48 else { return }
        let structure = model.allocator.size(sizes.hasBuckets ? sizes.hashtable : sizes.dict)
        slotTableBytes &+= table(keys) &+ structure
        slotKeyCount &+= keys
        if expires > 0 { slotTableBytes &+= expiryTable(expires) &+ structure }
    }

    // MARK: - Tables

    /// The table of so many keys, presized as the file tells.
    private func table(_ count: UInt64) -> UInt64 {
        if count == 0 { return 0 }
        let allocator = model.allocator
        if sizes.hasBuckets {
            let all = TableSizes.buckets(holding: count, presized: count)
            let top = min(TableSizes.buckets(presized: count), all)
            return allocator.size(64 &* top) &+ (all - top) &* allocator.size(64)
        }
        let slots = TableSizes.slots(presized: count)
        var bytes = allocator.size(8 &* slots)
        if sizes.embedsKeys {
            // Objects alone in their slot need no entry.
            let share = 1 - TableSizes.power(1 - 1 / Double(slots), count)
            bytes &+= (count - min(UInt64(Double(slots) * share), count)) &* allocator.size(16)
        }
        return bytes
    }

    private func expiryTable(_ count: UInt64) -> UInt64 {
        let entries = sizes.embedsKeys ? 0 : count &* model.allocator.size(StructureSizes.dictEntry)
        return table(count) &+ entries
    }

    /// Tables of keys and of expiries: what no single key's MEMORY USAGE counts.
    public var tableBytes: UInt64 {
        // Of some of the file's keys only, the tables of all would tell too much.
        if slotTableBytes > 0, slotKeyCount == keyCount { return slotTableBytes }
        var copy = self
        copy.put()
        return copy.databases.values.reduce(0) { $0 &+ table($1.keys) &+ expiryTable($1.expires) }
    }

    // MARK: - Sums

    /// What the data set adds to used_memory of INFO, beyond what the server takes without it.
    public var usedBytes: UInt64 {
        let entries = Int64(clamping: entryBytes).addingReportingOverflow(uncountedBytes)
        return (entries.overflow ? entryBytes : UInt64(max(entries.partialValue, 0))) &+ tableBytes &+ libraryBytes
    }

    /// used_memory of the whole server with its defaults and one client: `usedBytes`, and what the release takes when it
    /// has started without data (measured).
    public var serverBytes: UInt64 {
        let start: UInt64 =
            switch model.server {
            case .redis62: 872_000
            case .redis70: 950_000
            case .redis82: 727_000
            case .valkey81: 1_014_000
            case .valkey91: 1_052_000
            }
        return start &+ usedBytes
    }
}
