import RDBModel
public import RESPFormat

/// Which node of a cluster has which slot.
public struct ClusterTopology: Sendable, Equatable {
    /// Primaries with slots in the order of their first slots, then those without.
    public private(set) var primaries: [ServerAddress] = []
    /// By slot: an index into `primaries`, or `none`.
    private var owners = [UInt16](repeating: Self.none, count: HashSlot.count)
    /// Where each one stands in `primaries`.
    private var indices: [ServerAddress: UInt16] = [:]

    private static let none = UInt16.max

    /// The primary that has a slot; nil where nobody has.
    public func owner(of slot: Int) -> ServerAddress? { ownerIndex(of: slot).map { primaries[$0] } }

    /// The same as an index into `primaries`.
    public func ownerIndex(of slot: Int) -> Int? {
        owners[slot] == Self.none ? nil : Int(owners[slot])
    }

    /// Slots that nobody has: writes to them are refused.
    public var unassignedCount: Int { owners.count { $0 == Self.none } }

    /// A redirection said where a slot is. A node not heard of before is put behind the others.
    public mutating func update(movedSlot slot: Int, to address: ServerAddress) {
        guard owners.indices.contains(slot), let index = index(of: address) else { return }
        owners[slot] = index
    }

    private mutating func index(of address: ServerAddress) -> UInt16? {
        if let index = indices[address] { return index }
        // More nodes than slots would be none.
        guard primaries.count < HashSlot.count else { return nil }
        let index = UInt16(primaries.count)
        primaries.append(address)
        indices[address] = index
        return index
    }

    private mutating func assign(_ first: Int64, _ last: Int64, to address: ServerAddress) throws(ServerError) {
        guard 0 <= first, first <= last, last < Int64(HashSlot.count), let index = index(of: address) else {
            throw ServerError(.protocolViolation, "\(address): slots \(first) to \(last) are not those of a cluster")
        }
        for slot in Int(first)...Int(last) { owners[slot] = index }
    }
}

extension ClusterTopology {
    /// Asks a node for the slots of its cluster: `CLUSTER SHARDS` where it is known (7.0), else `CLUSTER SLOTS`.
    /// - Throws: `refused`, `protocolViolation`, and what `ServerConnection.call` throws.
    public static func read(_ connection: ServerConnection, usesTLS: Bool) throws(ServerError) -> ClusterTopology {
        let shards = try connection.call("CLUSTER", "SHARDS")
        if !shards.isError { return try ClusterTopology(shards: shards, asked: connection.address, usesTLS: usesTLS) }
        let slots = try connection.call("CLUSTER", "SLOTS")
        if slots.isError { throw .refused(connection.address, "cannot ask for the cluster's slots", slots) }
        return try ClusterTopology(slots: slots, asked: connection.address)
    }

    /// From a reply to `CLUSTER SHARDS`: of each shard its slot ranges and its nodes.
    /// - Parameter asked: whom the reply came from; nodes without an endpoint are at the same host.
    public init(shards reply: RESPReply, asked: ServerAddress, usesTLS: Bool) throws(ServerError) {
        guard let shards = reply.array else { throw Self.unexpected("CLUSTER SHARDS", asked) }
        struct Shard {
            var ranges: [(first: Int64, last: Int64)]
            var primary: ServerAddress
        }
        var found: [Shard] = []
        for shard in shards {
            guard let slots = shard["slots"]?.array, let nodes = shard["nodes"]?.array else {
                throw Self.unexpected("CLUSTER SHARDS", asked)
            }
            let numbers = slots.compactMap(\.integer)
            guard numbers.count == slots.count, numbers.count.isMultiple(of: 2) else {
                throw Self.unexpected("CLUSTER SHARDS", asked)
            }
            let candidates = nodes.filter { $0["role"]?.text == "master" || $0["role"]?.text == "primary" }
            // While a failed primary is being replaced there are two.
            guard let node = candidates.first(where: { $0["health"]?.text != "failed" }) ?? candidates.first else {
                continue
            }
            guard let address = Self.address(node, asked: asked, usesTLS: usesTLS) else {
                throw Self.unexpected("CLUSTER SHARDS", asked)
            }
            let ranges = stride(from: 0, to: numbers.count, by: 2).map { (numbers[$0], numbers[$0 + 1]) }
            found.append(Shard(ranges: ranges, primary: address))
        }
        let firstSlots = found.map { $0.ranges.map(\.first).min() ?? .max }
        for index in found.indices.sorted(by: { (firstSlots[$0], $0) < (firstSlots[$1], $1) }) {
            _ = self.index(of: found[index].primary)
            for range in found[index].ranges { try assign(range.first, range.last, to: found[index].primary) }
        }
    }

