import Glibc
import ServerHarness
import Testing

/// Into three primaries on the loopback interface.
///
/// `RDBKIT_SEEDS=n` runs seeds 1 to n, `RDBKIT_SEED=n` only that one.
@Suite("restore: clusters", .serialized, .tags(.server, .slow))
struct ClusterTests {
    static let seeds: [UInt64] =
        Environment["RDBKIT_SEED"] != nil || Environment["RDBKIT_SEEDS"] != nil ? Scenario.seeds : [1, 2]

    /// Every write is on the disk before it is answered.
    private static let durable = [(name: "appendonly", value: "yes"), (name: "appendfsync", value: "always")]

    private func url(_ cluster: ClusterProcess, _ node: Int = 0) -> String {
        "redis://127.0.0.1:\(cluster.nodes[node].port)"
    }

    private func processes(_ cluster: ClusterProcess) -> [ServerProcess] { cluster.nodes.map(\.process) }

    /// Expects that each node holds its own keys, and all of them together what the dump holds.
    private func expectAll(
        of dump: SavedDump, in cluster: ClusterProcess, byCommands: Bool = false, _ subject: String,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        expectNone(
            try Comparison.differences(dump, processes(cluster), byCommands: byCommands), subject,
            sourceLocation: location)
    }

    private func flush(_ cluster: ClusterProcess) throws {
        for node in cluster.nodes {
            let connection = try node.process.connect()
            try connection.call("FLUSHALL")
            try connection.call("FUNCTION", "FLUSH")
        }
    }

    private func functions(_ connection: RESPConnection) throws -> Set<Bytes> {
        let list = try connection.call("FUNCTION", "LIST", "WITHCODE").elements()
        return Set(try list.map { try $0.fields().required("library_code").bytes() })
    }

    // MARK: - A cluster at rest

    @Test("each key arrives at its owner, functions at every primary", arguments: seeds)
    func whole(seed: UInt64) throws {
        let dump = try SavedDump { connection in
            try Workload.fill(connection, for: Scenario(server: .debian, seed: seed), inOneDatabase: true)
            try connection.call(
                "FUNCTION", "LOAD", "REPLACE",
                "#!lua name=mine\nredis.register_function('mine', function() return 1 end)")
        }
        let cluster = try ClusterProcess(.debian, options: ServerProcess.keepsSigns)
        defer { cluster.stop() }
        let program = try RDBKitProgram.locate()
        let nowhere = "redis://127.0.0.1:\(try ServerProcess.freePort())"
        let ways: [(urls: [String], arguments: [String])] = [
            ([url(cluster)], ["--verify"]),
            ([nowhere, "redis://no-such-host.invalid", url(cluster, 1)], ["--as", "restore", "--connections", "8"]),
            (
                ["unix://\(cluster.nodes[2].process.socketPath)"],
                ["--as", "commands", "--connections", "1", "--verify"]
            ),
            ([url(cluster, 2)], ["--as", "commands", "--on-conflict", "replace", "--resp3", "--verify"]),
        ]
        for way in ways {
            let byCommands = way.arguments.contains("commands") || !way.arguments.contains("--as")
            let subject = "seed \(seed), \(way)"
            let run = try program.run(
                ["restore", dump.path] + way.urls + ["--format", "json"] + way.arguments, timeoutSeconds: 120)
            #expect(run.status == 0, "\(subject): \(run.errors)")
            #expect(try Summary(run).applied == dump.entries.count, "\(subject)")
            if way.arguments.contains("--verify") {
                #expect(try Summary(run).verified == dump.entries.count, "\(subject)")
                #expect(try Summary(run).differing == 0, "\(subject)")
            }
            try expectAll(of: dump, in: cluster, byCommands: byCommands, subject)
            let libraries = try cluster.nodes.map { try functions(try $0.process.connect()) }
            #expect(libraries.allSatisfy { $0 == libraries[0] && !$0.isEmpty }, "\(subject)")
            let sizes = try cluster.nodes.map { try $0.process.connect().call("DBSIZE").integer() }
            #expect(sizes.allSatisfy { $0 > 0 }, "\(subject)")
            if !way.arguments.contains("replace") { try flush(cluster) }
        }
    }

