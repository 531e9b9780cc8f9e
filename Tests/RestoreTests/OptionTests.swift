import ServerHarness
import Testing

/// Everything that decides which entries are sent, as what, and how fast.
@Suite("options of restore", .serialized, .tags(.server))
struct OptionTests {
    /// A server that was filled and has saved, and an empty one.
    final class Pair {
        let source: ServerProcess
        let target: ServerProcess
        let from: RESPConnection
        let to: RESPConnection
        let program: RDBKitProgram

        init(
            _ server: Server = .debian, targetOptions: [(name: String, value: String)] = [],
            _ fill: (RESPConnection) throws -> Void
        ) throws {
            program = try RDBKitProgram.locate()
            source = try ServerProcess(server)
            target = try ServerProcess(server, options: targetOptions)
            from = try source.connect()
            to = try target.connect()
            try fill(from)
            try from.call("SAVE")
        }

        var dump: String { source.dumpPath }

        func restore(_ arguments: String..., input: String? = nil) throws -> RDBKitProgram.Run {
            try program.restore(dump, target.url, arguments, input: input)
        }

        deinit {
            source.stop()
            target.stop()
        }
    }

    private static func keys(_ names: String...) -> [Bytes] { names.map { Bytes($0.utf8) } }

    // MARK: - Expiry

    @Test("what is over is left out and counted, or sent")
    func expired() throws {
        // A file is the only place where what is over still is.
        let folder = try TemporaryFolder()
        let pair = try Pair { connection in
            try connection.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
            try connection.call("SET", "stays", "x")
            for type in 1...3 { try connection.call("RPUSH", "list \(type)", "x", "y") }
            for index in 1...3 { try connection.call("SET", "over \(index)", "x", "PX", 1) }
            try connection.call("PEXPIRE", "list 1", 1)
        }
        let dump = folder.file("dump.rdb")
        try Files.write(try Files.read(pair.dump), to: dump)
        for way in ["auto", "restore", "commands"] {
            try pair.to.call("FLUSHALL")
            let run = try pair.program.restore(dump, pair.target.url, ["--as", way])
            #expect(run.status == 0, "\(run.errors)")
            #expect(try Summary(run).expired == 4)
            #expect(try Summary(run).applied == 3)
            #expect(try pair.to.call("DBSIZE").integer() == 3)

            for policy in ["error", "skip", "replace"] {
                try pair.to.call("FLUSHALL")
                if policy == "replace" { try pair.to.call("SET", "over 1", "there before") }
                let kept = try pair.program.restore(
                    dump, pair.target.url, ["--as", way, "--keep-expired", "--on-conflict", policy])
                #expect(kept.status == 0, "--as \(way): \(kept.errors)")
                #expect(try Summary(kept).expired == 0)
                #expect(try Summary(kept).applied == 7)
                // The server does not keep them, and what they replaced is gone.
                #expect(try pair.to.call("EXISTS", "over 1").integer() == 0)
                #expect(try pair.to.call("EXISTS", "list 1").integer() == 0)
            }
        }
    }

    @Test("--ttl", arguments: ["auto", "restore", "commands"])
    func ttl(way: String) throws {
        let far = 4_102_444_800_000
        let pair = try Pair { connection in
            for type in ["s", "l"] {
                for suffix in ["", ":ttl"] {
                    if type == "s" {
                        try connection.call("SET", type + suffix, "x")
                    } else {
                        try connection.call("RPUSH", type + suffix, "x", "y")
                    }
                }
                try connection.call("PEXPIREAT", type + ":ttl", far)
            }
        }
        func expiries(_ rule: String) throws -> [Int64] {
            try pair.to.call("FLUSHALL")
            let run = try pair.restore("--as", way, "--ttl", rule)
            #expect(run.status == 0, "\(run.errors)")
            #expect(try pair.to.call("DBSIZE").integer() == 4)
            return try ["s", "l", "s:ttl", "l:ttl"].map { try pair.to.call("PEXPIRETIME", $0).integer() }
        }
        let end = Int64(far)
        #expect(try expiries("keep") == [-1, -1, end, end])
        #expect(try expiries("drop") == [-1, -1, -1, -1])
        #expect(try expiries("+2h") == [-1, -1, end + 7_200_000, end + 7_200_000])
        #expect(try expiries("-1d") == [-1, -1, end - 86_400_000, end - 86_400_000])
        let time = try pair.to.call("TIME").elements()
        let now = try time[0].integer() * 1000
        let set = try expiries("=1w")
        #expect(Set(set).count == 1)
        #expect((now + 604_800_000...now + 604_860_000).contains(set[0]))
    }

