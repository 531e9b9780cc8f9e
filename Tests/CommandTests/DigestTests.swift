import Testing

@Suite("digest")
struct DigestTests {
    @Test("digests of the demo dump")
    func demo() throws {
        try Golden.expect("digest", ["digest", "shop.rdb"])
        try Golden.expect("digest-json", ["digest", "--format", "json", "--functions", "shop.rdb"])
        try Golden.expect("digest-db", ["digest", "--per-db", "shop.rdb"])
        try Golden.expect("digest-db-json", ["digest", "--per-db", "--format", "json", "shop.rdb"])
        try Golden.expect("digest-key", ["digest", "--per-key", "--db", "1", "shop.rdb"])
        try Golden.expect("digest-key-json", ["digest", "--per-key", "--format", "json", "--db", "5", "shop.rdb"])
        try Golden.expect("digest-redis-key", ["digest", "--redis", "--per-key", "shop.rdb"])
        try Golden.expect("digest-several", ["digest", "shop.rdb", "nowhere.rdb", "shop.rdb"])
        try Golden.expect("digest-several-db", ["digest", "--per-db", "--format", "json", "shop.rdb", "shop.rdb"])
    }

    /// Redis 8.2.3 loaded shop.rdb without the two keys of 2024, and answered this to DEBUG DIGEST.
    @Test("--redis is what a server that loaded the file said")
    func redis() throws {
        let options = ["digest", "--redis", "shop.rdb", "--expires", "none", "--expires", "future"]
        #expect(try Program.run(options).text == "5233b00a6e166234e9d06392c5b6f4fd4e014e24  shop.rdb\n")
        let json = #"{"input":"shop.rdb","keys":31,"digest":"5233b00a6e166234e9d06392c5b6f4fd4e014e24"}"#
        #expect(try Program.run(options + ["--format", "json"]).text == json + "\n")
    }

    private func digest(_ words: [String], in folder: String = Checkout.demo) throws -> String {
        let run = try Program.run(["digest"] + words, in: folder)
        #expect(run.status == 0, "\(run.errors)")
        return String(run.text.prefix(32))
    }

