import Glibc
import Testing

@Suite("output")
struct OutputTests {
    @Test(
        "-o writes the same bytes to a file that others may read",
        arguments: [
            ["json"], ["json", "--array"], ["keys"], ["info"], ["info", "--json"], ["check"],
            ["check", "--format", "csv"], ["digest"], ["digest", "--per-key"], ["digest", "--redis", "--per-db"],
        ])
    func file(_ words: [String]) throws {
        let folder = try TemporaryFolder()
        let plain = try Program.run(words + ["shop.rdb"])
        let run = try Program.run(words + ["shop.rdb", "-o", folder.file("out")])
        #expect(run.status == 0)
        #expect(run.output == [])
        #expect(run.errors == "")
        #expect(try readFile(folder.file("out")) == plain.output)
        #expect(folder.names == ["out"])
        var details = stat()
        #expect(stat(folder.file("out"), &details) == 0)
        let mask = umask(0)
        umask(mask)
        #expect(details.st_mode & 0o777 == 0o666 & ~mask)
        #expect(try Program.run(words + ["shop.rdb", "-o", "-"]).output == plain.output)
        #expect(try Program.run(words + ["shop.rdb", "--output", folder.file("out")]).status == 0)
    }

    @Test("a name that ends in .gz is compressed")
    func gzip() throws {
        let folder = try TemporaryFolder()
        let plain = try Program.run(["json", "shop.rdb"])
        #expect(try Program.run(["json", "shop.rdb", "-o", folder.file("out.gz")]).status == 0)
        #expect(try readFile(folder.file("out.gz")).starts(with: [0x1f, 0x8b]))
        #expect(try Program.shell("gzip -dc out.gz", in: folder.path).output == plain.output)
        #expect(try Program.run(["get", "shop.rdb", "terms", "--raw", "-o", folder.file("t.gz")]).status == 0)
        #expect(try Program.shell("gzip -dc t.gz | wc -c", in: folder.path).lines == ["600"])
    }

    @Test("a failed run leaves what was there, and nothing beside it")
    func failure() throws {
        let folder = try TemporaryFolder()
        try writeFile(folder.file("out"), Array("old".utf8))
        #expect(try Program.run(["keys", "shop.rdb", "--limit", "x", "-o", folder.file("out")]).status == 64)
        #expect(try readFile(folder.file("out")) == Array("old".utf8))
        #expect(folder.names == ["out"])
        #expect(try Program.run(["keys", "shop.rdb", "-o", folder.file("none/out")]).status == 73)
        #expect(try Program.run(["keys", "shop.rdb", "-o", folder.path]).status != 0)
        #expect(folder.names == ["out"])
    }

    @Test("what was decoded before a fault is in the file as well")
    func untilFault() throws {
        let folder = try TemporaryFolder()
        try writeFile(folder.file("cut.rdb"), Array(try readFile(Checkout.shop).prefix(1500)))
        let plain = try Program.run(["json", "cut.rdb"], in: folder.path)
        #expect(plain.status == 65)
        #expect(!plain.lines.isEmpty)
        let run = try Program.run(["json", "cut.rdb", "-o", "out"], in: folder.path)
        #expect(run.status == 65)
        #expect(try readFile(folder.file("out")) == plain.output)
        #expect(folder.names == ["cut.rdb", "out"])
    }

    @Test(
        "a full disk is an I/O error",
        arguments: [
            ["json"], ["keys"], ["info"], ["check"], ["json", "--array"], ["digest"],
            ["digest", "--per-key"], ["keys", "--db", "7"],
        ])
    func fullDisk(_ words: [String]) throws {
        let run = try Program.run(words + ["shop.rdb"], output: "/dev/full")
        if words.last == "7" {
            #expect(run.status == 0, "nothing was written")
        } else {
            #expect(run.status == 74)
            #expect(run.errors == "rdbkit: cannot write: No space left on device\n")
        }
    }

    @Test("a full disk while a string is written as it is")
    func fullDiskRaw() throws {
        #expect(try Program.run(["get", "shop.rdb", "terms", "--raw"], output: "/dev/full").status == 74)
        #expect(try Program.run(["get", "shop.rdb", "terms"], output: "/dev/full").status == 74)
    }

    @Test(
        "a closed pipe ends the program silently",
        arguments: ["json", "keys", "json --array", "check", "info", "digest --per-key"])
    func closedPipe(_ command: String) throws {
        let folder = try TemporaryFolder()
        var file = RDBBytes()
        for index in 0..<200_000 { file.text("key:\(index)", "value \(index)") }
        file.end(checksum: false)
        try file.write(to: folder.file("a.rdb"))
        let run = try Program.shell("{ rdbkit \(command) a.rdb; echo $? > status; } | head -n 1", in: folder.path)
        #expect(run.lines.count == 1)
        #expect(run.errors == "")
        #expect(try readFile(folder.file("status")) == Array("0\n".utf8))
    }

    @Test("an interrupted run has written whole lines only, and no file", arguments: ["json", "keys"])
    func interrupted(_ command: String) throws {
        let folder = try TemporaryFolder()
        var file = RDBBytes()
        for index in 0..<1000 { file.text("key:\(index)", "value") }
        for target in ["", "out"] {
            let ends = try makePipe()
            let child = try Child(
                [Program.path, command, "-"] + (target.isEmpty ? [] : ["-o", target]), input: .descriptor(ends[0]),
                in: folder.path)
            close(ends[0])
            defer { close(ends[1]) }
            try writeAll(Array(file.bytes.prefix(12_345)), to: ends[1])
            usleep(300_000)
            child.interrupt()
            let run = try child.end(seconds: 10)
            #expect(run.status == 130)
            #expect(run.errors == "")
            #expect(folder.names == [])
            if target.isEmpty, !run.output.isEmpty { _ = run.lines }
        }
    }

    @Test("a run that is interrupted twice ends at once")
    func interruptedTwice() throws {
        let folder = try TemporaryFolder()
        let ends = try makePipe()
        defer { close(ends[1]) }
        let child = try Child([Program.path, "keys", "-"], input: .descriptor(ends[0]), in: folder.path)
        close(ends[0])
        usleep(200_000)
        child.interrupt()
        child.interrupt()
        #expect([130].contains(try child.end(seconds: 10).status))
    }
}
