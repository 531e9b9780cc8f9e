internal import CRDBKernels

/// SHA-1, over a message that comes in pieces. For digests that servers print; not for anything that must resist forgery.
public struct SHA1: Sendable {
    private var state = rdb_sha1_begin()

    public init() {}

    public mutating func append(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe rdb_sha1_bytes(&state, $0.baseAddress, $0.count) }
    }

    /// The decimal text of a number.
    public mutating func append(decimal value: Int64) {
        unsafe Digits.withText(value.magnitude, isNegative: value < 0) { unsafe rdb_sha1_bytes(&state, $0, $1) }
    }

    public mutating func append(decimal value: UInt64) {
        unsafe Digits.withText(value) { unsafe rdb_sha1_bytes(&state, $0, $1) }
    }

    /// The text of a number as printf's %.17g writes it.
    public mutating func append(digits17 value: Double) {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { text in
            // 32 bytes are what the function may write; it returns fewer.
            let count = unsafe rdb_text_of_17_digits(value, text.baseAddress!)
            unsafe rdb_sha1_bytes(&state, text.baseAddress, count)
        }
    }

    public consuming func finish() -> Digest160 {
        var digest = Digest160()
        // Five words have room for what rdb_sha1_end writes.
        unsafe withUnsafeMutablePointer(to: &digest.words) {
            unsafe $0.withMemoryRebound(to: UInt32.self, capacity: 5) { unsafe rdb_sha1_end(&state, $0) }
        }
        return digest
    }

    public mutating func append(byte: UInt8) {
        var byte = byte
        unsafe rdb_sha1_bytes(&state, &byte, 1)
    }

    /// Of the four bytes of a number, highest first.
    public static func of(bigEndian number: UInt32) -> Digest160 {
        var word = number.bigEndian
        var hash = SHA1()
        unsafe rdb_sha1_bytes(&hash.state, &word, 4)
        return hash.finish()
    }

    public static func of(_ bytes: RawSpan) -> Digest160 {
        var hash = SHA1()
        hash.append(bytes)
        return hash.finish()
    }
}

/// A digest of 160 bits; digests in no order are xored.
public struct Digest160: Sendable, HexDigest {
    /// The first word holds the first four bytes, highest first.
    public internal(set) var words: InlineArray<5, UInt32>

    public init() { words = InlineArray(repeating: 0) }

    public static func ^= (left: inout Digest160, right: Digest160) {
        for index in 0..<5 { left.words[index] ^= right.words[index] }
    }

    /// SHA-1 of the 20 bytes.
    public var hashed: Digest160 {
        var bytes = words
        for index in 0..<5 { bytes[index] = bytes[index].bigEndian }
        // Numbers have no padding.
        return unsafe SHA1.of(bytes.span.bytes)
    }

    public func appendHex(to out: inout OutputBuffer) {
        for index in 0..<5 { out.append(hex: UInt64(words[index]), digits: 8) }
    }
}

extension Digest160: Equatable {
    public static func == (left: Digest160, right: Digest160) -> Bool {
        (0..<5).allSatisfy { left.words[$0] == right.words[$0] }
    }
}
