public import RDBBytes
public import RDBModel

// Listpack:
//
//     u32 total bytes | u16 count (65535 = walk) | entries | FF          little endian
//
//     entry = encoding, data, back-length
//     0xxxxxxx                    0...127
//     10llllll + l bytes          string, 0...63
//     110xxxxx xxxxxxxx           13 bits, signed
//     1110llll llllllll + bytes   string, 0...4095
//     F0 u32 + bytes              string
//     F1 F2 F3 F4                 16, 24, 32, 64 bits, signed
//
// The back-length is the entry's length L (without itself) in base 128, most significant group first, bit 7 set in all
// bytes but the first. For L = 16383, 2097151 and 268435455 servers before mid-2026 use one byte more than needed,
// which begins with 00: both forms occur, so the byte after the data decides.
//
// Source: redis/redis src/listpack.c; formats/encodings.md §4.
@usableFromInline
struct ListpackReader: PackedElements {
    @usableFromInline let start: UInt64
    @usableFromInline let count: UInt16
    @usableFromInline var walked: UInt64 = 0

    @inlinable
    var declaredCount: UInt64? { count == .max ? nil : UInt64(count) }

    @inlinable
    init(opening window: inout ByteWindow) throws(DecodeError) {
        start = window.offset
        let have = window.remainingByteCount
        let total = try window.littleEndian(UInt32.self)
        count = try window.littleEndian(UInt16.self)
        if UInt64(total) != have { throw Self.badTotal(window.location(at: start), UInt64(total)) }
    }

    @inlinable @inline(__always)
    func isAtEnd(_ window: inout ByteWindow) throws(DecodeError) -> Bool { try window.peek() == 0xff }

