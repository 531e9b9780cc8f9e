import ServerHarness
import Testing

/// A live server as an input says what its own file says.
///
/// `RDBKIT_SEEDS=n` runs seeds 1 to n, `RDBKIT_SEED=n` only that one.
@Suite("live servers as inputs", .serialized, .tags(.server, .slow))
struct LiveServerTests {
    static let seeds = Scenario.seeds.prefix(2)

    @Test(
        "every version: its own file, by payloads, by types, in slices, in both protocols",
        arguments: ServerCatalog.available, seeds)
    func ownFile(server: Server, seed: UInt64) throws {
        let scenario = Scenario(server: server, seed: seed)
        let filled = try FilledServer(server, for: scenario)
        defer { filled.stop() }
        let program = try RDBKitProgram.locate()
        let ways = [
            [], ["--resp3"], ["--read", "types"], ["--read", "types", "--resp3"], ["--big-value", "1"],
            ["--read", "types", "--big-value", "1", "--resp3"],
        ]
        for way in ways {
            try program.expectSame(filled.dump, filled.url, way, "\(scenario), \(way)")
        }
        try program.expectSame(filled.url, filled.url, [], "\(scenario), with itself")
        // The servers themselves change what they tell: a key more is a difference.
        try filled.process.connect().call("SET", "one more", "key")
        let verdict = try program.verify(filled.dump, filled.url)
        #expect(verdict.run.status == 1, "\(scenario): \(verdict)")
    }

    @Test("the other commands say of a server what they say of its file", arguments: ServerCatalog.available)
    func commands(server: Server) throws {
        let scenario = Scenario(server: server, seed: Self.seeds.last ?? 1)
        let filled = try FilledServer(server, for: scenario)
        defer { filled.stop() }
        let program = try RDBKitProgram.locate()
        func lines(_ arguments: [String]) throws -> [Bytes] {
            let end: UInt8 = arguments.contains("-0") ? 0 : 0x0a
            return try program.output(arguments).split(separator: end).map { Bytes($0) }.sorted { $0.precedes($1) }
        }
        let digests = ["digest", "--per-key"]
        #expect(try lines(digests + [filled.url]) == lines(digests + [filled.dump]), "\(scenario)")
        #expect(
            try program.output(["digest", filled.url]).prefix(32)
                == program.output(["digest", filled.dump]).prefix(32),
            "\(scenario)")
        let selections = [
            [], ["--db", "0"], ["--type", "hash"], ["--key", "*1*", "--type", "string"], ["--sample", "0.3"],
            ["--not-key", "k*", "--expires", "any"], ["--min-elements", "20"], ["--slot", "0-8000"],
        ]
        for selection in selections {
            #expect(
                try lines(["keys", "-0"] + selection + [filled.url])
                    == lines(["keys", "-0"] + selection + [filled.dump]),
                "\(scenario), \(selection)")
        }
        // One key by its name, in all databases.
        let connection = try filled.process.connect()
        for database in scenario.isCluster ? [0] : [0, 5] {
            try connection.call("SELECT", database)
            try connection.call("SET", "by its name", "value \(database)", "PX", 100_000_000)
        }
        let found = try lines(["get", filled.url, "by its name"])
        #expect(found.count == (scenario.isCluster ? 1 : 2), "\(scenario)")
        let raw = try program.output(["get", "--raw", "--db", "0", filled.url, "by its name"])
        #expect(raw == Bytes("value 0".utf8), "\(scenario)")
        #expect(try program.run(["get", filled.url, "no such key"]).status == 1)
    }

    @Test("a database in the URL is the only one that is read")
    func database() throws {
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let connection = try process.connect()
        for database in 0..<16 {
            try connection.call("SELECT", database)
            try connection.call("SET", "key", database)
        }
        let program = try RDBKitProgram.locate()
        #expect(try program.output(["keys", process.url]) == Bytes(repeatElement("key\n", count: 16).joined().utf8))
        #expect(try program.output(["get", "--raw", "\(process.url)?db=7", "key"]) == Bytes("7".utf8))
        #expect(try program.output(["keys", "--db", "3-5", process.url]) == Bytes("key\nkey\nkey\n".utf8))
        let verdict = try program.verify("\(process.url)?db=1", "\(process.url)?db=2")
        #expect(verdict.run.status == 1)
    }

    @Test(
        "expiries are exact to the millisecond, on servers that do not tell them as well",
        arguments: ServerCatalog.available)
    func expiries(server: Server) throws {
        let process = try ServerProcess(server)
        defer { process.stop() }
        let connection = try process.connect()
        var generator = SeededGenerator(seed: Scenario.seeds[0])
        for index in 0..<2000 {
            try connection.call(
                "SET", "key:\(index)", index, "PXAT", generator.number(1_900_000_000_000...9_000_000_000_000))
        }
        try connection.call("SAVE")
        let program = try RDBKitProgram.locate()
        for way in [[], ["--read", "types"], ["--big-value", "1"]] {
            try program.expectSame(process.dumpPath, process.url, way, "\(server), \(way)")
        }
    }

    @Test("reading leaves idle times as they are where the server can do so", arguments: ServerCatalog.available)
    func idleTimes(server: Server) throws {
        guard server.isRedis72 else { return }
        let process = try ServerProcess(server, options: [(name: "maxmemory-policy", value: "allkeys-lru")])
        defer { process.stop() }
        let connection = try process.connect()
        let payload = try connection.pipeline([Command("SET", "key", "value"), Command("DUMP", "key")])[1].bytes()
        try connection.call("RESTORE", "key", 0, payload, "REPLACE", "IDLETIME", 5000)
        for way in [[], ["--read", "types"], ["--big-value", "1"]] {
            #expect(try RDBKitProgram.locate().run(["keys", process.url] + way).status == 0)
        }
        #expect(try connection.call("OBJECT", "IDLETIME", "key").integer() >= 5000, "\(server)")
    }

    @Test("nothing is written")
    func readsOnly() throws {
        let scenario = Scenario(server: .debian, seed: 1)
        let filled = try FilledServer(.debian, for: scenario)
        defer { filled.stop() }
        let connection = try filled.process.connect()
        let before = try connection.call("INFO", "persistence").text()
        #expect(before.contains("rdb_changes_since_last_save:0"))
        for way in [[], ["--read", "types"], ["--big-value", "1"]] {
            #expect(try RDBKitProgram.locate().run(["digest", filled.url] + way).status == 0)
        }
        #expect(try connection.call("INFO", "persistence").text().contains("rdb_changes_since_last_save:0"))
    }

    @Test("an empty server is an empty input")
    func empty() throws {
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let program = try RDBKitProgram.locate()
        #expect(try program.output(["keys", process.url]).isEmpty)
        #expect(try program.verify(process.url, process.url).isSame)
    }
}
