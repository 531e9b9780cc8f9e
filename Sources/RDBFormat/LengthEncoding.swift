public import RDBBytes

// RDB lengths, by the two top bits of the first byte:
//
//     00llllll                 6 bits
//     01llllll llllllll        14 bits, big endian
//     10000000 + 4 bytes       32 bits, big endian
//     10000001 + 8 bytes       64 bits, big endian
//     11tttttt                 no length: a string in special encoding t
//
// Source: redis/redis src/rdb.c, rdbLoadLenByRef.
extension ByteWindow {
    /// A plain length. It may claim anything up to 2^64 - 1: compare before believing.
    @inlinable @inline(__always)
    public mutating func length() throws(DecodeError) -> UInt64 {
        let first = try byte()
        if first < 0x40 { return UInt64(first) }
        if first < 0x80 { return UInt64(first & 0x3f) << 8 | UInt64(try byte()) }
        return try wideLength(first)
    }

    @inline(never) @usableFromInline
    mutating func wideLength(_ first: UInt8) throws(DecodeError) -> UInt64 {
        if first == 0x80 { return UInt64(try bigEndian(UInt32.self)) }
        if first == 0x81 { return try bigEndian(UInt64.self) }
        throw DecodeError(
            .badLength, at: location(at: offset - 1), expected: "a length (first byte 0x00 to 0x81)",
            found: .byte(first))
    }
}
