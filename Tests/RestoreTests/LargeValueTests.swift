import Glibc
import ServerHarness
import Testing

/// Values that go straight from the file to the connection: whole by RESTORE, or in slices under another name.
///
/// `RDBKIT_SEEDS=n` runs seeds 1 to n, `RDBKIT_SEED=n` only that one.
@Suite("restore: large values", .serialized, .tags(.server, .slow))
struct LargeValueTests {
    static let seeds: [UInt64] =
        Environment["RDBKIT_SEED"] != nil || Environment["RDBKIT_SEEDS"] != nil ? Scenario.seeds : [1, 2]

    /// Nothing is compressed, so that values are as large in the file as they look.
    private static let plain = [(name: "rdbcompression", value: "no")]

    /// Makes a value of each type of about so many bytes, with elements of many sizes.
    private static let filling = """
        local seed = 12345
        local function random(n)
            seed = (seed * 1103515245 + 12345) % 2147483648
            return seed % n
        end
        local function text(i)
            local length = 20 + random(400)
            if i % 50 == 0 then length = 5000 end
            return i .. ':' .. string.rep(string.char(97 + i % 26), length)
        end
        local kind, key, size = ARGV[1], KEYS[1], tonumber(ARGV[2])
        local done, i = 0, 0
        while done < size do
            i = i + 1
            local s = text(i)
            done = done + #s
            if kind == 'list' then redis.call('RPUSH', key, s)
            elseif kind == 'set' then redis.call('SADD', key, s)
            elseif kind == 'zset' then redis.call('ZADD', key, i * 1.37 - 5000, s)
            elseif kind == 'hash' then redis.call('HSET', key, 'field:' .. i, s)
            elseif kind == 'expiring' then
                redis.call('HSET', key, 'field:' .. i, s)
                if i % 3 == 0 then
                    redis.call('HPEXPIREAT', key, string.format('%d', 4000000000000 + i), 'FIELDS', 1, 'field:' .. i)
                end
            elseif kind == 'stream' then redis.call('XADD', key, i .. '-' .. (i % 3), 'a', s, 'b', i)
            else redis.call('APPEND', key, s) end
        end
        if kind == 'stream' then
            redis.call('XGROUP', 'CREATE', key, 'one', '0')
            redis.call('XGROUP', 'CREATE', key, 'two', '5-0')
            redis.call('XDEL', key, '3-0', '7-1')
            return i
        end
        return i
        """

    static let kinds = ["string", "list", "set", "zset", "hash", "stream"]

    private static func fill(_ connection: RESPConnection, _ kind: String, _ byteCount: Int) throws {
        try connection.call("EVAL", filling, 1, kind, kind, byteCount)
        guard kind == "stream" else { return }
        try connection.call("XREADGROUP", "GROUP", "one", "first reader", "COUNT", 900, "STREAMS", kind, ">")
        try connection.call("XREADGROUP", "GROUP", "one", "second", "COUNT", 300, "STREAMS", kind, ">")
        try connection.call("XREADGROUP", "GROUP", "two", "third", "COUNT", 50, "STREAMS", kind, ">")
        // Pending, and no longer in the stream.
        try connection.call("XDEL", kind, "11-2", "20-2")
    }

    private static func dump(_ byteCount: Int, _ kinds: [String] = kinds, readsBack: Bool = true) throws -> SavedDump {
        try SavedDump(options: plain, readsBack: readsBack) { connection in
            for kind in kinds { try fill(connection, kind, byteCount) }
            try connection.call("PEXPIREAT", kinds[0], 4_000_000_000_000)
            try connection.call("SET", "small", "one")
        }
    }

    private static let twoMiB = Result { try dump(2 << 20) }

    // MARK: - Whole

    /// Ways to send them, and whether they go by commands.
    static let ways: [(arguments: [String], byCommands: Bool)] = [
        ([], false), (["--big-value", "1MiB"], true), (["--as", "commands"], true),
        (["--big-value", "64KiB", "--connections", "8", "--resp3"], true),
    ]

    @Test("of every type, with every policy for keys that exist", arguments: ways.indices)
    func types(way: Int) throws {
        let dump = try Self.twoMiB.get()
        let (arguments, byCommands) = Self.ways[way]
        let process = try ServerProcess(.debian, options: Self.plain)
        defer { process.stop() }
        let connection = try process.connect()
        let program = try RDBKitProgram.locate()
        func expectAll(_ subject: String) throws {
            expectNone(
                try Comparison.differences(dump, [process], byCommands: byCommands), "\(arguments), \(subject)")
            #expect(try connection.temporaryKeys() == [], "\(arguments), \(subject)")
        }

        let fresh = try program.restore(dump.path, process.url, arguments + ["--verify"])
        #expect(fresh.status == 0, "\(arguments): \(fresh.errors)")
        #expect(try Summary(fresh).verified == dump.entries.count)
        try expectAll("into an empty server")
        let conflict = try program.restore(dump.path, process.url, arguments)
        #expect(conflict.status == 1)
        try expectAll("error")
        let skipped = try program.restore(dump.path, process.url, arguments + ["--on-conflict", "skip"])
        #expect(skipped.status == 0)
        #expect(try Summary(skipped).skipped == dump.entries.count)
        try expectAll("skip")

        // What stands there is other data, of other types.
        for (index, kind) in Self.kinds.enumerated() {
            try connection.call("DEL", kind)
            if index % 2 == 0 {
                try connection.call("SET", kind, "old")
            } else {
                try connection.call("RPUSH", kind, "old")
            }
        }
        let left = try program.restore(dump.path, process.url, arguments + ["--on-conflict", "skip"])
        #expect(try Summary(left).skipped == dump.entries.count)
        #expect(try connection.call("STRLEN", "string").integer() == 3)
        let replaced = try program.restore(
            dump.path, process.url, arguments + ["--on-conflict", "replace", "--verify"])
        #expect(replaced.status == 0, "\(replaced.errors)")
        try expectAll("replace")
    }

