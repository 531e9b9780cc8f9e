/// A server that tests can start, and what its version can do.
package struct Server: Sendable, Hashable {
    package enum Family: String, Sendable {
        case redis, valkey
    }

    package let family: Family
    package let major: Int
    package let minor: Int

    package var name: String { "\(family.rawValue)-\(major).\(minor)" }

    init(_ family: Family, _ major: Int, _ minor: Int) {
        self.family = family
        self.major = major
        self.minor = minor
    }

    /// - Parameter name: such as `redis-7.0`.
    package init?(named name: String) {
        let parts = name.split(separator: "-")
        guard parts.count == 2, let family = Family(rawValue: String(parts[0])) else { return nil }
        let numbers = parts[1].split(separator: ".").compactMap { Int($0) }
        guard numbers.count == 2 else { return nil }
        self.init(family, numbers[0], numbers[1])
    }

    /// At least this Redis version, or any Valkey: Valkey began as Redis 7.2.
    private func isAtLeast(redis major: Int, _ minor: Int) -> Bool {
        switch family {
        case .redis: (self.major, self.minor) >= (major, minor)
        case .valkey: (7, 2) >= (major, minor)
        }
    }

    /// Listpacks instead of ziplists, functions, `PEXPIRETIME`, counters in streams.
    package var isRedis7: Bool { isAtLeast(redis: 7, 0) }

    /// Sets as listpacks, active times of consumers.
    package var isRedis72: Bool { isAtLeast(redis: 7, 2) }

    /// `HPEXPIREAT` and its kin.
    package var hasFieldExpiry: Bool {
        family == .redis ? isAtLeast(redis: 7, 4) : (major, minor) >= (9, 0)
    }

    /// In cluster mode.
    package var savesSlotInformation: Bool {
        family == .redis ? isAtLeast(redis: 7, 4) : major >= 8
    }

    /// `VADD` without loading a module.
    package var hasVectorSets: Bool { family == .redis && major >= 8 }

    /// Every version that `Tests/fetch-servers.sh` knows.
    package static let all = [
        Server(.redis, 6, 2), Server(.redis, 7, 0), Server(.redis, 8, 2),
        Server(.valkey, 8, 1), Server(.valkey, 9, 1),
    ]
}

extension Server: CustomStringConvertible {
    package var description: String { name }
}

/// Which servers are on this machine, as `Tests/fetch-servers.sh` found them.
package enum ServerCatalog {
    /// The folder that the script fills: the same rule as there.
    package static let folder: String =
        if let folder = Environment["RDBKIT_SERVERS"] {
            folder
        } else if let cache = Environment["XDG_CACHE_HOME"] {
            cache + "/rdbkit/servers"
        } else {
            Checkout.root + "/.build/servers"
        }

    private static let paths: [String: String] = {
        guard let index = try? Files.text(folder + "/index.tsv") else { return [:] }
        var paths: [String: String] = [:]
        for line in index.split(separator: "\n") {
            let parts = line.split(separator: "\t", maxSplits: 1)
            guard parts.count == 2 else { continue }
            paths[String(parts[0])] = parts[1].hasPrefix("/") ? String(parts[1]) : "\(folder)/\(parts[1])"
        }
        return paths
    }()

    /// The server's program; nil if it was not fetched.
    package static func program(for server: Server) -> String? {
        paths[server.name].flatMap { Files.isExecutable($0) ? $0 : nil }
    }

    package static var available: [Server] {
        Server.all.filter { program(for: $0) != nil }
    }
}
