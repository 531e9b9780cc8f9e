import RDBBytes

/// Sums by the parts of keys, of a number of entries that is bounded by their owner: what a tree of prefixes takes over
/// at once.
struct PatternTally: Sendable {
    struct Pattern: Sendable {
        var hash: UInt64
        /// In `bytes` and in `ends`.
        var start: Int
        var endsStart: Int
        var partCount: Int
        var sum: AuditSum
    }

    private(set) var patterns: [Pattern] = []
    private(set) var bytes: [UInt8] = []
    /// Where parts end, counted from the pattern's start.
    private(set) var ends: [Int] = []
    /// Pattern numbers plus 1 by hash, with open addressing; 0 is free.
    private var places: [Int32] = Array(repeating: 0, count: 256)

    mutating func add(_ parts: KeyParts, _ sum: AuditSum) {
        let hash = ByteHash.hash(parts.bytes.rawSpan) &+ UInt64(parts.ends.count)
        var place = Int(truncatingIfNeeded: hash) & (places.count - 1)
        while places[place] != 0 {
            let number = Int(places[place]) - 1
            if patterns[number].hash == hash {
                patterns[number].sum += sum
                return
            }
            place = (place + 1) & (places.count - 1)
        }
        patterns.append(
            Pattern(
                hash: hash, start: bytes.count, endsStart: ends.count, partCount: parts.ends.count, sum: sum))
        bytes += parts.bytes
        ends += parts.ends
        places[place] = Int32(patterns.count)
        if patterns.count * 2 > places.count { grow() }
    }

    private mutating func grow() {
        places = Array(repeating: 0, count: places.count * 4)
        for (number, pattern) in patterns.enumerated() {
            var place = Int(truncatingIfNeeded: pattern.hash) & (places.count - 1)
            while places[place] != 0 { place = (place + 1) & (places.count - 1) }
            places[place] = Int32(number + 1)
        }
    }

    mutating func removeAll() {
        if patterns.isEmpty { return }
        patterns.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        unsafe places.withUnsafeMutableBufferPointer { unsafe $0.update(repeating: 0) }
    }
}