    /// From a reply to `CLUSTER SLOTS`: ranges with their primary first. The port is the one for the kind of
    /// connection that asked.
    public init(slots reply: RESPReply, asked: ServerAddress) throws(ServerError) {
        guard let ranges = reply.array else { throw Self.unexpected("CLUSTER SLOTS", asked) }
        var found: [(first: Int64, last: Int64, primary: ServerAddress)] = []
        for range in ranges {
            guard let parts = range.array, parts.count >= 3, let first = parts[0].integer, let last = parts[1].integer,
                let node = parts[2].array, node.count >= 2, let port = Self.port(node[1])
            else { throw Self.unexpected("CLUSTER SLOTS", asked) }
            // Since 7.0 the fourth part tells the address where the first one is a name that is not set.
            let named = node[0].text == "?" && node.count > 3 ? node[3]["ip"]?.text : node[0].text
            found.append((first, last, .tcp(host: asked.host(orOwn: named), port: port)))
        }
        for (first, last, primary) in found.sorted(by: { $0.first < $1.first }) {
            try assign(first, last, to: primary)
        }
    }

    /// The endpoint is what the cluster wants to be reached by; without one it is the host that was asked.
    private static func address(_ node: RESPReply, asked: ServerAddress, usesTLS: Bool) -> ServerAddress? {
        let plain = node["port"].flatMap(port)
        let secure = node["tls-port"].flatMap(port)
        guard let port = usesTLS ? secure ?? plain : plain ?? secure else { return nil }
        var host = node["endpoint"]
        // A name is wanted but not set.
        if host == nil || host?.text == "?" { host = node["ip"] }
        return .tcp(host: asked.host(orOwn: host?.text), port: port)
    }

    private static func port(_ reply: RESPReply) -> Int? {
        reply.integer.flatMap { 1...65535 ~= $0 ? Int($0) : nil }
    }

    private static func unexpected(_ command: String, _ address: ServerAddress) -> ServerError {
        ServerError(.protocolViolation, "\(address): an unexpected reply to \(command)")
    }
}

/// Where a cluster's node sends a command that it does not carry out itself.
public struct ClusterRedirection: Sendable, Equatable {
    public enum Kind: Sendable {
        /// The slot is there from now on.
        case moved
        /// Only this command: it goes there behind an `ASKING`.
        case ask
    }

    public var kind: Kind
    public var slot: Int
    public var address: ServerAddress

    /// Reads `MOVED 3999 127.0.0.1:6381`; nil for other errors.
    /// - Parameter asked: whose reply it is; an empty host stands for its own.
    public init?(errorText: String, asked: ServerAddress) {
        let words = errorText.split(separator: " ")
        guard words.count >= 3, let slot = Int(words[1]), 0..<HashSlot.count ~= slot,
            case .tcp(let host, let port)? = ServerAddress(hostAndPort: words[2])
        else { return nil }
        switch words[0] {
        case "MOVED": kind = .moved
        case "ASK": kind = .ask
        default: return nil
        }
        self.slot = slot
        address = .tcp(host: asked.host(orOwn: host), port: port)
    }
}

extension ServerAddress {
    /// The host that a node names, or this one's if it names none.
    fileprivate func host(orOwn named: String?) -> String {
        if let named, !named.isEmpty, named != "?" { return named }
        switch self {
        case .tcp(let host, _): return host
        case .unix: return "127.0.0.1"
        }
    }
}
