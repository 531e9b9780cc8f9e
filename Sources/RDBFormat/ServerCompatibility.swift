public import RDBModel

/// Which servers can load a file: its version, and the newest layout in it.
/// Source: formats/rdb.md §1 and §2.3.
public struct ServerCompatibility: Sendable {
    private let version: RDBVersion
    private var needed = NeededVersion(redis: 1)
    /// A bit for each type, by its raw value: asked for every entry, a set of them would take a quarter of a check.
    private var seen: UInt64 = 0
    public private(set) var modules: Set<String> = []
    private var hasVectorSets = false

    public init(version: RDBVersion) { self.version = version }

    public mutating func add(_ type: RDBType) {
        let bit = UInt64(1) << UInt64(type.rawValue)
        if seen & bit == 0 { addNew(type, bit) }
    }

    @inline(never)
    private mutating func addNew(_ type: RDBType, _ bit: UInt64) {
        seen |= bit
        let other = type.neededVersion
        needed.redis = Self.higher(needed.redis, other.redis)
        needed.valkey = Self.higher(needed.valkey, other.valkey)
    }

    /// Adds what another part of the same file needs.
    public mutating func formUnion(_ other: ServerCompatibility) {
        for type in RDBType.allCases where other.seen & 1 << UInt64(type.rawValue) != 0 { add(type) }
        for name in other.modules { add(name) }
        hasVectorSets = hasVectorSets || other.hasVectorSets
    }

    public mutating func addFunctions() {
        needed.redis = Self.higher(needed.redis, 10)
    }

    /// Vector sets are stored as a module's value but belong to Redis since 8.0.
    public mutating func add(_ module: ModuleID) {
        if module.name == "vectorset" { hasVectorSets = true } else { add(module.name) }
    }

    /// Real files have a few modules; a made one could have millions.
    private static let maxModules = 1024

    private mutating func add(_ name: String) {
        if modules.count < Self.maxModules { modules.insert(name) }
    }

    private static func higher(_ left: Int?, _ right: Int?) -> Int? {
        guard let left, let right else { return nil }
        return max(left, right)
    }

    /// The first release of Redis that loads the file, nil where none does.
    public var redis: String? {
        guard version.family == .redis, let needed = needed.redis else { return nil }
        let number = max(version.number, needed)
        if hasVectorSets, number <= 12 { return "8.0" }
        return Self.release(ServerVersion.redisReleases, number)
    }

    /// The first release of Valkey that loads the file with its default settings, nil where none does.
    public var valkey: String? {
        guard let needed = needed.valkey, !hasVectorSets else { return nil }
        if version.family == .redis { return version.number <= 11 && needed <= 11 ? "7.2" : nil }
        return Self.release(ServerVersion.valkeyReleases, max(version.number, needed))
    }

    private static func release(_ table: [(rdb: Int, since: (Int, Int))], _ number: Int) -> String? {
        table.first { $0.rdb >= number }.map { "\($0.since.0).\($0.since.1)" }
    }

    /// `loadable by Redis >= 7.4; not by Valkey; needs module ReJSON-RL`
    public var sentence: String {
        var parts: [String] = []
        let able = [redis.map { "Redis >= \($0)" }, valkey.map { "Valkey >= \($0)" }].compactMap { $0 }
        if !able.isEmpty { parts.append("loadable by " + able.joined(separator: ", ")) }
        let unable = [redis == nil ? "Redis" : nil, valkey == nil ? "Valkey" : nil].compactMap { $0 }
        if !unable.isEmpty {
            parts.append((able.isEmpty ? "not loadable by " : "not by ") + unable.joined(separator: " or "))
        }
        let names = modules.sorted()
        if !names.isEmpty { parts.append("needs module\(names.count > 1 ? "s" : "") " + names.joined(separator: ", ")) }
        return parts.joined(separator: "; ")
    }
}
