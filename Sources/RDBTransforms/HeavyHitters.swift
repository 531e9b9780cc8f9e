import RDBBytes

/// The keys that occur most often, in memory of a fixed size: the Space-Saving method with `capacity` counters.
///
/// A key that is not counted takes over the counter that stands lowest, and its count, which becomes the key's possible
/// error. So of `total` occurrences each count is too high by at most its `error`, no error is above
/// `total / capacity`, and every key that occurs more often than that is among the counted.
/// Source: Metwally, Agrawal, El Abbadi: Efficient computation of frequent and top-k elements in data streams (2005).
///
/// Keys are told apart by their database and a 64-bit hash keyed anew in each run; of each the first 256 bytes are kept.
public struct HeavyHitters {
    public struct Key: Equatable, Sendable {
        public var database: UInt64
        /// At most the first 256 bytes.
        public var bytes: [UInt8]
        public var byteCount: UInt64
        public var count: UInt64
        /// By how much the count may be too high.
        public var error: UInt64
    }

    private struct Counter {
        var hash: UInt64
        var database: UInt64
        var byteCount: UInt64
        var count: UInt64
        var error: UInt64
        var heapIndex: Int
    }

    static let maxKeptByteCount = 256

    public let capacity: Int
    public private(set) var total: UInt64 = 0
    private var counters: [Counter] = []
    private var texts: [UInt8] = []
    /// Counter numbers, the lowest count first: a binary heap.
    private var heap: [Int] = []
    /// Counter numbers by hash, with open addressing; -1 is free.
    private var places: [Int]

    public init(capacity: Int = 4096) {
        self.capacity = max(1, capacity)
        var count = 16
        while count < self.capacity * 4 { count *= 2 }
        places = Array(repeating: -1, count: count)
    }

    public mutating func add(_ key: RawSpan, database: UInt64) {
        total += 1
        let hash = ByteHash.hash(database: database, key: key)
        var place = Int(truncatingIfNeeded: hash) & (places.count - 1)
        while places[place] >= 0 {
            let number = places[place]
            if counters[number].hash == hash {
                counters[number].count += 1
                sink(counters[number].heapIndex)
                return
            }
            place = (place + 1) & (places.count - 1)
        }
        if counters.count < capacity {
            let number = counters.count
            counters.append(
                Counter(hash: hash, database: database, byteCount: 0, count: 1, error: 0, heapIndex: heap.count))
            texts += [UInt8](repeating: 0, count: Self.maxKeptByteCount)
            heap.append(number)
            places[place] = number
            keep(key, number)
            raise(heap.count - 1)
        } else {
            let number = heap[0]
            free(counters[number].hash)
            counters[number].error = counters[number].count
            counters[number].count += 1
            counters[number].hash = hash
            counters[number].database = database
            keep(key, number)
            occupy(hash, number)
            sink(0)
        }
    }

    private mutating func keep(_ key: RawSpan, _ number: Int) {
        counters[number].byteCount = UInt64(key.byteCount)
        let start = number * Self.maxKeptByteCount
        for index in 0..<min(key.byteCount, Self.maxKeptByteCount) { texts[start + index] = key.byte(at: index) }
    }

    /// The keys with the highest counts, those first; of equal counts in the order of their bytes.
    public func top(_ count: Int) -> [Key] {
        let keys = counters.indices.map { number in
            let counter = counters[number]
            let start = number * Self.maxKeptByteCount
            let kept = Int(min(counter.byteCount, UInt64(Self.maxKeptByteCount)))
            return Key(
                database: counter.database, bytes: Array(texts[start..<start + kept]), byteCount: counter.byteCount,
                count: counter.count, error: counter.error)
        }
        let sorted = keys.sorted { left, right in
            if left.count != right.count { return left.count > right.count }
            if left.error != right.error { return left.error < right.error }
            if left.database != right.database { return left.database < right.database }
            return left.bytes.lexicographicallyPrecedes(right.bytes)
        }
        return Array(sorted.prefix(count))
    }

    // MARK: - Heap

    private mutating func swapHeap(_ left: Int, _ right: Int) {
        heap.swapAt(left, right)
        counters[heap[left]].heapIndex = left
        counters[heap[right]].heapIndex = right
    }

    private mutating func raise(_ index: Int) {
        var index = index
        while index > 0 {
            let parent = (index - 1) / 2
            if counters[heap[parent]].count <= counters[heap[index]].count { return }
            swapHeap(parent, index)
            index = parent
        }
    }

    private mutating func sink(_ index: Int) {
        var index = index
        while true {
            var lowest = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
                if counters[heap[child]].count < counters[heap[lowest]].count { lowest = child }
            }
            if lowest == index { return }
            swapHeap(lowest, index)
            index = lowest
        }
    }

    // MARK: - Places

    private mutating func occupy(_ hash: UInt64, _ number: Int) {
        var place = Int(truncatingIfNeeded: hash) & (places.count - 1)
        while places[place] >= 0 { place = (place + 1) & (places.count - 1) }
        places[place] = number
    }

    /// Takes a counter's place away and moves those up that came to lie behind it.
    private mutating func free(_ hash: UInt64) {
        let mask = places.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while counters[places[place]].hash != hash { place = (place + 1) & mask }
        var gap = place
        var next = (gap + 1) & mask
        while places[next] >= 0 {
            let home = Int(truncatingIfNeeded: counters[places[next]].hash) & mask
            if (next - home) & mask >= (next - gap) & mask {
                places[gap] = places[next]
                gap = next
            }
            next = (next + 1) & mask
        }
        places[gap] = -1
    }
}
