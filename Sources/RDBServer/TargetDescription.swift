public import RDBFormat
import RESPFormat

/// What a server says about itself. Nil stands for what it does not tell, be it that this user may not ask.
public struct TargetDescription: Sendable, Equatable {
    public enum Family: Sendable, Equatable {
        case redis, valkey, keyDB, dragonfly
        /// Another server that speaks the protocol, by its own name.
        case other(String)
    }

    public enum Mode: String, Sendable { case standalone, cluster }

    public enum Role: Sendable, Equatable {
        case primary
        /// What it follows, and whether that is connected.
        case replica(of: ServerAddress, isLinkUp: Bool)
    }

    public struct Module: Sendable, Equatable {
        public var name: String
        public var version: Int64?

        public init(name: String, version: Int64?) { (self.name, self.version) = (name, version) }
    }

    /// What a server that reads its data at its start has still to do.
    public struct Loading: Sendable, Equatable {
        public var secondsLeft: Int64?
        /// A replica that loads beside the data it serves: reads are answered, writes are not.
        public var isAsynchronous: Bool

        public init(secondsLeft: Int64?, isAsynchronous: Bool) {
            (self.secondsLeft, self.isAsynchronous) = (secondsLeft, isAsynchronous)
        }
    }

    public var address: ServerAddress
    public var family = Family.redis
    public var version: ReleaseNumber?
    /// The release of Redis whose commands it knows; the same as `version` for Redis itself.
    public var redisVersion: ReleaseNumber?
    public var runID: String?
    /// Names the history of its data; new after every start and every promotion.
    public var replicationID: String?
    public var mode = Mode.standalone
    public var role = Role.primary
    /// Nil where it is not loading.
    public var loading: Loading?
    public var usedMemory: UInt64?
    /// 0 is no limit.
    public var maxMemory: UInt64?
    public var maxMemoryPolicy: String?
    /// Of a replica.
    public var isReadOnly = false
    public var isAOFEnabled: Bool?
    /// By database, empty ones left out.
    public var keyCounts: [Int: UInt64]?
    public var databaseCount: Int?
    public var modules: [Module]?

    public init(address: ServerAddress) { self.address = address }
}

extension TargetDescription {
    /// `Valkey 9.1.2`.
    public var name: String {
        let family =
            switch family {
            case .redis: "Redis"
            case .valkey: "Valkey"
            case .keyDB: "KeyDB"
            case .dragonfly: "Dragonfly"
            case .other(let name): name
            }
        return version.map { "\(family) \($0)" } ?? family
    }

    /// Whether all databases are known to be empty; nil where that is not known.
    public var isEmpty: Bool? { keyCounts.map { $0.isEmpty } }

    /// What it takes. Of a server that is neither Redis nor Valkey: what the Redis release takes that it names; of one
    /// that tells nothing, what all have.
    public var serverVersion: ServerVersion {
        if family == .valkey, let version { return ServerVersion(.valkey, version.major, version.minor) }
        guard let redisVersion else { return .oldestCommon }
        return ServerVersion(.redis, redisVersion.major, redisVersion.minor)
    }

    /// The newest RDB version that it loads with its default settings; nil where its own version is not known.
    public var newestRDBVersion: RDBVersion? { redisVersion == nil ? nil : serverVersion.rdbVersion }

    /// Whether it loads files of a version; nil where its own is not known. A file may still hold what it refuses.
    public func loads(_ file: RDBVersion) -> Bool? { redisVersion == nil ? nil : serverVersion.loads(file) }

    /// Why nothing can be written to it now, if that is so: it is a replica that is read-only, or is loading.
    public var obstacle: ServerError? {
        if loading != nil {
            let left = loading?.secondsLeft.map { ", for about \($0) s more" } ?? ""
            return ServerError(.unsuitableTarget, "\(address): the server is loading its data\(left)")
        }
        if isReadOnly, case .replica(let primary, let isLinkUp) = role {
            let words = "the server is a read-only replica of \(primary); write to that one"
            return ServerError(.unsuitableTarget, "\(address): \(words)\(isLinkUp ? "" : Self.leftBehind)")
        }
        return nil
    }

    /// What may have happened to a replica whose primary is not there.
    static let leftBehind =
        "; it has no connection to it: if rdbkit was killed in the midst of --as replication, REPLICAOF NO ONE makes it a "
        + "primary again"
}
