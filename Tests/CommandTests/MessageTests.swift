import Glibc
import Testing

@Suite("messages and statuses")
struct MessageTests {
    @Test(
        "statuses",
        arguments: [
            (["keys", "shop.rdb"], 0), (["get", "shop.rdb", "nothing"], 1), (["keys"], 64), (["frob"], 64),
            (["keys", "shop.rdb", "--frob"], 64), (["get"], 64), (["keys", "make.sh"], 65),
            (["keys", "/dev/null"], 65),
            (["keys", "nowhere.rdb"], 66), (["keys", "."], 65), (["info", "nowhere.rdb"], 66),
            (["check", "nowhere.rdb"], 66),
            (["keys", "shop.rdb", "-o", "/nowhere/out"], 73), (["--help"], 0), (["help", "json"], 0),
            (["--version"], 0),
        ] as [([String], Int32)])
    func statuses(_ words: [String], _ status: Int32) throws {
        let run = try Program.run(words)
        #expect(run.status == status)
        #expect((status == 0) == (run.errors == ""))
        #expect((status == 0) == (run.text != ""))
    }

    @Test("a file that may not be read is status 66", .enabled(if: geteuid() != 0))
    func forbidden() throws {
        let folder = try TemporaryFolder()
        try writeFile(folder.file("a.rdb"), try readFile(Checkout.shop))
        chmod(folder.file("a.rdb"), 0)
        let run = try Program.run(["keys", "a.rdb"], in: folder.path)
        #expect(run.status == 66)
        #expect(run.errors == "rdbkit: a.rdb: cannot read: Permission denied\n")
    }

    @Test("messages as text")
    func text() throws {
        try Golden.expect("message-usage", ["keys", "shop.rdb", "--limit", "many"])
        try Golden.expect("message-no-input", ["keys", "nowhere.rdb"])
        try Golden.expect("message-no-rdb", ["keys", "make.sh"])
        try Golden.expect("message-no-output", ["keys", "shop.rdb", "-o", "/nowhere/out"])
        try Golden.expect("message-no-key", ["get", "shop.rdb", "user:3"])
        let folder = try TemporaryFolder()
        try writeFile(folder.file("cut.rdb"), Array(try readFile(Checkout.shop).prefix(1000)))
        try Golden.expect("message-cut", ["keys", "cut.rdb"], in: folder.path)
    }

    @Test("messages as JSON objects")
    func json() throws {
        try Golden.expect("message-json-no-input", ["keys", "nowhere.rdb", "--error-format", "json"])
        try Golden.expect("message-json-no-rdb", ["keys", "make.sh", "--error-format", "json"])
        try Golden.expect(
            "message-json-no-output", ["keys", "shop.rdb", "-o", "/nowhere/out", "--error-format", "json"])
        try Golden.expect("message-json-no-key", ["get", "shop.rdb", "user:3", "--error-format", "json"])
        let folder = try TemporaryFolder()
        try writeFile(folder.file("cut.rdb"), Array(try readFile(Checkout.shop).prefix(1000)))
        try Golden.expect("message-json-cut", ["keys", "cut.rdb", "--error-format", "json"], in: folder.path)
        let run = try Program.run(["keys", "cut.rdb", "--error-format", "json"], in: folder.path)
        for name in ["code", "message", "input", "offset", "db", "key"] { #expect(run.errors.contains("\"\(name)\":")) }
    }

    @Test("--quiet keeps errors")
    func quiet() throws {
        let run = try Program.run(["keys", "-q", "nowhere.rdb"])
        #expect(run.errors == "rdbkit: nowhere.rdb: cannot read: No such file or directory\n")
    }

    @Test("colour only where it is wanted")
    func color() throws {
        func errors(_ options: [String], _ environment: [String: String] = [:]) throws -> String {
            try Program.run(["keys", "nowhere.rdb"] + options, environment: environment).errors
        }
        let plain = "rdbkit: nowhere.rdb: cannot read: No such file or directory\n"
        let red = "\u{1b}[31mrdbkit:\u{1b}[0m nowhere.rdb: cannot read: No such file or directory\n"
        #expect(try errors([]) == plain)
        #expect(try errors(["--color", "auto"]) == plain)
        #expect(try errors(["--color", "never"]) == plain)
        #expect(try errors(["--color", "always"]) == red)
        #expect(try errors([], ["NO_COLOR": "1"]) == plain)
        #expect(try errors(["--color", "always"], ["NO_COLOR": "1"]) == red, "what is asked for outright counts")
        #expect(try !errors(["--color", "always", "--error-format", "json"]).contains("\u{1b}"))
    }

    @Test("progress is for terminals, unless it is asked for; it never reaches standard output")
    func progress() throws {
        let plain = try Program.run(["keys", "shop.rdb"])
        #expect(plain.errors == "")
        let forced = try Program.run(["keys", "shop.rdb", "--progress"])
        #expect(forced.output == plain.output)
        #expect(forced.errors.hasSuffix("\n"))
        #expect(forced.errors.contains("keys/s"))
        #expect(!forced.errors.contains("\u{1b}"), "this is no terminal")
        #expect(try Program.run(["keys", "shop.rdb", "--no-progress"]).errors == "")
        // Work in several passes says which one it is at.
        let passes = try Program.run(["diff", "shop.rdb", "shop.rdb", "--progress"])
        #expect(passes.errors.hasPrefix("pass 1, shop.rdb:  "))
    }

    @Test("a closed standard error harms nothing")
    func closedStandardError() throws {
        #expect(try Program.shell("rdbkit keys nowhere.rdb 2>&-; echo $?").text == "66\n")
        #expect(try Program.shell("rdbkit keys shop.rdb --limit 1 2>&- | wc -l").text.contains("1"))
    }

    @Test("a closed standard output is an I/O error")
    func closedStandardOutput() throws {
        #expect(try Program.shell("rdbkit keys shop.rdb >&-; echo $? >&2").errors.hasSuffix("74\n"))
    }
}
