import Glibc
import Testing

/// Logs put together by hand.
enum Log {
    static func command(_ words: String...) -> [UInt8] { command(words.map { Array($0.utf8) }) }

    static func command(_ arguments: [[UInt8]]) -> [UInt8] {
        var bytes = Array("*\(arguments.count)\r\n".utf8)
        for argument in arguments { bytes += Array("$\(argument.count)\r\n".utf8) + argument + [13, 10] }
        return bytes
    }

    static func time(_ seconds: Int) -> [UInt8] { Array("#TS:\(seconds)\r\n".utf8) }

    /// Two batches in two databases, a group, and bytes that are no text.
    static let small =
        time(1_700_000_000) + command("SELECT", "0") + command("SET", "user:1", "Müller") + command("MULTI")
        + command("RPUSH", "queue:a", "1", "2") + command("DEL", "user:1", "user:2") + command("EXEC")
        + time(1_700_000_060) + command("SELECT", "3")
        + command([Array("SET".utf8), [0xff, 0x00], Array(repeating: 0x41, count: 40)]) + command("INCR", "user:7")

    static func folder(
        _ manifest: String, _ files: [(name: String, bytes: [UInt8])]
    ) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try check(mkdir(folder.file("aof"), 0o755), "mkdir")
        try writeFile(folder.file("aof/a.manifest"), Array(manifest.utf8))
        for file in files { try writeFile(folder.file("aof/\(file.name)"), file.bytes) }
        return folder
    }

    /// A base, two incremental files and one that is history.
    static func parts(last: [UInt8]) throws -> TemporaryFolder {
        var base = RDBBytes()
        base.text("k", "v")
        base.end()
        return try folder(
            """
            file a.1.base.rdb seq 1 type h
            file a.2.base.rdb seq 2 type b
            file "a 1.incr.aof" seq 1 type i
            file a.2.incr.aof seq 2 type i endoffset 100

            """,
            [
                (name: "a.2.base.rdb", bytes: base.bytes),
                (name: "a 1.incr.aof", bytes: command("SELECT", "2") + command("SET", "a", "1")),
                (name: "a.2.incr.aof", bytes: last),
            ])
    }
}

