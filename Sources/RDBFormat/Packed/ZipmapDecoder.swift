public import RDBBytes
public import RDBModel

// Zipmap (Redis 2.4 and older):
//
//     u8 count (254 and more = walk) | { length field, length u8-free value free-bytes } | FF
//
// A length is one byte up to 253, or FE and u32 little endian. Source: redis/redis src/zipmap.c.
@usableFromInline
struct ZipmapDecoder: PackedDecoder {
    @inlinable
    init() {}

    @inlinable
    mutating func decode<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) {
        let start = window.location
        let declared = try window.byte()
        visitor.elements(declared < 254 ? UInt64(declared) : nil)
        var walked: UInt64 = 0
        while true {
            let first = try window.byte()
            if first == 0xff { break }
            try window.deliver(try length(first, &window), as: .field, into: &visitor)
            let second = try window.byte()
            if second == 0xff { throw Self.noValue(window.location(at: window.offset - 1)) }
            let valueLength = try length(second, &window)
            let free = try window.byte()
            try window.deliver(valueLength, as: .fieldValue, into: &visitor)
            try window.skip(UInt64(free))
            walked &+= 1
        }
        if declared < 254, UInt64(declared) != walked { try visitor.disagree(Self.badCount(start, declared)) }
    }

    @inlinable
    func length(_ first: UInt8, _ window: inout ByteWindow) throws(DecodeError) -> UInt64 {
        first < 0xfe ? UInt64(first) : UInt64(try window.littleEndian(UInt32.self))
    }

    @usableFromInline @inline(never)
    static func noValue(_ at: ByteLocation) -> DecodeError {
        DecodeError(
            .oddElements, at: at, expected: "the field's value", found: .described("the end of the zipmap"))
    }
    @usableFromInline @inline(never)
    static func badCount(_ at: ByteLocation, _ found: UInt8) -> DecodeError {
        DecodeError(
            .countMismatch, at: at, expected: "the number of fields in the zipmap", found: .unsigned(UInt64(found)))
    }
}
