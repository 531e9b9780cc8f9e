import ServerHarness
import Testing

/// `--verify` finds what is not as it should be.
@Suite("restore: verify", .serialized, .tags(.server))
struct VerifyTests {
    private func verify(
        _ dump: SavedDump, _ url: String, _ arguments: [String] = []
    ) throws -> RDBKitProgram.Run {
        try RDBKitProgram.locate().restore(dump.path, url, ["--on-conflict", "skip", "--verify"] + arguments)
    }

    @Test("a changed value, expiry, pending entry, and a key that is missing", arguments: [1, 2, 8])
    func changes(connections: Int) throws {
        let dump = try SavedDump.small(60)
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let connection = try process.connect()
        let arguments = ["--connections", "\(connections)"]
        let clean = try verify(dump, process.url, arguments)
        #expect(clean.status == 0, "\(clean.errors)")
        #expect(try Summary(clean).verified == dump.entries.count)

        let changes: [(key: String, words: String, commands: [Command])] = [
            ("string:1", "the key holds something else", [Command("SET", "string:1", "value 2")]),
            ("string:3", "the key expires at another time", [Command("PEXPIREAT", "string:3", 4_000_000_000_004)]),
            ("string:4", "the key expires at another time", [Command("PEXPIRE", "string:4", 1_000_000)]),
            ("string:6", "the key expires at another time", [Command("PERSIST", "string:6")]),
            ("list:1", "the key holds something else", [Command("LSET", "list:1", 1, "c")]),
            ("set:1", "the key holds something else", [Command("SADD", "set:1", "more")]),
            ("zset:1", "the key holds something else", [Command("ZINCRBY", "zset:1", "0.001", "a")]),
            ("hash:1", "the key holds something else", [Command("HDEL", "hash:1", "a")]),
            ("hash:2", "", [Command("DEL", "hash:2"), Command("SET", "hash:2", "another type")]),
            ("stream:1", "the key holds something else", [Command("XACK", "stream:1", "group", "5-2")]),
            (
                "stream:2", "the key holds something else",
                [Command("XCLAIM", "stream:2", "group", "reader", 0, "5-3", "RETRYCOUNT", 9, "JUSTID")]
            ),
            (
                "stream:3", "the key holds something else",
                [Command("XCLAIM", "stream:3", "group", "another", 0, "5-4", "JUSTID")]
            ),
        ]
        for change in changes { _ = try connection.pipeline(change.commands) }
        let run = try verify(dump, process.url, arguments)
        #expect(run.status == 1)
        #expect(try Summary(run).differing == changes.count)
        #expect(try Summary(run).verified == dump.entries.count - changes.count)
        for change in changes {
            #expect(run.errors.contains("key \"\(change.key)\" (db 0): \(change.words)"), "\(run.errors)")
        }
    }

    @Test("a key that is gone by the time it is read back")
    func missing() throws {
        let dump = try SavedDump.small(60)
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let connection = try process.connect()
        // What is sent is taken away at once: by a rename of keys that another user does not see.
        let running = try RDBKitProgram.locate().start([
            "restore", dump.path, process.url, "--format", "json", "--verify", "--max-ops", "40",
        ])
        try wait(seconds: 60) { try connection.call("DBSIZE").integer() > 20 }
        let key = try #require(try connection.keys().first)
        try connection.call("DEL", key)
        let run = try running.end()
        #expect(run.status == 1)
        #expect(try Summary(run).differing == 1)
        #expect(run.errors.contains("the key is not there"), "\(run.errors)")
    }

    /// Larger than what is read back in one piece.
    private static let largeValues = Result {
        try SavedDump(options: [(name: "rdbcompression", value: "no")], readsBack: false) { connection in
            let fill = """
                local s = string.rep('x', 999)
                for i = 1, 34000 do
                    if ARGV[1] == 'list' then redis.call('RPUSH', KEYS[1], s .. i)
                    elseif ARGV[1] == 'set' then redis.call('SADD', KEYS[1], s .. i)
                    elseif ARGV[1] == 'zset' then redis.call('ZADD', KEYS[1], i / 3, s .. i)
                    elseif ARGV[1] == 'hash' then redis.call('HSET', KEYS[1], i, s)
                    elseif ARGV[1] == 'stream' then redis.call('XADD', KEYS[1], i .. '-1', 'a', s)
                    else redis.call('APPEND', KEYS[1], s .. i) end
                end
                if ARGV[1] == 'stream' then redis.call('XGROUP', 'CREATE', KEYS[1], 'group', 0) end
                """
            for kind in ["string", "list", "set", "zset", "hash", "stream"] {
                try connection.call("EVAL", fill, 1, kind, kind)
            }
            try connection.call("XREADGROUP", "GROUP", "group", "reader", "COUNT", 500, "STREAMS", "stream", ">")
            try connection.call("PEXPIREAT", "set", 4_000_000_000_000)
        }
    }