    @Test("what is ignored, selected or added makes another digest")
    func options() throws {
        let plain = try digest(["shop.rdb"])
        var found: Set = [plain]
        for words in [
            ["--ignore", "expiry"], ["--ignore", "field-expiry"], ["--ignore", "db"], ["--ignore", "stream-groups"],
            ["--ignore", "stream-counters"], ["--functions"], ["--db", "0"], ["--not-type", "hash"], ["--limit", "5"],
        ] {
            found.insert(try digest(["shop.rdb"] + words))
        }
        #expect(found.count == 10)
        // No stream of the demo has idempotent producers.
        #expect(try digest(["shop.rdb", "--ignore", "stream-producers"]) == plain)
        #expect(
            try digest(["shop.rdb", "--ignore", "expiry,db"])
                == digest(["shop.rdb", "--ignore", "db", "--ignore", "expiry"]))
        #expect(
            try digest(["shop.rdb", "--not-type", "hash", "--ignore", "field-expiry"])
                == digest(["shop.rdb", "--not-type", "hash"]))
        #expect(
            try digest(["shop.rdb", "--expires", "none", "--ignore", "expiry"])
                == digest(["shop.rdb", "--expires", "none"]))
    }

    @Test("files without anything in them are alike, whatever they are called")
    func empty() throws {
        let folder = try TemporaryFolder()
        var file = RDBBytes()
        file.end()
        try file.write(to: folder.file("a.rdb"))
        #expect(try digest(["a.rdb"], in: folder.path) == digest(["shop.rdb", "--type", "array"]))
        #expect(try Program.run(["digest", "--per-db", "a.rdb"], in: folder.path).text == "")
        #expect(try Program.run(["digest", "--per-key", "a.rdb"], in: folder.path).text == "")
        let run = try Program.run(["digest", "--redis", "a.rdb"], in: folder.path)
        #expect(run.text == String(repeating: "0", count: 40) + "  a.rdb\n")
    }

    @Test("entries in any order, and twice the same database")
    func order() throws {
        let folder = try TemporaryFolder()
        var first = RDBBytes()
        first.text("a", "1")
        first.text("b", "2")
        first.database(3)
        first.text("a", "1")
        first.end()
        try first.write(to: folder.file("a.rdb"))
        var second = RDBBytes()
        second.text("b", "2")
        second.database(3)
        second.text("a", "1")
        second.database(0)
        second.text("a", "1")
        second.end()
        try second.write(to: folder.file("b.rdb"))
        for words in [[], ["--redis"], ["--per-db"], ["--redis", "--per-db"]] as [[String]] {
            let runs = try ["a.rdb", "b.rdb"].map { try Program.run(["digest"] + words + [$0], in: folder.path).lines }
            #expect(runs[0].map { $0.prefix { $0 != " " } } == runs[1].map { $0.prefix { $0 != " " } }, "\(words)")
        }
    }

    @Test("no digest of a file that is damaged, unless what is damaged may be left out")
    func damage() throws {
        let folder = try TemporaryFolder()
        var file = RDBBytes()
        file.text("first", "1")
        file.entry(16, "hash", RDBBytes.string(RDBBytes.listpack(["field"])))
        file.text("last", "2")
        file.end()
        try file.write(to: folder.file("a.rdb"))
        for words in [[], ["--per-db"], ["--redis"], ["--format", "json"]] as [[String]] {
            let run = try Program.run(["digest", "a.rdb"] + words, in: folder.path)
            #expect(run.status == 65)
            #expect(run.text == "", "\(words)")
            #expect(run.errors.contains(#"a.rdb: byte "#) && run.errors.contains(#"(db 0, key "hash")"#))
        }
        var sound = RDBBytes()
        sound.text("first", "1")
        sound.text("last", "2")
        sound.end()
        try sound.write(to: folder.file("sound.rdb"))
        let run = try Program.run(["digest", "a.rdb", "--on-error", "skip"], in: folder.path)
        #expect(run.status == 65)
        #expect(try run.text.prefix(32) == digest(["sound.rdb"], in: folder.path))
        #expect(run.errors.contains("a.rdb: 1 value left out"))
        // Lines of keys come as they are read.
        let keys = try Program.run(["digest", "a.rdb", "--per-key"], in: folder.path)
        #expect(keys.status == 65)
        #expect(keys.lines.count == 1)
        // A wrong checksum is found only at the end.
        sound.bytes[sound.bytes.count - 1] ^= 1
        try sound.write(to: folder.file("sum.rdb"))
        let sum = try Program.run(["digest", "sum.rdb"], in: folder.path)
        #expect(sum.status == 65)
        #expect(sum.text == "")
    }

    @Test("--redis refuses what only a module knows")
    func modules() throws {
        let folder = try TemporaryFolder()
        var file = RDBBytes()
        file.text("a", "1")
        // ReJSON-RL 3 and one string.
        file.entry(7, "document", [0x81, 0x45, 0xe2, 0x52, 0x38, 0xdf, 0x91, 0x2c, 0x03, 5, 2, 0x7b, 0x7d, 0])
        file.end()
        try file.write(to: folder.file("a.rdb"))
        let run = try Program.run(["digest", "--redis", "a.rdb"], in: folder.path)
        #expect(run.status == 65)
        #expect(run.text == "")
        #expect(run.errors.contains(#"(db 0, key "document"): "#))
        #expect(run.errors.contains("--not-type module leaves it out"))
        #expect(try Program.run(["digest", "--redis", "--not-type", "module", "a.rdb"], in: folder.path).status == 0)
        #expect(try Program.run(["digest", "a.rdb"], in: folder.path).status == 0)
    }

    @Test(
        "what does not go together is told",
        arguments: [
            ["--per-db", "--per-key"], ["--redis", "--ignore", "expiry"], ["--redis", "--functions"],
            ["--server", "redis-7.0"], ["--redis", "--server", "keydb-6"], ["--ignore", "expiry,"],
            ["--ignore", "everything"], ["--per-key", "--functions"], ["--format", "csv"],
        ])
    func usage(_ words: [String]) throws {
        let run = try Program.run(["digest", "shop.rdb"] + words)
        #expect(run.status == 64)
        #expect(run.text == "")
    }

    @Test("too many databases are told")
    func databases() throws {
        let folder = try TemporaryFolder()
        var file = RDBBytes()
        for number in 0..<65_537 {
            file.database(number)
            file.text("k", "")
        }
        file.end(checksum: false)
        try file.write(to: folder.file("a.rdb"))
        let run = try Program.run(["digest", "a.rdb"], in: folder.path)
        #expect(run.status == 65)
        #expect(run.text == "")
        #expect(run.errors == "rdbkit: a.rdb: more than 65536 databases\n")
        #expect(try Program.run(["digest", "--per-key", "a.rdb"], in: folder.path).lines.count == 65_537)
    }
}
