public import RDBModel

/// An entry as reports list it.
public struct AuditEntry: Equatable, Sendable {
    /// Of longer keys the beginning is kept.
    public static let maxKeptKeyByteCount = 1024

    public var database: UInt64
    public var key: [UInt8]
    public var keyByteCount: UInt64
    public var type: ValueType
    public var encoding: ServerEncoding
    public var bytes: UInt64
    public var serializedBytes: UInt64
    public var elements: UInt64
    public var largestElementBytes: UInt64
    /// Unix time in milliseconds.
    public var expiresAt: Int64?
    public var idleSeconds: UInt64?
    public var lfuFrequency: UInt8?
    /// Which of several inputs it stands in.
    public var input = 0

    public var isKeyCut: Bool { UInt64(key.count) < keyByteCount }
}

/// What entries are ranked by.
public enum AuditMeasure: String, Sendable, CaseIterable {
    /// Bytes in a server's memory.
    case memory
    /// Bytes of the value in the file.
    case size
    case elements
    /// Bytes of the largest element.
    case element

    public func value(_ memory: EntryMemory, serializedBytes: UInt64) -> UInt64 {
        switch self {
        case .memory: memory.bytes
        case .size: serializedBytes
        case .elements: memory.elements
        case .element: memory.largestElementBytes
        }
    }

    public func value(_ entry: AuditEntry) -> UInt64 {
        switch self {
        case .memory: entry.bytes
        case .size: entry.serializedBytes
        case .elements: entry.elements
        case .element: entry.largestElementBytes
        }
    }
}

/// The entries of the highest rank, so many of them; of equal ones those that came first. Exact.
///
/// Memory: `capacity` entries with their keys, each at most about 1.2 KiB.
public struct TopEntries: Sendable {
    private struct Item {
        var rank: UInt64
        var order: UInt64
        var entry: AuditEntry

        /// Whether it stays longer than another.
        func isAbove(_ other: Item) -> Bool { rank != other.rank ? rank > other.rank : order < other.order }
    }

    public let capacity: Int
    /// A heap, the first to go at its root.
    private var heap: [Item] = []
    private var nextOrder: UInt64 = 0
    /// What a whole run already has: only a higher rank is worth keeping.
    private var floor: UInt64?

    public init(capacity: Int) { self.capacity = capacity }

    /// Whether an entry of this rank, which comes after all others, would be kept.
    @inline(__always)
    public func admits(_ rank: UInt64) -> Bool {
        if let floor, rank <= floor { return false }
        if heap.count < capacity { return true }
        return capacity > 0 && rank > heap[0].rank
    }

    public mutating func add(_ entry: AuditEntry, rank: UInt64) {
        guard admits(rank) else { return }
        let item = Item(rank: rank, order: nextOrder, entry: entry)
        nextOrder += 1
        if heap.count < capacity {
            heap.append(item)
            raise(heap.count - 1)
        } else {
            heap[0] = item
            sink(0)
        }
    }

    /// Takes over what another found among entries that come after all here, and empties it.
    public mutating func absorb(_ other: inout TopEntries, input: Int) {
        if !other.heap.isEmpty {
            for item in other.heap.sorted(by: { $0.order < $1.order }) {
                var entry = item.entry
                entry.input = input
                add(entry, rank: item.rank)
            }
            other.heap.removeAll(keepingCapacity: true)
            other.nextOrder = 0
        }
        other.floor = heap.count == capacity ? heap.first?.rank : nil
    }

    /// The highest first.
    public var entries: [AuditEntry] { heap.sorted { $0.isAbove($1) }.map(\.entry) }

    private mutating func raise(_ index: Int) {
        var index = index
        while index > 0, heap[(index - 1) / 2].isAbove(heap[index]) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func sink(_ index: Int) {
        var index = index
        while true {
            var lowest = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
                if heap[lowest].isAbove(heap[child]) { lowest = child }
            }
            if lowest == index { return }
            heap.swapAt(index, lowest)
            index = lowest
        }
    }
}
