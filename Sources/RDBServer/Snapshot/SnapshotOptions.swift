public import RDBKit

/// How a live server is read.
public struct SnapshotOptions {
    public enum Way: String, Sendable, CaseIterable {
        /// `DUMP`; where the user may not use it, as `types`.
        case auto
        /// Each value as the server keeps it, by `DUMP`.
        case dump
        /// Each value by the commands of its type: `GET`, `LRANGE`, `HGETALL` and so on.
        case types
    }

    public var way = Way.auto
    /// Only these; all that hold keys if empty. A database in the URL leaves only that one.
    public var databases: [ClosedRange<UInt64>] = []
    /// Only this type, by its name in `TYPE`: the server leaves out the others.
    public var type: String?
    /// Which other types are left out where types are asked for before values are; nil for none.
    public var admitsType: ((ValueType) -> Bool)?
    /// Only keys that it admits; it is asked before their values are.
    public var wants: KeyFilter?
    /// Only these keys, which are asked for by name; nil for all that there are.
    public var keys: [[UInt8]]?
    /// Reads no more than so many keys a second; nil for as fast as it goes.
    public var keysPerSecond: UInt64?
    /// Values that take more of the server's memory than this are read in slices.
    public var bigValueByteCount: UInt64 = 16 << 20
    /// The same for elements, where the server's memory for a value is not known: 10 000 by default.
    public var bigValueElementCount: UInt64 { bigValueByteCount / 1600 }
    /// How long a server may be gone, busy, or moving slots.
    public var patienceMilliseconds: Int64 = 15_000

    public init() {}
}

extension SnapshotOptions {
    /// Takes from a selection what spares the server work. The selection still has to be applied.
    public mutating func narrow(to selection: Selection) {
        databases = selection.databases
        let scanned: [ValueType] = [.list, .set, .zset, .hash, .stream]
        if selection.types.count == 1, let type = selection.types.first, scanned.contains(type) {
            self.type = type.name
        }
        if !selection.types.isEmpty || !selection.excludedTypes.isEmpty {
            let (types, excluded) = (selection.types, selection.excludedTypes)
            admitsType = { (types.isEmpty || types.contains($0)) && !excluded.contains($0) }
        }
        if !selection.keys.isEmpty { keys = selection.keys.sorted { $0.lexicographicallyPrecedes($1) } }
        wants = { selection.admits(database: $0, key: $1) }
    }
}
