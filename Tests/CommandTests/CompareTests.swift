import Glibc
import Testing

/// `verify` and `diff`: what they say, and what they leave behind.
@Suite("verify and diff")
struct CompareTests {
    /// Two files with a difference of each kind that people meet.
    private static func pair() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        func hash(_ pairs: [String]) -> [UInt8] {
            RDBBytes.length(pairs.count / 2) + pairs.flatMap { RDBBytes.string($0) }
        }
        func list(_ texts: [String]) -> [UInt8] { RDBBytes.length(texts.count) + texts.flatMap { RDBBytes.string($0) } }
        var a = RDBBytes()
        a.bytes += [0xf5] + RDBBytes.string("#!lua name=old\n") + [0xf5] + RDBBytes.string("#!lua name=both\nreturn 1")
        a.text("app:kept", "1")
        a.text("app:gone", "\u{1b}[31mred")
        a.text("text", String(repeating: "x", count: 300))
        a.entry(4, "user:1", hash(["name", "Ann", "age", "30"]))
        a.entry(1, "queue", list(["a", "b", "c", "d"]))
        a.entry(2, "tags", list(["x", "y"]))
        a.database(2)
        a.text("kind", "text")
        a.end()
        try a.write(to: folder.file("a.rdb"))
        var b = RDBBytes()
        b.bytes += [0xf5] + RDBBytes.string("#!lua name=both\nreturn 2")
        b.bytes += [0xfc] + (0..<8).map { UInt8(truncatingIfNeeded: UInt64(1_800_000_000_123) >> ($0 * 8)) }
        b.entry(2, "tags", list(["y", "x"]))
        b.entry(1, "queue", list(["b", "c", "D", "e"]))
        b.entry(4, "user:1", hash(["city", "Rome", "age", "31"]))
        b.text("text", String(repeating: "x", count: 99) + "yy" + String(repeating: "x", count: 199))
        b.text("app:new", "2")
        b.text("app:kept", "1")
        b.database(2)
        b.entry(2, "kind", list(["text"]))
        b.end()
        try b.write(to: folder.file("b.rdb"))
        return folder
    }

    @Test("what people see")
    func people() throws {
        let folder = try Self.pair()
        let run = try Program.run(["diff", "a.rdb", "b.rdb"], in: folder.path)
        #expect(run.status == 1)
        #expect(run.errors == "")
        #expect(
            run.text == #"""
                ~ function library "both" (lua)
                - function library "old" (lua)
                - 0 string "app:gone" "\x1b[31mred"
                + 0 string "app:new" "2"
                ~ 0 list "queue"
                    - element 0: "a"
                    ~ element 3 → 2: "d" → "D"
                    + element 3: "e"
                ~ 0 set "tags"
                    ~ expiry: none → 2027-01-15T08:00:00.123Z
                ~ 0 string "text"
                    ~ bytes 99 to 101 of 300: "xx" → "yy"
                ~ 0 hash "user:1"
                    ~ field "age": "30" → "31"
                    + field "city": "Rome"
                    - field "name": "Ann"
                - 2 string "kind" "text"
                + 2 set "kind" (1 member)

                """#)
        let keys = try Program.run(["diff", "a.rdb", "b.rdb", "--keys-only", "--color", "always"], in: folder.path)
        #expect(
            keys.text == """
                \u{1b}[33m~ function library "both" (lua)\u{1b}[0m
                \u{1b}[31m- function library "old" (lua)\u{1b}[0m
                \u{1b}[31m- 0 string "app:gone"\u{1b}[0m
                \u{1b}[32m+ 0 string "app:new"\u{1b}[0m
                \u{1b}[33m~ 0 list "queue"\u{1b}[0m
                \u{1b}[33m~ 0 set "tags"\u{1b}[0m
                \u{1b}[33m~ 0 string "text"\u{1b}[0m
                \u{1b}[33m~ 0 hash "user:1"\u{1b}[0m
                \u{1b}[33m~ 2 string "kind" → set\u{1b}[0m

                """)
        let stat = try Program.run(["diff", "--stat", "a.rdb", "b.rdb"], in: folder.path)
        #expect(
            stat.text == """
                different: 1 only in a.rdb, 1 only in b.rdb, 5 changed, 1 same

                db  type    only A  only B  changed  same
                 0  string       1       1        1     1
                 0  list         0       0        1     0
                 0  set          0       0        1     0
                 0  hash         0       0        1     0
                 2  string       0       0        1     0
                function library both (lua): changed
                function library old (lua): only in a.rdb

                prefix   only A  only B  changed
                (none)        0       0        4
                "app:"        1       1        0
                "user:"       0       0        1

                """)
    }

    @Test("what machines see")
    func machines() throws {
        let folder = try Self.pair()
        let run = try Program.run(["diff", "--format", "json", "a.rdb", "b.rdb", "--not-key", "text"], in: folder.path)
        #expect(run.status == 1)
        #expect(
            run.text == #"""
                {"change":"removed","what":"key","db":0,"key":"app:gone","type":"string","encoding":"raw","value":"\u001b[31mred"}
                {"change":"added","what":"key","db":0,"key":"app:new","type":"string","encoding":"raw","value":"2"}
                {"change":"removed","what":"element","db":0,"key":"queue","type":"list","a_index":0,"a":"a"}
                {"change":"changed","what":"element","db":0,"key":"queue","type":"list","a_index":3,"b_index":2,"a":"d","b":"D"}
                {"change":"added","what":"element","db":0,"key":"queue","type":"list","b_index":3,"b":"e"}
                {"change":"changed","what":"expiry","db":0,"key":"tags","type":"set","a":null,"b":1800000000123}
                {"change":"changed","what":"field","db":0,"key":"user:1","type":"hash","field":"age","a":"30","b":"31"}
                {"change":"added","what":"field","db":0,"key":"user:1","type":"hash","field":"city","b":"Rome"}
                {"change":"removed","what":"field","db":0,"key":"user:1","type":"hash","field":"name","a":"Ann"}
                {"change":"removed","what":"key","db":2,"key":"kind","type":"string","encoding":"raw","value":"text"}
                {"change":"added","what":"key","db":2,"key":"kind","type":"set","encoding":"hashtable","value":["text"]}

                """#)
        let keys = try Program.run(
            ["diff", "--format", "json", "--keys-only", "a.rdb", "b.rdb", "--db", "2"], in: folder.path)
        #expect(
            keys.text == #"{"change":"changed","what":"key","db":2,"key":"kind","type":"string","b_type":"set"}"# + "\n"
        )
        let verify = try Program.run(
            ["verify", "--format", "json", "a.rdb", "b.rdb", "--type", "string"], in: folder.path)
        #expect(verify.status == 1)
        #expect(
            verify.text == #"{"same_data":false,"a":"a.rdb","b":"b.rdb","whole":true,"sample":false,"#
                + #""keys":{"only_a":2,"only_b":1,"changed":1,"same":1},"by_db_and_type":["#
                + #"{"db":0,"type":"string","only_a":1,"only_b":1,"changed":1,"same":1},"#
                + #"{"db":2,"type":"string","only_a":1,"only_b":0,"changed":0,"same":0}],"#
                + #""same_functions":0,"functions":[],"duplicates_a":0,"duplicates_b":0}"# + "\n")
        let commands = try Program.run(["diff", "--format", "resp", "a.rdb", "b.rdb"], in: folder.path)
        #expect(commands.status == 1)
        // The default target has no functions.
        #expect(commands.errors.contains("2 function libraries left out"))
        let words = commands.text.split(separator: "\r\n").filter { !$0.hasPrefix("*") && !$0.hasPrefix("$") }
        #expect(
            words.map { $0.count > 200 ? "LONG" : String($0) } == [
                "SELECT", "0", "DEL", "app:gone", "SET", "app:new", "2",
                "LSET", "queue", "0", "rdbkit:removed:0", "LSET", "queue", "3", "D", "RPUSH", "queue", "e",
                "LREM", "queue", "0", "rdbkit:removed:0", "PEXPIREAT", "tags", "1800000000123",
                "DEL", "text", "SET", "text", "LONG",
                "HSET", "user:1", "age", "31", "HSET", "user:1", "city", "Rome", "HDEL", "user:1", "name",
                "SELECT", "2", "DEL", "kind", "SADD", "kind", "text",
            ])
    }

    @Test("the same data is the same, however it is stored and delivered")
    func same() throws {
        let folder = try Self.pair()
        let path = Checkout.shop
        for words in [["verify"], ["diff"], ["diff", "--format", "json"], ["diff", "--format", "resp"]] {
            let run = try Program.run(words + [path, "-"], input: .pipe(path), in: folder.path)
            #expect(run.status == 0 && run.errors == "")
            #expect(run.text == (words == ["verify"] ? "same: 33 keys, 1 function library\n" : ""))
        }
        let zipped = try Program.shell("gzip -c '\(path)' > b.gz && rdbkit verify - b.gz < '\(path)'", in: folder.path)
        #expect(zipped.text == "same: 33 keys, 1 function library\n")
        // A pipe is read again for the differences.
        let file = try Program.run(["diff", "a.rdb", "b.rdb"], in: folder.path)
        for (line, feed) in [
            (["-", "b.rdb"], Program.Feed.pipe(folder.file("a.rdb"))), (["a.rdb", "-"], .pipe(folder.file("b.rdb"))),
            (["a.rdb", "-"], .file(folder.file("b.rdb"))),
        ] {
            let run = try Program.run(["diff"] + line, input: feed, in: folder.path)
            #expect(run.status == 1)
            #expect(run.text == file.text)
        }
        // Pipes by name, as shells make them of <(command): there is no second time to read them.
        for words in ["verify", "diff"] {
            let named = try Program.shell(
                "mkfifo p q && { cat a.rdb > p & cat b.rdb > q & rdbkit \(words) p q; status=$?; rm p q; exit $status; }",
                in: folder.path)
            #expect(named.status == 1)
            let plain = try Program.run([words, "a.rdb", "b.rdb"], in: folder.path)
            #expect(named.text == plain.text.replacing("a.rdb", with: "p").replacing("b.rdb", with: "q"))
        }
        let both = try Program.shell("gzip a.rdb b.rdb && rdbkit diff a.rdb.gz b.rdb.gz", in: folder.path)
        #expect(both.text == file.text)
    }

    @Test("what is left out does not differ")
    func ignored() throws {
        let folder = try Self.pair()
        #expect(try Program.run(["verify", "a.rdb", "b.rdb", "--key", "tags"], in: folder.path).status == 1)
        #expect(
            try Program.run(["verify", "a.rdb", "b.rdb", "--key", "tags", "--ignore", "expiry"], in: folder.path).status
                == 0)
        #expect(
            try Program.run(["verify", "a.rdb", "b.rdb", "--key", "app:kept"], in: folder.path).text == "same: 1 key\n")
        let sample = try Program.run(["verify", Checkout.shop, Checkout.shop, "--sample", "30%"])
        #expect(sample.status == 0)
        #expect(sample.text.contains(" of a sample"))
        for words in [
            ["verify", "-", "-"], ["verify", "a.rdb"], ["diff", "a.rdb", "b.rdb", "--limit", "3"],
            ["diff", "a.rdb", "b.rdb", "--stat", "--keys-only"], ["diff", "a.rdb", "b.rdb", "--target", "redis-7.0"],
            ["verify", "a.rdb", "b.rdb", "--memory", "1MiB"], ["verify", "a.rdb", "b.rdb", "--expiry-tolerance", "x"],
        ] {
            #expect(try Program.run(words, in: folder.path).status == 64, "\(words)")
        }
    }

    // MARK: - What goes wrong

    @Test("damage is told with its side and place, and never called the same", arguments: ["a.rdb", "b.rdb"])
    func damage(_ name: String) throws {
        let folder = try TemporaryFolder()
        var sound = RDBBytes()
        sound.text("first", "1")
        sound.text("last", "2")
        sound.end()
        try sound.write(to: folder.file("a.rdb"))
        try sound.write(to: folder.file("b.rdb"))
        var broken = RDBBytes()
        broken.text("first", "1")
        broken.entry(16, "hash", RDBBytes.string(RDBBytes.listpack(["field"])))
        broken.text("last", "2")
        broken.end()
        try broken.write(to: folder.file(name))
        for words in [["verify"], ["diff"], ["diff", "--stat"], ["diff", "--format", "resp"]] {
            let run = try Program.run(words + ["a.rdb", "b.rdb"], in: folder.path)
            #expect(run.status == 65)
            #expect(run.text == "", "\(words)")
            #expect(run.errors.contains("\(name): byte ") && run.errors.contains(#"(db 0, key "hash")"#))
            let skipping = try Program.run(words + ["a.rdb", "b.rdb", "--on-error", "skip"], in: folder.path)
            #expect(skipping.status == 65)
            #expect(!skipping.text.contains("same:"))
            #expect(skipping.errors.contains("\(name): 1 value left out"))
        }
        let text = try Program.run(["verify", "a.rdb", "b.rdb", "--on-error", "skip"], in: folder.path).text
        #expect(text == "no difference in what could be read: 2 keys\n")
        let json = try Program.run(
            ["verify", "a.rdb", "b.rdb", "--on-error", "skip", "--format", "json"], in: folder.path)
        #expect(json.text.hasPrefix(#"{"same_data":null,"#) && json.text.contains(#""whole":false"#))
        // Cut off anywhere.
        for count in stride(from: 0, to: sound.bytes.count, by: 3) {
            try writeFile(folder.file(name), Array(sound.bytes.prefix(count)))
            let run = try Program.run(["verify", "a.rdb", "b.rdb"], in: folder.path)
            #expect(run.status == 65)
            #expect(run.text == "" && run.errors.contains(name))
        }
        #expect(try Program.run(["verify", "a.rdb", "nowhere.rdb"], in: folder.path).status != 0)
    }

    /// Keys of 12 bytes, values of 20: `count` of them, every thousandth of which differs between the two files.
    private static func many(_ count: Int, _ folder: TemporaryFolder) throws {
        for name in ["a.rdb", "b.rdb"] {
            let writer = try FileWriter(folder.file(name))
            try writer.append(Array("REDIS0011".utf8))
            for number in 0..<count {
                // Each file in an order of its own.
                let index = name == "a.rdb" ? number : (number &* 7919 + 13) % count
                let mark = name == "b.rdb" && index % 1000 == 0 ? "x" : "y"
                let digits = String(10_000_000 + index)
                try writer.append([0] + RDBBytes.string("key:\(digits)") + RDBBytes.string("value \(digits) \(mark)"))
            }
            try writer.append([0xff] + Array(repeating: 0, count: 8))
            try writer.flush()
        }
    }

    @Test("memory follows --memory and not the files, which are compared all the same")
    func memory() throws {
        let folder = try TemporaryFolder()
        // 800 000 records of 40 bytes: more than twice what 16 MiB hold.
        try Self.many(400_009, folder)
        // Files are tallied first, and then only few keys recorded; of a pipe there are records of all at once.
        for (input, a) in [(Program.Feed.nothing, "a.rdb"), (.pipe(folder.file("a.rdb")), "-")] {
            for words in [["verify"], ["diff", "--keys-only"]] {
                let run = try Program.run(
                    words + [a, "b.rdb", "--memory", "16MiB", "--tmp", folder.path, "--threads", "2"], input: input,
                    in: folder.path)
                #expect(run.status == 1)
                #expect(run.peakKiB > 0 && run.peakKiB < 48 << 10, "\(words): \(run.peakKiB) KiB")
                if words == ["verify"] {
                    #expect(
                        run.text.contains("0 only in b.rdb, 401 changed, 399608 same\n")
                            && run.text.hasPrefix("different: 0 only in "))
                } else {
                    #expect(run.lines.count == 401)
                    #expect(
                        run.lines.first == #"~ 0 string "key:10000000""#
                            && run.lines.last == #"~ 0 string "key:10400000""#)
                }
                #expect(folder.names == ["a.rdb", "b.rdb"])
            }
        }
    }

    @Test("values of many elements are compared without being held")
    func largeValues() throws {
        let folder = try TemporaryFolder()
        for name in ["a.rdb", "b.rdb"] {
            let isB = name == "b.rdb"
            let writer = try FileWriter(folder.file(name))
            try writer.append(Array("REDIS0011".utf8) + [4] + RDBBytes.string("hash"))
            // 300 000 fields of some 50 bytes, in an order of their own; some changed.
            try writer.append(RDBBytes.length(300_007))
            for number in 0..<300_007 {
                let index = isB ? (number &* 7919 + 13) % 300_007 : number
                try writer.append(RDBBytes.string("field:\(1_000_000 + index)"))
                try writer.append(RDBBytes.string("the value number \(index)\(isB && index % 100_000 == 7 ? "!" : "")"))
            }
            // 30 000 elements, for which this memory is enough to find the fewest edits; one goes, one comes, one changes.
            try writer.append([1] + RDBBytes.string("list") + RDBBytes.length(30_000))
            for index in 0..<30_000 {
                if isB, index == 500 { continue }
                if isB, index == 20_000 { try writer.append(RDBBytes.string("new")) }
                try writer.append(RDBBytes.string(isB && index == 25_000 ? "changed" : "element \(index)"))
            }
            try writer.append([0xff] + Array(repeating: 0, count: 8))
            try writer.flush()
        }
        let run = try Program.run(
            ["diff", "a.rdb", "b.rdb", "--memory", "16MiB", "--threads", "2"], in: folder.path)
        #expect(run.status == 1)
        #expect(
            run.text == #"""
                ~ 0 hash "hash"
                    ~ field "field:1000007": "the value number 7" → "the value number 7!"
                    ~ field "field:1100007": "the value number 100007" → "the value number 100007!"
                    ~ field "field:1200007": "the value number 200007" → "the value number 200007!"
                ~ 0 list "list"
                    - element 500: "element 500"
                    + element 19999: "new"
                    ~ element 25000: "element 25000" → "changed"

                """#)
        #expect(run.peakKiB > 0 && run.peakKiB < 48 << 10, "\(run.peakKiB) KiB")
    }

    @Test("a temporary folder that is full, or is none, is told")
    func fullFolder() throws {
        let folder = try TemporaryFolder()
        try Self.many(300_007, folder)
        // No file may grow beyond 1 MiB: 512-byte blocks in sh.
        let run = try Program.shell(
            "trap '' XFSZ; ulimit -f 2048; cat a.rdb | rdbkit verify - b.rdb --memory 16MiB --tmp .", in: folder.path)
        #expect(run.status == 74)
        #expect(run.text == "")
        #expect(run.errors == "rdbkit: temporary file in .: File too large; --tmp names another folder\n")
        let none = try Program.run(
            ["verify", "-", "b.rdb", "--memory", "16MiB", "--tmp", "/nowhere"], input: .pipe(folder.file("a.rdb")),
            in: folder.path)
        #expect(none.status == 74)
        #expect(none.errors.contains("temporary file in /nowhere: No such file or directory"))
        #expect(folder.names == ["a.rdb", "b.rdb"])
    }

    @Test("interrupted or killed, nothing stays behind", arguments: [SIGINT, SIGKILL])
    func interrupted(_ signal: Int32) throws {
        let folder = try TemporaryFolder()
        try Self.many(400_009, folder)
        var caughtCount = 0
        for (delay, input, a) in [
            (useconds_t(20_000), Program.Feed.nothing, "a.rdb"), (100_000, .nothing, "a.rdb"),
            (20_000, .pipe(folder.file("a.rdb")), "-"), (100_000, .pipe(folder.file("a.rdb")), "-"),
        ] {
            let child = try Child(
                [Program.path, "diff", a, "b.rdb", "--memory", "16MiB", "--tmp", folder.path, "-o", "out"],
                input: input, in: folder.path)
            usleep(delay)
            child.send(signal)
            let run = try child.end(seconds: 60)
            if run.status == 1 {
                // Done before the signal came.
                _ = unlink(folder.file("out"))
            } else {
                caughtCount += 1
                #expect(run.status == (signal == SIGINT ? 130 : 128 + SIGKILL))
            }
            // A killed program cannot remove its unfinished output; its temporary files have no names.
            #expect(folder.names.filter { signal == SIGINT || !$0.hasPrefix("out.rdbkit-") } == ["a.rdb", "b.rdb"])
        }
        #expect(caughtCount > 0)
    }
}
