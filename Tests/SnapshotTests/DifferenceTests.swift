import ServerHarness
import Testing

/// `verify` and `diff` over real servers and their files.
///
/// `RDBKIT_SEEDS=n` runs seeds 1 to n, `RDBKIT_SEED=n` only that one.
@Suite("verify and diff: servers", .serialized, .tags(.server, .slow))
struct DifferenceTests {
    static let seeds = Scenario.seeds.prefix(2)

    @Test("the same data in every version, saved and live: all against all", arguments: Scenario.seeds.prefix(1))
    func allAgainstAll(seed: UInt64) throws {
        guard let oldest = ServerCatalog.available.first else { return }
        // What the oldest one can hold.
        let scenario = Scenario(server: oldest, seed: seed)
        let servers = try ServerCatalog.available.map { try FilledServer($0, for: scenario) }
        defer { for server in servers { server.stop() } }
        let program = try RDBKitProgram.locate()
        for (index, a) in servers.enumerated() {
            for (other, b) in servers.enumerated() {
                // Before 7.0 pending entries outlive their deletion, and there are no counters; before 7.2 a consumer
                // that gets nothing is not made; the time of a delivery is that of the command.
                let parts =
                    a.server == b.server
                    ? []
                    : a.server.isRedis72 && b.server.isRedis72
                        ? ["delivery-times"] : ["stream-groups", "stream-counters"]
                // Function libraries came with 7.0.
                let functions = a.server.isRedis7 == b.server.isRedis7 ? [] : ["--no-functions"]
                let arguments = (parts.isEmpty ? [] : ["--ignore", parts.joined(separator: ",")]) + functions
                // Each pair once in each form: file and file, file and server, server and server.
                let inputs = [(a.dump, b.dump), (a.dump, b.url), (a.url, b.url)][(index + other) % 3]
                try program.expectSame(inputs.0, inputs.1, arguments, "\(scenario) in \(a.server) and \(b.server)")
            }
        }
    }

    @Test("known edits are what diff reports, and its patch takes them over", arguments: ServerCatalog.available, seeds)
    func edits(server: Server, seed: UInt64) throws {
        let scenario = Scenario(server: server, seed: seed)
        let edited = try FilledServer(server, for: scenario)
        let original = try ServerProcess(
            server, options: scenario.options, loading: try Files.read(edited.dump))
        defer {
            edited.stop()
            original.stop()
        }
        if scenario.isCluster { return }
        let program = try RDBKitProgram.locate()
        var edits = Edits(seed: seed)
        let changed = try edits.make(40, on: try edited.process.connect())
        let subject = "\(scenario): \(edits.log.joined(separator: "; "))"

        // A file against the live server, and the other way round.
        for inputs in [[edited.dump, edited.url], [edited.url, original.url]] {
            let run = try program.run(["diff"] + inputs + ["--format", "json", "--keys-only"], timeoutSeconds: 120)
            #expect(run.status == 1, "\(subject): \(run.errors)")
            #expect(try Self.names(run.output) == changed, "\(subject)")
        }
        let verdict = try program.verify(edited.dump, edited.url)
        #expect(verdict.run.status == 1, "\(subject): \(verdict)")

        // Over the wire, the first server becomes like the second.
        let folder = try TemporaryFolder()
        let patch = folder.file("patch")
        let run = try program.run(
            ["diff", "--format", "resp", original.url, edited.url, "-o", patch], timeoutSeconds: 120)
        #expect(run.status == 1, "\(subject): \(run.errors)")
        let said = try RedisCLI.pipe(patch, to: original)
        #expect(said.contains("errors: 0"), "\(subject): \(said)")
        try program.expectSame(original.url, edited.url, [], subject)
        try program.expectSame(edited.url, original.url, ["--read", "types"], subject)
    }

    private static func names(_ output: Bytes) throws -> Set<CanonicalEntry.Name> {
        var names: Set<CanonicalEntry.Name> = []
        for line in output.split(separator: 0x0a) {
            let fields = try JSONFields(try JSONValue(parsing: Bytes(line)))
            names.insert(
                CanonicalEntry.Name(database: Int(try fields.integer("db")), key: try fields.text("key")))
        }
        return names
    }

