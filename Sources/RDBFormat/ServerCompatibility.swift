public import RDBModel

/// Which servers can load a file: its version, and the newest layout in it. The one table of versions and releases.
/// Source: formats/rdb.md §1 and §2.3.
public struct ServerCompatibility: Sendable {
    private let version: RDBVersion
    private var needed = NeededVersion(redis: 1)
    private var seen: Set<RDBType> = []
    public private(set) var modules: Set<String> = []
    private var hasVectorSets = false

    public init(version: RDBVersion) { self.version = version }

    public mutating func add(_ type: RDBType) {
        guard seen.insert(type).inserted else { return }
        let other = type.neededVersion
        needed.redis = Self.higher(needed.redis, other.redis)
        needed.valkey = Self.higher(needed.valkey, other.valkey)
    }

    /// Adds what another part of the same file needs.
    public mutating func formUnion(_ other: ServerCompatibility) {
        for type in other.seen { add(type) }
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
        return Self.redisReleases.first { $0.rdb >= number }?.release
    }

    /// The first release of Valkey that loads the file with its default settings, nil where none does.
    public var valkey: String? {
        guard let needed = needed.valkey, !hasVectorSets else { return nil }
        if version.family == .redis { return version.number <= 11 && needed <= 11 ? "7.2" : nil }
        return Self.valkeyReleases.first { $0.rdb >= max(version.number, needed) }?.release
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

    /// The newest version that a release of Redis loads; nil for a number that is none.
    public static func newestVersion(redis release: (major: Int, minor: Int)) -> RDBVersion? {
        newest(release, redisReleases).map { RDBVersion(number: $0, family: .redis) }
    }

    /// The same of Valkey, which began as Redis 7.2.
    public static func newestVersion(valkey release: (major: Int, minor: Int)) -> RDBVersion? {
        if let own = newest(release, valkeyReleases) { return RDBVersion(number: own, family: .valkey) }
        return release >= (7, 2) ? RDBVersion(number: 11, family: .redis) : nil
    }

    /// Whether a server whose newest version is this loads files of another, with its default settings.
    public static func server(withNewest newest: RDBVersion, loads file: RDBVersion) -> Bool {
        if newest.family == file.family { return file.number <= newest.number }
        return file.family == .redis && file.number <= 11
    }

    private static func newest(
        _ release: (major: Int, minor: Int), _ releases: [(rdb: Int, release: String)]
    ) -> Int? {
        releases.last { each in
            let parts = each.release.split(separator: ".").compactMap { Int($0) }
            return parts.count == 2 && release >= (parts[0], parts[1])
        }?.rdb
    }

    private static let redisReleases: [(rdb: Int, release: String)] = [
        (1, "1.0"), (2, "2.4"), (6, "2.6"), (7, "3.2"), (8, "4.0"), (9, "5.0"), (10, "7.0"), (11, "7.2"), (12, "7.4"),
        (13, "8.6"), (14, "8.8"), (15, "8.10"),
    ]
    private static let valkeyReleases: [(rdb: Int, release: String)] = [(80, "9.0"), (81, "9.2")]
}
