/// A small generator of random numbers that a seed determines.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    /// Random bytes, eight at a time.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            withUnsafeBytes(of: next()) { bytes.append(contentsOf: $0) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Words of a small vocabulary: text that compresses.
    public mutating func words(_ count: Int) -> [UInt8] {
        let vocabulary = ["the ", "user:", "session ", "42", "value", "\n", "aaaaaaaa", "key:", "é"].map {
            Array($0.utf8)
        }
        var bytes: [UInt8] = []
        while bytes.count < count { bytes += vocabulary.randomElement(using: &self) ?? [] }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