    @Test("one element of a large value")
    func large() throws {
        let dump = try Self.largeValues.get()
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let connection = try process.connect()
        let clean = try verify(dump, process.url)
        #expect(clean.status == 0, "\(clean.errors)")
        #expect(try Summary(clean).verified == 6)
        let again = try verify(dump, process.url)
        #expect(again.status == 0, "\(again.errors)")
        #expect(again.peakKiB < 128 << 10)

        let member = String(repeating: "x", count: 999) + "77"
        let changes: [String: [Command]] = [
            "string": [Command("SETRANGE", "string", 20_000_000, "y")],
            "list": [Command("LSET", "list", 20_000, "y")],
            "set": [Command("SREM", "set", member), Command("SADD", "set", "y")],
            "zset": [Command("ZINCRBY", "zset", "0.5", member)],
            "hash": [Command("HSET", "hash", 777, "y")],
            "stream": [Command("XCLAIM", "stream", "group", "another", 0, "77-1", "JUSTID")],
        ]
        for commands in changes.values { _ = try connection.pipeline(commands) }
        let run = try verify(dump, process.url)
        #expect(run.status == 1)
        #expect(try Summary(run).differing == 6, "\(run.errors)")
        for (key, words) in [
            "string": "byte 20000000 is another one", "list": "element 20000 is another one",
            "set": "member \"xxx", "zset": "has another score", "hash": "field \"777\" has another value",
            "stream": "pending entry 77-1",
        ] {
            let line = run.errors.split(separator: "\n").first { $0.contains("key \"\(key)\" (db 0)") } ?? ""
            #expect(line.contains("the key holds something else: "), "\(key): \(run.errors)")
            #expect(line.contains(words), "\(key): \(run.errors)")
        }

        // An expiry is looked at as well.
        try connection.call("DEL", "string", "list", "zset", "hash", "stream")
        _ = try connection.pipeline([Command("SREM", "set", "y"), Command("SADD", "set", member)])
        try connection.call("PEXPIREAT", "set", 4_000_000_000_001)
        let other = try verify(dump, process.url)
        #expect(try Summary(other).differing == 1)
        #expect(other.errors.contains("key \"set\" (db 0): the key expires at another time"), "\(other.errors)")
    }

