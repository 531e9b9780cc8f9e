/// How long strings are once they stand in a server's structures.
///
/// Sources: redis/redis src/sds.c (sdsReqType, sdsHdrSize), src/listpack.c (lpEncodeGetType, lpEncodeBacklen),
/// src/ziplist.c (zipStoreEntryEncoding, zipStorePrevEntryLength).
@usableFromInline
enum StringSizes {
    /// An sds of `count` bytes: header, bytes, NUL.
    @inlinable
    static func sds(_ count: UInt64) -> UInt64 {
        count &+ (count < 32 ? 2 : count < 256 ? 4 : count < 65536 ? 6 : count < 1 << 32 ? 10 : 18)
    }

    /// An sds that `sdsnewlen` makes: one of no bytes is meant to grow.
    @inlinable
    static func newSDS(_ count: UInt64) -> UInt64 { count == 0 ? 4 : sds(count) }

    /// An sds inside another allocation never uses the smallest header.
    @inlinable
    static func embeddedSDS(_ count: UInt64) -> UInt64 { count < 256 ? count &+ 4 : sds(count) }

    /// An immutable string with or without room for an expiry. Source: redis/redis src/mstr.c, mstrNewWithMeta.
    @inlinable
    static func mstr(_ count: UInt64, hasExpiry: Bool) -> UInt64 {
        let head: UInt64 = count < 32 ? 1 : count < 65536 ? 3 : 9
        return head &+ count &+ 1 &+ (hasExpiry ? 18 : 0)
    }

    /// The bytes of an integer in a listpack, back-length included.
    @inlinable
    static func listpack(_ value: Int64) -> UInt64 {
        if value >= 0, value < 128 { return 2 }
        if value >= -4096, value < 4096 { return 3 }
        if value >= -32768, value < 32768 { return 4 }
        if value >= -(1 << 23), value < 1 << 23 { return 5 }
        return value >= -(1 << 31) && value < 1 << 31 ? 6 : 10
    }

    @inlinable
    static func listpack(byteCount count: UInt64) -> UInt64 {
        let entry = count &+ (count < 64 ? 1 : count < 4096 ? 2 : 5)
        return entry &+ (entry < 128 ? 1 : entry < 16383 ? 2 : entry < 2_097_151 ? 3 : entry < 268_435_455 ? 4 : 5)
    }

    /// The bytes of an integer in a ziplist, without the length of the entry before it.
    @inlinable
    static func ziplist(_ value: Int64) -> UInt64 {
        if value >= 0, value <= 12 { return 1 }
        if value >= -128, value < 128 { return 2 }
        if value >= -32768, value < 32768 { return 3 }
        if value >= -(1 << 23), value < 1 << 23 { return 4 }
        return value >= -(1 << 31) && value < 1 << 31 ? 5 : 9
    }

    @inlinable
    static func ziplist(byteCount count: UInt64) -> UInt64 { count &+ (count < 64 ? 1 : count < 16384 ? 2 : 5) }
}

/// Adds up the bytes of a listpack or ziplist while its entries pass.
@usableFromInline
struct PackedSize: Sendable {
    private let isZiplist: Bool
    private var previous: UInt64 = 0
    /// Of the whole, head and end included.
    private(set) var byteCount: UInt64

    init(isZiplist: Bool) {
        self.isZiplist = isZiplist
        byteCount = isZiplist ? 11 : 7
    }

    /// What an entry would add.
    func size(_ count: UInt64, _ integer: Int64?) -> UInt64 {
        if isZiplist {
            let own = integer.map(StringSizes.ziplist) ?? StringSizes.ziplist(byteCount: count)
            return own &+ (previous < 254 ? 1 : 5)
        }
        return integer.map { StringSizes.listpack($0) } ?? StringSizes.listpack(byteCount: count)
    }

    mutating func add(_ count: UInt64, _ integer: Int64?) {
        previous = size(count, integer)
        byteCount &+= previous
    }
}
