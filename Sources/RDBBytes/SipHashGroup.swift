internal import CRDBKernels

/// Up to eight short messages of texts, hashed side by side: that takes as long as one or two of them by `SipHash`, and
/// gives the same digests.
///
///     group.begin(after: beginning)
///     group.append(text: key); group.append(text: value)
///     group.next()
///     if group.isFull { use(group.digests()); group.removeAll() }
///
/// Every message goes on from a beginning that was hashed already.
public struct SipHashGroup: Sendable {
    public static let capacity = 8

    private var group = rdb_sip_group()
    /// Messages that are complete.
    public private(set) var count = 0
    /// Of the message at hand.
    public private(set) var wordCount = 0

    public init() {}

    public var isFull: Bool { count == Self.capacity }

    // There is always a lane for the message at hand: each use of `count` looks whether the group is full.

    /// - Parameter beginning: a multiple of 8 bytes long.
    @inline(__always)
    public mutating func begin(after beginning: SipHash) {
        precondition(!isFull)
        unsafe withUnsafePointer(to: beginning.state) { unsafe rdb_sip_group_begin(&group, count, $0) }
    }

    /// Appends to the message at hand.
    /// - Returns: false where it would be too long for a group, and remains as it was.
    public mutating func append(text bytes: RawSpan) -> Bool {
        unsafe bytes.withUnsafeBytes { unsafe append($0.baseAddress, $0.count) }
    }

    /// The decimal text of a number.
    public mutating func append(decimal value: Int64) -> Bool {
        unsafe Digits.withText(value.magnitude, isNegative: value < 0) { unsafe append($0, $1) }
    }

    @unsafe @inline(__always)
    private mutating func append(_ bytes: UnsafeRawPointer?, _ byteCount: Int) -> Bool {
        precondition(!isFull)
        let words = unsafe rdb_sip_group_text(&group, count, wordCount, bytes, byteCount)
        if words == 0 { return false }
        wordCount = words
        return true
    }

    /// The beginning and first words of the message at hand, as a message that can become longer.
    public mutating func message(wordCount: Int) -> SipHash {
        precondition(!isFull && wordCount <= self.wordCount)
        return SipHash(unsafe rdb_sip_group_message(&group, count, wordCount))
    }

    /// Completes the message at hand.
    @inline(__always)
    public mutating func next() {
        precondition(!isFull)
        unsafe rdb_sip_group_next(&group, count, wordCount)
        count += 1
        wordCount = 0
    }

    /// Forgets the message at hand.
    public mutating func drop() { wordCount = 0 }

    public mutating func removeAll() {
        count = 0
        wordCount = 0
    }

    /// As many digests as there are messages, and more that mean nothing.
    public mutating func digests() -> InlineArray<8, Digest128> {
        var digests = InlineArray<8, rdb_digest>(repeating: rdb_digest())
        var span = digests.mutableSpan
        // As many as there are lanes.
        unsafe span.withUnsafeMutableBufferPointer { unsafe rdb_sip_group_end(&group, $0.baseAddress) }
        return InlineArray { Digest128(high: digests[$0].high, low: digests[$0].low) }
    }
}
