public import RESPFormat

extension TargetDescription {
    /// Asks a server about itself. A user who may not ask for everything learns less.
    /// - Throws: `unsuitableTarget` for a Sentinel, else what `ServerConnection.call` throws.
    public static func describe(_ connection: ServerConnection) throws(ServerError) -> TargetDescription {
        let info = try connection.call("INFO")
        // Allowed to everybody who is logged in, and known since 6.0.
        let hello = try connection.call("HELLO")
        var description = try TargetDescription(
            address: connection.address, info: info.isError ? nil : info.text, hello: hello.isError ? nil : hello)
        let loaded = try connection.call("MODULE", "LIST")
        if let modules = loaded.array { description.modules = modules.compactMap { Module($0) } }
        let databases = try connection.call("CONFIG", "GET", "databases")["databases"]?.integer
        if description.mode == .cluster {
            // Valkey 9 may have several in a cluster.
            let ofCluster = try connection.call("CONFIG", "GET", "cluster-databases")["cluster-databases"]?.integer
            description.databaseCount = ofCluster.map { Int(clamping: $0) } ?? 1
        } else {
            description.databaseCount = databases.map { Int(clamping: $0) }
        }
        return description
    }

    /// - Parameters:
    ///   - info: the text of `INFO`, nil where it is denied.
    ///   - hello: the reply to `HELLO`, nil where there is none (before 6.0).
    /// - Throws: `unsuitableTarget` for a Sentinel.
    public init(address: ServerAddress, info: String?, hello: RESPReply?) throws(ServerError) {
        self.init(address: address)
        let fields = InfoFields(info ?? "")
        let mode = fields["redis_mode"] ?? fields["server_mode"] ?? hello?["mode"]?.text
        if mode == "sentinel" {
            throw ServerError(
                .unsuitableTarget, "\(address): this is a Sentinel, which holds no data; name the server itself")
        }
        if mode == "cluster" || fields["cluster_enabled"] == "1" { self.mode = .cluster }
        readVersion(fields, hello)
        readRole(fields, hello)
        if let modules = hello?["modules"]?.array { self.modules = modules.compactMap { Module($0) } }
        guard info != nil else { return }
        runID = fields["run_id"]
        replicationID = fields["master_replid"]
        if fields["loading"] == "1" || fields["async_loading"] == "1" {
            loading = Loading(
                secondsLeft: fields["loading_eta_seconds"].flatMap { Int64($0) }.map { max(0, $0) },
                isAsynchronous: fields["loading"] != "1")
        }
        usedMemory = fields["used_memory"].flatMap { UInt64($0) }
        maxMemory = fields["maxmemory"].flatMap { UInt64($0) }
        maxMemoryPolicy = fields["maxmemory_policy"]
        isAOFEnabled = fields["aof_enabled"].map { $0 == "1" }
        // Some hosts show only some sections. Dragonfly and others show the last one without a server's first.
        if fields.hasSection("Keyspace") { keyCounts = fields.keyCounts }
    }

    private mutating func readVersion(_ fields: InfoFields, _ hello: RESPReply?) {
        redisVersion = fields["redis_version"].flatMap { ServerVersion($0) }
        let helloName = hello?["server"]?.text
        let helloVersion = hello?["version"]?.text.flatMap { ServerVersion($0) }
        if let text = fields["valkey_version"] {
            (family, version) = (.valkey, ServerVersion(text))
        } else if let text = fields["dragonfly_version"] {
            (family, version) = (.dragonfly, ServerVersion(text))
        } else if fields["mvcc_depth"] != nil {
            // KeyDB calls its own version that of Redis, whose 6.2 it is built on.
            (family, version) = (.keyDB, redisVersion)
        } else if let name = fields.versionedName {
            (family, version) = (.other(name), fields["\(name)_version"].flatMap { ServerVersion($0) })
        } else if redisVersion != nil {
            (family, version) = (.redis, redisVersion)
        } else if helloName == "valkey" {
            (family, version) = (.valkey, helloVersion)
        } else if let helloName, helloName != "redis" {
            (family, version) = (.other(helloName), helloVersion)
        } else {
            (family, version) = (.redis, helloVersion)
        }
        if redisVersion == nil {
            // Valkey has kept to the number of the release that it began as.
            redisVersion = family == .redis ? version : family == .valkey ? ServerVersion(7, 2, 4) : nil
        }
    }

    private mutating func readRole(_ fields: InfoFields, _ hello: RESPReply?) {
        switch fields["role"] ?? hello?["role"]?.text {
        case "slave", "replica":
            let port = fields["master_port"].flatMap { ServerAddress.port($0) } ?? 0
            role = .replica(
                of: .tcp(host: fields["master_host"] ?? "?", port: port),
                isLinkUp: fields["master_link_status"] == "up")
            // Read-only unless it says otherwise: that is the default.
            isReadOnly = fields["slave_read_only"] != "0"
        default: role = .primary
        }
    }
}

extension TargetDescription.Module {
    /// From an entry of `MODULE LIST`, or of what `HELLO` says of modules.
    fileprivate init?(_ reply: RESPReply) {
        guard let name = reply["name"]?.text else { return nil }
        self.init(name: name, version: reply["ver"]?.integer)
    }
}

/// The lines `name:value` of `INFO`, in sections that begin with `# Name`.
struct InfoFields {
    private var values: [Substring: Substring] = [:]
    private var sections: Set<Substring> = []

    init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            if line.first == "#" {
                sections.insert(line.dropFirst().drop { $0 == " " })
            } else if let colon = line.firstIndex(of: ":") {
                values[line[..<colon]] = line[line.index(after: colon)...]
            }
        }
    }

    subscript(name: String) -> String? { values[name[...]].map { String($0) } }

    func hasSection(_ name: String) -> Bool { sections.contains(name[...]) }

    /// `db0:keys=1,expires=0,avg_ttl=0`
    var keyCounts: [Int: UInt64] {
        var counts: [Int: UInt64] = [:]
        for (name, value) in values where name.hasPrefix("db") {
            guard let database = Int(name.dropFirst(2)),
                let keys = value.split(separator: ",").first(where: { $0.hasPrefix("keys=") }),
                let count = UInt64(keys.dropFirst(5))
            else { continue }
            counts[database] = count
        }
        return counts
    }

    /// Servers that are not Redis tell their own version beside the one they follow: `garnet_version`.
    var versionedName: String? {
        // These are versions of parts.
        let others: Set<Substring> = ["redis", "gcc", "lua", "jemalloc", "mem_allocator", "os", "api", "rdb", "aof"]
        let names = values.keys.compactMap { name -> Substring? in
            guard name.hasSuffix("_version") else { return nil }
            let server = name.dropLast("_version".count)
            return others.contains(server) || server.contains("_") ? nil : server
        }
        return names.min().map { String($0) }
    }
}
