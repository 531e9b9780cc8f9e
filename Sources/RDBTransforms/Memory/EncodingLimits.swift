public import RDBModel

/// The configured limits that decide in which encoding a server keeps a value.
public struct EncodingLimits: Equatable, Sendable {
    public var hashEntries: UInt64
    public var hashValue: UInt64
    public var zsetEntries: UInt64 = 128
    public var zsetValue: UInt64 = 64
    public var intsetEntries: UInt64 = 512
    /// Sets as listpacks: Redis 7.2 and later, Valkey. Zero where the release has none.
    public var setEntries: UInt64
    public var setValue: UInt64
    /// Elements of a list's node, or -1 to -5 for 4, 8, 16, 32, 64 KiB.
    public var listSize: Int64 = -2

    /// A release's defaults.
    public init(_ server: ServerModel) {
        hashEntries = 512
        hashValue = 64
        let hasPackedSets = server != .redis62 && server != .redis70
        setEntries = hasPackedSets ? 128 : 0
        setValue = hasPackedSets ? 64 : 0
    }

    /// Names that `set` knows, as a server's configuration has them; `listpack` in a name may be `ziplist`.
    public static let names = [
        "hash-max-listpack-entries", "hash-max-listpack-value", "zset-max-listpack-entries", "zset-max-listpack-value",
        "set-max-intset-entries", "set-max-listpack-entries", "set-max-listpack-value", "list-max-listpack-size",
    ]

    /// Sets a limit by its name in the server's configuration.
    /// - Returns: false where there is no such name, or the value is none of its.
    public mutating func set(_ name: String, to value: String) -> Bool {
        if name == "list-max-listpack-size" || name == "list-max-ziplist-size" {
            guard let size = Int64(value), size != 0, size >= -5, size <= Int64(UInt16.max) else { return false }
            listSize = size
            return true
        }
        guard let number = UInt64(value) else { return false }
        switch name {
        case "hash-max-listpack-entries", "hash-max-ziplist-entries": hashEntries = number
        case "hash-max-listpack-value", "hash-max-ziplist-value": hashValue = number
        case "zset-max-listpack-entries", "zset-max-ziplist-entries": zsetEntries = number
        case "zset-max-listpack-value", "zset-max-ziplist-value": zsetValue = number
        case "set-max-intset-entries": intsetEntries = number
        case "set-max-listpack-entries": setEntries = number
        case "set-max-listpack-value": setValue = number
        default: return false
        }
        return true
    }

    /// The limits of a type's compact form: elements, and bytes of the longest; nil where the type has none.
    /// For sets, that of listpacks where the release has them; of integers, `intsetEntries` counts.
    public func compactForm(of type: ValueType) -> (entries: UInt64, value: UInt64)? {
        switch type {
        case .hash: (hashEntries, hashValue)
        case .zset: (zsetEntries, zsetValue)
        case .set: setEntries > 0 ? (setEntries, setValue) : nil
        default: nil
        }
    }
}
