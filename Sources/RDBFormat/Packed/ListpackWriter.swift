public import RDBBytes

/// Writes a listpack, entry by entry; `ListpackReader` shows the layout.
///
///     var listpack = ListpackWriter(for: RDBVersion(number: 11, family: .redis))
///     listpack.append(field)
///     listpack.append(17)
///     listpack.handOver(to: &writer.out)
///
/// Memory: the entries, until they are handed over.
public struct ListpackWriter: ~Copyable {
    private var entries = OutputBuffer(capacity: 1024)
    /// Entries since the last `handOver`.
    public private(set) var count = 0
    /// Servers of these versions want one byte of back-length more at the boundaries.
    private let hasLongBoundaries: Bool

    /// - Parameter version: of the file or payload it is for. Loaders of Redis up to RDB version 13 want another
    ///   back-length for three lengths of entries than later ones and those of Valkey 9 (formats/encodings.md §4).
    public init(for version: RDBVersion) {
        hasLongBoundaries = version.family == .redis && version.number < 14
    }

    /// The whole listpack's length in bytes as it stands now.
    public var byteCount: Int { entries.byteCount + 7 }

    /// Whether a text of this length has the same form for servers of every version. One that has not belongs into
    /// another layout where there is one.
    public static func isPortable(textByteCount count: Int) -> Bool {
        let length = count + 5
        return !isBoundary(length)
    }

    private static func isBoundary(_ length: Int) -> Bool {
        length == 16383 || length == 2_097_151 || length == 268_435_455
    }

    /// A text, as the integer that it is the canonical text of where it is one.
    public mutating func append(_ text: RawSpan) {
        if text.byteCount <= Digits.maxByteCount, let value = Digits.parse(text) { return append(value) }
        let count = text.byteCount
        if count < 64 {
            entries.append(0x80 | UInt8(count))
            entries.append(text)
            entries.append(UInt8(count + 1))
        } else if count < 4096 {
            entries.append(0xe0 | UInt8(count >> 8))
            entries.append(UInt8(count & 0xff))
            entries.append(text)
            append(backLength: count + 2)
        } else {
            precondition(count <= 1 << 30, "servers have no larger listpacks")
            entries.append(0xf0)
            entries.append(littleEndian: UInt32(count))
            entries.append(text)
            append(backLength: count + 5)
        }
        self.count += 1
    }

    public mutating func append(_ value: Int64) {
        switch value {
        case 0...127:
            entries.append(UInt8(value))
            entries.append(1)
        case -4096...4095:
            let bits = UInt16(truncatingIfNeeded: value) & 0x1fff
            entries.append(0xc0 | UInt8(bits >> 8))
            entries.append(UInt8(bits & 0xff))
            entries.append(2)
        case Int64(Int16.min)...Int64(Int16.max):
            entries.append(0xf1)
            entries.append(littleEndian: Int16(value))
            entries.append(3)
        case -0x80_0000...0x7f_ffff:
            entries.append(0xf2)
            entries.append(littleEndian: UInt16(truncatingIfNeeded: value))
            entries.append(UInt8(truncatingIfNeeded: value >> 16))
            entries.append(4)
        case Int64(Int32.min)...Int64(Int32.max):
            entries.append(0xf3)
            entries.append(littleEndian: Int32(value))
            entries.append(5)
        default:
            entries.append(0xf4)
            entries.append(littleEndian: value)
            entries.append(9)
        }
        count += 1
    }

    /// A score: an integer where it is one, else its decimal text.
    public mutating func append(score: Double) {
        // Minus zero has no integer of its own.
        if abs(score) < 9_007_199_254_740_992, score.rounded(.towardZero) == score, score != 0 || score.sign == .plus {
            return append(Int64(score))
        }
        var text = OutputBuffer(capacity: 64)
        text.append(decimal: score)
        append(text.bytes)
    }

    private mutating func append(backLength length: Int) {
        if hasLongBoundaries, Self.isBoundary(length) { entries.append(0) }
        var shift = length < 128 ? 0 : length < 16384 ? 7 : length < 2_097_152 ? 14 : length < 268_435_456 ? 21 : 28
        entries.append(UInt8(length >> shift) | (hasLongBoundaries && Self.isBoundary(length) ? 0x80 : 0))
        while shift > 0 {
            shift -= 7
            entries.append(UInt8(length >> shift & 0x7f) | 0x80)
        }
    }

    /// Writes the listpack as a string of an RDB (its length before it), and begins anew.
    public mutating func handOver(to out: inout OutputBuffer) {
        out.append(length: UInt64(byteCount))
        out.append(littleEndian: UInt32(byteCount))
        out.append(littleEndian: UInt16(min(count, 65535)))
        out.append(entries.bytes)
        out.append(0xff)
        entries.truncate(to: 0)
        entries.shrink(to: 64 << 10)
        count = 0
    }
}