@Suite("commands on logs")
struct AOFCommandTests {
    private func folder(_ bytes: [UInt8] = Log.small) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try writeFile(folder.file("a.aof"), bytes)
        return folder
    }

    @Test("layout of all forms")
    func layout() throws {
        let small = try folder()
        try Golden.expect("aof-list", ["aof", "list", "a.aof"], in: small.path)
        try Golden.expect("aof-list-hex", ["aof", "list", "a.aof", "--strings", "hex", "--db", "3"], in: small.path)
        try Golden.expect("aof-stats", ["aof", "stats", "a.aof", "--top", "3"], in: small.path)
        try Golden.expect(
            "aof-stats-json", ["aof", "stats", "a.aof", "--format", "json", "--top", "3"], in: small.path)
        try Golden.expect("aof-stats-csv", ["aof", "stats", "a.aof", "--format", "csv", "--top", "3"], in: small.path)
        let parts = try Log.parts(last: Log.small + Array("*3\r\n$3\r\nSET".utf8))
        for format in ["text", "json", "csv"] {
            try Golden.expect("aof-check-\(format)", ["aof", "check", "aof", "--format", format], in: parts.path)
        }
        try Golden.expect("aof-repair", ["aof", "repair", "aof", "-o", "out"], in: parts.path)
        try Golden.expect("aof-repaired", ["check", "out"], in: parts.path)
        try Golden.expect(
            "aof-cut", ["aof", "cut", "aof", "--at-offset", "a 1.incr.aof:30", "-o", "cut"], in: parts.path)
    }

    /// Worked out by hand from `Log.small`.
    @Test("what a log holds")
    func list() throws {
        let folder = try folder()
        func lines(_ options: String...) throws -> [String] {
            let run = try Program.run(["aof", "list", "a.aof"] + options, in: folder.path)
            #expect(run.status == 0)
            return run.lines
        }
        let all = try lines()
        #expect(
            all[1]
                == #"{"file":"a.aof","offset":39,"db":0,"time":1700000000,"command":"SET","args":["user:1","Müller"]}"#)
        #expect(all.count == 9)
        #expect(try lines("--key", "user:[12]") == [all[1], all[4]])
        #expect(try lines("--command", "set", "--command", "incr") == [all[1], all[7], all[8]])
        #expect(try lines("--db", "3") == Array(all[6...]))
        #expect(try lines("--after", "1700000000") == Array(all[6...]))
        #expect(try lines("--before", "2023-11-14T22:14:00Z") == Array(all[..<6]))
        #expect(try lines("--before", "1700000000") == [])
        #expect(try lines("--limit", "2", "--db", "0") == Array(all[..<2]))
        #expect(try lines("--limit", "0") == [])
        let third = try #require(all[3].firstMatch(of: /"offset":([0-9]+)/)?.1)
        #expect(try lines("--after-offset", String(third)) == Array(all[4...]))
        #expect(try lines("--before-offset", String(third)) == Array(all[..<3]))
    }

    @Test(
        "which arguments are keys",
        arguments: [
            (["MSET", "a", "x", "b", "y"], ["a", "b"], ["x", "y"]), (["DEL", "a", "b"], ["a", "b"], ["DEL"]),
            (["EVAL", "s", "2", "a", "b", "x"], ["a", "b"], ["x", "s"]), (["eval", "s", "9", "a"], ["a"], ["s"]),
            (["EVAL", "s", "x", "a"], [], ["a", "s"]), (["EVAL", "s", "-1", "a"], [], ["a"]),
            (["ZUNIONSTORE", "d", "2", "a", "b", "WEIGHTS", "1", "2"], ["d", "a", "b"], ["WEIGHTS", "1"]),
            (["SORT", "a", "BY", "store", "GET", "store", "STORE", "d"], ["a", "d"], ["GET", "store", "BY"]),
            (["SORT", "a", "LIMIT", "0", "store", "ALPHA"], ["a"], ["store", "ALPHA", "0"]),
            (["GEORADIUS", "a", "1", "2", "3", "m", "STOREDIST", "d"], ["a", "d"], ["m"]),
            (["BITOP", "AND", "d", "a"], ["d", "a"], ["AND"]),
            (["XGROUP", "CREATE", "a", "g", "$"], ["a"], ["CREATE"]),
            (["XREADGROUP", "GROUP", "g", "c", "STREAMS", "a", "b", ">", ">"], ["a", "b"], [">", "g"]),
            (["MSETEX", "2", "a", "x", "b", "y", "PXAT", "1"], ["a", "b"], ["x", "y", "PXAT"]),
            (["BLPOP", "a", "b", "0"], ["a", "b"], ["0"]), (["COPY", "a", "b", "DB", "1"], ["a", "b"], ["DB"]),
            (["MIGRATE", "h", "1", "", "0", "9", "KEYS", "a", "b"], ["a", "b"], ["h", ""]),
            (["MIGRATE", "h", "1", "a", "0", "9"], ["a"], ["h"]), (["FLUSHALL"], [], ["FLUSHALL"]),
            (["JSON.SET", "a", "$", "1"], ["a"], ["$"]),
            (["JSON.MSET", "a", "$", "1", "b", "$", "2"], ["a", "b"], ["$"]),
            (["FROB", "a"], [], ["a"]), (["SET"], [], ["SET"]), (["ZADD", "a", "1", "m"], ["a"], ["m"]),
        ] as [([String], [String], [String])])
    func keys(_ words: [String], _ keys: [String], _ others: [String]) throws {
        let folder = try folder(Log.command(words.map { Array($0.utf8) }))
        func isListed(_ key: String) throws -> Bool {
            // Every character for itself.
            let glob = key.map { "\\\($0)" }.joined()
            return try !Program.run(["aof", "list", "a.aof", "--key", glob], in: folder.path).output.isEmpty
        }
        for key in keys { #expect(try isListed(key), "\(key)") }
        for other in others { #expect(try !isListed(other), "\(other)") }
    }

    @Test("each prefix: whole commands are listed, and the fault is told; repair keeps them")
    func prefixes() throws {
        let commands = [
            Log.command("SET", "a", "1"), Log.command("MULTI"), Log.command("DEL", "a"), Log.command("EXEC"),
            Log.command("SET", "b", "2"),
        ]
        let bytes = commands.flatMap { $0 }
        let ends = commands.indices.map { commands[...$0].reduce(0) { $0 + $1.count } }
        for count in stride(from: 0, through: bytes.count, by: 3) {
            let folder = try folder(Array(bytes.prefix(count)))
            let whole = ends.count { $0 <= count }
            let list = try Program.run(["aof", "list", "a.aof"], in: folder.path)
            #expect(list.lines.count == whole)
            let isBetween = count == 0 || ends.contains(count)
            #expect(list.status == (isBetween ? 0 : 65))
            let safe = count >= ends[4] ? ends[4] : count >= ends[3] ? ends[3] : count >= ends[0] ? ends[0] : 0
            let check = try Program.run(["aof", "check", "a.aof"], in: folder.path)
            #expect(check.status == (safe == count ? 0 : 1))
            let repair = try Program.run(["aof", "repair", "a.aof", "-o", "b.aof"], in: folder.path)
            #expect(repair.status == 0)
            #expect(try readFile(folder.file("b.aof")) == Array(bytes.prefix(safe)))
        }
    }

    @Test("manifests and their files")
    func manifests() throws {
        let parts = try Log.parts(last: Log.small)
        let names = try Program.run(["aof", "list", "aof"], in: parts.path).lines.compactMap {
            $0.firstMatch(of: /"file":"([^"]*)"/).map { String($0.1) }
        }
        #expect(names == Array(repeating: "a 1.incr.aof", count: 2) + Array(repeating: "a.2.incr.aof", count: 9))
        #expect(try Program.run(["aof", "check", "aof/a.manifest"], in: parts.path).status == 0)
        #expect(try Program.run(["check", "a.manifest"], in: parts.file("aof")).status == 0)
        // A missing file has its name told: a finding for check, no input for the others.
        try check(unlink(parts.file("aof/a 1.incr.aof")), "unlink")
        let list = try Program.run(["aof", "list", "aof"], in: parts.path)
        #expect(list.status == 66)
        #expect(list.errors == "rdbkit: aof/a 1.incr.aof: cannot read: No such file or directory\n")
        let check = try Program.run(["aof", "check", "aof"], in: parts.path)
        #expect(check.status == 1)
        #expect(check.text.contains("aof/a 1.incr.aof: cannot read: No such file or directory\n"))
        #expect(check.text.contains("servers refuse it"))
        #expect(try Program.run(["aof", "repair", "aof", "-o", "out"], in: parts.path).status == 66)

        for (manifest, words) in [
            ("file ../a seq 1 type i\n", "the name of a file, not a path"), ("file a seq 1 type b", "a line feed"),
            ("file a seq 1 type i\nfile b seq 1 type i\n", "a higher seq"), ("", "at least one line"),
        ] {
            let folder = try Log.folder(manifest, [])
            let run = try Program.run(["aof", "check", "aof"], in: folder.path)
            #expect(run.status == 65)
            #expect(
                run.errors.hasPrefix("rdbkit: aof/a.manifest: byte ") && run.errors.contains(words), "\(run.errors)")
        }
        let none = try TemporaryFolder()
        #expect(try Program.run(["aof", "check", "."], in: none.path).status == 65)
        let comments = try Log.folder("# nothing\n", [])
        #expect(try Program.run(["aof", "check", "aof"], in: comments.path).status == 0)
        #expect(try Program.run(["aof", "repair", "aof", "-o", "out"], in: comments.path).status == 65)
    }

    @Test("damage in a file that is not the last is told and not repaired")
    func earlierFile() throws {
        let parts = try Log.parts(last: Log.small)
        try writeFile(parts.file("aof/a 1.incr.aof"), Log.command("SELECT", "2") + Array("*3\r\n".utf8))
        let check = try Program.run(["aof", "check", "aof"], in: parts.path)
        #expect(check.status == 1)
        #expect(check.text.contains("aof/a 1.incr.aof: byte 27: truncated"))
        #expect(check.text.contains("aof/a.2.incr.aof: 9 commands, 1 transaction"))
        #expect(check.text.contains("servers refuse it; to cut the last file does not mend it\n"))
        for target in [["-o", "out"], ["--in-place"]] {
            let repair = try Program.run(["aof", "repair", "aof"] + target, in: parts.path)
            #expect(repair.status == 65)
            #expect(repair.errors.contains("only the last can be cut"))
        }
        #expect(parts.names == ["aof"])
        // What comes before can be had.
        let cut = try Program.run(["aof", "cut", "aof", "--at-offset", "a 1.incr.aof:23", "-o", "out"], in: parts.path)
        #expect(cut.status == 0)
        #expect(try Program.run(["check", "--quiet", "out"], in: parts.path).status == 0)
    }

    @Test("an RDB before the commands that is damaged cannot be cut")
    func damagedRDB() throws {
        let parts = try Log.parts(last: Log.small)
        var base = try readFile(parts.file("aof/a.2.base.rdb"))
        base[12] ^= 1
        try writeFile(parts.file("aof/a.2.base.rdb"), base)
        #expect(try Program.run(["aof", "check", "aof"], in: parts.path).status == 1)
        #expect(try Program.run(["aof", "repair", "aof", "-o", "out"], in: parts.path).status == 65)
        #expect(try Program.run(["aof", "list", "aof"], in: parts.path).status == 65)
        try writeFile(parts.file("single.aof"), base + Log.small)
        let check = try Program.run(["check", "single.aof"], in: parts.path)
        #expect(check.status == 1)
        let repair = try Program.run(["aof", "repair", "single.aof", "-o", "out"], in: parts.path)
        #expect(repair.status == 65)
        #expect(repair.errors.contains("the fault lies in the RDB"))
    }

    @Test("a single file with an RDB before its commands")
    func preamble() throws {
        var rdb = RDBBytes()
        rdb.text("k", "v")
        rdb.end()
        let folder = try folder(rdb.bytes + Log.small)
        let first = try #require(try Program.run(["aof", "list", "a.aof"], in: folder.path).lines.first)
        #expect(first.contains("\"offset\":\(rdb.bytes.count + 16),"))
        for words in [["check"], ["aof", "check"]] {
            let check = try Program.run(words + ["a.aof"], in: folder.path)
            #expect(check.status == 0)
            #expect(check.text.contains("1 key, checksum ok, 9 commands, 1 transaction"), "\(check.text)")
        }
        let place = "\(rdb.bytes.count - 1)"
        let cut = try Program.run(["aof", "cut", "a.aof", "--at-offset", place, "-o", "b.aof"], in: folder.path)
        #expect(cut.status == 65)
        #expect(cut.errors.contains("lies within the RDB before the commands"))
        let all = try Program.run(
            ["aof", "cut", "a.aof", "--at-offset", "\(rdb.bytes.count)", "-o", "b.aof"], in: folder.path)
        #expect(all.status == 0)
        #expect(try readFile(folder.file("b.aof")) == rdb.bytes)
        // Through a pipe, which is read twice.
        let pipe = try Program.run(
            ["aof", "repair", "-", "-o", "c.aof"], input: .pipe(folder.file("a.aof")), in: folder.path)
        #expect(pipe.status == 0)
        #expect(try readFile(folder.file("c.aof")) == rdb.bytes + Log.small)
        // What follows an RDB and is no log stays a fault.
        try writeFile(folder.file("d.rdb"), rdb.bytes + Array("xyz".utf8))
        #expect(try Program.run(["check", "d.rdb"], in: folder.path).text.contains("trailing bytes"))
    }

    @Test("repair in place saves what it takes away")
    func inPlace() throws {
        let whole = Log.small.count
        for (tail, isIrregular) in [
            (Array("*3\r\n$3\r\nSET\r\n".utf8), false), (Log.command("MULTI"), false),
            (Array("*1\n$4\r\nPING\r\n".utf8) + [0], true),
        ] {
            let folder = try folder(Log.small + tail)
            chmod(folder.file("a.aof"), 0o640)
            let run = try Program.run(["aof", "repair", "--in-place", "a.aof"], in: folder.path)
            #expect(run.status == 0, "\(run.errors)")
            #expect(folder.names == ["a.aof", "a.aof.cut-\(whole)"])
            #expect(try readFile(folder.file("a.aof.cut-\(whole)")) == tail)
            let kept = isIrregular ? Log.command("PING") : []
            #expect(try readFile(folder.file("a.aof")) == Log.small + kept)
            var status = stat()
            stat(folder.file("a.aof.cut-\(whole)"), &status)
            #expect(status.st_mode & 0o777 == 0o640)
            // Nothing is left to do, and what was saved is never written over.
            let again = try Program.run(["aof", "repair", "--in-place", "a.aof"], in: folder.path)
            #expect(again.status == 0 && again.errors == "rdbkit: a.aof: nothing to repair\n")
            try writeFile(folder.file("a.aof"), Log.small + tail)
            let third = try Program.run(["aof", "repair", "--in-place", "a.aof"], in: folder.path)
            #expect(third.status == 73)
            #expect(try readFile(folder.file("a.aof")) == Log.small + tail)
        }
        // The end offset of a file that was cut is no longer true.
        let parts = try Log.parts(last: Log.small + [0])
        #expect(try Program.run(["aof", "repair", "--in-place", "aof"], in: parts.path).status == 0)
        let manifest = String(decoding: try readFile(parts.file("aof/a.manifest")), as: UTF8.self)
        #expect(manifest.contains("file a.2.incr.aof seq 2 type i\n"))
        #expect(manifest.contains("file \"a 1.incr.aof\" seq 1 type i\n"))
    }

    @Test("cuts at times")
    func cutAtTime() throws {
        let folder = try folder()
        func kept(_ time: String) throws -> Int? {
            let run = try Program.run(["aof", "cut", "a.aof", "--at", time, "-o", "b.aof"], in: folder.path)
            if run.status != 0 { return nil }
            return try Program.run(["aof", "list", "b.aof"], in: folder.path).lines.count
        }
        #expect(try kept("1699999999") == nil)
        #expect(try kept("1700000000") == 6)
        #expect(try kept("1700000059.999") == 6)
        #expect(try kept("2023-11-14T22:14:20Z") == 9)
        #expect(try kept("-1s") == 9)
        try writeFile(folder.file("a.aof"), Log.command("SET", "a", "1"))
        let run = try Program.run(["aof", "cut", "a.aof", "--at", "5", "-o", "b.aof"], in: folder.path)
        #expect(run.status == 65)
        #expect(run.errors.contains("its commands bear no times"))
    }

    @Test(
        "command lines that are wrong",
        arguments: [
            ["repair", "a.aof"], ["repair", "a.aof", "-o", "b", "--in-place"], ["repair", "-", "--in-place"],
            ["cut", "a.aof", "-o", "b"], ["cut", "a.aof", "--at", "1"], ["cut", "a.aof", "--at", "x", "-o", "b"],
            ["cut", "a.aof", "--at", "1", "--at-offset", "1", "-o", "b"], ["list"],
            ["cut", "a.aof", "--at-offset", "other:1", "-o", "b"], ["list", "a.aof", "--after-offset", "b:7"],
            ["stats", "a.aof", "--depth", "0"], ["stats", "a.aof", "--delimiter", ""],
            ["stats", "a.aof", "--top", "-1"],
            ["frob", "a.aof"],
        ])
    func usage(_ words: [String]) throws {
        let folder = try folder()
        let run = try Program.run(["aof"] + words, in: folder.path)
        #expect(run.status == 64, "\(run.errors)")
        #expect(run.text == "" && run.errors != "")
        #expect(folder.names == ["a.aof"])
    }

    @Test("statuses and whole output")
    func statuses() throws {
        let folder = try folder()
        #expect(try Program.run(["aof", "list", "nowhere"], in: folder.path).status == 66)
        #expect(try Program.run(["aof", "check", "nowhere"], in: folder.path).status == 66)
        #expect(try Program.run(["aof", "repair", "a.aof", "-o", "/nowhere/b"], in: folder.path).status == 73)
        #expect(try Program.run(["aof", "list", "a.aof", "-o", "/dev/full"], in: folder.path).status == 74)
        #expect(try Program.run(["aof", "repair", "a.aof", "-o", "/dev/full"], in: folder.path).status == 74)
        for text in ["hello\n", "{\"db\":0}\n", "\0\0\0"] {
            try writeFile(folder.file("b"), Array(text.utf8))
            #expect(try Program.run(["aof", "check", "b"], in: folder.path).status == 1)
            let repair = try Program.run(["aof", "repair", "b", "-o", "c"], in: folder.path)
            #expect(repair.status == 65 && repair.errors.contains("nothing in it is whole"))
        }
        // An empty file is an empty log.
        try writeFile(folder.file("b"), [])
        #expect(try Program.run(["aof", "check", "b"], in: folder.path).status == 0)
        // A folder that is there already is not touched.
        let parts = try Log.parts(last: Log.small)
        let into = try Program.run(["aof", "cut", "aof", "--at-offset", "0", "-o", "aof"], in: parts.path)
        #expect(into.status == 73)
        #expect(parts.names == ["aof"])
        try check(mkdir(parts.file("empty"), 0o755), "mkdir")
        #expect(try Program.run(["aof", "cut", "aof", "--at-offset", "0", "-o", "empty"], in: parts.path).status == 0)
        #expect(parts.names == ["aof", "empty"])
    }

    @Test("arguments of 40 MiB that lie take no memory, real ones only what they are", arguments: [true, false])
    func memory(isReal: Bool) throws {
        let folder = try TemporaryFolder()
        let count = 40 << 20
        var bytes = Log.command("SET", "a", "1") + Array("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$\(count)\r\n".utf8)
        if isReal { bytes += [UInt8](repeating: 0x78, count: count) + [13, 10] }
        try writeFile(folder.file("a.aof"), bytes)
        for command in ["check", "stats"] {
            let run = try Program.run(["aof", command, "a.aof"], in: folder.path)
            #expect(run.status == (isReal ? 0 : command == "check" ? 1 : 65))
            #expect(run.peakKiB < 40 << 10, "\(command): \(run.peakKiB) KiB")
        }
        let list = try Program.run(["aof", "list", "a.aof"], in: folder.path, output: "/dev/null")
        #expect(list.peakKiB < (isReal ? 260 << 10 : 40 << 10), "\(list.peakKiB) KiB")
    }
}
