import Testing

@Suite("inputs")
struct InputTests {
    static let commandLines = [
        ["json", "INPUT", "--meta"], ["keys", "INPUT"], ["keys", "INPUT", "--min-elements", "5"],
        ["get", "INPUT", "catalog", "user:1"], ["info", "INPUT", "--json"], ["info", "INPUT"], ["check", "INPUT"],
    ]

    @Test("standard input, a pipe and gzip give the same bytes as the file", arguments: commandLines)
    func sameBytes(_ words: [String]) throws {
        let folder = try TemporaryFolder()
        try writeFile(folder.file("-"), try readFile(Checkout.shop))
        let gzip = try Program.shell("gzip -9 -c '\(Checkout.shop)' > '\(folder.file("any name"))'")
        #expect(gzip.status == 0)
        func run(_ name: String, _ feed: Program.Feed = .nothing) throws -> [UInt8] {
            let run = try Program.run(words.map { $0 == "INPUT" ? name : $0 }, input: feed, in: folder.path)
            #expect(run.status == 0)
            #expect(run.errors == "")
            return run.output
        }
        // Reports name their input, so the file is called "-" as well.
        func named(_ output: [UInt8], _ name: String) -> String {
            String(decoding: output, as: UTF8.self).split(separator: name, omittingEmptySubsequences: false)
                .joined(separator: "-")
        }
        let expected = String(decoding: try run("-", .file(Checkout.shop)), as: UTF8.self)
        #expect(named(try run("./-"), "./-") == expected)
        #expect(String(decoding: try run("-", .pipe(Checkout.shop)), as: UTF8.self) == expected)
        #expect(named(try run("any name"), "any name") == expected)
        #expect(String(decoding: try run("-", .file(folder.file("any name"))), as: UTF8.self) == expected)
        #expect(String(decoding: try run("-", .pipe(folder.file("any name"))), as: UTF8.self) == expected)
    }

    @Test("the number of threads changes nothing but the time", arguments: ["json", "keys", "info", "check"])
    func threads(_ command: String) throws {
        let folder = try TemporaryFolder()
        var file = RDBBytes()
        for index in 0..<50_000 {
            if index % 1000 == 0 { file.database(index / 1000) }
            switch index % 4 {
            case 0: file.text("text:\(index)", String(repeating: "value ", count: index % 50))
            case 1: file.entry(16, "hash:\(index)", RDBBytes.string(RDBBytes.listpack(["field", "\(index)"])))
            case 2: file.entry(1, "list:\(index)", [2] + RDBBytes.string("a") + RDBBytes.string("b"))
            // A compressed string that is damaged.
            default:
                file.entry(0, "bad:\(index)", index % 5000 == 3 ? [0xc3, 4, 8, 0xe0, 0x50, 0x50, 0x50] : [1, 0x41])
            }
        }
        file.end(checksum: false)
        try file.write(to: folder.file("a.rdb"))
        let options = command == "check" ? [] : ["--on-error", "skip"]
        let one = try Program.run([command, "a.rdb", "--threads", "1"] + options, in: folder.path)
        #expect([0, 1, 65].contains(one.status))
        for count in ["2", "3", "6"] {
            for input in [Program.Feed.file(folder.file("a.rdb")), .pipe(folder.file("a.rdb"))] {
                let run = try Program.run([command, "-", "--threads", count] + options, input: input, in: folder.path)
                #expect(run.status == one.status)
                let text = run.text.split(separator: "\n").map { line in
                    line.hasPrefix("-") ? "a.rdb\(line.dropFirst())" : String(line)
                }
                #expect(text == one.text.split(separator: "\n").map { String($0) })
                #expect(run.errors.split(separator: "\n").count == one.errors.split(separator: "\n").count)
            }
        }
    }

    @Test("several inputs come one after another; a bad one does not keep the next from being read")
    func several() throws {
        let one = try Program.run(["keys", "shop.rdb", "--db", "5"])
        let run = try Program.run(["keys", "shop.rdb", "nowhere.rdb", "make.sh", "shop.rdb", "--db", "5"])
        #expect(run.output == one.output + one.output)
        #expect(
            run.errors == """
                rdbkit: nowhere.rdb: cannot read: No such file or directory
                rdbkit: make.sh: byte 0: not an RDB file: expected an RDB file (REDIS or VALKEY and a version), plain or in gzip

                """)
        #expect(run.status == 66, "what went wrong first")
    }

    @Test("a file without a checksum, and one of the first version")
    func old() throws {
        let folder = try TemporaryFolder()
        var file = RDBBytes(magic: "REDIS0001")
        file.database(0)
        file.text("a", "1")
        file.bytes.append(0xff)
        try file.write(to: folder.file("first.rdb"))
        #expect(try Program.run(["keys", "first.rdb"], in: folder.path).text == "a\n")
        var modern = RDBBytes()
        modern.text("a", "1")
        modern.end(checksum: false)
        try modern.write(to: folder.file("absent.rdb"))
        let run = try Program.run(["check", "absent.rdb"], in: folder.path)
        #expect(run.status == 0)
        #expect(run.text.contains("checksum absent"))
    }

    @Test("a version that is not known is told once and read", arguments: ["REDIS0099", "VALKEY999"])
    func unknownVersion(_ magic: String) throws {
        let folder = try TemporaryFolder()
        var file = RDBBytes(magic: magic)
        file.text("a", "1")
        file.text("b", "2")
        file.end()
        try file.write(to: folder.file("new.rdb"))
        for command in ["json", "keys", "info", "check"] {
            let run = try Program.run([command, "new.rdb"], in: folder.path)
            #expect(run.status == 0, "\(command)")
            #expect(
                run.errors == "rdbkit: new.rdb: \(magic) is newer than this release knows; reading on\n", "\(command)")
        }
        let quiet = try Program.run(["keys", "-q", "new.rdb"], in: folder.path)
        #expect(quiet.text == "a\nb\n")
        #expect(quiet.errors == "")
    }

    @Test("what stands behind the end is told; check counts it as a fault")
    func trailing() throws {
        let folder = try TemporaryFolder()
        var file = RDBBytes()
        file.text("a", "1")
        file.end()
        let end = file.bytes.count
        file.bytes += Array("extra".utf8)
        try file.write(to: folder.file("a.rdb"))
        let keys = try Program.run(["keys", "a.rdb"], in: folder.path)
        #expect(keys.status == 0)
        #expect(keys.text == "a\n")
        #expect(keys.errors == "rdbkit: a.rdb: 5 bytes follow the end of the RDB at byte \(end) and are not read\n")
        let check = try Program.run(["check", "a.rdb"], in: folder.path)
        #expect(check.status == 1)
        #expect(check.text.contains("byte \(end): "))
    }

    @Test(
        "what is no RDB file",
        arguments: [
            ("", 65), ("REDIS", 65), ("REDISabcd", 65), ("*1\r\n$4\r\nPI", 65), ("{\"db\":0}\n", 65),
            ("hello", 65),
            ("\u{1f}", 65), ("VALKEY", 65),
        ])
    func other(_ content: String, _ status: Int32) throws {
        let folder = try TemporaryFolder()
        try writeFile(folder.file("a"), Array(content.utf8))
        for command in ["json", "keys", "info"] {
            let run = try Program.run([command, "a"], in: folder.path)
            #expect(run.status == status)
            // Of a log that ends within its first command there is a state, with nothing in it.
            #expect(run.text == "" || command == "info" && content.hasPrefix("*"))
            #expect(run.errors.hasPrefix("rdbkit: a: byte "), "\(run.errors)")
        }
    }
}
