public import RDBBytes
public import RDBModel

// Intset:
//
//     u32 width (2, 4, 8) | u32 count | count integers of that width, signed, ascending        little endian
//
// Source: redis/redis src/intset.c.
@usableFromInline
struct IntsetDecoder: PackedDecoder {
    @inlinable
    init() {}

    @inlinable
    mutating func decode<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) {
        let start = window.location
        let have = window.remainingByteCount
        let width = try window.littleEndian(UInt32.self)
        let count = try window.littleEndian(UInt32.self)
        guard width == 2 || width == 4 || width == 8 else { throw Self.badWidth(start, width) }
        guard 8 + UInt64(count) * UInt64(width) == have else { throw Self.badCount(start, count) }
        visitor.elements(UInt64(count))
        var previous = Int64.min
        for index in 0..<count {
            let value: Int64
            switch width {
            case 2: value = Int64(try window.littleEndian(Int16.self))
            case 4: value = Int64(try window.littleEndian(Int32.self))
            default: value = try window.littleEndian(Int64.self)
            }
            if V.verifiesStructure {
                if index > 0, value <= previous {
                    visitor.fault(Self.badOrder(window.location(at: window.offset - UInt64(width)), value))
                }
                previous = value
            }
            visitor.integer(value, as: .member)
        }
    }

    @usableFromInline @inline(never)
    static func badWidth(_ at: ByteLocation, _ found: UInt32) -> DecodeError {
        DecodeError(.badIntset, at: at, expected: "a width of 2, 4 or 8 bytes", found: .unsigned(UInt64(found)))
    }
    @usableFromInline @inline(never)
    static func badCount(_ at: ByteLocation, _ found: UInt32) -> DecodeError {
        DecodeError(
            .badIntset, at: at, expected: "as many integers as the string holds", found: .unsigned(UInt64(found)))
    }
    @usableFromInline @inline(never)
    static func badOrder(_ at: ByteLocation, _ found: Int64) -> DecodeError {
        DecodeError(.badOrder, at: at, expected: "ascending integers in the intset", found: .number(found))
    }
}