    // MARK: - Names and databases

    @Test("prefixes and renames", arguments: ["auto", "commands"])
    func renames(way: String) throws {
        let pair = try Pair { connection in
            try connection.call("MSET", "old:a", "1", "old:b", "2", "other", "3")
            try connection.call("RPUSH", "old:list", "x", "y")
            try connection.call("SET", [0xff, 0x00] as Bytes, "binary")
        }
        func keys(_ arguments: String...) throws -> [Bytes] {
            try pair.to.call("FLUSHALL")
            let run = try pair.program.restore(pair.dump, pair.target.url, ["--as", way] + arguments)
            #expect(run.status == 0, "\(run.errors)")
            #expect(try Summary(run).applied == 5)
            return try pair.to.keys()
        }
        #expect(
            try keys("--strip-prefix", "old:", "--add-prefix", "new:")
                == Self.keys("new:a", "new:b", "new:list", "new:other") + [Bytes("new:".utf8) + [0xff, 0x00]])
        #expect(
            try keys("--rename-regex", "s/^(old):(.)/$2:$1/")
                == Self.keys("a:old", "b:old", "l:oldist", "other") + [[0xff, 0x00]])
        #expect(try pair.to.call("GET", "a:old").text() == "1")
        #expect(try pair.to.call("LRANGE", "l:oldist", 0, -1).elements().count == 2)
    }

    @Test("--db-map, and a database in the URL")
    func databases() throws {
        let pair = try Pair { connection in
            for database in [0, 1, 5] {
                try connection.call("SELECT", database)
                try connection.call("SET", "s\(database)", "x")
                try connection.call("RPUSH", "l\(database)", "x", "y")
            }
        }
        func sizes(_ url: String, _ arguments: [String]) throws -> [Int: Int64] {
            try pair.to.call("FLUSHALL")
            let run = try pair.program.restore(pair.dump, url, arguments)
            #expect(run.status == 0, "\(run.errors)")
            var sizes: [Int: Int64] = [:]
            for database in 0..<16 {
                try pair.to.call("SELECT", database)
                let size = try pair.to.call("DBSIZE").integer()
                if size > 0 { sizes[database] = size }
            }
            return sizes
        }
        let url = pair.target.url
        #expect(try sizes(url, []) == [0: 2, 1: 2, 5: 2])
        #expect(try sizes(url, ["--db-map", "0:3,5:0"]) == [3: 2, 1: 2, 0: 2])
        #expect(try sizes(url, ["--db-map", "1:1,*:7"]) == [1: 2, 7: 4])
        #expect(try sizes(url, ["--as", "commands", "--db-map", "*:2"]) == [2: 6])
        #expect(try sizes(url, ["--db", "5", "--db-map", "5:0"]) == [0: 2])
    }

    @Test("the URL's database takes everything")
    func databaseOfURL() throws {
        let port = try ServerProcess.freePort()
        let pair = try Pair(targetOptions: [(name: "port", value: "\(port)"), (name: "bind", value: "127.0.0.1")]) {
            for database in [0, 5] {
                try $0.call("SELECT", database)
                try $0.call("SET", "s\(database)", "x")
            }
        }
        let run = try pair.program.restore(pair.dump, "redis://127.0.0.1:\(port)/4", [])
        #expect(run.status == 0, "\(run.errors)")
        try pair.to.call("SELECT", 4)
        #expect(try pair.to.keys() == Self.keys("s0", "s5"))
        let mapped = try pair.program.restore(pair.dump, "redis://127.0.0.1:\(port)/4", ["--db-map", "5:6"])
        #expect(mapped.status == 0, "\(mapped.errors)")
        try pair.to.call("SELECT", 6)
        #expect(try pair.to.keys() == Self.keys("s5"))
    }

    @Test("a database that the target does not have")
    func databaseOutOfRange() throws {
        let pair = try Pair(targetOptions: [(name: "databases", value: "4")]) { connection in
            for database in [0, 3, 4, 9] {
                try connection.call("SELECT", database)
                try connection.call("SET", "s\(database)", "x")
                try connection.call("RPUSH", "l\(database)", "x", "y")
            }
        }
        let run = try pair.restore()
        #expect(run.status == 1)
        #expect(try Summary(run).applied == 4)
        #expect(try Summary(run).failed == 4)
        #expect(run.errors.contains("key \"s4\" (db 4): the target has no database 4"), "\(run.errors)")
        #expect(run.errors.contains("--db-map 4:0"), "\(run.errors)")
        #expect(try pair.to.keys() == Self.keys("l0", "s0"))
        try pair.to.call("SELECT", 3)
        #expect(try pair.to.keys() == Self.keys("l3", "s3"))
        try pair.to.call("FLUSHALL")
        #expect(try pair.restore("--db-map", "4:1,9:2").status == 0)
    }

    // MARK: - Selection

    @Test("what is selected is what arrives")
    func selection() throws {
        let pair = try Pair { connection in
            try connection.call("MSET", "a:1", "short", "a:2", "longer text than the other", "b:1", "x")
            try connection.call("RPUSH", "list", "1", "2", "3")
            try connection.call("SADD", "set", "1", "2")
            try connection.call("ZADD", "zset", 1, "1")
            try connection.call("HSET", "hash", "f", "v")
            try connection.call("XADD", "stream", "1-1", "f", "v")
            try connection.call("PEXPIREAT", "b:1", 4_102_444_800_000)
            try connection.call("SELECT", 2)
            try connection.call("SET", "two", "x")
        }
        func selected(_ arguments: String..., way: String = "auto") throws -> [String] {
            try pair.to.call("FLUSHALL")
            let run = try pair.program.restore(pair.dump, pair.target.url, ["--as", way] + arguments)
            #expect(run.status == 0, "\(arguments): \(run.errors)")
            var found: [String] = []
            for database in [0, 2] {
                try pair.to.call("SELECT", database)
                found += try pair.to.keys().map { String(decoding: $0, as: UTF8.self) }
            }
            #expect(try Summary(run).applied == found.count, "\(arguments)")
            // The same choice as of every other command.
            let lines = try pair.program.output(["keys", pair.dump] + arguments)
            let keys = String(decoding: lines, as: UTF8.self).split(separator: "\n").map { String($0) }
            #expect(found.sorted() == keys.sorted(), "\(arguments)")
            return found
        }
        #expect(try selected() == ["a:1", "a:2", "b:1", "hash", "list", "set", "stream", "zset", "two"])
        #expect(try selected("--key", "a:*") == ["a:1", "a:2"])
        #expect(try selected("--key", "a:*", "--not-key", "*2", way: "commands") == ["a:1"])
        #expect(try selected("--key-regex", "^.{4}$") == ["hash", "list", "zset"])
        #expect(try selected("--not-key-regex", "[0-9]", "--type", "string") == ["two"])
        #expect(try selected("--type", "list", "--type", "stream", way: "commands") == ["list", "stream"])
        #expect(try selected("--not-type", "string", "--db", "0") == ["hash", "list", "set", "stream", "zset"])
        #expect(try selected("--db", "1-2") == ["two"])
        #expect(try selected("--min-size", "10", "--type", "string") == ["a:2"])
        #expect(try selected("--max-size", "9", "--type", "string") == ["a:1", "b:1", "two"])
        #expect(try selected("--min-elements", "2", way: "restore") == ["list", "set"])
        #expect(try selected("--max-elements", "1", "--not-type", "string") == ["hash", "stream", "zset"])
        #expect(try selected("--expires", "any") == ["b:1"])
        #expect(try selected("--expires-before", "2100-01-01T00:00:01Z") == ["b:1"])
        #expect(try selected("--expires-after", "+1d") == ["b:1"])
        #expect(try selected("--slot", "0-16383").count == 9)
        #expect(try selected("--limit", "4").count == 4)
        _ = try selected("--sample", "50%")
        _ = try selected("--slot", "0-8000", way: "commands")
    }

    // MARK: - Nothing is changed

    @Test("--dry-run tells and changes nothing")
    func dryRun() throws {
        let pair = try Pair(Server.newest.first ?? .debian) { connection in
            try connection.call("MSET", "a", "1", "b", "2")
            try connection.call("RPUSH", "list", "x", "y")
        }
        try pair.to.call("SET", "a", "there before")
        try pair.to.call("SET", "z", "there before")
        let before = try pair.to.holdings()
        let checkpoint = pair.target.folder.file("checkpoint")
        for arguments in [[], ["--flush"], ["--on-conflict", "replace"], ["--checkpoint", checkpoint], ["--verify"]] {
            let run = try pair.program.restore(pair.dump, pair.target.url, ["--dry-run"] + arguments)
            #expect(run.status == 0, "\(arguments): \(run.errors)")
            #expect(try Summary(run).applied == 3)
            #expect(try pair.to.holdings() == before)
        }
        #expect(!Files.exists(checkpoint))
        let text = try pair.program.run(["restore", pair.dump, pair.target.url, "--dry-run"])
        #expect(String(decoding: text.output, as: UTF8.self).hasPrefix("would restore into "))
    }

    @Test("--dry-run tells what the target cannot hold")
    func dryRunLosses() throws {
        guard let new = ServerCatalog.available.first(where: { $0.name == "redis-8.2" }) else { return }
        let source = try ServerProcess(new)
        defer { source.stop() }
        let from = try source.connect()
        try from.call("HSET", "hash", "f", "v", "g", "w")
        try from.call("HPEXPIREAT", "hash", 4_102_444_800_000, "FIELDS", 1, "f")
        try from.call("SET", "string", "x")
        try from.call("SAVE")
        let target = try ServerProcess(.debian)
        defer { target.stop() }
        let run = try RDBKitProgram.locate().restore(source.dumpPath, target.url, ["--dry-run"])
        #expect(run.status == 1)
        #expect(
            run.errors.contains("key \"hash\" (db 0): redis-7.0 cannot hold expiry of hash fields"), "\(run.errors)")
        #expect(try target.connect().call("DBSIZE").integer() == 0)
    }

    // MARK: - Flush

    @Test("--flush needs a word, and an input that is one")
    func flush() throws {
        let pair = try Pair { try $0.call("SET", "new", "x") }
        func put() throws {
            try pair.to.call("SELECT", 3)
            try pair.to.call("SET", "old", "x")
            try pair.to.call("SELECT", 0)
            try pair.to.call("SET", "new", "before")
        }
        try put()
        let before = try pair.to.holdings()
        // Standard input is no terminal.
        let unconfirmed = try pair.restore("--flush")
        #expect(unconfirmed.status == 64)
        #expect(unconfirmed.errors.contains("confirm it with --yes"), "\(unconfirmed.errors)")
        #expect(try pair.to.holdings() == before)

        // Nothing is removed for nothing.
        let missing = try pair.program.restore(pair.dump + ".missing", pair.target.url, ["--flush", "--yes"])
        #expect(missing.status == 66)
        let text = pair.target.folder.file("text")
        try Files.write(Bytes("no RDB file\n".utf8), to: text)
        let wrong = try pair.program.restore(text, pair.target.url, ["--flush", "--yes"])
        #expect(wrong.status == 65)
        #expect(try pair.to.holdings() == before)

        let confirmed = try pair.restore("--flush", "--yes")
        #expect(confirmed.status == 0, "\(confirmed.errors)")
        #expect(try pair.to.call("GET", "new").text() == "x")
        try pair.to.call("SELECT", 3)
        #expect(try pair.to.call("DBSIZE").integer() == 0)
    }

    @Test("--flush at a terminal removes the keys when the target's address is typed, and nothing for other words")
    func confirmation() throws {
        let pair = try Pair { try $0.call("SET", "new", "x") }
        func type(_ text: String) throws -> RDBKitProgram.Run {
            let terminal = try Terminal()
            let program = try pair.program.start(["restore", pair.dump, pair.target.url, "--flush"], on: terminal)
            let question = try program.awaitErrors("Type its address to go on: ")
            #expect(question.contains("This removes 1 keys of Redis 7.0"), "\(question)")
            terminal.type(text)
            return try program.end()
        }
        for words in ["yes\n", "\n", "\u{4}"] {
            try pair.to.call("SET", "old", "x")
            let refused = try type(words)
            #expect(refused.status == 64, "\(words.debugDescription): \(refused.errors)")
            #expect(refused.errors.contains("not confirmed; nothing was removed"), "\(refused.errors)")
            #expect(try pair.to.keys() == Self.keys("old"))
        }
        let confirmed = try type("\(pair.target.socketPath)\n")
        #expect(confirmed.status == 0, "\(confirmed.errors)")
        #expect(try pair.to.keys() == Self.keys("new"))
    }

    // MARK: - Messages

    @Test("--errors has every entry that was not applied")
    func errors() throws {
        let pair = try Pair(targetOptions: [(name: "databases", value: "1")]) { connection in
            try connection.call("SELECT", 1)
            for index in 0..<50 { try connection.call("SET", "key \(index)", "x") }
            try connection.call("SET", [0xff] as Bytes, "x")
        }
        let path = pair.target.folder.file("errors.jsonl")
        let run = try pair.restore("--errors", path)
        #expect(run.status == 1)
        #expect(run.errors.split(separator: "\n").count == 21)
        #expect(run.errors.contains("31 more entries were not applied"), "\(run.errors)")
        let lines = try Files.text(path).split(separator: "\n")
        #expect(lines.count == 51)
        for line in lines {
            let fields = try JSONFields(try JSONValue(parsing: Bytes(line.utf8)))
            #expect(fields.names == ["code", "message", "db", "key", "type", "offset"])
            #expect(try fields.plainText("code") == "lost")
            #expect(try fields.plainText("type") == "string")
            #expect(try fields.integer("db") == 1)
        }
        #expect(lines.contains { $0.contains(#""key":"$base64:/w==""#) })

        // Without any, the file is there and empty.
        let fine = try pair.restore("--errors", path, "--db-map", "*:0")
        #expect(fine.status == 0)
        #expect(try Files.read(path) == [])
    }

    @Test("the summary for machines has all its numbers")
    func summary() throws {
        let pair = try Pair { connection in
            try connection.call("MSET", "a", "1", "b", "2")
            try connection.call("RPUSH", "list", "x", "y")
        }
        try pair.to.call("SET", "a", "there")
        let run = try pair.restore("--on-conflict", "skip", "--verify")
        let fields = try JSONFields(try JSONValue(parsing: Bytes(run.output.dropLast())))
        for name in ["applied", "skipped", "failed", "expired", "resumed", "functions", "reconnections"] {
            #expect(fields.names.contains(name))
        }
        #expect(try fields.integer("applied") == 2)
        #expect(try fields.integer("skipped") == 1)
        #expect(try fields.integer("verified") == 2)
        // What was left alone holds something else.
        #expect(try fields.integer("differing") == 1)
        #expect(run.status == 1)
        let text = String(decoding: run.output, as: UTF8.self)
        #expect(
            text.contains(#""types":{"list":{"applied":1,"skipped":0,"failed":0},"#), "\(text)")
    }

    // MARK: - Rates

    @Test("--max-ops and --max-rate are kept, within each second as well")
    func rates() throws {
        let pair = try Pair { connection in
            for index in 0..<300 { try connection.call("SET", "key \(index)", Bytes(repeating: 0x78, count: 1000)) }
        }
        let program = try pair.program.start(
            ["restore", pair.dump, pair.target.url, "--format", "json", "--max-ops", "200/s"])
        // Between two looks no more arrives than their time allows, from the beginning of the first to the end of the
        // second; a tenth of a second's entries may come at once, and as many be owed.
        var looks: [(begun: ContinuousClock.Instant, ended: ContinuousClock.Instant, count: Int64)] = []
        while !program.hasEnded(within: 0.25) {
            let begun = ContinuousClock.now
            let count = try pair.to.call("DBSIZE").integer()
            looks.append((begun, .now, count))
        }
        let ops = try program.end()
        #expect(ops.status == 0, "\(ops.errors)")
        #expect(try Summary(ops).elapsed >= 1200)
        for (before, after) in zip(looks, looks.dropFirst()) {
            let allowed = 200 * ((after.ended - before.begun) / .seconds(1)) + 50
            #expect(Double(after.count - before.count) <= allowed, "\(looks.map(\.count))")
        }
        #expect(looks.contains { $0.count > 0 && $0.count < 300 }, "\(looks.map(\.count))")

        try pair.to.call("FLUSHALL")
        let rate = try pair.restore("--max-rate", "200KB/s")
        #expect(rate.status == 0)
        #expect(try Summary(rate).elapsed >= 1200)
        #expect(try pair.to.call("DBSIZE").integer() == 300)
    }

    // MARK: - Inputs

    @Test("standard input, gzip, and both")
    func inputs() throws {
        let pair = try Pair { connection in
            try connection.call("MSET", "a", "1", "b", "2")
            try connection.call("RPUSH", "list", "x", "y")
            // A value that has to be read twice.
            for _ in 0..<3 { try connection.call("RPUSH", "large", Bytes(repeating: 0x61, count: 700_000)) }
            try connection.call("SET", "text", Bytes(repeating: 0x62, count: 3_000_000))
        }
        let compressed = pair.target.folder.file("dump.rdb.gz")
        try Gzip.compress(pair.dump, to: compressed)
        let expected = try KeyDigests.ask(pair.from)
        for (path, input) in [("-", pair.dump), (compressed, nil), ("-", compressed)] {
            for arguments in [[], ["--as", "commands", "--big-value", "100KB"]] {
                try pair.to.call("FLUSHALL")
                let run = try pair.program.restore(path, pair.target.url, arguments, input: input)
                #expect(run.status == 0, "\(run.errors)")
                let found = try KeyDigests.ask(pair.to)
                expectNone(KeyDigests.differences(expected, found), "\(path) \(arguments)")
            }
        }
        for option in [["--checkpoint", "x"], ["--verify"]] {
            let refused = try pair.program.restore("-", pair.target.url, option, input: pair.dump)
            #expect(refused.status == 64)
            #expect(refused.errors.contains("standard input cannot be read again"), "\(refused.errors)")
        }
    }

    @Test("of a damaged input, what came before is applied")
    func damaged() throws {
        let pair = try Pair { connection in
            for index in 0..<200 { try connection.call("RPUSH", "list \(index)", "x", "y", "z") }
        }
        let bytes = try Files.read(pair.dump)
        let cut = pair.target.folder.file("cut.rdb")
        try Files.write(Bytes(bytes.prefix(bytes.count / 2)), to: cut)
        let keys = try pair.program.run(["keys", cut])
        let count = keys.output.count { $0 == 0x0a }
        for way in ["auto", "commands"] {
            try pair.to.call("FLUSHALL")
            let run = try pair.program.restore(cut, pair.target.url, ["--as", way])
            #expect(run.status == 65)
            #expect(run.errors.contains("cut.rdb: byte \(bytes.count / 2)"), "\(run.errors)")
            let size = try pair.to.call("DBSIZE").integer()
            // The key that was cut within may be named by `keys`.
            #expect((count - 1...count).contains(Int(size)))
            #expect(try Summary(run).applied == Int(size))
            for key in try pair.to.keys() { #expect(try pair.to.call("LLEN", key).integer() == 3) }
        }

        // A value within that is wrong: left out, if that is wanted.
        let packed = Bytes("list 100".utf8)
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: packed) })
        var broken = bytes
        // The number of the list's nodes.
        broken[place + packed.count + 1] = 3
        try Files.write(broken, to: cut)
        try pair.to.call("FLUSHALL")
        let stopped = try pair.program.restore(cut, pair.target.url, [])
        #expect(stopped.status == 65)
        #expect(stopped.errors.contains("key \"list 100\""), "\(stopped.errors)")
        #expect(try pair.to.call("EXISTS", "list 100").integer() == 0)
    }
}