    @Test("hashes whose fields expire", arguments: ServerCatalog.available.filter(\.hasFieldExpiry))
    func expiringFields(server: Server) throws {
        let origin = try ServerProcess(server, options: Self.plain)
        defer { origin.stop() }
        let source = try origin.connect()
        try Self.fill(source, "expiring", 2 << 20)
        try source.call("SAVE")
        let scenario = Scenario(server: server, seed: 3)
        let truth = try WireTruth.read(source, of: scenario)
        for arguments in [[], ["--big-value", "1MiB"]] {
            let process = try ServerProcess(server, options: Self.plain)
            defer { process.stop() }
            let run = try RDBKitProgram.locate().restore(origin.dumpPath, process.url, arguments + ["--verify"])
            #expect(run.status == 0, "\(server) \(arguments): \(run.errors)")
            let found = try WireTruth.read(try process.connect(), of: scenario)
            let transfer = Transfer(from: server, to: server, .mixed)
            expectNone(
                Comparison.differences(expected: transfer.expected(truth), found: transfer.found(found)),
                "\(server) \(arguments)")
        }
    }

    @Test("of 17 and of 70 MiB, in one piece and in slices none of which is large", arguments: [17, 70])
    func sizes(megabytes: Int) throws {
        // Larger ones take their time: two types stand for all.
        let kinds = megabytes > 20 ? ["list", "hash"] : Self.kinds
        let origin = try ServerProcess(.debian, options: Self.plain)
        defer { origin.stop() }
        let source = try origin.connect()
        for kind in kinds { try Self.fill(source, kind, megabytes << 20) }
        try source.call("SAVE")
        let expected = try KeyDigests.ask(source, databases: 1)
        // Above --big-value, which is 64 MiB unless somebody says otherwise.
        let ways =
            megabytes > 20 ? [[], ["--as", "restore", "--big-value", "200MiB"]] : [[], ["--big-value", "1MiB"]]
        for arguments in ways {
            let process = try ServerProcess(.debian, options: Self.plain)
            defer { process.stop() }
            let proxy = try LoopbackProxy(to: .unix(process.socketPath))
            defer { proxy.stop() }
            let run = try RDBKitProgram.locate().restore(
                origin.dumpPath, "redis://127.0.0.1:\(proxy.port)", arguments + ["--verify"], timeoutSeconds: 300)
            let subject = "\(megabytes) MiB \(arguments)"
            #expect(run.status == 0, "\(subject): \(run.errors)")
            #expect(try Summary(run).verified == kinds.count, "\(subject)")
            let found = try KeyDigests.ask(try process.connect(), databases: 1)
            expectNone(KeyDigests.differences(expected, found), subject)
            #expect(run.peakKiB < 128 << 10, "\(subject): \(run.peakKiB) KiB")
            let isSliced = megabytes > 20 ? arguments.isEmpty : !arguments.isEmpty
            if isSliced {
                #expect(proxy.largest.command <= 1 << 20, "\(subject)")
                // What the server carries out at a time.
                #expect(proxy.largest.transaction <= 2 << 20, "\(subject)")
            } else {
                #expect(proxy.largest.argument > megabytes << 20, "\(subject)")
            }
        }
    }

    @Test("single elements of several MiB")
    func largeElements() throws {
        let dump = try SavedDump(options: Self.plain) { connection in
            let fill = "local s = string.rep(ARGV[1], 3000000); "
            for (index, command) in [
                "redis.call('RPUSH', KEYS[1], 'a', s, 'b', s .. 'c')", "redis.call('SADD', KEYS[1], 'a', s, s .. 'b')",
                "redis.call('ZADD', KEYS[1], 1, 'a', 2.5, s, -7, s .. 'b')",
                "redis.call('HSET', KEYS[1], 'a', s, s, 'b', s .. 'c', s)",
                "redis.call('XADD', KEYS[1], '1-1', 'a', s, s, 'b')",
            ].enumerated() {
                try connection.call("EVAL", fill + command, 1, "key:\(index)", "x")
            }
        }
        for arguments in [[], ["--as", "commands"]] {
            let process = try ServerProcess(.debian)
            defer { process.stop() }
            let run = try RDBKitProgram.locate().restore(dump.path, process.url, arguments + ["--verify"])
            #expect(run.status == 0, "\(arguments): \(run.errors)")
            expectNone(
                try Comparison.differences(dump, [process], byCommands: !arguments.isEmpty), "\(arguments)")
        }
    }

