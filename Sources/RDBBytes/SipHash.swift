internal import CRDBKernels

/// SipHash-1-3 with 128 bits of output, over a message that comes in pieces.
///
/// A value: a copy goes on from the same beginning, so what many messages begin with is hashed once.
///
/// Besides plain bytes it takes words and texts in a form that says where each ends; these only while the message is a
/// multiple of 8 bytes long, which they keep. Words are little endian. The form of a text:
///
/// | bytes | form |
/// | --- | --- |
/// | 0 to 7 | one word of the bytes, zeros, and 0x80 + their count as the top byte |
/// | 8 to 1023 | their count as a word, the bytes, zeros up to a whole word |
/// | 1024 and more | their count as a word, the digests of four lanes as two words each, lower one first |
///
/// Each lane is hashed from the message as it is behind the count: a word with the lane's number (0 to 3), and of the text,
/// filled up with zeros to a multiple of 32 bytes, every fourth word. Four lanes go three times as fast as one.
public struct SipHash: Sendable {
    private(set) var state: rdb_sip

    init(_ state: rdb_sip) { self.state = state }

    /// - Parameter key: its 16 bytes read as two little-endian words, the first one low.
    public init(key: Digest128) { state = rdb_sip_begin(key.low, key.high) }

    /// Any bytes, in any pieces.
    public mutating func append(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe rdb_sip_bytes(&state, $0.baseAddress, $0.count) }
    }

    public mutating func append(word: UInt64) { unsafe rdb_sip_word(&state, word) }

    public mutating func append(words first: UInt64, _ second: UInt64) { unsafe rdb_sip_words(&state, first, second) }

    public mutating func append(text bytes: RawSpan) {
        if bytes.byteCount >= RDB_SIP_LONG { return append(longText: bytes) }
        unsafe bytes.withUnsafeBytes { unsafe rdb_sip_text(&state, $0.baseAddress, $0.count) }
    }

    /// The decimal text of a number.
    public mutating func append(decimal value: Int64) {
        unsafe Digits.withText(value.magnitude, isNegative: value < 0) { unsafe rdb_sip_text(&state, $0, $1) }
    }

    public mutating func append(_ sum: DigestSum) {
        append(words: sum.total.low, sum.total.high)
        append(word: sum.count)
    }

    public func finish() -> Digest128 {
        let digest = unsafe withUnsafePointer(to: state) { unsafe rdb_sip_end($0) }
        return Digest128(high: digest.high, low: digest.low)
    }

    // MARK: - Long texts

    @inline(never)
    private mutating func append(longText bytes: RawSpan) {
        append(word: UInt64(bytes.byteCount))
        var lanes = unsafe withUnsafePointer(to: state) { unsafe rdb_sip_lanes_begin($0) }
        unsafe bytes.withUnsafeBytes { unsafe rdb_sip_lanes_bytes(&lanes, $0.baseAddress, $0.count) }
        unsafe rdb_sip_lanes_end(&lanes, &state)
    }

    /// A text that comes in chunks. Nothing else may be appended until it ends.
    public struct Text: Sendable {
        fileprivate let byteCount: UInt64
        fileprivate var lanes: rdb_sip_lanes
        /// Bytes that are no block yet, of a long text.
        fileprivate var waiting = InlineArray<32, UInt8>(repeating: 0)
        fileprivate var waitingCount = 0

        fileprivate var isLong: Bool { byteCount >= UInt64(RDB_SIP_LONG) }
    }

    public mutating func beginText(byteCount: UInt64) -> Text {
        if byteCount >= 8 { append(word: byteCount) }
        let lanes = unsafe withUnsafePointer(to: state) { unsafe rdb_sip_lanes_begin($0) }
        return Text(byteCount: byteCount, lanes: lanes)
    }

    /// The chunks must be as long in all as was said.
    public mutating func append(_ chunk: RawSpan, to text: inout Text) {
        if text.isLong { text.append(chunk) } else { append(chunk) }
    }

    public mutating func endText(_ text: consuming Text) {
        if text.isLong {
            text.flush()
            return unsafe rdb_sip_lanes_end(&text.lanes, &state)
        }
        // What is no whole word is in the tail; of fewer than 8 bytes that is all.
        let isShort = text.byteCount < 8
        if !isShort, state.count & 7 == 0 { return }
        let word = state.tail | (isShort ? (0x80 | text.byteCount) << 56 : 0)
        state.count &= ~7
        state.tail = 0
        append(word: word)
    }
}

extension SipHash.Text {
    fileprivate mutating func append(_ chunk: RawSpan) {
        var index = 0
        if waitingCount > 0 {
            while waitingCount < 32, index < chunk.byteCount {
                waiting[waitingCount] = chunk.byte(at: index)
                waitingCount += 1
                index += 1
            }
            if waitingCount == 32 { flush() }
        }
        let blocks = chunk.extracting(index..<chunk.byteCount - (chunk.byteCount - index) % 32)
        unsafe blocks.withUnsafeBytes { unsafe rdb_sip_lanes_bytes(&lanes, $0.baseAddress, $0.count) }
        for index in index + blocks.byteCount..<chunk.byteCount {
            waiting[waitingCount] = chunk.byte(at: index)
            waitingCount += 1
        }
    }

    /// Fewer than 32 bytes only at the text's end.
    fileprivate mutating func flush() {
        // Bytes have no padding.
        let bytes = unsafe waiting.span.bytes.extracting(first: waitingCount)
        unsafe bytes.withUnsafeBytes { unsafe rdb_sip_lanes_bytes(&lanes, $0.baseAddress, $0.count) }
        waitingCount = 0
    }
}
