import Glibc
import ServerHarness
import Testing

/// Connections that break, servers that change, stop, or lie.
@Suite("live servers: trouble", .serialized, .tags(.server, .slow))
struct TroubleTests {
    @Test("connections that are cut again and again", arguments: [[], ["--read", "types"], ["--big-value", "1000"]])
    func cuts(way: [String]) throws {
        let scenario = Scenario(server: .debian, seed: Scenario.seeds[0])
        let filled = try FilledServer(.debian, for: scenario)
        defer { filled.stop() }
        var generator = SeededGenerator(seed: scenario.seed)
        let limits = (0..<12).map { _ in generator.number(60_000...300_000) }
        // The first one lasts until it is known who is there.
        let proxy = try CuttingProxy(to: filled.process.socketPath) { number in
            .init(replies: number < limits.count ? limits[number] : nil)
        }
        defer { proxy.stop() }
        try RDBKitProgram.locate().expectSame(
            filled.dump, "unix://\(proxy.path)", way, "\(scenario), cut after \(limits)")
        #expect(proxy.cutCount >= 2, "\(scenario): \(proxy.cutCount) cuts")
    }

    @Test("a server that is started anew in the midst is not taken for the one before")
    func restarted() throws {
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let connection = try process.connect()
        _ = try connection.pipeline((0..<2000).map { Command("SET", "key:\($0)", $0) })
        let running = try RDBKitProgram.locate().start(["keys", process.url, "--max-ops", "1000"])
        usleep(700_000)
        try process.kill()
        try process.restart()
        let run = try running.end()
        #expect(run.status == 69, "\(run.errors)")
        #expect(run.errors.contains("started anew"), "\(run.errors)")
    }

    @Test("an interruption ends the reading at once")
    func interrupted() throws {
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        _ = try process.connect().pipeline((0..<2000).map { Command("SET", "key:\($0)", $0) })
        let running = try RDBKitProgram.locate().start(["digest", process.url, "--max-ops", "100"])
        usleep(700_000)
        running.send(signal: SIGINT)
        #expect(running.hasEnded(within: 5))
        #expect(try running.end().status == 130)
    }

    @Test("what changes meanwhile does not disturb what does not", arguments: ["dump", "types"])
    func changing(way: String) throws {
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let connection = try process.connect()
        for index in 0..<400 {
            try connection.call("SET", "still:\(index)", index)
            try connection.call("HSET", "still:hash:\(index)", "f", index, "g", 1)
        }
        try connection.call("SAVE")
        let running = try RDBKitProgram.locate().start([
            "verify", process.dumpPath, process.url, "--key", "still:*", "--read", way, "--max-ops", "2000",
        ])
        let all = try RDBKitProgram.locate().start(["digest", process.url, "--read", way])
        var generator = SeededGenerator(seed: Scenario.seeds[0])
        // Keys come, go and change their types, and the tables they are in grow and shrink.
        var rounds = 0
        while !running.hasEnded(within: 0.001) {
            rounds += 1
            let key = "restless:\(generator.number(0...2000))"
            let commands = [
                Command("DEL", key),
                [
                    Command("SET", key, rounds, "PX", generator.number(1...50)), Command("RPUSH", key, 1, 2, 3),
                    Command("HSET", key, "f", rounds), Command("XADD", key, "*", "f", rounds),
                    Command("ZADD", key, rounds, "m"), Command("SADD", key, rounds),
                ][generator.number(0...5)],
            ]
            _ = try connection.exchange(commands + commands)
            if rounds % 50 == 0 {
                try connection.call("EVAL", "for i = 1, 3000 do redis.call('SET', 'more:' .. i, i) end", 0)
            }
            if rounds % 50 == 25 {
                try connection.call("EVAL", "for i = 1, 3000 do redis.call('DEL', 'more:' .. i) end", 0)
            }
        }
        let run = try running.end()
        #expect(run.status == 0, "\(way): \(String(decoding: run.output, as: UTF8.self)) \(run.errors)")
        #expect(try all.end().status == 0)
    }

