import RDBBytes
import RDBModel

/// What the keys of each cluster slot take.
public struct SlotTally: Sendable {
    public private(set) var slots: [AuditSum] = Array(repeating: AuditSum(), count: HashSlot.count)
    /// Slots with anything in them, in the order in which they came.
    private var used: [Int] = []

    public init() {}

    mutating func add(_ key: RawSpan, _ sum: AuditSum) { add(HashSlot.of(key), sum) }

    private mutating func add(_ slot: Int, _ sum: AuditSum) {
        if slots[slot].keys == 0 { used.append(slot) }
        slots[slot] += sum
    }

    mutating func absorb(_ other: inout SlotTally) {
        for slot in other.used {
            add(slot, other.slots[slot])
            other.slots[slot] = AuditSum()
        }
        other.used.removeAll(keepingCapacity: true)
    }

    /// A run of slots and what its keys take.
    public struct Shard: Equatable, Sendable {
        public var slots: ClosedRange<Int>
        public var sum: AuditSum
    }

    /// All slots in `count` runs, one behind the other, of nearly the same bytes: a run ends at the slot where the bytes
    /// so far come closest to its share.
    public func shards(_ count: Int) -> [Shard] {
        let count = min(max(1, count), HashSlot.count)
        let total = slots.reduce(0.0) { $0 + Double($1.bytes) }
        var shards: [Shard] = []
        var start = 0
        var before = 0.0
        for number in 1...count {
            let target = total * Double(number) / Double(count)
            var end = start
            var bytes = before + Double(slots[start].bytes)
            // Each of the runs to come needs a slot.
            let last = HashSlot.count - 1 - (count - number)
            while end < last {
                let next = bytes + Double(slots[end + 1].bytes)
                if number < count, abs(next - target) > abs(bytes - target) || bytes >= target && total > 0 { break }
                // Without any keys the runs are of equal length.
                if total == 0, number < count, end + 1 >= HashSlot.count * number / count { break }
                bytes = next
                end += 1
            }
            shards.append(Shard(slots: start...end, sum: slots[start...end].reduce(into: AuditSum()) { $0 += $1 }))
            before = bytes
            start = end + 1
        }
        return shards
    }
}