    @Test("what is another thing in a large stream")
    func largeStream() throws {
        let source = try ServerProcess(.debian, options: [(name: "rdbcompression", value: "no")])
        defer { source.stop() }
        let connection = try source.connect()
        let fill = """
            local s = string.rep('x', 999)
            for i = 1, 10000 do redis.call('XADD', KEYS[1], i .. '-1', 'a', s) end
            redis.call('XGROUP', 'CREATE', KEYS[1], 'group', 0)
            redis.call('XGROUP', 'CREATE', KEYS[1], 'other', '50-1')
            """
        try connection.call("EVAL", fill, 1, "stream")
        // More pending entries than are asked for at once, of two consumers.
        for (consumer, count) in [("reader", 1500), ("second", 700)] {
            try connection.call("XREADGROUP", "GROUP", "group", consumer, "COUNT", count, "STREAMS", "stream", ">")
        }
        try connection.call("XDEL", "stream", "20-1", "9000-1")
        try connection.call("SAVE")
        try connection.call("COPY", "stream", "kept")
        let dump = source.dumpPath
        func verified() throws -> RDBKitProgram.Run {
            try RDBKitProgram.locate().restore(
                dump, source.url, ["--on-conflict", "skip", "--verify", "--key", "stream"])
        }
        let clean = try verified()
        #expect(clean.status == 0, "\(clean.errors)")
        #expect(try Summary(clean).verified == 1)

        let changes: [(words: String, commands: [Command])] = [
            ("the key holds something else", [Command("XDEL", "stream", "100-1")]),
            (
                "pending entry 5-1 of group \"group\" is missing", [Command("XACK", "stream", "group", "5-1")]
            ),
            (
                "pending entry 1200-1 of group \"group\" was delivered another number of times",
                [Command("XCLAIM", "stream", "group", "reader", 0, "1200-1", "RETRYCOUNT", 9, "JUSTID")]
            ),
            (
                "consumer \"reader\" has another number of pending entries",
                [Command("XCLAIM", "stream", "group", "reader", 0, "2000-1", "JUSTID")]
            ),
            (
                "pending entry 7-1 of group",
                [Command("XCLAIM", "stream", "group", "reader", 0, "7-1", "IDLE", 9_000_000)]
            ),
            ("the last ID of group \"other\"", [Command("XGROUP", "SETID", "stream", "other", "51-1")]),
            ("its number of groups", [Command("XGROUP", "CREATE", "stream", "more", 0)]),
            ("group \"other\" is missing", [Command("XGROUP", "DESTROY", "stream", "other")]),
            (
                "group \"group\" has another number of consumers",
                [Command("XGROUP", "CREATECONSUMER", "stream", "group", "third")]
            ),
            ("its last ID is another one", [Command("XSETID", "stream", "20000-1")]),
            (
                "its number of entries ever added is another one",
                [Command("XSETID", "stream", "10000-1", "ENTRIESADDED", 10_001, "MAXDELETEDID", "9000-1")]
            ),
            (
                "its largest deleted ID is another one",
                [Command("XSETID", "stream", "10000-1", "ENTRIESADDED", 10_000, "MAXDELETEDID", "9001-1")]
            ),
        ]
        for change in changes {
            _ = try connection.pipeline(
                [Command("DEL", "stream"), Command("COPY", "kept", "stream")] + change.commands)
            let run = try verified()
            #expect(run.status == 1, "\(change.words): \(run.errors)")
            #expect(
                run.errors.contains("key \"stream\" (db 0): the key holds something else")
                    && run.errors.contains(change.words), "\(change.words): \(run.errors)")
        }
    }

    @Test("a large hash whose fields expire", arguments: ServerCatalog.available.filter(\.hasFieldExpiry))
    func largeHash(server: Server) throws {
        let source = try ServerProcess(server, options: [(name: "rdbcompression", value: "no")])
        defer { source.stop() }
        let connection = try source.connect()
        let fill = """
            local s = string.rep('x', 999)
            for i = 1, 10000 do redis.call('HSET', KEYS[1], 'f' .. i, s .. i) end
            for i = 1, 10000, 3 do redis.call('HPEXPIREAT', KEYS[1], 4000000000000 + i, 'FIELDS', 1, 'f' .. i) end
            """
        try connection.call("EVAL", fill, 1, "hash")
        try connection.call("SAVE")
        for (words, command) in [
            (nil, Command("PING")),
            ("field \"f4\" expires at another time", Command("HPERSIST", "hash", "FIELDS", 1, "f4")),
            (
                "field \"f5\" expires at another time",
                Command("HPEXPIREAT", "hash", 4_000_000_000_000, "FIELDS", 1, "f5")
            ),
            // A field that expires may be gone, another one not be there.
            ("field \"f6\" is missing", Command("HDEL", "hash", "f6")),
        ] {
            _ = try connection.pipeline([command])
            let run = try RDBKitProgram.locate().restore(
                source.dumpPath, source.url, ["--on-conflict", "skip", "--verify"])
            #expect(run.status == (words == nil ? 0 : 1), "\(server): \(run.errors)")
            if let words { #expect(run.errors.contains(words), "\(server): \(run.errors)") }
            _ = try connection.pipeline([
                Command("HPEXPIREAT", "hash", 4_000_000_000_004, "FIELDS", 1, "f4"),
                Command("HPERSIST", "hash", "FIELDS", 1, "f5"),
            ])
        }
    }

    @Test("slots that move, and a server that is away for a moment, while keys are read back")
    func moving() throws {
        let dump = try SavedDump.small(300)
        let cluster = try ClusterProcess(.debian)
        defer { cluster.stop() }
        let url = "redis://127.0.0.1:\(cluster.nodes[0].port)"
        // MIGRATE tells the time that a key has left, and so moves its expiry a little.
        let first = try RDBKitProgram.locate().restore(dump.path, url, ["--ttl", "drop"])
        #expect(first.status == 0, "\(first.errors)")
        // Moved while the program does not look: the first question about each comes back with MOVED.
        let running = try RDBKitProgram.locate().start([
            "restore", dump.path, url, "--on-conflict", "skip", "--verify", "--format", "json", "--max-ops", "1500",
            "--ttl", "drop",
        ])
        for index in 0..<20 {
            let slot = Int(
                try cluster.nodes[0].process.connect().call("CLUSTER", "KEYSLOT", "string:\(index)").integer())
            let from = cluster.firstOwner(of: slot)
            try cluster.move(slot: slot, from: from, to: (from + 1) % 3)
        }
        let run = try running.end(timeoutSeconds: 120)
        #expect(run.status == 0, "\(run.errors)")
        #expect(try Summary(run).verified == dump.entries.count)
    }
}
