public import RDBModel

/// The layout of a value, named by the byte before its key.
public enum RDBType: UInt8, Sendable, CaseIterable {
    case string, list, set, zset, hash, zset2, module2
    case hashZipmap, listZiplist, setIntset, zsetZiplist, hashZiplist, listQuicklist
    case stream, hashListpack, zsetListpack, listQuicklist2, stream2, setListpack, stream3
    // Redis from 22 on.
    case hashMetadataPreGA, hashListpackExPreGA, hashMetadata, hashListpackEx
    case stream4, stream5, array, gcra, hll
    case hashTemplateListpack, hashTemplateValues
    /// Self-contained; servers write them to DUMP payloads only.
    case hashOwnTemplateListpack, hashOwnTemplateValues
    // Valkey from 22 on.
    case hashExpiry, pathHash
    // KeyDB.
    case cron

    /// The layout behind a type byte, which depends on who wrote the file; nil where this release knows none.
    /// Source: formats/rdb.md §9, formats/newest.md §2.2.
    public init?(byte: UInt8, version: RDBVersion) {
        if byte < 22 {
            guard let type = Self.common[Int(byte)] else { return nil }
            self = type
            return
        }
        switch (version.family, byte) {
        case (.valkey, 22): self = .hashExpiry
        case (.valkey, 23): self = .pathHash
        case (.redis, 22): self = .hashMetadataPreGA
        case (.redis, 23): self = .hashListpackExPreGA
        case (.redis, 24): self = .hashMetadata
        case (.redis, 25): self = .hashListpackEx
        case (.redis, 26): self = .stream4
        case (.redis, 27): self = .stream5
        case (.redis, 28): self = .array
        case (.redis, 29) where version.number <= 14: self = .gcra
        case (.redis, 29): self = .hashOwnTemplateListpack
        case (.redis, 30): self = .hashTemplateListpack
        case (.redis, 31): self = .hashOwnTemplateValues
        case (.redis, 32): self = .hashTemplateValues
        case (.redis, 33): self = .gcra
        case (.redis, 34): self = .hll
        case (.redis, 64): self = .cron
        default: return nil
        }
    }

    /// Type bytes 0 to 21, the same everywhere. 6 (a pre-release module form whose end cannot be found) and 8 are none.
    private static let common: [RDBType?] = [
        .string, .list, .set, .zset, .hash, .zset2, nil, .module2, nil, .hashZipmap, .listZiplist, .setIntset,
        .zsetZiplist, .hashZiplist, .listQuicklist, .stream, .hashListpack, .zsetListpack, .listQuicklist2, .stream2,
        .setListpack, .stream3,
    ]

    /// The type byte in files of a version; nil where its family has none for the layout.
    public func byte(in version: RDBVersion) -> UInt8? {
        for byte in 0...UInt8(64) where RDBType(byte: byte, version: version) == self { return byte }
        return nil
    }

    public var valueType: ValueType {
        switch self {
        case .string: .string
        case .list, .listZiplist, .listQuicklist, .listQuicklist2: .list
        case .set, .setIntset, .setListpack: .set
        case .zset, .zset2, .zsetZiplist, .zsetListpack: .zset
        case .hash, .hashZipmap, .hashZiplist, .hashListpack, .hashMetadataPreGA, .hashListpackExPreGA, .hashMetadata,
            .hashListpackEx, .hashTemplateListpack, .hashTemplateValues, .hashOwnTemplateListpack,
            .hashOwnTemplateValues, .hashExpiry:
            .hash
        case .stream, .stream2, .stream3, .stream4, .stream5: .stream
        case .module2: .module
        case .array: .array
        case .gcra: .gcra
        case .hll: .hll
        case .pathHash: .pathHash
        case .cron: .cron
        }
    }