    @Test("existing keys: the run ends, leaves them, or replaces them, wherever they are")
    func conflicts() throws {
        let dump = try SavedDump.small(200)
        let cluster = try ClusterProcess(.debian)
        defer { cluster.stop() }
        let program = try RDBKitProgram.locate()
        for form in ["auto", "restore", "commands"] {
            try flush(cluster)
            #expect(try program.restore(dump.path, url(cluster), ["--as", form]).status == 0)
            try expectAll(of: dump, in: cluster, byCommands: form != "restore", form)
            let again = try program.restore(dump.path, url(cluster, 1), ["--as", form])
            #expect(again.status == 1, "\(again.errors)")
            #expect(again.errors.contains("the key exists at the target"))
            let skipped = try program.restore(dump.path, url(cluster, 2), ["--as", form, "--on-conflict", "skip"])
            #expect(skipped.status == 0)
            #expect(try Summary(skipped).skipped == dump.entries.count)
            let replaced = try program.restore(
                dump.path, url(cluster, 2), ["--as", form, "--on-conflict", "replace", "--verify"])
            #expect(replaced.status == 0, "\(replaced.errors)")
            #expect(try Summary(replaced).applied == dump.entries.count)
            try expectAll(of: dump, in: cluster, byCommands: form != "restore", form)
        }
    }

    @Test("entries of other databases are told and counted, unless they are put into database 0")
    func databases() throws {
        let dump = try SavedDump { connection in
            for database in [0, 1, 9] {
                try connection.call("SELECT", database)
                for index in 0..<10 { try connection.call("RPUSH", "\(database):\(index)", "a", index) }
            }
        }
        let cluster = try ClusterProcess(.debian)
        defer { cluster.stop() }
        let program = try RDBKitProgram.locate()
        let run = try program.restore(dump.path, url(cluster))
        #expect(run.status == 1)
        #expect(try Summary(run).applied == 10)
        #expect(try Summary(run).failed == 20)
        #expect(run.errors.contains("the target has no database 9"), "\(run.errors)")
        #expect(run.errors.contains("--db-map"))
        try flush(cluster)
        let mapped = try program.restore(dump.path, url(cluster), ["--db-map", "*:0"])
        #expect(mapped.status == 0, "\(mapped.errors)")
        let sizes = try cluster.nodes.map { try $0.process.connect().call("DBSIZE").integer() }
        #expect(sizes.reduce(0, +) == 30)
    }

    @Test("slots that nobody has are refused before anything is sent")
    func unassigned() throws {
        let cluster = try ClusterProcess(.debian)
        defer { cluster.stop() }
        for node in cluster.nodes { try node.process.connect().call("CLUSTER", "DELSLOTS", 7, 8) }
        let dump = try SavedDump.small(30)
        let run = try RDBKitProgram.locate().restore(dump.path, url(cluster, 1))
        #expect(run.status == 69)
        #expect(run.errors.contains("2 slots of the cluster have no server"), "\(run.errors)")
        #expect(try cluster.nodes.allSatisfy { try $0.process.connect().call("DBSIZE").integer() == 0 })
    }

    @Test("a replica serves as the first node")
    func replica() throws {
        let cluster = try ClusterProcess(.debian)
        defer { cluster.stop() }
        let port = try ServerProcess.freePort()
        let replica = try ServerProcess(
            .debian,
            options: [
                (name: "port", value: "\(port)"), (name: "bind", value: "127.0.0.1"),
                (name: "cluster-enabled", value: "yes"),
                (name: "cluster-port", value: "\(try ServerProcess.freePort())"),
            ])
        defer { replica.stop() }
        let connection = try replica.connect()
        let bus = try cluster.nodes[0].process.connect().call("CONFIG", "GET", "cluster-port").elements()[1].text()
        try connection.call("CLUSTER", "MEET", "127.0.0.1", cluster.nodes[0].port, bus)
        try wait(seconds: 20) {
            if case .simple? = try connection.exchange([
                Command("CLUSTER", "REPLICATE", cluster.nodes[1].identifier)
            ]).first {
                return true
            }
            return false
        }
        try wait(seconds: 20) { try connection.call("ROLE").elements()[3].text() == "connected" }
        let dump = try SavedDump.small(100)
        let run = try RDBKitProgram.locate().restore(dump.path, "redis://127.0.0.1:\(port)", ["--verify"])
        #expect(run.status == 0, "\(run.errors)")
        try expectAll(of: dump, in: cluster, byCommands: true, "by way of a replica")
    }

    // MARK: - A cluster that changes

    /// Runs the program, and does something to the cluster when so many keys have arrived.
    private func restore(
        _ dump: SavedDump, _ cluster: ClusterProcess, _ arguments: [String], after count: Int,
        _ act: () throws -> Void
    ) throws -> RDBKitProgram.Run {
        let running = try RDBKitProgram.locate().start(
            ["restore", dump.path, url(cluster), url(cluster, 1), "--format", "json"] + arguments)
        let connections = try cluster.nodes.map { try $0.process.connect() }
        try wait(seconds: 60) {
            if running.hasEnded(within: 0) { throw HarnessError("it ended before: \(try running.errors())") }
            return try connections.reduce(0) { try $0 + Int($1.call("DBSIZE").integer()) } >= count
        }
        try act()
        return try running.end(timeoutSeconds: 120)
    }

