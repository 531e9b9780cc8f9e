import RDBKit

/// The types whose values other commands than `DUMP` read.
enum ReadableType: String {
    case string, list, set, zset, hash, stream

    /// What tells how large a value is: its elements, of a string its bytes.
    var sizing: String {
        switch self {
        case .string: "STRLEN"
        case .list: "LLEN"
        case .set: "SCARD"
        case .zset: "ZCARD"
        case .hash: "HLEN"
        case .stream: "XLEN"
        }
    }

    /// What reads a whole value.
    func reading(_ key: [UInt8]) -> [[UInt8]] {
        switch self {
        case .string: words("GET", key)
        case .list: words("LRANGE", key, "0", "-1")
        case .set: words("SMEMBERS", key)
        case .zset: words("ZRANGE", key, "0", "-1", "WITHSCORES")
        case .hash: words("HGETALL", key)
        // Everything at one moment: entries, groups, pending entries.
        case .stream: words("XINFO STREAM", key, "FULL", "COUNT", "0")
        }
    }

    /// Whether a reply to `reading` says that there is no such key.
    func isGone(_ reply: RESPReply) -> Bool { reply.isNull || self != .string && reply.array?.isEmpty == true }
}
