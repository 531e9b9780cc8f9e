public import RDBModel

/// What stands between two entries of a file, and the entries themselves.
public enum RDBItem: Equatable, Sendable {
    case aux(AuxField)
    case moduleAux(ModuleAux)
    case function(FunctionLibrary)
    case selectDatabase(UInt64)
    /// A hint of the writer: keys, and keys with an expiry. Never to be allocated from.
    case resizeDatabase(keys: UInt64, expires: UInt64)
    /// A hint of a cluster node before the keys of a slot.
    case slotInfo(slot: UInt64, keys: UInt64, expires: UInt64)
    /// Slots that a cluster node was importing.
    case slotImport(job: String, rangeCount: UInt64)
    /// Field names shared by hashes that follow.
    case hashTemplate(id: UInt64, fieldCount: UInt64)
    /// A command to be applied to what was read so far; only in bodies of Valkey's forkless full sync.
    case inlineUpdate(argumentCount: UInt64)
    /// An entry: `header` and `key` of the reader tell which. Its value comes next and must be read or skipped.
    case entry
    case end(RDBEnd)
}

/// How a file ended.
public struct RDBEnd: Equatable, Sendable {
    public enum Checksum: Equatable, Sendable {
        /// The version has none, or the writer left it out (zero).
        case absent
        case matches(UInt64)
        case unverified(UInt64)
    }

    public var checksum: Checksum
    /// Bytes from the start up to and including the checksum.
    public var byteCount: UInt64
}
