public import RDBBytes
public import RDBModel

// RDB strings: a plain length and that many bytes, or
//
//     C0 i8      C1 i16      C2 i32      (little endian) meaning the decimal text
//     C3 length(compressed) length(decompressed) LZF block
//
// Source: redis/redis src/rdb.c, rdbGenericLoadStringObject.

/// What a string's head says of it; its bytes come next.
@usableFromInline
enum StringForm {
    case plain(UInt64)
    case integer(Int64)
    case compressed(UInt64, UInt64)
}

extension ByteWindow {
    /// The head of a string. Lengths of compressed strings are checked against what LZF can do.
    @inlinable
    mutating func stringForm() throws(DecodeError) -> StringForm {
        let first = try byte()
        if first < 0x40 { return .plain(UInt64(first)) }
        if first < 0x80 { return .plain(UInt64(first & 0x3f) << 8 | UInt64(try byte())) }
        return try wideStringForm(first)
    }

    @usableFromInline
    mutating func wideStringForm(_ first: UInt8) throws(DecodeError) -> StringForm {
        switch first {
        case 0xc3:
            let start = location(at: offset - 1)
            let compressed = try length()
            let count = try length()
            guard LZF.isPossible(compressedByteCount: compressed, byteCount: count) else {
                throw DecodeError(
                    .badLZF, at: start, expected: "a decompressed length that LZF can make of the compressed one",
                    found: .unsigned(count))
            }
            return .compressed(compressed, count)
        case 0xc0, 0xc1, 0xc2: return .integer(try integer(first))
        case 0xc4...:
            throw DecodeError(
                .badString, at: location(at: offset - 1),
                expected: "a string (first byte 0x00 to 0x81 or 0xc0 to 0xc3)",
                found: .byte(first))
        default: return .plain(try wideLength(first))
        }
    }

    /// An integer of 1, 2 or 4 bytes. Which is as good as random: where all three would fit, none is told from the others.
    @inline(__always)
    private mutating func integer(_ first: UInt8) throws(DecodeError) -> Int64 {
        if let word = peekWord() {
            skip(atHand: 1 << Int(first & 3))
            return Self.integer(first, word)
        }
        return switch first {
        case 0xc0: Int64(try littleEndian(Int8.self))
        case 0xc1: Int64(try littleEndian(Int16.self))
        default: Int64(try littleEndian(Int32.self))
        }
    }

    /// - Parameter word: begins with the integer's bytes, the lowest first.
    @inline(__always)
    static func integer(_ first: UInt8, _ word: UInt32) -> Int64 {
        let unused = 32 - 8 << UInt32(first & 3)
        return Int64(Int32(bitPattern: word << unused) >> unused)
    }

    /// Steps over a string.
    @inlinable @inline(__always)
    public mutating func skipString() throws(DecodeError) {
        let first = try byte()
        if first < 0x40 { return try skip(UInt64(first)) }
        if first < 0x80 { return try skip(UInt64(first & 0x3f) << 8 | UInt64(try byte())) }
        try skipWideString(first)
    }

    @inline(never) @usableFromInline
    mutating func skipWideString(_ first: UInt8) throws(DecodeError) {
        switch try wideStringForm(first) {
        case .plain(let count), .compressed(let count, _): try skip(count)
        case .integer: break
        }
    }

    /// Gives `count` raw bytes to the visitor: in one piece, or in chunks when they are many.
    @inlinable
    mutating func deliver<V: ValueVisitor & ~Copyable>(
        _ count: UInt64, as role: TextRole, into visitor: inout V
    ) throws(DecodeError) {
        if count <= UInt64(Self.maxContiguousByteCount) {
            visitor.text(try take(Int(count)), as: role)
        } else {
            try deliverChunks(count, as: role, into: &visitor)
        }
    }

    @inlinable @inline(never)
    mutating func deliverChunks<V: ValueVisitor & ~Copyable>(
        _ count: UInt64, as role: TextRole, into visitor: inout V
    ) throws(DecodeError) {
        visitor.beginLargeText(byteCount: count, as: role)
        var left = count
        while left > 0 {
            let chunk = try takeChunk(upTo: left)
            left -= UInt64(chunk.byteCount)
            visitor.largeTextChunk(chunk)
        }
        visitor.endLargeText(as: role)
    }
}

extension RDBReader {
    /// Reads one string and gives it to the visitor.
    @inlinable @inline(__always)
    mutating func readText<V: ValueVisitor & ~Copyable>(
        as role: TextRole, into visitor: inout V
    ) throws(DecodeError) {
        let first = try window.byte()
        if first < 0x40 {
            visitor.text(try window.take(Int(first)), as: role)
        } else {
            try readLongText(first, as: role, into: &visitor)
        }
    }

    @inlinable @inline(never)
    mutating func readLongText<V: ValueVisitor & ~Copyable>(
        _ first: UInt8, as role: TextRole, into visitor: inout V
    ) throws(DecodeError) {
        if first < 0x80 {
            let count = Int(first & 0x3f) << 8 | Int(try window.byte())
            visitor.text(try window.take(count), as: role)
            return
        }
        switch try window.wideStringForm(first) {
        case .plain(let count):
            try window.deliver(count, as: role, into: &visitor)
        case .integer(let value):
            visitor.integer(value, as: role)
        case .compressed(let compressed, let count):
            if LZF.isSmall(compressedByteCount: compressed, byteCount: count) {
                try scratch.decompress(from: &window, compressedByteCount: Int(compressed), byteCount: Int(count))
                visitor.text(scratch.bytes(Int(count)), as: role)
            } else {
                var decoder = TextDecoder(role: role)
                try readCompressedLarge(compressed, count, with: &decoder, into: &visitor)
            }
        }
    }

    /// A string that is kept by its owner: the first `limit` bytes of it.
    mutating func readKeptText(limit: Int) throws(DecodeError) -> KeptText {
        var keeper = TextKeeper(limit: limit)
        try readText(as: .string, into: &keeper)
        return KeptText(bytes: keeper.bytes, byteCount: keeper.byteCount)
    }
}

/// The whole of a window as one text.
@usableFromInline
struct TextDecoder: PackedDecoder {
    @usableFromInline let role: TextRole

    @usableFromInline
    init(role: TextRole) { self.role = role }

    @usableFromInline
    mutating func decode<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) {
        try window.deliver(window.remainingByteCount, as: role, into: &visitor)
    }
}

/// Keeps the first bytes of a text.
struct TextKeeper: ValueVisitor {
    let limit: Int
    var bytes: [UInt8] = []
    var byteCount: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    mutating func text(_ span: RawSpan, as role: TextRole) {
        byteCount += UInt64(span.byteCount)
        let room = limit - bytes.count
        if room > 0 { bytes += span.extracting(first: min(room, span.byteCount)).array }
    }
    mutating func integer(_ value: Int64, as role: TextRole) {
        bytes += Array(String(value).utf8)
        byteCount += UInt64(bytes.count)
    }
    mutating func largeTextChunk(_ span: RawSpan) { text(span, as: .string) }
}
