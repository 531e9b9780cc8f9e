/// What a key holds, as the servers' TYPE command names it.
public enum ValueType: String, Sendable, CaseIterable {
    case string, list, set, zset, hash, stream, module
    /// Redis 8.8.
    case array
    /// Valkey 9.2.
    case pathHash = "path-hash"
    /// Builds of Redis with a compile-time option.
    case gcra
    /// A HyperLogLog as a type of its own, in unreleased Redis.
    case hll
    /// KeyDB.
    case cron

    public var name: String { rawValue }
}
