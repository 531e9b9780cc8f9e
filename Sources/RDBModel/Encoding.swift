/// How a value is stored in the file.
public enum Encoding: String, Sendable, CaseIterable {
    case raw, int, lzf
    case linkedlist, ziplist, quicklist, quicklist2
    case intset, listpack, hashtable, skiplist, zipmap
    /// A listpack whose fields may bear an expiry (Redis 7.4).
    case listpackex
    case stream, module
    /// Values of a hash whose field names stand once for many hashes (Redis 8.10).
    case template
    case slicedArray = "sliced-array"

    public var name: String { rawValue }
}
