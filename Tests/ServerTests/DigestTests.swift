import ServerHarness
import Testing

/// `digest`: the same data has one digest whichever server holds it, and any edit changes it.
@Suite("digest", .serialized, .tags(.server, .slow))
struct DigestTests {
    /// Each starts all servers.
    static let someSeeds = Scenario.seeds.prefix(max(3, Scenario.seeds.count / 2))

    /// By key, so that what differs has a name.
    static func digests(_ dump: String, ignoring ignored: [String] = []) throws -> [CanonicalEntry.Name: String] {
        let options = ignored.isEmpty ? [] : ["--ignore", ignored.joined(separator: ",")]
        return try KeyDigests.parse(
            RDBKitProgram.locate().output(["digest", "--per-key", "--format", "json", dump] + options))
    }

    static func digest(_ dump: String, ignoring ignored: [String] = []) throws -> String {
        let options = ignored.isEmpty ? [] : ["--ignore", ignored.joined(separator: ",")]
        return String(
            decoding: try RDBKitProgram.locate().output(["digest", dump] + options).prefix(32), as: UTF8.self)
    }

    /// Servers that all run the commands of one workload.
    static func processes(_ servers: [Server], _ scenario: Scenario) throws -> [ServerProcess] {
        try servers.map { server in
            let process = try ServerProcess(server, options: scenario.options)
            let connection = try process.connect()
            try Workload.fill(connection, for: scenario)
            try connection.call("SAVE")
            if let folder = Environment["RDBKIT_KEEP"] {
                let name = "\(folder)/\(scenario.server)-seed\(scenario.seed)-in-\(server).rdb"
                try Files.write(try Files.read(process.dumpPath), to: name)
            }
            return process
        }
    }

    private static func expectSame(_ processes: [ServerProcess], _ subject: String, ignoring ignored: [String]) throws {
        guard let first = processes.first else { return }
        let keys = try digests(first.dumpPath, ignoring: ignored)
        let whole = try digest(first.dumpPath, ignoring: ignored)
        for process in processes.dropFirst() {
            let subject = "\(subject) in \(first.server) and \(process.server)"
            expectNone(
                KeyDigests.differences(keys, try digests(process.dumpPath, ignoring: ignored)), subject)
            #expect(try digest(process.dumpPath, ignoring: ignored) == whole, "\(subject)")
        }
    }

    @Test("the same commands give the same digest in all servers", arguments: someSeeds)
    func everywhere(seed: UInt64) throws {
        guard let oldest = ServerCatalog.available.first else { return }
        let scenario = Scenario(server: oldest, seed: seed)
        let processes = try Self.processes(ServerCatalog.available, scenario)
        defer { for process in processes { process.stop() } }
        // Before 7.0 pending entries outlive their deletion, and there are no counters; before 7.2 a consumer that gets
        // nothing is not made.
        try Self.expectSame(processes, "\(scenario)", ignoring: ["stream-groups", "stream-counters"])
        // The time of a delivery is that of the command.
        let newer = processes.filter { $0.server.isRedis72 }
        try Self.expectSame(newer, "\(scenario)", ignoring: ["delivery-times"])
    }

    @Test("expiries of fields are the same in Redis and Valkey", arguments: someSeeds)
    func fieldExpiries(seed: UInt64) throws {
        let servers = ServerCatalog.available.filter { $0.hasFieldExpiry }
        // Valkey has no vector sets.
        guard let server = servers.first(where: { !$0.hasVectorSets }) else { return }
        let scenario = Scenario(server: server, seed: seed)
        if scenario.isCluster { return }
        let processes = try Self.processes(servers, scenario)
        defer { for process in processes { process.stop() } }
        try Self.expectSame(processes, "\(scenario)", ignoring: ["delivery-times"])
        // Without them, every hash that has one is another.
        let dump = processes[0].dumpPath
        let entries = try JSONLines.parse(RDBKitProgram.locate().output(["json", dump]), as: .program)
        let (with, without) = (try Self.digests(dump), try Self.digests(dump, ignoring: ["field-expiry"]))
        let expiring = Set(entries.filter { !$0.fieldExpiries.isEmpty }.map(\.name))
        #expect(Set(with.keys.filter { with[$0] != without[$0] }) == expiring, "\(scenario)")
    }

    /// Groups as every version makes them, with delivery times that the commands say.
    private static func fillGroups(_ connection: RESPConnection, _ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for stream in 0..<20 {
            let key = "stream:\(stream)"
            let count = generator.number(1...60)
            for entry in 1...count { try connection.call("XADD", key, "\(entry)-\(stream)", "field", entry) }
            for group in 0..<generator.number(0...3) {
                try connection.call("XGROUP", "CREATE", key, "group\(group)", "0")
                for entry in 1...count where generator.oneIn(2) {
                    try connection.call(
                        "XCLAIM", key, "group\(group)", "consumer\(generator.number(0...3))", 0,
                        "\(entry)-\(stream)", "TIME", generator.number(1_600_000_000_000...1_700_000_000_000),
                        "RETRYCOUNT", generator.number(1...9), "FORCE", "JUSTID", "LASTID", "\(entry)-\(stream)")
                }
                try connection.call("XGROUP", "SETID", key, "group\(group)", "\(generator.number(0...count))-\(stream)")
            }
        }
        try connection.call("SAVE")
    }

