import RDBBytes

/// Finds members that occur twice, by 64-bit hashes keyed anew in each run.
///
/// Exact in memory of a fixed size: a collection of more than `maxCount` members is gone through several times, each
/// time for the share of hashes that fits. Two different members that agree in all 64 bits would be taken for one; among
/// 10 million that happens once in 400 000 runs.
public struct DuplicateFinder: Sendable {
    /// 1.5 Mi hashes in 2 Mi places of 8 bytes: 16 MiB, and half as much again while it grows to that.
    public static let maxCount = 3 << 19

    private var hashes = HashSet64()
    private var share: UInt64 = 0
    private var shares: UInt64 = 1

    public init() {}

    /// Begins a collection.
    /// - Parameter count: as the file states it. More than there are cost nothing: memory follows what is added.
    public mutating func start(count: UInt64?) {
        share = 0
        // Rounded up; the count may be anything up to 2^64 - 1.
        let count = count ?? 8
        shares = count == 0 ? 1 : (count - 1) / UInt64(Self.maxCount) + 1
        hashes.removeAll(for: Int(min(count, 512)))
    }

    /// Whether the collection must be gone through once more, for further hashes.
    public mutating func startNextShare() -> Bool {
        share += 1
        guard share < shares else { return false }
        hashes.removeAll(for: hashes.roomyCount)
        return true
    }

    /// Whether the member was added before (in this share).
    public mutating func add(_ member: RawSpan) -> Bool { add(hash: ByteHash.hash(member)) }

    public mutating func add(_ member: Int64) -> Bool {
        // An integer is the same member as its decimal text.
        String(member).withRawSpan { add(hash: ByteHash.hash($0)) }
    }

    public mutating func add(hash: UInt64) -> Bool {
        if shares > 1, hash >> 32 % shares != share { return false }
        // Never beyond the bound: a count that lied is found out by counting.
        if hashes.count >= Self.maxCount { return false }
        return !hashes.insert(hash)
    }
}
