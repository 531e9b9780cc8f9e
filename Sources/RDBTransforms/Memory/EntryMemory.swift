public import RDBModel

/// What one entry takes in a server's memory after the server has loaded it, and what it consists of.
public struct EntryMemory: Equatable, Sendable {
    /// As MEMORY USAGE key SAMPLES 0 answers, in bytes.
    public var bytes: UInt64 = 0
    /// Of it: the key, its place in the table of keys, and its object's head.
    public var keyBytes: UInt64 = 0
    /// Bytes of the entry that are allocated but that MEMORY USAGE leaves out (places in tables, above all). May be
    /// negative where it counts what is not there.
    public var uncountedBytes: Int64 = 0

    public var type = ValueType.string
    public var encoding = ServerEncoding.raw
    /// Elements, members, fields or stream entries; 1 for a string.
    public var elements: UInt64 = 0
    /// Bytes of the longest element, member, field, value or stream field; for a string, of its text.
    public var largestElementBytes: UInt64 = 0
    /// What `bytes` would be in the compact form (listpack, ziplist, intset), where the value has grown out of it.
    public var compactBytes: UInt64?
    /// Hash fields that have an expiry.
    public var expiringFields: UInt64 = 0
    public var hasExpiry = false

    public init() {}
}
