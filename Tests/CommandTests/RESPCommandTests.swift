import Testing

/// Options of `rdbkit resp`; what the commands do at servers is in ServerTests.
@Suite("resp")
struct RESPCommandTests {
    /// `a` and `user:1` in db 0, `b` in 1, `c` in 7; `user:1` expires.
    private func file() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        var file = RDBBytes()
        file.database(0)
        file.text("a", "1")
        file.bytes += [0xfc] + (0..<8).map { UInt8(truncatingIfNeeded: 4_102_444_800_000 >> ($0 * 8)) }
        file.text("user:1", "2")
        file.database(1)
        file.text("b", "3")
        file.database(7)
        file.text("c", "4")
        file.end()
        try file.write(to: folder.file("a.rdb"))
        return folder
    }

    /// The commands, one a line.
    private func lines(_ folder: TemporaryFolder, _ arguments: String...) throws -> [String] {
        let run = try Program.run(["resp", "a.rdb"] + arguments, in: folder.path)
        #expect(run.status == 0, "\(arguments): \(run.errors)")
        return try #require(Self.commands(run.output))
    }

    private static func commands(_ bytes: [UInt8]) -> [String]? {
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        guard lines.popLast() == "" else { return nil }
        var commands: [String] = []
        var index = 0
        while index < lines.count {
            guard lines[index].first == "*", let count = Int(lines[index].dropFirst()),
                index + 2 * count < lines.count
            else { return nil }
            let arguments = (1...count).map { lines[index + 2 * $0] }
            guard (1...count).allSatisfy({ lines[index + 2 * $0 - 1] == "$\(arguments[$0 - 1].utf8.count)" }) else {
                return nil
            }
            commands.append(arguments.joined(separator: " "))
            index += 1 + 2 * count
        }
        return commands
    }

    @Test("databases are selected as they change")
    func databases() throws {
        let folder = try file()
        let rest = ["SELECT 1", "SET b 3", "SELECT 7", "SET c 4"]
        let first = ["SET a 1", "SET user:1 2", "PEXPIREAT user:1 4102444800000"]
        #expect(try lines(folder) == ["SELECT 0"] + first + rest)
        #expect(try lines(folder, "--db-map", "0:3,*:0") == ["SELECT 3"] + first + ["SELECT 0", "SET b 3", "SET c 4"])
        #expect(try lines(folder, "--db-map", "1:0,7:0") == ["SELECT 0"] + first + ["SET b 3", "SET c 4"])
        #expect(
            try lines(folder, "--db-map", "1:4,*:1", "--db", "1", "--db", "7") == [
                "SELECT 4", "SET b 3", "SELECT 1", "SET c 4",
            ])
    }

    @Test("names change: a prefix goes, then a pattern is replaced, then a prefix comes")
    func names() throws {
        let folder = try file()
        func names(_ arguments: String...) throws -> [String] {
            let run = try Program.run(["resp", "a.rdb"] + arguments, in: folder.path)
            #expect(run.status == 0, "\(arguments): \(run.errors)")
            return try #require(Self.commands(run.output)).filter { $0.hasPrefix("SET ") }
                .map { String($0.split(separator: " ", omittingEmptySubsequences: false)[1]) }
        }
        #expect(try names("--add-prefix", "new:") == ["new:a", "new:user:1", "new:b", "new:c"])
        #expect(try names("--strip-prefix", "user:") == ["a", "1", "b", "c"])
        #expect(try names("--strip-prefix", "a") == ["", "user:1", "b", "c"])
        #expect(try names("--rename-regex", "s/[a-c]/<$0>/") == ["<a>", "user:1", "<b>", "<c>"])
        #expect(try names("--rename-regex", "s|(U)(s)|\\2$1|i") == ["a", "suer:1", "b", "c"])
        #expect(try names("--rename-regex", "s/[us]/x/") == ["a", "xser:1", "b", "c"])
        #expect(try names("--rename-regex", "s/[us]/x/g") == ["a", "xxer:1", "b", "c"])
        #expect(
            try names("--strip-prefix", "user:", "--rename-regex", "s/^[0-9a]$/n/", "--add-prefix", "p:")
                == ["p:n", "p:n", "p:b", "p:c"])
        // The expiry goes with the new name.
        #expect(
            try lines(folder, "--add-prefix", "x", "--key", "user:1") == [
                "SELECT 0", "SET xuser:1 2", "PEXPIREAT xuser:1 4102444800000",
            ])
        #expect(try names("--target", "redis-7.0", "--as", "commands", "--add-prefix", "x", "--key", "a") == ["xa"])
    }

    @Test("expiries are kept, dropped, moved or set")
    func expiries() throws {
        let folder = try file()
        func expiry(_ arguments: String...) throws -> [String] {
            let run = try Program.run(["resp", "a.rdb", "--db", "0"] + arguments, in: folder.path)
            #expect(run.status == 0, "\(arguments): \(run.errors)")
            return try #require(Self.commands(run.output)).filter { $0.hasPrefix("PEXPIREAT") }
        }
        let kept = ["PEXPIREAT user:1 4102444800000"]
        #expect(try expiry() == kept)
        #expect(try expiry("--ttl", "keep") == kept)
        #expect(try expiry("--ttl", "drop") == [])
        #expect(try expiry("--ttl", "+90m") == ["PEXPIREAT user:1 4102450200000"])
        #expect(try expiry("--ttl", "-2w") == ["PEXPIREAT user:1 4101235200000"])
        let before = Int(try #require(try Program.shell("date +%s").lines.first)) ?? 0
        let set = try expiry("--ttl", "=1h").map { $0.split(separator: " ") }
        let after = Int(try #require(try Program.shell("date +%s").lines.first)) ?? 0
        #expect(set.map { $0[1] } == ["a", "user:1"])
        for words in set {
            let time = try #require(Int(words[2]))
            #expect(time >= before * 1000 + 3_600_000 && time <= (after + 1) * 1000 + 3_600_000)
        }
    }

    @Test("strings come in pieces only where that is asked for")
    func pieces() throws {
        let folder = try TemporaryFolder()
        var file = RDBBytes()
        file.text("s", String(repeating: "x", count: 3000))
        file.end()
        try file.write(to: folder.file("a.rdb"))
        #expect(try lines(folder).map { $0.count } == [8, 3006])
        let commands = try lines(folder, "--max-command", "1KiB")
        #expect(commands.dropFirst().map { $0.prefix(7) } == ["SET s x", "APPEND ", "APPEND ", "APPEND "])
        #expect(commands.allSatisfy { $0.count < 1024 })
        #expect(commands.reduce(0) { $0 + $1.count { $0 == "x" } } == 3000)
        // Also where a server would take it as a payload.
        #expect(try lines(folder, "--max-command", "1KiB", "--target", "redis-7.0") == commands)
    }

    @Test("keys that may exist go first")
    func replace() throws {
        let folder = try file()
        #expect(try lines(folder, "--replace", "--db", "1") == ["SELECT 1", "DEL b", "SET b 3"])
        let restore = try Program.run(
            ["resp", "a.rdb", "--replace", "--db", "1", "--target", "redis-7.0"], in: folder.path)
        #expect(restore.text.hasSuffix("$7\r\nREPLACE\r\n"))
        #expect(!restore.text.contains("DEL"))
    }

    @Test("several inputs are one stream of commands, and --limit counts over all")
    func inputs() throws {
        let folder = try file()
        let run = try Program.run(["resp", "a.rdb", "a.rdb", "--limit", "5"], in: folder.path)
        #expect(run.status == 0)
        let commands = try #require(Self.commands(run.output))
        #expect(commands.suffix(2) == ["SELECT 0", "SET a 1"])
        #expect(commands.count == 10)
        // The database stays as it is from one input to the next.
        let same = try Program.run(["resp", "a.rdb", "a.rdb", "--db", "7"], in: folder.path)
        #expect(Self.commands(same.output) == ["SELECT 7", "SET c 4", "SET c 4"])
    }

    @Test("a damaged input leaves whole commands, and its status counts more than losses")
    func damage() throws {
        let folder = try TemporaryFolder()
        try writeFile(folder.file("cut.rdb"), Array(try readFile(Checkout.shop).dropLast(200)))
        let run = try Program.run(["resp", "cut.rdb"], in: folder.path)
        #expect(run.status == 65)
        #expect(run.output.suffix(2) == [0x0d, 0x0a])
        #expect(run.errors.contains("truncated"))
        #expect(run.errors.contains("cannot hold"))
    }

    @Test("losses are told, with status 1; in JSON too, and not as a notice that --quiet silences")
    func losses() throws {
        let plain = try Program.run(["resp", "shop.rdb", "--target", "redis-7.0"])
        #expect(plain.status == 1)
        #expect(plain.errors.split(separator: "\n").count == 5)
        let quiet = try Program.run(["resp", "shop.rdb", "--target", "redis-7.0", "--quiet"])
        #expect(quiet.status == 1)
        #expect(quiet.errors.split(separator: "\n").count == 4)
        #expect(quiet.output == plain.output)
        let json = try Program.run(["resp", "shop.rdb", "--target", "redis-7.0", "--error-format", "json", "--quiet"])
        #expect(json.errors.split(separator: "\n").allSatisfy { $0.hasPrefix(#"{"code":"lost","message":"#) })
        #expect(json.errors.contains(#""db":0,"key":"tea:taste"}"#))
        #expect(try Program.run(["resp", "shop.rdb", "--target", "redis-8.2"]).status == 0)
    }

    @Test(
        "a wrong option is told",
        arguments: [
            ["--target", "redis"], ["--target", "redis-x"], ["--target", "redis-2.4"], ["--target", "keydb-6.3"],
            ["--as", "json"], ["--max-command", "1000"], ["--max-command", "1GiB"], ["--db-map", "0"],
            ["--db-map", "0:1,0:2"], ["--db-map", "*:1,*:2"], ["--db-map", "0:-1"], ["--rename-regex", "a/b/c"],
            ["--rename-regex", "s/a/b"], ["--rename-regex", "s/a/b/x"], ["--rename-regex", "s/(/b/"], ["--ttl", "1h"],
            ["--ttl", "=soon"],
        ])
    func usage(_ arguments: [String]) throws {
        let run = try Program.run(["resp", "shop.rdb"] + arguments)
        #expect(run.status == 64)
        #expect(run.output == [])
    }

    @Test("a named release may have more numbers")
    func targets() throws {
        let folder = try file()
        let plain = try Program.run(["resp", "a.rdb", "--target", "redis-7.0"], in: folder.path)
        #expect(plain.status == 0)
        for name in ["redis-7.0.15", "Redis-7", "valkey-8.1.2"] {
            #expect(try Program.run(["resp", "a.rdb", "--target", name], in: folder.path).output == plain.output)
        }
    }
}
