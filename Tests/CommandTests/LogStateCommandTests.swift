import Testing

/// What the commands on entries tell of a log; that it is right, ServerTests and AOFStateTests say.
@Suite("commands on the state behind a log")
struct LogStateCommandTests {
    private static func command(_ words: String...) -> [UInt8] {
        var bytes = Array("*\(words.count)\r\n".utf8)
        for word in words { bytes += Array("$\(word.utf8.count)\r\n\(word)\r\n".utf8) }
        return bytes
    }

    private static let log: [UInt8] =
        Array("#TS:1700000000\r\n".utf8) + command("SELECT", "0") + command("SET", "greeting", "hello")
        + command("RPUSH", "list", "a", "b", "c") + Array("#TS:1700000100\r\n".utf8)
        + command("SET", "greeting", "bye", "PXAT", "4000000000000") + command("LPOP", "list") + command("SELECT", "3")
        + command("MULTI") + command("HSET", "hash", "f", "v") + command("ZADD", "zset", "1.5", "m") + command("EXEC")

    private func folder(_ more: [UInt8] = []) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try writeFile(folder.file("a.aof"), Self.log + more)
        return folder
    }

    @Test("layout of all forms")
    func layout() throws {
        let folder = try folder()
        try Golden.expect("log-json", ["json", "a.aof"], in: folder.path)
        try Golden.expect("log-info", ["info", "a.aof"], in: folder.path)
        try Golden.expect("log-info-json", ["info", "--json", "a.aof"], in: folder.path)
        try Golden.expect("log-resp", ["resp", "a.aof"], in: folder.path)
        try Golden.expect("log-at", ["json", "a.aof", "--at", "1700000050"], in: folder.path)
        let doubtful = try self.folder(
            Self.command("EVAL", "return 1", "2", "hash", "zset") + Self.command("DEL", "zset")
                + Self.command("INCR", "hash") + Self.command("NOSUCH"))
        try Golden.expect("log-doubtful", ["json", "a.aof"], in: doubtful.path)
        let cut = try self.folder(Array("*3\r\n$3\r\nSET".utf8))
        try Golden.expect("log-cut", ["json", "a.aof"], in: cut.path)
        withExtendedLifetime((folder, doubtful, cut)) {}
    }

    @Test("a moment is an offset of the log, or one of its times")
    func moments() throws {
        let folder = try folder()
        func keys(_ words: String...) throws -> Program.Run {
            try Program.run(["keys", "a.aof"] + words, in: folder.path)
        }
        let whole = try keys()
        #expect(whole.status == 0 && whole.text == "greeting\nlist\nhash\nzset\n")
        #expect(try keys("--at", "2023-11-14T22:14:00Z").text == "greeting\nlist\n")
        #expect(try keys("--at-offset", "\(Self.log.count)").text == whole.text)
        // Within the transaction.
        #expect(try keys("--at-offset", "\(Self.log.count - 1)").text == "greeting\nlist\n")
        #expect(try keys("--at-offset", "0").text == "")
        let early = try keys("--at", "1600000000")
        #expect(early.status == 65 && early.text == "" && early.errors.contains("nothing in it is that early"))
        #expect(try keys("--at", "1", "--at-offset", "1").status == 64)
        #expect(try keys("--at-offset", "other:1").status == 64)
        let rdb = try Program.run(["keys", "shop.rdb", "--at", "1"])
        #expect(rdb.status == 64 && rdb.errors.contains("for append-only logs"))
        #expect(try Program.run(["check", "a.aof", "--at", "1"], in: folder.path).status == 64)
    }

    @Test("an RDB before the commands is a part of the log, and its damage has its place there")
    func preamble() throws {
        let folder = try TemporaryFolder()
        var base = RDBBytes()
        base.text("kept", "v")
        base.text("changed", "v")
        base.end()
        let commands = Self.command("APPEND", "changed", "!") + Self.command("SET", "new", "1")
        try writeFile(folder.file("a.aof"), base.bytes + commands)
        let state = try Program.run(["json", "a.aof"], in: folder.path)
        #expect(state.status == 0 && state.errors == "")
        #expect(
            state.text == """
                {"db":0,"key":"kept","type":"string","encoding":"raw","value":"v"}
                {"db":0,"key":"changed","type":"string","encoding":"raw","value":"v!"}
                {"db":0,"key":"new","type":"string","encoding":"int","value":"1"}

                """)
        let redirected = try Program.run(["json", "-"], input: .file(folder.file("a.aof")), in: folder.path)
        #expect(redirected.status == 0 && redirected.text == state.text)
        // A pipe is read once; what its head does not say is found out too late, and told.
        let piped = try Program.run(["json", "-"], input: .pipe(folder.file("a.aof")), in: folder.path)
        #expect(piped.status == 65 && piped.errors.contains("bytes of commands follow the RDB"))
        // Behind the end of its last entry.
        try writeFile(folder.file("b.aof"), Array(base.bytes.dropLast(9)) + [0x99] + commands)
        let damaged = try Program.run(["keys", "b.aof"], in: folder.path)
        #expect(damaged.status == 65)
    }

    @Test("an output that a log cannot be is refused")
    func refusals() throws {
        let folder = try folder()
        let missing = try Program.run(["get", "a.aof", "nothing"], in: folder.path)
        #expect(missing.status == 1)
        let raw = try Program.run(["get", "--raw", "a.aof", "greeting"], in: folder.path)
        #expect(raw.status == 0 && raw.text == "bye")
    }
}
