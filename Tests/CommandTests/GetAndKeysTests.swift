import Testing

@Suite("get and keys")
struct GetAndKeysTests {
    @Test("a key is found in each database, or in the one that is named")
    func databases() throws {
        let run = try Program.run(["get", "shop.rdb", "user:1"])
        #expect(run.status == 0)
        #expect(
            run.lines == [
                #"{"db":0,"key":"user:1","type":"hash","encoding":"listpack","value":{"name":"Anna Müller","email":"anna@example.com","visits":"41"}}"#,
                #"{"db":5,"key":"user:1","type":"string","encoding":"raw","value":"imported 2021"}"#,
            ])
        let one = try Program.run(["get", "shop.rdb", "user:1", "--db", "5"])
        #expect(one.lines == [run.lines[1]])
        let all = try Program.run(["get", "shop.rdb", "user:1", "--db", "0-18446744073709551615"])
        #expect(all.status == 0 && all.lines == run.lines)
        #expect(try Program.run(["get", "shop.rdb", "user:1", "--type", "hash"]).lines == [run.lines[0]])
    }

    @Test("several keys come in the order of the file; one that is missing is told")
    func several() throws {
        let all = try Program.run(["keys", "shop.rdb"]).lines
        let wanted = ["terms", "primes", "counter:2023"]
        let run = try Program.run(["get", "shop.rdb", "--keys-only"] + wanted)
        #expect(run.status == 0)
        #expect(run.lines.count == 3)
        let order = wanted.sorted { all.firstIndex(of: $0)! < all.firstIndex(of: $1)! }
        for (line, key) in zip(run.lines, order) { #expect(line.contains(#""key":"\#(key)""#)) }

        let partly = try Program.run(["get", "shop.rdb", "nothing", "stock:4712", "else"])
        #expect(partly.status == 1)
        #expect(partly.lines == [#"{"db":0,"key":"stock:4712","type":"string","encoding":"int","value":"-3"}"#])
        #expect(partly.errors == "rdbkit: shop.rdb: no key \"else\"\nrdbkit: shop.rdb: no key \"nothing\"\n")
    }

    @Test("a key is taken as it is, not as a pattern; -- ends the options")
    func exact() throws {
        let run = try Program.run(["get", "shop.rdb", "user:*"])
        #expect(run.status == 1)
        #expect(run.text == "")
        #expect(try Program.run(["get", "shop.rdb", "--", "--db"]).errors == "rdbkit: shop.rdb: no key \"--db\"\n")
    }

    @Test(
        "--raw writes a string's bytes and nothing more",
        arguments: [
            ("stock:4711", "1250"), ("page:home:title", "Kaffee & Tee — frisch geröstet ☕"),
            ("terms", String(repeating: "Returned goods are taken back within thirty days. ", count: 12)),
        ])
    func raw(_ key: String, _ value: String) throws {
        let run = try Program.run(["get", "shop.rdb", key, "--raw"])
        #expect(run.status == 0)
        #expect(run.text == value)
        #expect(try Program.run(["get", "-", key, "--raw"], input: .pipe(Checkout.shop)).text == value)
    }

    @Test("--raw of bytes that are no text")
    func rawBytes() throws {
        let run = try Program.run(["get", "shop.rdb", "avatar:7", "--raw"])
        #expect(run.output == [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52])
    }

    @Test("--raw of what is no string, of nothing, of two")
    func rawRefused() throws {
        let hash = try Program.run(["get", "shop.rdb", "catalog", "--raw"])
        #expect(hash.status == 1)
        #expect(hash.text == "")
        #expect(hash.errors == "rdbkit: shop.rdb: the key holds no string; --raw writes strings only\n")
        let missing = try Program.run(["get", "shop.rdb", "x", "--raw"])
        #expect(missing.status == 1)
        #expect(missing.errors == "rdbkit: shop.rdb: no key \"x\"\n")
        #expect(try Program.run(["get", "shop.rdb", "x", "y", "--raw"]).status == 64)
        #expect(try Program.run(["get", "shop.rdb"]).status == 64)
    }

    @Test("keys are bytes: -0 tells those with line ends apart", arguments: ["-0", "--null"])
    func nul(_ option: String) throws {
        var file = RDBBytes()
        file.text("two\nlines", "1")
        file.text("", "2")
        file.entry(0, "end", RDBBytes.string([0xff]))
        file.end()
        let folder = try TemporaryFolder()
        try file.write(to: folder.file("a.rdb"))
        let run = try Program.run(["keys", "a.rdb", option], in: folder.path)
        #expect(run.status == 0)
        #expect(run.output == Array("two\nlines\0\0end\0".utf8))
        #expect(try Program.run(["keys", "a.rdb"], in: folder.path).text == "two\nlines\n\nend\n")
    }
}
