/// A release of a server, as far as it decides what the server takes: layouts of values, commands and their options.
/// Sources: formats/commands.md part B, formats/encodings.md §13, formats/rdb.md §1.
public struct ServerVersion: Hashable, Sendable, CustomStringConvertible {
    public var family: RDBFamily
    public var major: Int
    public var minor: Int

    /// What `resp` writes for when nobody says otherwise: everything from this release on takes it.
    public static let oldestCommon = ServerVersion(.redis, 6, 2)

    public init(_ family: RDBFamily, _ major: Int, _ minor: Int) {
        self.family = family
        self.major = major
        self.minor = minor
    }

    /// From `redis-7.0` or `valkey-9.1`; further parts of the number (`redis-7.0.15`) change nothing.
    public init?(_ text: String) {
        let words = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard words.count == 2, let family = RDBFamily(rawValue: words[0].lowercased()) else { return nil }
        let numbers = words[1].split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...4).contains(numbers.count), numbers.allSatisfy({ $0 != nil && $0! >= 0 }) else { return nil }
        self.init(family, numbers[0] ?? 0, numbers.count > 1 ? numbers[1] ?? 0 : 0)
    }

    public var description: String { "\(family.rawValue)-\(major).\(minor)" }

    /// Valkey went its own way after Redis 7.2: until then what held for one holds for the other.
    private func isAtLeast(redis: (Int, Int)?, valkey: (Int, Int)?) -> Bool {
        guard let first = family == .redis ? redis : valkey else { return false }
        return (major, minor) >= first
    }

    private func isAtLeast(common major: Int, _ minor: Int) -> Bool {
        isAtLeast(redis: (major, minor), valkey: (0, 0))
    }

    // MARK: - Commands

    /// RESTORE, expiries in milliseconds.
    public var hasRestore: Bool { isAtLeast(common: 2, 6) }
    /// RESTORE … REPLACE.
    public var hasRestoreReplace: Bool { isAtLeast(common: 3, 0) }
    /// HSET of more than one field; HMSET before.
    public var hasSeveralPairsInHSET: Bool { isAtLeast(common: 4, 0) }
    /// RESTORE … ABSTTL, IDLETIME and FREQ; streams.
    public var hasRestoreOptions: Bool { isAtLeast(common: 5, 0) }
    public var hasStreams: Bool { isAtLeast(common: 5, 0) }
    /// SET … PXAT.
    public var hasExpiryAtInSet: Bool { isAtLeast(common: 6, 2) }
    /// XGROUP CREATECONSUMER, XTRIM MINID.
    public var hasCreateConsumer: Bool { isAtLeast(common: 6, 2) }
    /// GEORADIUS and its kin compare in metres how far the cells reach that they look into.
    public var measuresGeoCells: Bool { !isAtLeast(common: 7, 0) }
    public var hasFunctions: Bool { isAtLeast(common: 7, 0) }
    /// XSETID … ENTRIESADDED MAXDELETEDID, XGROUP CREATE … ENTRIESREAD.
    public var hasStreamCounters: Bool { isAtLeast(common: 7, 0) }
    /// XCLAIM and XAUTOCLAIM take an ID from the pending entries whose entry is gone.
    public var dropsDeletedFromPending: Bool { isAtLeast(common: 7, 0) }
    /// XCLAIM and XREADGROUP make the consumer even where it gets nothing.
    public var makesConsumerOnClaim: Bool { isAtLeast(common: 7, 2) }
    /// XSETID refuses an ID below that of the highest entry that was deleted.
    public var comparesDeletedIDInXSETID: Bool { isAtLeast(common: 7, 2) }
    /// How far a group has read is counted from its last ID on, and not from the entry's that it reads.
    public var countsReadsFromGroup: Bool { isAtLeast(redis: (8, 0), valkey: (8, 1)) }
    /// XGROUP takes no ENTRIESREAD for more than was added.
    public var boundsEntriesRead: Bool { isAtLeast(redis: (8, 0), valkey: nil) }
    /// PEXPIRETIME.
    public var tellsExpiryTime: Bool { isAtLeast(common: 7, 0) }
    /// CLIENT NO-TOUCH: reading a key leaves its idle time and frequency as they are.
    public var hasNoTouch: Bool { isAtLeast(common: 7, 2) }
    /// HPEXPIREAT.
    public var hasFieldExpiry: Bool { isAtLeast(redis: (7, 4), valkey: (9, 0)) }
    /// The latest expiry that HPEXPIREAT gives a field. Redis keeps 46 bits.
    public var maxFieldExpiry: Int64 { family == .redis ? 0x3fff_ffff_ffff : .max }
    /// XCFGSET, XIDMPRECORD.
    public var hasIdempotence: Bool { isAtLeast(redis: (8, 6), valkey: nil) }
    /// XNACK: pending entries that no consumer owns.
    public var hasUnownedPending: Bool { isAtLeast(redis: (8, 8), valkey: nil) }
    /// ARMSET and its kin.
    public var hasArrays: Bool { isAtLeast(redis: (8, 8), valkey: nil) }
    /// Vector sets without a module to be loaded.
    public var hasVectorSets: Bool { isAtLeast(redis: (8, 0), valkey: nil) }

    // MARK: - Files and payloads

    /// The version of the files that the release writes, which is the highest that it reads of its own family.
    public var rdbNumber: Int {
        let table = family == .redis ? Self.redisReleases : Self.valkeyReleases
        return table.last { $0.since <= (major, minor) }?.rdb ?? 1
    }

    /// The same with the family that the files name: Valkey before 9.0 writes Redis' files.
    public var rdbVersion: RDBVersion {
        RDBVersion(number: rdbNumber, family: rdbNumber >= 80 ? .valkey : .redis)
    }

    /// Whether the release loads files of a version with its default settings.
    public func loads(_ version: RDBVersion) -> Bool {
        switch (family, version.family) {
        case (.redis, .redis): version.number <= rdbNumber
        case (.redis, .valkey): false
        case (.valkey, .redis): version.number <= 11
        case (.valkey, .valkey): rdbNumber >= 80 && version.number <= rdbNumber
        }
    }

    /// Whether RESTORE takes a layout. A module's value also needs the module.
    public func restores(_ type: RDBType, of version: RDBVersion) -> Bool {
        // The same byte means another layout in the other family.
        if type.rawByteIsFamilyOwn, version.family != family { return false }
        let needed = family == .redis ? type.neededVersion.redis : type.neededVersion.valkey
        guard hasRestore, type.isRestorable, let needed else { return false }
        return needed <= rdbNumber
    }

    /// Lowest release of each RDB version. Source: formats/rdb.md §1 and §2.3.
    static let redisReleases: [(rdb: Int, since: (Int, Int))] = [
        (1, (1, 0)), (2, (2, 4)), (6, (2, 6)), (7, (3, 2)), (8, (4, 0)), (9, (5, 0)), (10, (7, 0)), (11, (7, 2)),
        (12, (7, 4)), (13, (8, 6)), (14, (8, 8)), (15, (8, 10)),
    ]
    static let valkeyReleases: [(rdb: Int, since: (Int, Int))] = [(11, (7, 2)), (80, (9, 0)), (81, (9, 2))]
}
