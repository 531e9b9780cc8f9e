import Testing

@Suite("info and check")
struct ReportTests {
    @Test("reports on the demo dump")
    func demo() throws {
        try Golden.expect("info", ["info", "shop.rdb"])
        try Golden.expect("info-json", ["info", "--json", "shop.rdb"])
        try Golden.expect("info-selection", ["info", "shop.rdb", "--db", "1", "--expires", "future"])
        try Golden.expect("check", ["check", "shop.rdb"])
        try Golden.expect("check-json", ["check", "--format", "json", "shop.rdb"])
        try Golden.expect("check-csv", ["check", "--format", "csv", "shop.rdb"])
    }

    /// The figures are worked out from testdata/demo/shop.commands and the length of the file.
    @Test("info counts what the file holds")
    func counts() throws {
        let text = try Program.run(["info", "--json", "shop.rdb"]).text
        for part in [
            #""rdb_version":12,"family":"redis","magic":"REDIS0012","known":true,"writer":"Redis 8.2.3","size_bytes":2965,"whole":true,"checksum":"ok""#,
            #""redis":"8.0","valkey":null"#, #""keys":33"#,
            #""expiry":{"none":25,"past":2,"future":6,"earliest_ms":1704067200000,"latest_ms":4102531200000}"#,
            #""db":0,"keys":20,"expires":0"#, #""db":1,"keys":8,"expires":8"#, #""db":5,"keys":5,"expires":0"#,
            #""functions":[{"name":"shop","engine":"lua","code_bytes":124}]"#,
            #""largest_value":{"db":0,"key":"catalog","value_bytes":396}"#,
        ] {
            #expect(text.contains(part), "\(part)")
        }
        #expect(text.hasSuffix("}\n"))
    }

    /// Five entries: whole, a listpack with a wrong back-length, a compressed string that is damaged, a sorted set with
    /// the same member twice, whole.
    private struct Damaged {
        var file = RDBBytes()
        var backLength = 0
        var compressed = 0

        init(checksum: Bool = true) {
            file.database(0)
            file.text("first", "1")
            var listpack = RDBBytes.listpack(["field", "value"])
            listpack[6 + 6] = 9
            backLength = file.entry(16, "hash", RDBBytes.string(listpack)) + 1 + 6 + 6
            file.database(3)
            // 4 bytes that stand for 100: a reference to what is not there.
            compressed = file.entry(0, "text", [0xc3, 4, 0x40, 100, 0xe0, 0x50, 0x50, 0x50])
            file.entry(
                5, "board",
                [2] + RDBBytes.string("a") + Array(repeating: 0, count: 8) + RDBBytes.string("a")
                    + Array(repeating: 0, count: 8))
            file.text("last", "2")
            file.end()
            if !checksum { file.bytes[file.bytes.count - 1] ^= 0xff }
        }
    }

    @Test("check tells all faults, not only the first", arguments: ["text", "json", "csv"])
    func faults(_ format: String) throws {
        let folder = try TemporaryFolder()
        try Damaged().file.write(to: folder.file("damaged.rdb"))
        try Golden.expect("check-faults-\(format)", ["check", "damaged.rdb", "--format", format], in: folder.path)
    }

    @Test("faults have their offset and key")
    func places() throws {
        let folder = try TemporaryFolder()
        let damaged = Damaged()
        try damaged.file.write(to: folder.file("damaged.rdb"))
        let run = try Program.run(["check", "damaged.rdb"], in: folder.path)
        #expect(run.status == 1)
        #expect(run.errors == "")
        #expect(run.text.contains(#"byte \#(damaged.backLength) (db 0, key "hash"): "#), "\(run.text)")
        #expect(run.text.contains(#"(db 3, key "text"): "#))
        #expect(run.text.contains(#"(db 3, key "board"): "#))
        #expect(run.text.contains("damaged.rdb: 3 faults in 5 keys\n"))
    }

