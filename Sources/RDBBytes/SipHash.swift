internal import CRDBKernels

/// SipHash-1-3 with 128 bits of output, over a message that comes in pieces.
///
/// A value: a copy goes on from the same beginning, so what many messages begin with is hashed once.
///
/// Besides plain bytes it takes words and texts in a form that says where each ends; these only while the message is a
/// multiple of 8 bytes long, which they keep. The form of a text: fewer than 8 bytes are one word (little endian) whose top
/// byte is 0x80 + their count; more are a word that is their count, the bytes, and zeros up to a whole word.
public struct SipHash: Sendable {
    private var state: rdb_sip
    /// Bytes of the text that comes in chunks.
    private var textByteCount: UInt64 = 0

    /// - Parameter key: its 16 bytes read as two little-endian words, the first one low.
    public init(key: Digest128) { state = rdb_sip_begin(key.low, key.high) }

    /// Any bytes, in any pieces.
    public mutating func append(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe rdb_sip_bytes(&state, $0.baseAddress, $0.count) }
    }

    public mutating func append(word: UInt64) { unsafe rdb_sip_word(&state, word) }

    public mutating func append(words first: UInt64, _ second: UInt64) { unsafe rdb_sip_words(&state, first, second) }

    public mutating func append(text bytes: RawSpan) {
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

    // MARK: - A text in chunks

    public mutating func beginText(byteCount: UInt64) {
        textByteCount = byteCount
        if byteCount >= 8 { append(word: byteCount) }
    }

    /// The chunks must be as long in all as was said.
    public mutating func append(chunk bytes: RawSpan) { append(bytes) }

    public mutating func endText() {
        if textByteCount < 8 {
            // All of it is in the tail.
            state.count -= textByteCount
            let word = state.tail
            state.tail = 0
            append(word: word | (0x80 | textByteCount) << 56)
        } else if state.count & 7 != 0 {
            let word = state.tail
            state.count &= ~7
            state.tail = 0
            append(word: word)
        }
    }

    public func finish() -> Digest128 {
        let digest = unsafe withUnsafePointer(to: state) { unsafe rdb_sip_end($0) }
        return Digest128(high: digest.high, low: digest.low)
    }
}
