import RDBBytes

/// Reads entries that are as most are: in the window as a whole, a short key, and a value that is one short string, of
/// whatever encoding. Anything else is left to `RDBReader`, which can tell what is wrong with it.
///
///     { attribute } type string(key) string(value)
///
/// Of such small entries, what it takes to find the end of one bounds how fast all processors together go through a file.
/// Which form a string has is as good as random, so the common ones are looked up instead of told apart.
struct PlainEntries {
    /// How long a string is, by its first byte: lengths of 6 bits, and integers. 0 where more bytes tell.
    private let stringByteCounts: [UInt8]
    /// By type byte. The types up to 21 are the same in all families.
    private let isOneString: [Bool]

    init() {
        stringByteCounts = (0...UInt8.max).map { first in
            switch first {
            case 0..<0x40: 1 + first
            case 0xc0: 2
            case 0xc1: 3
            case 0xc2: 5
            default: 0
            }
        }
        isOneString = (0...UInt8.max).map { byte in
            switch byte < 22 ? RDBType(byte: byte, version: RDBVersion(number: 11, family: .redis)) : nil {
            case .string, .hashZipmap, .listZiplist, .setIntset, .zsetZiplist, .hashZiplist, .hashListpack,
                .zsetListpack, .setListpack:
                true
            default: false
            }
        }
    }

    /// - Parameter limit: an entry that begins behind so many bytes is not looked at.
    /// - Returns: how many entries the bytes begin with, and where the last of them ends.
    func find(in bytes: RawSpan, limit: Int) -> (count: Int, end: Int) {
        var (count, end) = (0, 0)
        while end < limit, let next = entry(at: end, in: bytes) {
            end = next.end
            count += 1
        }
        return (count, end)
    }

    /// Where the parts of an entry stand.
    struct Entry {
        var expiresAt: Int64?
        var typeByte: UInt8
        /// The first bytes of the strings, which say how they are encoded.
        var key: Int
        var value: Int
        var end: Int
    }

    @inline(__always)
    func entry(at start: Int, in bytes: RawSpan) -> Entry? {
        var at = start
        var expiresAt: Int64?
        while at < bytes.byteCount {
            let byte = bytes.byte(at: at)
            if isOneString[Int(byte)] {
                guard let value = endOfString(at: at + 1, in: bytes), let end = endOfString(at: value, in: bytes) else {
                    return nil
                }
                return Entry(expiresAt: expiresAt, typeByte: byte, key: at + 1, value: value, end: end)
            }
            // Each attribute with its opcode, and one byte more, that of a type, is in the window, or there is no entry.
            guard bytes.byteCount - at > 9 else { return nil }
            switch byte {
            case Opcode.expireMilliseconds:
                let value = Int64(
                    littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: at + 1, as: Int64.self))
                expiresAt = Opcode.expiry(milliseconds: value)
                at += 9
            case Opcode.expireSeconds:
                let value = Int32(
                    littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: at + 1, as: Int32.self))
                expiresAt = Opcode.expiry(seconds: value)
                at += 5
            case Opcode.frequency: at += 2
            default: return nil
            }
        }
        return nil
    }

    @inline(__always)
    private func endOfString(at start: Int, in bytes: RawSpan) -> Int? {
        guard start < bytes.byteCount else { return nil }
        let first = bytes.byte(at: start)
        var end = start + Int(stringByteCounts[Int(first)])
        if end == start {
            // 14 bits of length.
            guard first & 0xc0 == 0x40, start + 1 < bytes.byteCount else { return nil }
            end = start + 2 + (Int(first & 0x3f) << 8 | Int(bytes.byte(at: start + 1)))
        }
        return end <= bytes.byteCount ? end : nil
    }

    /// Hands over the entries that the bytes begin with, as long as they are strings whose keys are stored as texts.
    /// - Returns: how many they are, and where the last of them ends.
    func visitStrings<V: PlainStringVisitor & ~Copyable>(
        in bytes: RawSpan, database: UInt64, _ visitor: inout V
    ) -> (count: Int, end: Int) {
        var (count, end) = (0, 0)
        while let entry = entry(at: end, in: bytes), entry.typeByte == 0, bytes.byte(at: entry.key) < 0xc0 {
            let key = text(entry.key, entry.value, in: bytes)
            let first = bytes.byte(at: entry.value)
            if first < 0xc0 {
                let text = text(entry.value, entry.end, in: bytes)
                visitor.string(database: database, expiresAt: entry.expiresAt, key: key, text: text)
            } else {
                let number = ByteWindow.integer(first, word(entry.value + 1, in: bytes))
                visitor.string(database: database, expiresAt: entry.expiresAt, key: key, integer: number)
            }
            end = entry.end
            count += 1
        }
        return (count, end)
    }

    /// Four bytes, or as many as there are.
    @inline(__always)
    private func word(_ start: Int, in bytes: RawSpan) -> UInt32 {
        if bytes.byteCount - start >= 4 {
            return UInt32(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt32.self))
        }
        var word: UInt32 = 0
        for index in start..<bytes.byteCount { word |= UInt32(bytes.byte(at: index)) << UInt32(8 * (index - start)) }
        return word
    }

    /// A string's bytes, behind its length.
    @inline(__always) @_lifetime(copy bytes)
    private func text(_ start: Int, _ end: Int, in bytes: RawSpan) -> RawSpan {
        bytes.extracting((bytes.byte(at: start) < 0x40 ? start + 1 : start + 2)..<end)
    }
}

/// Takes entries that are strings without a reader's standing at them.
public protocol PlainStringVisitor: ~Copyable {
    mutating func string(database: UInt64, expiresAt: Int64?, key: RawSpan, text: RawSpan)
    /// - Parameter integer: a number that stands for its decimal text.
    mutating func string(database: UInt64, expiresAt: Int64?, key: RawSpan, integer: Int64)
}