    @Test("groups, pending entries and their owners are the same in all servers", arguments: Scenario.seeds)
    func groups(seed: UInt64) throws {
        let processes = try ServerCatalog.available.map { server in
            let process = try ServerProcess(server)
            try Self.fillGroups(try process.connect(), seed)
            return process
        }
        defer { for process in processes { process.stop() } }
        try Self.expectSame(processes, "RDBKIT_SEED=\(seed)", ignoring: ["stream-counters"])
        try Self.expectSame(processes.filter { $0.server.isRedis7 }, "RDBKIT_SEED=\(seed)", ignoring: [])
    }

    @Test(
        "what another server loads and saves again has the same digest, nothing ignored",
        arguments: ServerCatalog.available.dropFirst())
    func upgrade(server: Server) throws {
        guard let oldest = ServerCatalog.available.first else { return }
        let scenario = Scenario(server: oldest, seed: Scenario.seeds[0])
        let saving = try Self.processes([oldest], scenario)[0]
        defer { saving.stop() }
        let loading = try ServerProcess(server, loading: try Files.read(saving.dumpPath))
        defer { loading.stop() }
        try loading.connect().call("SAVE")
        try Self.expectSame([saving, loading], "\(scenario)", ignoring: [])
    }

    // MARK: - Edits

    /// A key, the commands that make it, and one more that changes its value in one place.
    private static func edits(_ server: Server, _ generator: inout SeededGenerator) -> [(
        key: String, made: [Command], edit: Command
    )] {
        let index = generator.number(0...29)
        let texts = (0..<30).map { "text:\($0)" }
        let scores = (0..<30).flatMap { [String($0), "member:\($0)"] }
        var edits: [(String, [Command], Command)] = [
            ("a1", [Command("SET", "a1", "value")], Command("APPEND", "a1", "!")),
            ("a2", [Command("SET", "a2", 41)], Command("INCR", "a2")),
            ("a3", [Command("SET", "a3", 1)], Command("PEXPIREAT", "a3", 4_102_444_800_000)),
            ("a4", [Command("SET", "a4", 1), Command("PEXPIREAT", "a4", 4_102_444_800_000)], Command("PERSIST", "a4")),
            (
                "a5", [Command("SET", "a5", 1), Command("PEXPIREAT", "a5", 4_102_444_800_000)],
                Command("PEXPIREAT", "a5", 4_102_444_800_001)
            ),
            ("a6", [Command("SETBIT", "a6", 1000, 1)], Command("SETBIT", "a6", generator.number(0...999), 1)),
            ("l1", [Command("RPUSH", "l1", Arguments(texts))], Command("LSET", "l1", index, "other")),
            ("l2", [Command("RPUSH", "l2", Arguments(texts))], Command("RPUSH", "l2", "more")),
            ("l3", [Command("RPUSH", "l3", Arguments(texts))], Command("LREM", "l3", 1, texts[index])),
            ("l4", [Command("RPUSH", "l4", Arguments(texts))], Command("RPOPLPUSH", "l4", "l4")),
            ("s1", [Command("SADD", "s1", Arguments(texts))], Command("SADD", "s1", "more")),
            ("s2", [Command("SADD", "s2", Arguments(texts))], Command("SREM", "s2", texts[index])),
            ("s3", [Command("SADD", "s3", Arguments((0..<30).map { String($0) }))], Command("SREM", "s3", index)),
            ("z1", [Command("ZADD", "z1", Arguments(scores))], Command("ZINCRBY", "z1", 0.001, "member:\(index)")),
            ("z2", [Command("ZADD", "z2", Arguments(scores))], Command("ZREM", "z2", "member:\(index)")),
            ("h1", [Command("HSET", "h1", Arguments(scores))], Command("HSET", "h1", index, "other")),
            ("h2", [Command("HSET", "h2", Arguments(scores))], Command("HDEL", "h2", index)),
            ("h3", [Command("HSET", "h3", Arguments(scores))], Command("HSET", "h3", "more", "")),
        ]
        let stream = (1...30).map { Command("XADD", "x", "\($0)-1", "field", $0) }
        let group = [
            Command("XGROUP", "CREATE", "x", "group", 0),
            Command("XREADGROUP", "GROUP", "group", "alice", "COUNT", 10, "STREAMS", "x", ">"),
            Command("XREADGROUP", "GROUP", "group", "bob", "COUNT", 10, "STREAMS", "x", ">"),
        ]
        let entry = "\(generator.number(1...10))-1"
        for edit in [
            Command("XADD", "x", "31-0", "field", "value"), Command("XDEL", "x", "\(index + 1)-1"),
            Command("XSETID", "x", "40-0"), Command("XGROUP", "CREATE", "x", "other", 0),
            Command("XGROUP", "DESTROY", "x", "group"), Command("XGROUP", "SETID", "x", "group", "25-1"),
            Command("XGROUP", "CREATECONSUMER", "x", "group", "carol"),
            Command("XGROUP", "DELCONSUMER", "x", "group", "alice"), Command("XACK", "x", "group", entry),
            Command("XCLAIM", "x", "group", "bob", 0, entry, "JUSTID"),
            Command("XCLAIM", "x", "group", "alice", 0, entry, "RETRYCOUNT", 7, "JUSTID"),
            Command("XCLAIM", "x", "group", "alice", 0, entry, "TIME", 1_600_000_000_000, "JUSTID"),
        ] {
            edits.append(("x", [Command("DEL", "x")] + stream + group, edit))
        }
        if server.hasFieldExpiry {
            let made = [
                Command("HSET", "e", Arguments(scores)),
                Command("HPEXPIREAT", "e", 4_102_444_800_000, "FIELDS", 2, index, (index + 1) % 30),
            ]
            edits += [
                ("e", made, Command("HPEXPIREAT", "e", 4_102_444_800_001, "FIELDS", 1, index)),
                ("e", made, Command("HPERSIST", "e", "FIELDS", 1, index)),
                ("e", made, Command("HPEXPIREAT", "e", 4_102_444_800_000, "FIELDS", 1, (index + 2) % 30)),
            ]
        }
        return edits
    }

