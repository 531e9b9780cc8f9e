public import RDBBytes

/// Digests of keys to be looked for in another pass. Where there are more than fit in memory, they go to a temporary
/// file, and there is a pass for each part of them.
public struct DifferingKeys: Sendable {
    private let maxCount: Int
    private var words: [UInt64] = []
    private let file = SpillFile()
    public private(set) var count: UInt64 = 0

    /// - Parameter memory: bytes for the digests that are looked for at once. A table of them is at least half empty.
    public init(memory: Int) { maxCount = max(4096, memory / 16 / 4) }

    public mutating func append(_ key: Digest128) throws(SpillError) {
        words.append(key.high)
        words.append(key.low)
        count += 1
        if words.count >= maxCount * 2 {
            try file.append(unsafe words.span.bytes)
            words.removeAll(keepingCapacity: true)
        }
    }

    /// Passes that are needed.
    public var partCount: Int { Int(file.byteCount) / (maxCount * 16) + (words.isEmpty ? 0 : 1) }

    /// The keys of one pass.
    public func part(_ index: Int) throws(SpillError) -> KeySet {
        let start = UInt64(index) * UInt64(maxCount) * 16
        guard start < file.byteCount else { return KeySet(words) }
        var part = [UInt64](repeating: 0, count: maxCount * 2)
        let result = unsafe part.withUnsafeMutableBytes { buffer -> Result<Void, SpillError> in
            do throws(SpillError) { return .success(unsafe try file.read(at: start, into: buffer)) } catch {
                return .failure(error)
            }
        }
        try result.get()
        return KeySet(part)
    }
}

/// A set of digests, by open addressing.
public struct KeySet: Sendable {
    private var places: [UInt64]
    private let mask: Int
    /// The digest zero means a free place.
    private var hasZero = false

    fileprivate init(_ words: [UInt64]) {
        var capacity = 64
        while capacity < words.count { capacity *= 2 }
        mask = capacity - 1
        places = Array(repeating: 0, count: capacity * 2)
        for index in stride(from: 0, to: words.count, by: 2) {
            let (high, low) = (words[index], words[index + 1])
            if high == 0, low == 0 {
                hasZero = true
                continue
            }
            var place = Int(truncatingIfNeeded: low) & mask
            while places[place * 2] != 0 || places[place * 2 + 1] != 0 { place = (place + 1) & mask }
            places[place * 2] = high
            places[place * 2 + 1] = low
        }
    }

    public func contains(_ key: Digest128) -> Bool {
        if key == Digest128() { return hasZero }
        var place = Int(truncatingIfNeeded: key.low) & mask
        while true {
            let (high, low) = (places[place * 2], places[place * 2 + 1])
            if high == key.high, low == key.low { return true }
            if high == 0, low == 0 { return false }
            place = (place + 1) & mask
        }
    }
}
