import ServerHarness
import Testing

/// The commands on logs against logs that servers write in this very run. `RDBKIT_SEEDS=n` and `RDBKIT_SEED=n` as in
/// `SavedFileTests`.
@Suite("logs that servers write", .serialized, .tags(.server, .slow))
struct LogTests {
    struct Run: Sendable, CustomStringConvertible {
        let server: Server
        let seed: UInt64
        var description: String { "\(server) with RDBKIT_SEED=\(seed)" }

        /// Valkey 9.1's check tool takes no base of its own family's RDB.
        var hasRDBBase: Bool { seed % 2 == 0 }
        var isRewritten: Bool { seed % 3 != 1 }
    }

    static let runs = ServerCatalog.available.flatMap { server in
        Scenario.seeds.prefix(3).map { Run(server: server, seed: $0) }
    }

    /// The files of one server's log, copied while it runs.
    private func makeLog(_ run: Run, steps: Int = 150, in folder: TemporaryFolder) throws -> ServerLog {
        let options =
            ServerLog.options(run.server) + [
                (name: "aof-use-rdb-preamble", value: run.hasRDBBase ? "yes" : "no")
            ]
        let process = try ServerProcess(run.server, options: options)
        defer { process.stop() }
        let connection = try process.connect()
        var workload = LogWorkload(server: run.server, seed: run.seed)
        try workload.run(connection, steps: steps)
        if run.isRewritten {
            try connection.rewriteLog()
            try workload.run(connection, steps: steps)
        }
        return try process.log.copy(to: folder, "log")
    }

    /// What a plain reader finds.
    private func truth(_ log: ServerLog) throws -> [(file: String, command: LoggedCommand)] {
        var all: [(file: String, command: LoggedCommand)] = []
        var transactions = 0
        var time: Int?
        for file in try log.files() {
            let bytes = try Files.read(file.path)
            guard let start = LoggedCommand.start(in: bytes),
                let commands = LoggedCommand.read(bytes, from: start, transactions: transactions, time: &time)
            else { throw HarnessError("the plain reader cannot read \(file.path)") }
            transactions = commands.compactMap(\.transaction).max() ?? transactions
            all += commands.map { (file: file.name, command: $0) }
        }
        return all
    }

    @Test("every command is listed as it stands, and the log is sound", arguments: runs)
    func list(run: Run) throws {
        let folder = try TemporaryFolder()
        let log = try makeLog(run, in: folder)
        let program = try RDBKitProgram.locate()
        let truth = try truth(log)
        #expect(truth.count > 100, "\(run)")
        let found = try LoggedCommand.parse(try program.output(["aof", "list", log.path]))
        #expect(found.count == truth.count, "\(run)")
        for (expected, found) in zip(truth, found) {
            var command = expected.command
            command.end = 0
            #expect(found.file == expected.file && found.command == command, "\(run): \(expected) \(found)")
        }
        for words in [["aof", "check"], ["check"]] {
            let check = try program.run(words + [log.path])
            #expect(check.status == 0 && check.errors == "", "\(run): \(String(decoding: check.output, as: UTF8.self))")
        }
        #expect(try log.checkByServer().accepts || (run.server.family == .valkey && run.hasRDBBase), "\(run)")

        // The manifest by its own name; a single file in gzip and on standard input.
        if log.isMultiPart {
            let lines = try program.output(["aof", "list", log.path])
            #expect(try program.output(["aof", "list", try log.manifestPath()]) == lines, "\(run)")
        } else {
            let lines = try program.output(["aof", "list", log.path])
            try Gzip.compress(log.path, to: folder.file("log.gz"))
            let compressed = try program.output(["aof", "list", "-"], input: folder.file("log.gz"))
            #expect(compressed.split(separator: 0x0a).count == lines.split(separator: 0x0a).count, "\(run)")
            #expect(try LoggedCommand.parse(compressed).map(\.command) == LoggedCommand.parse(lines).map(\.command))
        }
        try filters(log, truth, run)
    }