    @Test("a single edit changes the digest of its key, and of the file", arguments: ServerCatalog.available)
    func edits(server: Server) throws {
        let seed = Scenario.seeds[0]
        var generator = SeededGenerator(seed: seed)
        let process = try ServerProcess(server)
        defer { process.stop() }
        let connection = try process.connect()
        try connection.call("SET", "bystander", "unchanged")
        for (key, made, edit) in Self.edits(server, &generator) {
            _ = try connection.pipeline(made)
            try connection.call("SAVE")
            let before = (try Self.digest(process.dumpPath), try Self.digests(process.dumpPath))
            _ = try connection.pipeline([edit])
            try connection.call("SAVE")
            let after = (try Self.digest(process.dumpPath), try Self.digests(process.dumpPath))
            let changed = Set(before.1.keys).union(after.1.keys).filter { before.1[$0] != after.1[$0] }
            let subject = Comment("\(edit) in \(server) with RDBKIT_SEED=\(seed)")
            #expect(changed == [CanonicalEntry.Name(database: 0, key: Bytes(key.utf8))], subject)
            #expect(before.0 != after.0, subject)
        }
    }

    @Test("another order, encoding or database size does not change it", arguments: ServerCatalog.available)
    func reordering(server: Server) throws {
        let process = try ServerProcess(server)
        defer { process.stop() }
        let connection = try process.connect()
        func fill(_ order: [Int]) throws -> String {
            try connection.call("FLUSHALL")
            try connection.call("SADD", "set", Arguments(order.map { "member:\($0)" }))
            try connection.call("SADD", "numbers", Arguments(order.map { String($0) }))
            try connection.call("HSET", "hash", Arguments(order.flatMap { ["field:\($0)", String($0)] }))
            try connection.call("ZADD", "sorted", Arguments(order.flatMap { [String($0 % 3), "member:\($0)"] }))
            for number in order { try connection.call("SET", "key:\(number)", number) }
            try connection.call("SAVE")
            return try Self.digest(process.dumpPath)
        }
        var generator = SeededGenerator(seed: Scenario.seeds[0])
        let first = try fill(Array(0..<100))
        #expect(try fill(generator.shuffled(Array(0..<100))) == first)
        for name in ["hash-max-ziplist-entries", "zset-max-ziplist-entries", "set-max-intset-entries"] {
            try connection.call("CONFIG", "SET", name, 5)
        }
        try connection.call("CONFIG", "SET", "rdbcompression", "no")
        #expect(try fill(generator.shuffled(Array(0..<100))) == first)
    }

    @Test("files, pipes, gzip and any number of threads give the same", arguments: ServerCatalog.available)
    func forms(server: Server) throws {
        let program = try RDBKitProgram.locate()
        let scenario = Scenario(server: server, seed: Scenario.seeds[0])
        let process = try ServerProcess.start(for: scenario)
        defer { process.stop() }
        let connection = try process.connect()
        try Workload.fill(connection, for: scenario)
        try connection.call("SAVE")
        let dump = process.dumpPath
        let digest = try Self.digest(dump)
        try Gzip.compress(dump, to: dump + ".gz")
        #expect(try Self.digest(dump + ".gz") == digest)
        for threads in 1...5 {
            let output = try program.output(["digest", "--threads", "\(threads)", "-"], input: dump)
            #expect(String(decoding: output, as: UTF8.self) == "\(digest)  -\n", "\(scenario), \(threads) threads")
        }
        let lines = try program.output(["digest", "--per-key", "--threads", "1", dump])
        #expect(try program.output(["digest", "--per-key", "--threads", "5", dump]) == lines, "\(scenario)")
    }
}
