import RDBBytes

/// Finds members that occur twice, by 64-bit hashes keyed anew in each run.
///
/// Exact in memory of a fixed size: a collection of more than `maxCount` members is gone through several times, each
/// time for the share of hashes that fits. Two different members that agree in all 64 bits would be taken for one; among
/// 10 million that happens once in 400 000 runs.
public struct DuplicateFinder: Sendable {
    /// 1.5 Mi hashes in 2 Mi places of 8 bytes: 16 MiB, and half as much again while it grows to that.
    public static let maxCount = 3 << 19

    /// Open addressing; 0 is free.
    private var places: [UInt64] = Array(repeating: 0, count: 16)
    private var used = 0
    private var share: UInt64 = 0
    private var shares: UInt64 = 1
    private let seed = UInt64.random(in: 1 ... .max)

    public init() {}

    /// Begins a collection.
    /// - Parameter count: as the file states it. More than there are cost nothing: memory follows what is added.
    public mutating func start(count: UInt64?) {
        share = 0
        // Rounded up; the count may be anything up to 2^64 - 1.
        let count = count ?? 8
        shares = count == 0 ? 1 : (count - 1) / UInt64(Self.maxCount) + 1
        clear(for: Int(min(count, 512)))
    }

    /// Whether the collection must be gone through once more, for further hashes.
    public mutating func startNextShare() -> Bool {
        share += 1
        guard share < shares else { return false }
        clear(for: places.count / 2)
        return true
    }

    private mutating func clear(for count: Int) {
        var capacity = 16
        while capacity < count * 2 { capacity *= 2 }
        used = 0
        if places.count == capacity {
            unsafe places.withUnsafeMutableBufferPointer { unsafe $0.update(repeating: 0) }
        } else {
            places = Array(repeating: 0, count: capacity)
        }
    }

    /// Whether the member was added before (in this share).
    public mutating func add(_ member: RawSpan) -> Bool { add(hash: hash(member)) }

    public mutating func add(_ member: Int64) -> Bool {
        // An integer is the same member as its decimal text.
        String(member).withRawSpan { add(hash: hash($0)) }
    }

    public mutating func add(hash: UInt64) -> Bool {
        if shares > 1, hash >> 32 % shares != share { return false }
        let key = hash == 0 ? 1 : hash
        if used * 4 >= places.count * 3 {
            // Never beyond the bound: a count that lied is found out by counting.
            if places.count >= Self.maxCount / 3 * 4 { return false }
            grow()
        }
        let mask = places.count - 1
        var index = Int(truncatingIfNeeded: key) & mask
        while places[index] != 0 {
            if places[index] == key { return true }
            index = (index + 1) & mask
        }
        places[index] = key
        used += 1
        return false
    }

    private mutating func grow() {
        let old = places
        places = Array(repeating: 0, count: old.count * 2)
        let mask = places.count - 1
        for key in old where key != 0 {
            var index = Int(truncatingIfNeeded: key) & mask
            while places[index] != 0 { index = (index + 1) & mask }
            places[index] = key
        }
    }

    /// Words of 8 bytes folded by multiplication, the last one padded with the length.
    public func hash(_ bytes: RawSpan) -> UInt64 {
        func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
            let product = left.multipliedFullWidth(by: right)
            return product.high ^ product.low
        }
        var state = seed
        var index = 0
        let count = bytes.byteCount
        while count - index >= 8 {
            // index + 8 <= count.
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            state = mix(state ^ word, 0x9e37_79b9_7f4a_7c15)
            index += 8
        }
        var last = UInt64(count) << 56
        var shift: UInt64 = 0
        while index < count {
            last ^= UInt64(bytes.byte(at: index)) << shift
            shift += 8
            index += 1
        }
        return mix(mix(state ^ last, 0xd6e8_feb8_6659_fd93) ^ seed, 0xa076_1d64_78bd_642f)
    }
}
