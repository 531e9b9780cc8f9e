public import RDBBytes
public import RDBModel

// Hashes whose fields stand one by one. Those packed into one string are in RDBReader+Values.swift.
extension RDBReader {
    /// The largest expiry of a field: 2^48 - 1 ms.
    @usableFromInline static var maxFieldExpiry: UInt64 { 0xffff_ffff_ffff }

    /// `length n, n × (string field, string value)`.
    @inlinable @inline(never)
    mutating func readHash<V: ValueVisitor & ~Copyable>(into visitor: inout V) throws(DecodeError) {
        var left = try window.length()
        visitor.elements(left)
        while left > 0 {
            try readText(as: .field, into: &visitor)
            try readText(as: .fieldValue, into: &visitor)
            left -= 1
        }
    }

    /// Redis 7.4: `i64 smallest expiry, length n, n × (length t, string field, string value)`; t = 0 is no expiry, else
    /// t - 1 is added to the smallest. Release candidates had no smallest expiry, and t itself is the time.
    @inlinable @inline(never)
    mutating func readHashMetadata<V: ValueVisitor & ~Copyable>(
        isPreGA: Bool, into visitor: inout V
    ) throws(DecodeError) {
        let smallest = isPreGA ? 1 : try window.littleEndian(Int64.self)
        var left = try window.length()
        visitor.elements(left)
        while left > 0 {
            let at = window.offset
            let relative = try window.length()
            try readText(as: .field, into: &visitor)
            try readText(as: .fieldValue, into: &visitor)
            if relative == 0 {
                visitor.fieldExpiry(nil)
            } else {
                let expiry = UInt64(bitPattern: smallest) &+ relative &- 1
                if relative > Self.maxFieldExpiry + 1 || expiry > Self.maxFieldExpiry { throw badExpiry(at, expiry) }
                visitor.fieldExpiry(Int64(expiry))
            }
            left -= 1
        }
    }

    /// Valkey 9: `length n, n × (string field, string value, i64 expiry)`, -1 is no expiry.
    @inlinable @inline(never)
    mutating func readHashExpiry<V: ValueVisitor & ~Copyable>(into visitor: inout V) throws(DecodeError) {
        var left = try window.length()
        visitor.elements(left)
        while left > 0 {
            try readText(as: .field, into: &visitor)
            try readText(as: .fieldValue, into: &visitor)
            let at = window.offset
            let expiry = try window.littleEndian(Int64.self)
            if expiry < -1 { throw badExpiry(at, UInt64(bitPattern: expiry)) }
            visitor.fieldExpiry(expiry == -1 ? nil : expiry)
            left -= 1
        }
    }

    @usableFromInline @inline(never)
    func badExpiry(_ offset: UInt64, _ found: UInt64) -> DecodeError {
        DecodeError(
            .badExpiry, at: window.location(at: offset), expected: "a field's expiry in milliseconds",
            found: .number(Int64(bitPattern: found)))
    }

    /// Valkey 9.2: `length paths, each: string path, length n > 0, n × (string field, string value)`.
    @inlinable @inline(never)
    mutating func readPathHash<V: ValueVisitor & ~Copyable>(into visitor: inout V) throws(DecodeError) {
        var paths = try window.length()
        visitor.elements(paths)
        while paths > 0 {
            try readText(as: .path, into: &visitor)
            let at = window.offset
            var fields = try window.length()
            if fields == 0 { throw emptyPath(at) }
            visitor.elements(fields)
            while fields > 0 {
                try readText(as: .field, into: &visitor)
                try readText(as: .fieldValue, into: &visitor)
                fields -= 1
            }
            paths -= 1
        }
    }

    @usableFromInline @inline(never)
    func emptyPath(_ offset: UInt64) -> DecodeError {
        DecodeError(
            .badPathHash, at: window.location(at: offset), expected: "at least one field", found: .number(0))
    }
}

/// `field, value, expiry` in one listpack; 0 is no expiry. Redis 7.4.
@usableFromInline
struct PackedExpiringHash: PackedDecoder {
    @inlinable
    init() {}

    @inlinable
    mutating func decode<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) {
        visitor.packed(byteCount: window.remainingByteCount)
        var elements = try ListpackReader(opening: &window)
        visitor.elements(elements.declaredCount.map { $0 / 3 })
        var previous: Int64 = 0
        while try !elements.isAtEnd(&window) {
            try elements.text(&window, as: .field, into: &visitor)
            try elements.text(&window, as: .fieldValue, into: &visitor)
            let at = window.offset
            let expiry = try elements.integer(&window, into: &visitor)
            if expiry < 0 || expiry > 0xffff_ffff_ffff { throw Self.badExpiry(window.location(at: at), expiry) }
            if V.verifiesStructure {
                // Ascending, fields without expiry last.
                let order = expiry == 0 ? Int64.max : expiry
                if order < previous { visitor.fault(Self.badOrder(window.location(at: at), expiry)) }
                previous = order
            }
            visitor.fieldExpiry(expiry == 0 ? nil : expiry)
        }
        try elements.close(&window, into: &visitor)
    }

    @usableFromInline @inline(never)
    static func badExpiry(_ at: ByteLocation, _ found: Int64) -> DecodeError {
        DecodeError(.badExpiry, at: at, expected: "a field's expiry in milliseconds", found: .number(found))
    }
    @usableFromInline @inline(never)
    static func badOrder(_ at: ByteLocation, _ found: Int64) -> DecodeError {
        DecodeError(.badOrder, at: at, expected: "fields ordered by expiry", found: .number(found))
    }
}