    /// Each condition takes what a plain filter over all commands takes.
    private func filters(
        _ log: ServerLog, _ truth: [(file: String, command: LoggedCommand)], _ run: Run
    ) throws {
        let program = try RDBKitProgram.locate()
        func expect(
            _ options: [String], _ isTaken: (String, LoggedCommand) -> Bool,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let found = try LoggedCommand.parse(try program.output(["aof", "list", log.path] + options))
            let expected = truth.filter { isTaken($0.file, $0.command) }
            #expect(
                found.map { "\($0.file) \($0.command.offset)" } == expected.map { "\($0.file) \($0.command.offset)" },
                "\(options), \(run)", sourceLocation: sourceLocation)
        }
        func name(_ command: LoggedCommand) -> String {
            String(decoding: command.arguments[0], as: UTF8.self).lowercased()
        }
        try expect(["--command", "set"]) { name($1) == "set" }
        try expect(["--command", "XADD", "--command", "Multi"]) { name($1) == "xadd" || name($1) == "multi" }
        try expect(["--db", "1-7"]) { 1...7 ~= $1.database }
        let middle = truth[truth.count / 2]
        let place = "\(middle.file):\(middle.command.offset)"
        let index = truth.count / 2
        let offsets = Dictionary(
            uniqueKeysWithValues: truth.enumerated().map { ("\($1.file) \($1.command.offset)", $0) })
        func number(_ file: String, _ command: LoggedCommand) -> Int { offsets["\(file) \(command.offset)"] ?? -1 }
        try expect(["--after-offset", place]) { number($0, $1) > index }
        try expect(["--before-offset", place]) { number($0, $1) < index }
        try expect(["--limit", "7"]) { number($0, $1) < 7 }
        if let time = truth.compactMap(\.command.time).first {
            try expect(["--after", "\(time - 1)"]) { ($1.time ?? 0) > time - 1 }
            try expect(["--before", "\(time)"]) { $1.time.map { $0 < time } ?? false }
        }
    }

    @Test("a log cut anywhere is repaired to what the server itself keeps", arguments: runs)
    func repairCut(run: Run) throws {
        let folder = try TemporaryFolder()
        let log = try makeLog(run, in: folder)
        let program = try RDBKitProgram.locate()
        var generator = SeededGenerator(seed: run.seed)
        let file = try #require(try log.files().last)
        let bytes = try Files.read(file.path)
        let start = try #require(LoggedCommand.start(in: bytes))
        for number in 0..<3 {
            let count = generator.number(start...bytes.count - 1)
            let subject = "\(run), \(count) of \(bytes.count) bytes"
            let cut = try log.copy(to: folder, "cut\(number)")
            let last = try #require(try cut.files().last)
            try Files.write(Bytes(bytes.prefix(count)), to: last.path)
            let repaired = ServerLog(server: run.server, path: folder.file("repaired\(number)"))
            let result = try program.run(["aof", "repair", cut.path, "-o", repaired.path])
            #expect(result.status == 0, "\(subject): \(result.errors)")
            try expectSound(repaired, run, subject)
            #expect(try repaired.digest() == cut.digest(), "\(subject)")

            // In place: the same bytes, and the rest is kept.
            let before = try Files.read(last.path)
            let inPlace = try program.run(["aof", "repair", "--in-place", cut.path])
            #expect(inPlace.status == 0, "\(subject): \(inPlace.errors)")
            let after = try Files.read(last.path)
            #expect(try after == Files.read(try #require(try repaired.files().last).path), "\(subject)")
            if after != before {
                #expect(try after + Files.read("\(last.path).cut-\(after.count)") == before, "\(subject)")
            }
        }
    }

    /// The server's own tool and ours find nothing wrong with it.
    private func expectSound(_ log: ServerLog, _ run: Run, _ subject: String) throws {
        let check = try RDBKitProgram.locate().run(["aof", "check", log.path])
        #expect(check.status == 0, "\(subject): \(String(decoding: check.output, as: UTF8.self))")
        let server = try log.checkByServer()
        // Valkey's tool refuses an RDB of its own family; its incremental files are looked at one by one.
        if server.accepts { return }
        #expect(run.server.family == .valkey && run.hasRDBBase, "\(subject): \(server.output)")
        for file in try log.files().dropFirst() {
            let one = try log.checkByServer([], file.path)
            #expect(one.accepts, "\(subject), \(file.name): \(one.output)")
        }
    }

    @Test("bytes that are no commands are cut off without losing one before them", arguments: runs)
    func repairGarbage(run: Run) throws {
        let folder = try TemporaryFolder()
        let log = try makeLog(run, in: folder)
        let whole = try log.digest()
        let program = try RDBKitProgram.locate()
        for (number, garbage) in [Bytes(repeating: 0, count: 4096), Bytes("*2\r\n$3\r\nDEL\r\n!!".utf8)].enumerated() {
            let damaged = try log.copy(to: folder, "damaged\(number)")
            let last = try #require(try damaged.files().last)
            try Files.write(try Files.read(last.path) + garbage, to: last.path)
            let check = try program.run(["aof", "check", damaged.path])
            #expect(check.status == 1, "\(run)")
            let repaired = ServerLog(server: run.server, path: folder.file("repaired\(number)"))
            #expect(try program.run(["aof", "repair", damaged.path, "-o", repaired.path]).status == 0, "\(run)")
            try expectSound(repaired, run, "\(run)")
            #expect(try repaired.digest() == whole, "\(run)")
        }
    }

    @Test("a log damaged in its midst is cut where the server's own tool cuts it", arguments: runs)
    func repairMidst(run: Run) throws {
        let folder = try TemporaryFolder()
        let log = try makeLog(run, in: folder)
        let program = try RDBKitProgram.locate()
        var generator = SeededGenerator(seed: run.seed)
        let name = try #require(try log.files().last).name
        let commands = try truth(log).filter { $0.file == name }.map(\.command)
        for number in 0..<4 {
            let damaged = try log.copy(to: folder, "damaged\(number)")
            let last = try #require(try damaged.files().last)
            var bytes = try Files.read(last.path)
            let place = generator.pick(commands).offset
            bytes[place] = UInt8(ascii: "!")
            try Files.write(bytes, to: last.path)
            let repaired = ServerLog(server: run.server, path: folder.file("repaired\(number)"))
            let result = try program.run(["aof", "repair", damaged.path, "-o", repaired.path])
            let subject = "\(run), byte \(place) of \(bytes.count)"
            #expect(result.status == 0, "\(subject): \(result.errors)")
            let fix = try damaged.checkByServer(["--fix"], last.path)
            #expect(fix.accepts, "\(subject): \(fix.output)")
            let ours = try Files.read(try #require(try repaired.files().last).path)
            #expect(try ours == Files.read(last.path), "\(subject)")
        }
    }

    @Test("what servers load though it is irregular is the same when it is written anew", arguments: runs.prefix(5))
    func repairIrregular(run: Run) throws {
        let folder = try TemporaryFolder()
        let log = try makeLog(run, in: folder)
        let program = try RDBKitProgram.locate()
        let damaged = try log.copy(to: folder, "damaged")
        let last = try #require(try damaged.files().last)
        let more =
            "*3\n$3\r\nSET\r\n$1\nk\r\n$1\r\nv\n\n*1\r\n$4\r\nEXEC\r\n*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nl\r\n"
            + "$2\r\nvv\r\n*1\r\n$5\r\nmulti\r\n*3\r\n$3\r\nSET\r\n$1\r\nm\r\n$3 \r\nvvv\r\n*1\r\n$4\r\nEXEC\r\n"
        try Files.write(try Files.read(last.path) + Bytes(more.utf8), to: last.path)
        let repaired = ServerLog(server: run.server, path: folder.file("repaired"))
        #expect(try program.run(["aof", "check", damaged.path]).status == 1)
        #expect(try program.run(["aof", "repair", damaged.path, "-o", repaired.path]).status == 0)
        try expectSound(repaired, run, "\(run)")
        #expect(try repaired.digest() == damaged.digest(), "\(run)")
    }

    @Test("a log up to an offset is what a server makes of the bytes before it", arguments: runs)
    func cutAtOffset(run: Run) throws {
        let folder = try TemporaryFolder()
        let log = try makeLog(run, in: folder)
        let program = try RDBKitProgram.locate()
        var generator = SeededGenerator(seed: run.seed)
        let file = try #require(try log.files().last)
        let bytes = try Files.read(file.path)
        let start = try #require(LoggedCommand.start(in: bytes))
        for number in 0..<2 {
            let offset = generator.number(start...bytes.count)
            let subject = "\(run), offset \(offset) of \(bytes.count)"
            let prefix = try log.copy(to: folder, "prefix\(number)")
            try Files.write(Bytes(bytes.prefix(offset)), to: try #require(try prefix.files().last).path)
            let cut = ServerLog(server: run.server, path: folder.file("cut\(number)"))
            let result = try program.run(["aof", "cut", log.path, "--at-offset", "\(offset)", "-o", cut.path])
            #expect(result.status == 0, "\(subject): \(result.errors)")
            try expectSound(cut, run, subject)
            #expect(try cut.digest() == prefix.digest(), "\(subject)")
        }
    }

    /// Three batches of writes, each in a second of its own.
    @Test(
        "a log up to a time is what the server's own tool leaves of it",
        arguments: ServerCatalog.available.filter(\.isRedis7))
    func cutAtTime(server: Server) throws {
        let run = Run(server: server, seed: 1)
        let folder = try TemporaryFolder()
        let options = ServerLog.options(server) + [(name: "aof-use-rdb-preamble", value: "no")]
        let process = try ServerProcess(server, options: options)
        defer { process.stop() }
        let connection = try process.connect()
        var workload = LogWorkload(server: server, seed: 5)
        for _ in 0..<3 {
            try workload.run(connection, steps: 40)
            pause(milliseconds: 1200)
        }
        let log = try process.log.copy(to: folder, "log")
        let program = try RDBKitProgram.locate()
        let times = Set(try truth(log).compactMap(\.command.time)).sorted()
        #expect(times.count >= 3)
        let last = try #require(times.last)
        for time in times + [last + 10] {
            let cut = ServerLog(server: server, path: folder.file("cut\(time)"))
            let result = try program.run(["aof", "cut", log.path, "--at", "\(time)", "-o", cut.path])
            #expect(result.status == 0, "\(server): \(result.errors)")
            let other = try log.copy(to: folder, "other\(time)")
            #expect(try other.checkByServer(["--truncate-to-timestamp", "\(time)"]).accepts)
            let (ours, theirs) = (try #require(try cut.files().last), try #require(try other.files().last))
            #expect(try Files.read(ours.path) == Files.read(theirs.path), "\(server), \(time)")
            try expectSound(cut, run, "\(server), \(time)")
        }
        let early = try program.run(["aof", "cut", log.path, "--at", "\(times[0] - 1)", "-o", folder.file("early")])
        #expect(early.status == 65)
        #expect(early.errors.contains("nothing in it is that early"))
        #expect(!Files.exists(folder.file("early")))
    }
}
