import RDBBytes

/// Finds where entries end that are as most are: in the window as a whole, a short key, and a value that is one short
/// string, of whatever encoding. Anything else is left to `RDBReader`, which can tell what is wrong with it.
///
///     { attribute } type string(key) string(value)
///
/// Of such small entries, what it takes to find the end of one bounds how fast all processors together go through a file.
/// Which form a string has is as good as random, so the common ones are looked up instead of told apart.
struct PlainEntries {
    /// How long a string is, by its first byte: lengths of 6 bits, and integers. 0 where more bytes tell.
    private let stringByteCounts: InlineArray<256, UInt8>
    /// By type byte. The types up to 21 are the same in all families.
    private let isOneString: InlineArray<256, Bool>

    init() {
        stringByteCounts = InlineArray { first in
            switch first {
            case 0..<0x40: 1 + UInt8(first)
            case 0xc0: 2
            case 0xc1: 3
            case 0xc2: 5
            default: 0
            }
        }
        isOneString = InlineArray { byte in
            switch RDBType(byte: UInt8(byte), version: RDBVersion(number: 11, family: .redis)) {
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
        while end < limit, let next = endOfEntry(at: end, in: bytes) {
            end = next
            count += 1
        }
        return (count, end)
    }

    @inline(__always)
    private func endOfEntry(at start: Int, in bytes: RawSpan) -> Int? {
        var at = start
        while at < bytes.byteCount {
            let byte = bytes.byte(at: at)
            if isOneString[Int(byte)] {
                guard let value = endOfString(at: at + 1, in: bytes) else { return nil }
                return endOfString(at: value, in: bytes)
            }
            switch byte {
            case Opcode.expireMilliseconds: at += 9
            case Opcode.expireSeconds: at += 5
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
}