    @Test("a key that has expired in a file is no difference to a server that has removed it")
    func expired() throws {
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let connection = try process.connect()
        try connection.call("SET", "gone soon", "value", "PX", 300)
        try connection.call("SET", "stays", "value", "PX", 1_000_000)
        try connection.call("SAVE")
        while try connection.call("EXISTS", "gone soon").integer() == 1 {}
        let program = try RDBKitProgram.locate()
        #expect(try program.verify(process.dumpPath, process.url).isSame)
        #expect(try program.verify(process.url, process.dumpPath).isSame)
        #expect(try program.run(["diff", process.dumpPath, process.url]).status == 0)
        // Asked for, they count.
        let verdict = try program.verify(process.dumpPath, process.url, ["--expires", "any"])
        #expect(verdict.run.status == 1, "\(verdict)")
    }
}

/// Random changes to a server's keys, each of which changes what its key holds.
struct Edits {
    private var generator: SeededGenerator
    /// Unlike anything else there is.
    private var number = 7_000_000
    private(set) var log: [String] = []

    init(seed: UInt64) { generator = SeededGenerator(seed: seed ^ 0xed17) }

    /// - Returns: the keys that were changed.
    mutating func make(_ count: Int, on connection: RESPConnection) throws -> Set<CanonicalEntry.Name> {
        var changed: Set<CanonicalEntry.Name> = []
        for database in [0, 1, 7, 15] {
            try connection.call("SELECT", database)
            let keys = try connection.call("KEYS", "*").elements().map { try $0.bytes() }
                .sorted { $0.precedes($1) }
            if keys.isEmpty { continue }
            for key in generator.sample(keys, database == 0 ? count : count / 10) {
                try edit(key, on: connection)
                changed.insert(.init(database: database, key: key))
            }
            for _ in 0..<3 {
                let key = Bytes("new:\(nextNumber())".utf8) + [0xff, 0]
                try perform([Command("SET", key, "value")], on: connection)
                changed.insert(.init(database: database, key: key))
            }
        }
        return changed
    }

    private mutating func nextNumber() -> Int {
        number += 1
        return number
    }

    private mutating func perform(_ commands: [Command], on connection: RESPConnection) throws {
        for command in commands { log.append("\(command)") }
        _ = try connection.pipeline(commands)
    }

    private mutating func edit(_ key: Bytes, on connection: RESPConnection) throws {
        let new = Bytes("edit \(nextNumber())".utf8)
        if generator.oneIn(8) { return try perform([Command("DEL", key)], on: connection) }
        if generator.oneIn(8) {
            let time = 2_100_000_000_000 + nextNumber()
            return try perform([Command("PEXPIREAT", key, time)], on: connection)
        }
        if generator.oneIn(12) {
            // Another type; a list of one element is nowhere else.
            return try perform([Command("DEL", key), Command("RPUSH", key, new)], on: connection)
        }
        let first = generator.oneIn(2)
        let command: Command
        switch try connection.call("TYPE", key).text() {
        case "string": command = first ? Command("APPEND", key, new) : Command("SET", key, new)
        case "list":
            command =
                first
                ? Command(generator.pick(["RPUSH", "LPUSH"]), key, new)
                : Command("LSET", key, generator.pick([0, -1]), new)
        case "set": command = first ? Command("SADD", key, new) : Command("SPOP", key)
        case "zset": command = first ? Command("ZADD", key, nextNumber(), new) : Command("ZPOPMAX", key)
        case "hash":
            let field = try connection.call("HKEYS", key).elements()[0].bytes()
            command = first ? Command("HSET", key, field, new) : Command("HDEL", key, field)
        case "stream":
            let ids = try connection.call("XREVRANGE", key, "+", "-", "COUNT", 1).elements()
            if !first, let last = ids.first {
                command = Command("XDEL", key, try last.elements()[0].bytes())
            } else {
                let last = try connection.call("XINFO", "STREAM", key).fields().required("last-generated-id").text()
                // The last ID there may be leaves room for none.
                if last == "18446744073709551615-18446744073709551615" {
                    command = Command("DEL", key)
                } else {
                    let parts = last.split(separator: "-").compactMap { UInt64($0) }
                    let next = parts[1] < .max ? "\(parts[0])-\(parts[1] + 1)" : "\(parts[0] + 1)-0"
                    command = Command("XADD", key, next, "field", new)
                }
            }
        default: command = Command("DEL", key)
        }
        try perform([command], on: connection)
    }
}