    // MARK: - Cut off

    private static let cutWays = [["--as", "restore"], ["--big-value", "1MiB"], ["--as", "commands"]]

    @Test("connections that are cut in the midst of a value", arguments: seeds, cutWays)
    func cut(seed: UInt64, arguments: [String]) throws {
        var generator = SeededGenerator(seed: seed)
        let dump = try Self.twoMiB.get()
        let process = try ServerProcess(.debian, options: Self.plain)
        defer { process.stop() }
        for policy in ["error", "skip", "replace"] {
            let connection = try process.connect()
            try connection.call("FLUSHALL")
            if policy == "replace" {
                for kind in Self.kinds { try connection.call("SET", kind, "old") }
            }
            let proxy = try LoopbackProxy(to: .unix(process.socketPath))
            defer { proxy.stop() }
            let running = try RDBKitProgram.locate().start(
                ["restore", dump.path, "redis://127.0.0.1:\(proxy.port)", "--format", "json", "--on-conflict", policy]
                    + arguments)
            // A value is about two million bytes long: most cuts come within one.
            for _ in 0..<5 {
                let before = proxy.cutCount
                proxy.cut(after: generator.number(1...3_000_000))
                try wait(seconds: 60) { proxy.cutCount > before || running.hasEnded(within: 0) }
            }
            let run = try running.end()
            let subject = "seed \(seed) \(arguments), \(policy), \(proxy.cutCount) cuts"
            #expect(run.status == 0, "\(subject): \(run.errors)")
            #expect(try Summary(run).applied == dump.entries.count, "\(subject)")
            // What was built by attempts that failed is gone.
            #expect(try connection.temporaryKeys() == [], "\(subject)")
            expectNone(
                try Comparison.differences(dump, [process], byCommands: arguments != ["--as", "restore"]), subject)
        }
    }

    @Test("a run that is killed in the midst of a value leaves no half key, and nothing that stays", arguments: seeds)
    func killed(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let dump = try Self.dump(6 << 20, ["list", "zset"], readsBack: false)
        let process = try ServerProcess(.debian, options: Self.plain)
        defer { process.stop() }
        let connection = try process.connect()
        var leftovers = 0
        for (index, arguments) in [["--as", "commands"], ["--as", "restore"], ["--big-value", "1MiB"]].enumerated() {
            for policy in ["error", "replace"] {
                try connection.call("FLUSHALL")
                if policy == "replace" { for kind in ["list", "zset"] { try connection.call("SET", kind, "old") } }
                let running = try RDBKitProgram.locate().start(
                    ["restore", dump.path, process.url, "--on-conflict", policy, "--max-rate", "20MB/s"] + arguments)
                usleep(UInt32(generator.number(50_000...500_000)))
                running.send(signal: SIGKILL)
                _ = running.hasEnded(within: 10)
                // What the server has still to read.
                usleep(50_000)
                let subject = "seed \(seed) \(arguments) \(policy)"
                leftovers += try connection.temporaryKeys().count
                for kind in ["list", "zset"] {
                    let type = try connection.call("TYPE", kind).text()
                    if type == kind {
                        // Whole, if at all.
                        let count = try connection.call(kind == "list" ? "LLEN" : "ZCARD", kind).integer()
                        #expect(count > 20_000, "\(subject)")
                    } else {
                        #expect(type == (policy == "replace" ? "string" : "none"), "\(subject)")
                    }
                }
                let again = try RDBKitProgram.locate().restore(
                    dump.path, process.url, ["--on-conflict", "replace", "--verify"] + arguments)
                #expect(again.status == 0, "\(subject): \(again.errors)")
                #expect(index >= 0)
            }
        }
        print("seed \(seed): \(leftovers) temporary keys were left by killed runs, all with a time to live")
    }

    @Test("^C in the midst of a value: status 130 soon, and no half key", arguments: cutWays)
    func interrupted(arguments: [String]) throws {
        let dump = try Self.dump(6 << 20, ["list", "zset"], readsBack: false)
        let process = try ServerProcess(.debian, options: Self.plain)
        defer { process.stop() }
        let connection = try process.connect()
        let running = try RDBKitProgram.locate().start(
            ["restore", dump.path, process.url, "--max-rate", "4MB/s"] + arguments)
        usleep(700_000)
        running.send(signal: SIGINT)
        let run = try running.end(timeoutSeconds: 60)
        #expect(run.status == 130, "\(arguments): \(run.errors)")
        usleep(50_000)
        _ = try connection.temporaryKeys()
        // The file has them in any order. At this rate one of the large ones has arrived, which is whole then.
        let counts = [try connection.call("LLEN", "list").integer(), try connection.call("ZCARD", "zset").integer()]
        #expect(counts.contains(0), "\(arguments): \(counts)")
        #expect(counts.allSatisfy { $0 == 0 || $0 > 20_000 }, "\(arguments): \(counts)")
    }
}