    @Test("a wrong checksum")
    func checksum() throws {
        let folder = try TemporaryFolder()
        try Damaged(checksum: false).file.write(to: folder.file("damaged.rdb"))
        let run = try Program.run(["check", "damaged.rdb"], in: folder.path)
        #expect(run.status == 1)
        #expect(run.text.contains("4 faults in 5 keys"))
        var sound = RDBBytes()
        sound.text("a", "1")
        sound.end()
        sound.bytes[sound.bytes.count - 8] ^= 1
        try sound.write(to: folder.file("sum.rdb"))
        for command in ["json", "keys"] {
            let run = try Program.run([command, "sum.rdb"], in: folder.path)
            #expect(run.status == 65, "\(command)")
            #expect(run.lines.count == 1)
            #expect(run.errors.contains("checksum"))
        }
        try Golden.expect("info-checksum", ["info", "sum.rdb"], in: folder.path)
        try Golden.expect("check-checksum", ["check", "sum.rdb"], in: folder.path)
    }

    @Test("a file that ends too early")
    func cut() throws {
        let folder = try TemporaryFolder()
        try writeFile(folder.file("cut.rdb"), Array(try readFile(Checkout.shop).prefix(1000)))
        try Golden.expect("check-cut", ["check", "cut.rdb"], in: folder.path)
        try Golden.expect("info-cut", ["info", "cut.rdb"], in: folder.path)
        let check = try Program.run(["check", "cut.rdb"], in: folder.path)
        #expect(check.status == 1)
        #expect(check.text.contains("byte 1000 "))
        #expect(try Program.run(["info", "cut.rdb"], in: folder.path).status == 65)
    }

    @Test("several files: each is told of, and one fault decides the status")
    func several() throws {
        let folder = try TemporaryFolder()
        try Damaged().file.write(to: folder.file("damaged.rdb"))
        let run = try Program.run(["check", Checkout.shop, folder.file("damaged.rdb"), Checkout.shop, "--quiet"])
        #expect(run.status == 1)
        #expect(run.errors == "")
        #expect(run.lines.count == 3, "faults only: \(run.text)")
        #expect(run.lines.allSatisfy { $0.hasPrefix(folder.file("damaged.rdb")) })
        #expect(try Program.run(["check", "-q", "shop.rdb"]).text == "")
        let both = try Program.run(["info", "shop.rdb", "shop.rdb"])
        let one = try Program.run(["info", "shop.rdb"])
        #expect(both.text == one.text + "\n" + one.text)
    }

    @Test("a key twice in a database is found with --duplicates")
    func duplicates() throws {
        let folder = try TemporaryFolder()
        var file = RDBBytes()
        file.database(0)
        file.text("a", "1")
        file.text("b", "1")
        file.text("a", "2")
        file.database(1)
        file.text("a", "3")
        file.end()
        try file.write(to: folder.file("a.rdb"))
        #expect(try Program.run(["check", "a.rdb"], in: folder.path).status == 0)
        let run = try Program.run(["check", "a.rdb", "--duplicates"], in: folder.path)
        #expect(run.status == 1)
        #expect(run.text.contains("1 fault in 4 keys"))
        #expect(run.text.contains(#"(db 0, key "a"): "#))
        #expect(try Program.run(["check", "shop.rdb", "--duplicates"]).status == 0)
    }

    @Test("--on-error skip leaves out what does not decode, tells and counts it")
    func skip() throws {
        let folder = try TemporaryFolder()
        try Damaged().file.write(to: folder.file("damaged.rdb"))
        try Golden.expect("json-skip", ["json", "damaged.rdb", "--on-error", "skip"], in: folder.path)
        try Golden.expect("json-stop", ["json", "damaged.rdb"], in: folder.path)
        let run = try Program.run(
            ["json", "damaged.rdb", "--on-error", "skip", "--keys-only", "--meta"], in: folder.path)
        #expect(run.status == 65)
        #expect(run.lines.first?.contains(#""key":"first""#) == true)
        #expect(run.lines.last?.contains(#""key":"last""#) == true)
    }
}