    @inlinable
    mutating func text<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, as role: TextRole, into visitor: inout V
    ) throws(DecodeError) {
        walked &+= 1
        let first = try window.byte()
        if first < 0x80 {
            visitor.integer(Int64(first), as: role)
            try backLength(of: 1, &window, into: &visitor)
        } else if first < 0xc0 {
            let count = Int(first & 0x3f)
            visitor.text(try window.take(count), as: role)
            try backLength(of: 1 + count, &window, into: &visitor)
        } else {
            try longText(first, &window, as: role, into: &visitor)
        }
    }

    @inlinable @inline(never)
    mutating func longText<V: ValueVisitor & ~Copyable>(
        _ first: UInt8, _ window: inout ByteWindow, as role: TextRole, into visitor: inout V
    ) throws(DecodeError) {
        if first >= 0xe0, first < 0xf0 {
            let count = Int(first & 0x0f) << 8 | Int(try window.byte())
            visitor.text(try window.take(count), as: role)
            try backLength(of: 2 + count, &window, into: &visitor)
        } else if first == 0xf0 {
            let count = try window.littleEndian(UInt32.self)
            try window.deliver(UInt64(count), as: role, into: &visitor)
            try backLength(of: 5 + Int(count), &window, into: &visitor)
        } else {
            let (value, size) = try wideInteger(first, &window)
            visitor.integer(value, as: role)
            try backLength(of: size, &window, into: &visitor)
        }
    }

    /// An integer of two bytes or more, whose first byte was read, and the entry's length.
    @usableFromInline
    func wideInteger(_ first: UInt8, _ window: inout ByteWindow) throws(DecodeError) -> (Int64, Int) {
        switch first {
        case 0xc0...0xdf:
            let value = Int64(first & 0x1f) << 8 | Int64(try window.byte())
            return (value >= 4096 ? value - 8192 : value, 2)
        case 0xf1: return (Int64(try window.littleEndian(Int16.self)), 3)
        case 0xf2:
            let low = Int64(try window.littleEndian(UInt16.self))
            return (Int64(Int8(bitPattern: try window.byte())) << 16 | low, 4)
        case 0xf3: return (Int64(try window.littleEndian(Int32.self)), 5)
        case 0xf4: return (try window.littleEndian(Int64.self), 9)
        case 0xff:
            throw DecodeError(
                .oddElements, at: window.location(at: window.offset - 1), expected: "one more element",
                found: .described("the end of the listpack"))
        default:
            throw DecodeError(
                .badListpack, at: window.location(at: window.offset - 1), expected: "an entry's encoding byte",
                found: .byte(first))
        }
    }

    /// An element that must be an integer (or its text).
    @inlinable
    mutating func integer<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) -> Int64 {
        let at = window.offset
        let first = try window.byte()
        walked &+= 1
        if first < 0x80 {
            try backLength(of: 1, &window, into: &visitor)
            return Int64(first)
        }
        if first < 0xc0 {
            let count = Int(first & 0x3f)
            guard let value = Digits.parse(try window.take(count)) else {
                throw Self.notInteger(window.location(at: at))
            }
            try backLength(of: 1 + count, &window, into: &visitor)
            return value
        }
        if first >= 0xe0, first <= 0xf0 { throw Self.notInteger(window.location(at: at)) }
        let (value, size) = try wideInteger(first, &window)
        try backLength(of: size, &window, into: &visitor)
        return value
    }

    @inlinable
    mutating func score<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) -> Double {
        let at = window.offset
        let first = try window.peek()
        guard first >= 0x80, first < 0xc0 || first >= 0xe0 && first < 0xf0 else {
            return Double(try integer(&window, into: &visitor))
        }
        walked &+= 1
        var size = 1
        var count = Int(first & 0x3f)
        _ = try window.byte()
        if first >= 0xe0 {
            count = Int(first & 0x0f) << 8 | Int(try window.byte())
            size = 2
        }
        guard let value = ScoreText.parse(try window.take(count)) else {
            throw Self.badScore(window.location(at: at))
        }
        try backLength(of: size + count, &window, into: &visitor)
        return value
    }

    /// Reads the back-length of an entry of `size` bytes.
    @inlinable @inline(__always)
    mutating func backLength<V: ValueVisitor & ~Copyable>(
        of size: Int, _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) {
        if size < 128 {
            let found = try window.byte()
            if V.verifiesStructure, Int(found) != size {
                visitor.fault(Self.badBackLength(window.location(at: window.offset - 1), UInt64(found)))
            }
        } else {
            try longBackLength(of: size, &window, into: &visitor)
        }
    }

    @inlinable @inline(never)
    mutating func longBackLength<V: ValueVisitor & ~Copyable>(
        of size: Int, _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) {
        let at = window.offset
        var byteCount = size < 16384 ? 2 : size < 2_097_152 ? 3 : size < 268_435_456 ? 4 : 5
        if size == 16383 || size == 2_097_151 || size == 268_435_455, try window.peek() == 0 { byteCount += 1 }
        var value: UInt64 = 0
        for _ in 0..<byteCount { value = value << 7 | UInt64(try window.byte() & 0x7f) }
        if V.verifiesStructure, value != UInt64(size) {
            visitor.fault(Self.badBackLength(window.location(at: at), value))
        }
    }

    @inlinable
    mutating func close<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) {
        let end = try window.byte()
        if end != 0xff { throw Self.badEnd(window.location(at: window.offset - 1), end) }
        if count != .max, UInt64(count) != walked {
            try visitor.disagree(Self.badCount(window.location(at: start + 4), UInt64(count), walked))
        }
    }

    // MARK: - Errors

    @usableFromInline @inline(never)
    static func badTotal(_ at: ByteLocation, _ found: UInt64) -> DecodeError {
        DecodeError(
            .badListpack, at: at, expected: "the string's length as the listpack's size", found: .unsigned(found))
    }
    @usableFromInline @inline(never)
    static func badEnd(_ at: ByteLocation, _ found: UInt8) -> DecodeError {
        DecodeError(.badListpack, at: at, expected: "end byte 0xff", found: .byte(found))
    }
    @usableFromInline @inline(never)
    static func badCount(_ at: ByteLocation, _ found: UInt64, _ walked: UInt64) -> DecodeError {
        DecodeError(.countMismatch, at: at, expected: "the number of entries in the listpack", found: .unsigned(found))
    }
    @usableFromInline @inline(never)
    static func badBackLength(_ at: ByteLocation, _ found: UInt64) -> DecodeError {
        DecodeError(.badListpack, at: at, expected: "the entry's length as its back-length", found: .unsigned(found))
    }
    @usableFromInline @inline(never)
    static func notInteger(_ at: ByteLocation) -> DecodeError {
        DecodeError(.badListpack, at: at, expected: "an integer entry", found: .described("a string"))
    }
    @usableFromInline @inline(never)
    static func badScore(_ at: ByteLocation) -> DecodeError {
        DecodeError(.badScore, at: at, expected: "the text of a number", found: .described("something else"))
    }
}