    /// The encoding; a string's also depends on its first byte.
    public var encoding: Encoding {
        switch self {
        case .string, .gcra, .hll, .cron: .raw
        case .list: .linkedlist
        case .listZiplist, .zsetZiplist, .hashZiplist: .ziplist
        case .listQuicklist: .quicklist
        case .listQuicklist2: .quicklist2
        case .set, .hash, .hashMetadata, .hashMetadataPreGA, .hashExpiry, .pathHash: .hashtable
        case .setIntset: .intset
        case .setListpack, .zsetListpack, .hashListpack: .listpack
        case .hashListpackEx, .hashListpackExPreGA: .listpackex
        case .zset, .zset2: .skiplist
        case .hashZipmap: .zipmap
        case .stream, .stream2, .stream3, .stream4, .stream5: .stream
        case .module2: .module
        case .array: .slicedArray
        case .hashTemplateListpack, .hashTemplateValues, .hashOwnTemplateListpack, .hashOwnTemplateValues: .template
        }
    }

    /// Whether each field of the hash may bear an expiry.
    var hasFieldExpiries: Bool {
        switch self {
        case .hashMetadata, .hashMetadataPreGA, .hashListpackEx, .hashListpackExPreGA, .hashExpiry: true
        default: false
        }
    }

    /// Whether the value's field names stand elsewhere in the file.
    var refersToTemplate: Bool { self == .hashTemplateListpack || self == .hashTemplateValues }

    /// Whether a DUMP payload of it can stand for itself, without anything else of its file.
    public var isRestorable: Bool { !refersToTemplate }

    /// Whether the type byte means something else in the other family: all from 22 on.
    var rawByteIsFamilyOwn: Bool { !Self.common.contains(self) }

    /// The lowest version that a DUMP payload of this layout may state, so that every server that knows the layout takes
    /// it: servers up to 3.0 want exactly 6. Source: formats/encodings.md §13.
    public func payloadVersion(writtenBy version: RDBVersion) -> UInt16 {
        let needed = version.family == .redis ? neededVersion.redis : neededVersion.valkey
        // Of a layout that no release reads, the file's own version says most.
        let ownedByFamily = rawByteIsFamilyOwn ? needed : neededVersion.redis
        return UInt16(clamping: max(6, ownedByFamily ?? version.number))
    }

    /// How much of a stream's tail a layout has: 1 (Redis 5) to 5 (Redis 8.8).
    @usableFromInline var streamGeneration: Int {
        switch self {
        case .stream: 1
        case .stream2: 2
        case .stream3: 3
        case .stream4: 4
        case .stream5: 5
        default: 0
        }
    }

    /// What a server must be to read this layout. Source: formats/rdb.md §2.3, §9.
    public var neededVersion: NeededVersion {
        switch self {
        case .string, .list, .set, .zset, .hash: NeededVersion(redis: 1)
        case .hashZipmap, .listZiplist, .setIntset, .zsetZiplist: NeededVersion(redis: 2)
        case .hashZiplist: NeededVersion(redis: 6)
        case .listQuicklist: NeededVersion(redis: 7)
        case .zset2, .module2: NeededVersion(redis: 8)
        case .stream: NeededVersion(redis: 9)
        case .hashListpack, .zsetListpack, .listQuicklist2, .stream2: NeededVersion(redis: 10)
        case .setListpack, .stream3: NeededVersion(redis: 11)
        case .hashMetadata, .hashListpackEx, .hashMetadataPreGA, .hashListpackExPreGA:
            NeededVersion(redis: 12, valkey: nil)
        case .stream4: NeededVersion(redis: 13, valkey: nil)
        case .stream5, .array: NeededVersion(redis: 14, valkey: nil)
        case .hashTemplateListpack, .hashTemplateValues, .hashOwnTemplateListpack, .hashOwnTemplateValues:
            NeededVersion(redis: 15, valkey: nil)
        case .gcra, .hll, .cron: NeededVersion(redis: nil, valkey: nil)
        case .hashExpiry: NeededVersion(redis: nil, valkey: 80)
        case .pathHash: NeededVersion(redis: nil, valkey: 81)
        }
    }
}

/// The lowest RDB version of each family whose servers read a layout; nil where none does.
public struct NeededVersion: Equatable, Sendable {
    public var redis: Int?
    public var valkey: Int?

    init(redis: Int?, valkey: Int?) {
        self.redis = redis
        self.valkey = valkey
    }

    /// Common ground: Valkey reads what Redis 7.2 reads.
    init(redis: Int) { self.init(redis: redis, valkey: 11) }
}