    @Test("slots move while a restore runs, with keys in them", arguments: seeds, ["restore", "commands", "auto"])
    func moving(seed: UInt64, form: String) throws {
        var generator = SeededGenerator(seed: seed)
        // Many keys in few slots, so that those that move are in use.
        let tags = (0..<8).map { _ in "tag\(generator.number(0...10_000))" }
        let dump = try SavedDump { connection in
            for index in 0..<1200 {
                let key = "{\(tags[index % tags.count])}:\(index)"
                switch index % 4 {
                case 0: try connection.call("SET", key, index)
                case 1: try connection.call("RPUSH", key, "a", index)
                case 2: try connection.call("HSET", key, "a", index)
                default: try connection.call("XADD", key, "1-1", "a", index)
                }
            }
        }
        let cluster = try ClusterProcess(.debian)
        defer { cluster.stop() }
        let slots = try tags.map {
            Int(try cluster.nodes[0].process.connect().call("CLUSTER", "KEYSLOT", $0).integer())
        }
        let run = try restore(
            dump, cluster, ["--as", form, "--max-ops", "600", "--verify", "--connections", "2"], after: 150
        ) {
            for (index, slot) in Set(slots).sorted().enumerated() where index < 4 {
                let from = cluster.firstOwner(of: slot)
                let to = (from + 1 + index % 2) % 3
                // The old owner still has some of the keys, the new one gets the others: ASK for a while.
                try cluster.beginMove(slot: slot, from: from, to: to)
                usleep(150_000)
                try cluster.moveKeys(slot: slot, from: from, to: to)
                usleep(100_000)
                try cluster.moveKeys(slot: slot, from: from, to: to)
                try cluster.endMove(slot: slot, from: from, to: to)
            }
        }
        let subject = "seed \(seed), \(form)"
        #expect(run.status == 0, "\(subject): \(run.errors)")
        #expect(try Summary(run).applied == dump.entries.count, "\(subject)")
        #expect(try Summary(run).verified == dump.entries.count, "\(subject)")
        try expectAll(of: dump, in: cluster, byCommands: form != "restore", subject)
    }

    @Test("a primary is killed and started again in the midst", arguments: seeds, ["restore", "commands", "auto"])
    func killed(seed: UInt64, form: String) throws {
        var generator = SeededGenerator(seed: seed)
        let dump = try SavedDump.small(1500)
        let cluster = try ClusterProcess(.debian, options: Self.durable)
        defer { cluster.stop() }
        let victim = generator.number(0...2)
        let pause = UInt32(generator.number(0...1_500_000))
        let run = try restore(
            dump, cluster, ["--as", form, "--max-ops", "1500"], after: generator.number(1...700)
        ) {
            try cluster.nodes[victim].process.kill()
            usleep(pause)
            try cluster.nodes[victim].process.restart()
        }
        let subject = "seed \(seed), \(form), node \(victim)"
        #expect(run.status == 0, "\(subject): \(run.errors)")
        #expect(try Summary(run).applied == dump.entries.count, "\(subject)")
        #expect(try Summary(run).failed == 0, "\(subject)")
        try cluster.waitUntilSound()
        try expectAll(of: dump, in: cluster, byCommands: form != "restore", subject)
    }

    @Test("a primary stays dead: the run ends with its reason, and another one goes on from there")
    func dead() throws {
        let dump = try SavedDump.small(1500)
        let cluster = try ClusterProcess(.debian, options: Self.durable)
        defer { cluster.stop() }
        let folder = try TemporaryFolder()
        let checkpoint = ["--checkpoint", folder.file("checkpoint")]
        let run = try restore(
            dump, cluster, checkpoint + ["--max-ops", "1500", "--patience", "2", "--as", "restore"], after: 300
        ) { try cluster.nodes[1].process.kill() }
        #expect(run.status == 69, "\(run.errors)")
        #expect(run.errors.contains("no progress for 2 s"), "\(run.errors)")
        #expect(
            run.errors.contains("127.0.0.1:\(cluster.nodes[1].port)") || run.errors.contains("CLUSTERDOWN"),
            "\(run.errors)")
        let first = try Summary(run)
        #expect(try first.applied > 0)
        try cluster.nodes[1].process.restart()
        try cluster.waitUntilSound()
        let resumed = try RDBKitProgram.locate().run(
            ["restore", dump.path, url(cluster), url(cluster, 1), "--format", "json", "--as", "restore"] + checkpoint,
            timeoutSeconds: 120)
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try Summary(resumed).resumed > 0)
        #expect(try Summary(resumed).resumed + Summary(resumed).applied == dump.entries.count)
        try expectAll(of: dump, in: cluster, "resumed")
        #expect(!Files.exists(folder.file("checkpoint")))
    }
}

/// Waits until something is so.
func wait(seconds: Double, _ isSo: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try !isSo() {
        if ContinuousClock.now > deadline { throw HarnessError("not so within \(seconds) s") }
        usleep(20_000)
    }
}
