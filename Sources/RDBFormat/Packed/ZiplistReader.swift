public import RDBBytes
public import RDBModel

// Ziplist:
//
//     u32 total bytes | u32 offset of the last entry | u16 count (65535 = walk) | entries | FF       little endian
//
//     entry = length of the entry before (one byte, or FE u32), encoding, data
//     00llllll                   string, 0...63
//     01llllll llllllll          string, 0...16383
//     10------ u32 (big endian)  string
//     C0 D0 E0 F0 FE             16, 32, 64, 24, 8 bits, signed
//     F1...FD                    0...12
//
// Source: redis/redis src/ziplist.c; formats/encodings.md §3.
@usableFromInline
struct ZiplistReader: PackedElements {
    @usableFromInline let start: UInt64
    @usableFromInline let count: UInt16
    @usableFromInline let tail: UInt32
    @usableFromInline var walked: UInt64 = 0
    /// Offset and length of the entry read last.
    @usableFromInline var lastEntry: UInt64
    @usableFromInline var lastLength: UInt64 = 0

    @inlinable
    var declaredCount: UInt64? { count == .max ? nil : UInt64(count) }

    @inlinable
    init(opening window: inout ByteWindow) throws(DecodeError) {
        start = window.offset
        lastEntry = start + 10
        let have = window.remainingByteCount
        let total = try window.littleEndian(UInt32.self)
        tail = try window.littleEndian(UInt32.self)
        count = try window.littleEndian(UInt16.self)
        if UInt64(total) != have { throw Self.badTotal(window.location(at: start), UInt64(total)) }
    }

    @inlinable @inline(__always)
    func isAtEnd(_ window: inout ByteWindow) throws(DecodeError) -> Bool { try window.peek() == 0xff }

    /// The head of an entry up to its encoding byte, which is returned.
    @inlinable @inline(__always)
    mutating func open<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) -> UInt8 {
        let at = window.offset
        var previous = UInt64(try window.byte())
        if previous >= 0xfe {
            if previous == 0xff { throw Self.noElement(window.location(at: at)) }
            previous = UInt64(try window.littleEndian(UInt32.self))
        }
        if V.verifiesStructure, previous != lastLength {
            visitor.fault(Self.badPrevious(window.location(at: at), previous))
        }
        lastEntry = at
        walked &+= 1
        return try window.byte()
    }

    @inlinable
    mutating func text<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, as role: TextRole, into visitor: inout V
    ) throws(DecodeError) {
        let first = try open(&window, into: &visitor)
        if first < 0x40 {
            visitor.text(try window.take(Int(first)), as: role)
        } else if first < 0x80 {
            let count = Int(first & 0x3f) << 8 | Int(try window.byte())
            visitor.text(try window.take(count), as: role)
        } else if first < 0xc0 {
            let count = try window.bigEndian(UInt32.self)
            try window.deliver(UInt64(count), as: role, into: &visitor)
        } else {
            visitor.integer(try integer(first, &window), as: role)
        }
        lastLength = window.offset - lastEntry
    }

    @inlinable
    mutating func score<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) -> Double {
        let first = try open(&window, into: &visitor)
        let value: Double
        if first < 0x80 {
            let count = first < 0x40 ? Int(first) : Int(first & 0x3f) << 8 | Int(try window.byte())
            guard let number = ScoreText.parse(try window.take(count)) else {
                throw ListpackReader.badScore(window.location(at: lastEntry))
            }
            value = number
        } else {
            value = Double(try integer(first, &window))
        }
        lastLength = window.offset - lastEntry
        return value
    }

    @usableFromInline
    func integer(_ first: UInt8, _ window: inout ByteWindow) throws(DecodeError) -> Int64 {
        switch first {
        case 0xc0: return Int64(try window.littleEndian(Int16.self))
        case 0xd0: return Int64(try window.littleEndian(Int32.self))
        case 0xe0: return try window.littleEndian(Int64.self)
        case 0xf0:
            let low = Int64(try window.littleEndian(UInt16.self))
            return Int64(Int8(bitPattern: try window.byte())) << 16 | low
        case 0xfe: return Int64(try window.littleEndian(Int8.self))
        case 0xf1...0xfd: return Int64(first & 0x0f) - 1
        default:
            throw DecodeError(
                .badZiplist, at: window.location(at: window.offset - 1), expected: "an entry's encoding byte",
                found: .byte(first))
        }
    }

    @inlinable
    mutating func close<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) {
        let end = try window.byte()
        if end != 0xff { throw Self.badEnd(window.location(at: window.offset - 1), end) }
        if V.verifiesStructure, UInt64(tail) != lastEntry - start {
            visitor.fault(Self.badTail(window.location(at: start + 4), UInt64(tail)))
        }
        if count != .max, UInt64(count) != walked {
            try visitor.disagree(Self.badCount(window.location(at: start + 8), UInt64(count)))
        }
    }

    // MARK: - Errors

    @usableFromInline @inline(never)
    static func badTotal(_ at: ByteLocation, _ found: UInt64) -> DecodeError {
        DecodeError(.badZiplist, at: at, expected: "the string's length as the ziplist's size", found: .unsigned(found))
    }
    @usableFromInline @inline(never)
    static func badEnd(_ at: ByteLocation, _ found: UInt8) -> DecodeError {
        DecodeError(.badZiplist, at: at, expected: "end byte 0xff", found: .byte(found))
    }
    @usableFromInline @inline(never)
    static func noElement(_ at: ByteLocation) -> DecodeError {
        DecodeError(
            .oddElements, at: at, expected: "one more element", found: .described("the end of the ziplist"))
    }
    @usableFromInline @inline(never)
    static func badCount(_ at: ByteLocation, _ found: UInt64) -> DecodeError {
        DecodeError(.countMismatch, at: at, expected: "the number of entries in the ziplist", found: .unsigned(found))
    }
    @usableFromInline @inline(never)
    static func badTail(_ at: ByteLocation, _ found: UInt64) -> DecodeError {
        DecodeError(.badZiplist, at: at, expected: "the offset of the last entry", found: .unsigned(found))
    }
    @usableFromInline @inline(never)
    static func badPrevious(_ at: ByteLocation, _ found: UInt64) -> DecodeError {
        DecodeError(.badZiplist, at: at, expected: "the length of the entry before", found: .unsigned(found))
    }
}
