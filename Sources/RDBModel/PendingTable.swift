/// The pending entries of one consumer group, a bounded batch at a time, and who owns each.
///
/// A file lists all pending entries of a group first and the IDs that each consumer owns afterwards. So entries wait
/// here until their owners are known; where there are more than a batch holds, the group is read once for each batch
/// (see `ValueVisitor.endGroup`).
public struct PendingTable {
    /// 256 Ki entries of 36 bytes: 9 MiB.
    public static let batchCount = 256 << 10

    /// Entries of the present batch, ascending by ID.
    public private(set) var entries: [PendingEntry] = []
    private var owners: [Int32] = []
    private var isSorted = true

    /// Pending entries of the group before this batch, and seen in this pass.
    private var batchStart = 0
    private var seenCount = 0
    /// The consumer that the pass is at, and where its next entry is looked for first.
    private var consumer: Int32 = -1
    private var guess = 0

    public enum Assignment: Sendable {
        case assigned, alreadyOwned
        /// Not in this batch: in another one, or nowhere.
        case absent
    }

    public init() {}

    /// Whether this is the group's first pass, in which its consumers are met for the first time.
    public var isFirstPass: Bool { batchStart == 0 }
    /// Pending entries of the whole group, once a pass has seen them.
    public var count: Int { seenCount }

    public mutating func removeAll() {
        if seenCount == 0, batchStart == 0, consumer < 0 { return }
        self = PendingTable()
    }

    public mutating func add(_ entry: PendingEntry) {
        if seenCount >= batchStart, entries.count < Self.batchCount {
            if let last = entries.last, last.id >= entry.id { isSorted = false }
            entries.append(entry)
            owners.append(-1)
        }
        seenCount += 1
    }

    public mutating func startConsumer() {
        if !isSorted {
            // Only a damaged file: what follows searches by ID.
            entries.sort { $0.id < $1.id }
            isSorted = true
        }
        // 2^31 consumers take 20 GB of file, and nobody keeps so many: the last number then stands for all of them.
        if consumer < .max { consumer += 1 }
        guess = 0
    }

    /// The present consumer owns the entry.
    public mutating func assign(_ id: StreamID) -> Assignment {
        // Consumers list their entries in ascending order: the next one is often the very next.
        var index = guess
        if index >= entries.count || entries[index].id != id {
            guard let found = find(id) else { return .absent }
            index = found
        }
        guess = index + 1
        if owners[index] >= 0 { return .alreadyOwned }
        owners[index] = consumer
        return .assigned
    }

    private func find(_ id: StreamID) -> Int? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].id == id ? low : nil
    }

    /// The index of the consumer that owns an entry of the batch.
    public func owner(of index: Int) -> Int? { owners[index] < 0 ? nil : Int(owners[index]) }

    /// After a batch is done with: whether there are more, which another pass over the group brings.
    public mutating func startNextBatch() -> Bool {
        guard batchStart + entries.count < seenCount else { return false }
        batchStart += entries.count
        entries.removeAll(keepingCapacity: true)
        owners.removeAll(keepingCapacity: true)
        seenCount = 0
        consumer = -1
        guess = 0
        return true
    }
}