    @Test("a script that runs for seconds is waited for")
    func busy() throws {
        let process = try ServerProcess(.debian, options: [(name: "lua-time-limit", value: "50")])
        defer { process.stop() }
        let connection = try process.connect()
        _ = try connection.pipeline((0..<1000).map { Command("SET", "key:\($0)", $0) })
        let running = try RDBKitProgram.locate().start(["keys", process.url, "--max-ops", "1000"])
        usleep(500_000)
        let script = "local t = redis.call('TIME')[1]; while redis.call('TIME')[1] - t < 2 do end"
        let busy = try RedisCLI.start(["EVAL", script, "0"], on: process)
        let run = try running.end()
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.count { $0 == 0x0a } == 1000)
        _ = try busy.end()
    }

    @Test("values of many megabytes take no more memory than their slices")
    func memory() throws {
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let connection = try process.connect()
        try connection.call("EVAL", "redis.call('SET', 'string', string.rep('x', 150 * 1000 * 1000))", 0)
        try connection.call(
            "EVAL", "for i = 1, 60000 do redis.call('RPUSH', 'list', string.rep('y', 1000) .. i) end", 0)
        try connection.call(
            "EVAL", "for i = 1, 40000 do redis.call('HSET', 'hash', 'field' .. i, string.rep('z', 1000)) end", 0)
        try connection.call("CONFIG", "SET", "rdbcompression", "no")
        try connection.call("SAVE")
        let program = try RDBKitProgram.locate()
        for way in [[], ["--read", "types"]] {
            let verdict = try program.verify(process.dumpPath, process.url, way)
            #expect(verdict.isSame, "\(way): \(verdict)")
            #expect(verdict.run.peakKiB < 128 << 10, "\(way): \(verdict.run.peakKiB) KiB")
        }
    }

    // MARK: - Replies that lie

    /// A server of one key, whose replies to some commands are given. It knows transactions where one of these is to EXEC.
    private func lying(_ replies: [String: Bytes]) throws -> LoopbackListener {
        let knowsTransactions = replies["EXEC"] != nil
        return try LoopbackListener(
            .answering { command in
                let name = String(decoding: command[0], as: UTF8.self)
                let isProbe = command.contains(Bytes("rdbkit:probe".utf8))
                if let reply = replies[name], !isProbe { return reply }
                switch name {
                case "PING": return Bytes("+PONG\r\n".utf8)
                case "INFO":
                    let text = "# Server\r\nredis_version:7.2.4\r\nrun_id:abc\r\n# Keyspace\r\ndb0:keys=1,expires=0\r\n"
                    return Bytes("$\(text.utf8.count)\r\n\(text)\r\n".utf8)
                case "SCAN": return Bytes("*2\r\n$1\r\n0\r\n*1\r\n$3\r\nkey\r\n".utf8)
                case "MEMORY": return Bytes(":64\r\n".utf8)
                case "TYPE": return Bytes("+newest\r\n".utf8)
                case "STRLEN": return Bytes(":5\r\n".utf8)
                case "CLIENT", "SELECT": return Bytes("+OK\r\n".utf8)
                case "MULTI" where knowsTransactions, "DISCARD" where knowsTransactions: return Bytes("+OK\r\n".utf8)
                case "DUMP" where knowsTransactions, "PEXPIRETIME" where knowsTransactions:
                    return Bytes("+QUEUED\r\n".utf8)
                case "DUMP": return Self.bulk(Self.goodPayload)
                case "PEXPIRETIME": return Bytes(":-1\r\n".utf8)
                case "MODULE", "CONFIG", "FUNCTION": return Bytes("*0\r\n".utf8)
                default: return Bytes("-ERR unknown command\r\n".utf8)
                }
            })
    }

    /// `hello`, as Redis 7.0 gives it: formats/encodings.md §13.
    private static let goodPayload: Bytes = [
        0x00, 0x05, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x0a, 0x00, 0x63, 0x72, 0xdf, 0x76, 0x65, 0x34, 0x20, 0x0a,
    ]

    private static func bulk(_ bytes: Bytes) -> Bytes {
        Bytes("$\(bytes.count)\r\n".utf8) + bytes + Bytes("\r\n".utf8)
    }

    /// Of zero checksum, which stands for none.
    private static func unchecked(_ value: Bytes) -> Bytes { value + [0x0b, 0] + Bytes(repeating: 0, count: 8) }

    @Test("replies that are not what they should be are told, and nothing is taken from them")
    func lies() throws {
        let program = try RDBKitProgram.locate()
        let honest = try lying([:])
        #expect(try program.output(["get", "--raw", "redis://127.0.0.1:\(honest.port)", "key"]) == Bytes("hello".utf8))
        honest.stop()
        var badCRC = Self.goodPayload
        badCRC[3] ^= 1
        let lies: [(command: String, reply: Bytes, words: String)] = [
            ("DUMP", Self.bulk(badCRC), "wrong checksum"),
            ("DUMP", Self.bulk([0x00, 0x05]), "without version and checksum"),
            ("DUMP", Self.bulk([]), "without version and checksum"),
            // A type byte that nobody has, a length beyond the end, more behind the value.
            ("DUMP", Self.bulk(Self.unchecked([0x55, 0x01, 0x61])), "a type byte that this release does not know"),
            ("DUMP", Self.bulk(Self.unchecked([0x00, 0x45, 0x61])), "malformed payload"),
            ("DUMP", Self.bulk(Self.unchecked([0x00, 0x81] + Bytes(repeating: 0xff, count: 8))), "malformed payload"),
            ("DUMP", Self.bulk(Self.unchecked([0x00, 0x01, 0x61, 0xff])), "more behind its value"),
            ("PEXPIRETIME", Bytes("+soon\r\n".utf8), "unexpected reply"),
            ("EXEC", Bytes("*2\r\n:7\r\n:-1\r\n".utf8), "unexpected reply to DUMP"),
            ("DUMP", Bytes("*0\r\n".utf8), "unexpected reply to DUMP"),
            ("EXEC", Bytes("*1\r\n$1\r\nx\r\n".utf8), "unexpected reply to EXEC"),
            ("EXEC", Bytes("+OK\r\n".utf8), "unexpected reply to EXEC"),
            ("EXEC", Bytes("$99999999999\r\n".utf8), "more than"),
            ("EXEC", Bytes("*99999999\r\n".utf8), "more than"),
            ("EXEC", Bytes("nonsense\r\n".utf8), "malformed reply"),
            ("SCAN", Bytes("*1\r\n$1\r\n0\r\n".utf8), "cannot list"),
            ("SCAN", Bytes("*2\r\n$1\r\n0\r\n*1\r\n:5\r\n".utf8), "cannot list"),
            ("SCAN", Bytes(":0\r\n".utf8), "cannot list"),
            ("SCAN", Bytes("-ERR no\r\n".utf8), "cannot list its keys: ERR no"),
            ("FUNCTION", Bytes("*1\r\n*0\r\n".utf8), "FUNCTION LIST"),
        ]
        for (command, reply, words) in lies {
            let server = try lying([command: reply])
            let subject = "\(command): \(reply.quoted)"
            let run = try program.run(["json", "redis://127.0.0.1:\(server.port)"])
            #expect(run.status == 69, "\(subject): \(run.status), \(run.errors)")
            #expect(run.output.isEmpty, "\(subject)")
            #expect(run.errors.contains(words), "\(subject): \(run.errors)")
            let verdict = try program.verify("redis://127.0.0.1:\(server.port)", "redis://127.0.0.1:\(server.port)")
            #expect(verdict.run.status == 69 && verdict.run.output.isEmpty, "\(subject): \(verdict)")
            server.stop()
        }
    }
}
