import Glibc
import ServerHarness
import Testing

/// Servers that are there, but busy, loading, full, followers of others, or without what a value needs.
@Suite("restore: servers in trouble", .serialized, .tags(.server))
struct TroubleTests {
    private func start(
        _ dump: SavedDump, _ process: ServerProcess, _ arguments: [String]
    ) throws -> RunningProgram {
        try RDBKitProgram.locate().start(["restore", dump.path, process.url, "--format", "json"] + arguments)
    }

    private func waitForKeys(_ connection: RESPConnection, _ count: Int, _ running: RunningProgram) throws {
        try wait(seconds: 60) {
            if running.hasEnded(within: 0) { throw HarnessError("it ended before: \(try running.errors())") }
            return try connection.call("DBSIZE").integer() >= count
        }
    }

    // MARK: - Busy

    /// Entries in several databases, few of each.
    private static let manyDatabases = Result {
        try SavedDump { connection in
            for database in 0..<16 {
                try connection.call("SELECT", database)
                for index in 0..<40 {
                    try connection.call("SET", "key:\(index)", "\(database):\(index)")
                    try connection.call("RPUSH", "list:\(index)", database, index)
                }
            }
        }
    }

    @Test(
        "a script that runs for long: commands are sent again, in their own databases", arguments: ["auto", "commands"])
    func busy(form: String) throws {
        let dump = try Self.manyDatabases.get()
        let process = try ServerProcess(.debian, options: [(name: "busy-reply-threshold", value: "20")])
        defer { process.stop() }
        let connection = try process.connect()
        let running = try start(dump, process, ["--as", form, "--max-ops", "800", "--verify"])
        try waitForKeys(connection, 20, running)
        for _ in 0..<3 {
            let script = try process.connect()
            let folder = try TemporaryFolder()
            // The connection waits for the script's end.
            let worker = try ScriptRunner(process, folder)
            try wait(seconds: 10) {
                guard case .error(let text)? = try script.exchange([Command("PING")]).first else { return false }
                return text.hasPrefix("BUSY")
            }
            usleep(150_000)
            try script.call("SCRIPT", "KILL")
            worker.finish()
            usleep(100_000)
        }
        let run = try running.end(timeoutSeconds: 60)
        #expect(run.status == 0, "\(run.errors)")
        #expect(try Summary(run).applied == dump.entries.count)
        #expect(try Summary(run).verified == dump.entries.count)
        expectNone(try Comparison.differences(dump, [process], byCommands: true), "after a script, \(form)")
    }

    @Test("a script that runs when the restore begins, and one that does not end")
    func busyAtFirst() throws {
        let dump = try SavedDump.small(30)
        let process = try ServerProcess(.debian, options: [(name: "busy-reply-threshold", value: "20")])
        defer { process.stop() }
        let other = try process.connect()
        let worker = try ScriptRunner(process, try TemporaryFolder())
        try wait(seconds: 10) {
            guard case .error(let text)? = try other.exchange([Command("PING")]).first else { return false }
            return text.hasPrefix("BUSY")
        }
        let impatient = try RDBKitProgram.locate().run(["restore", dump.path, process.url, "--patience", "0.5"])
        #expect(impatient.status == 69)
        #expect(impatient.errors.contains("BUSY"), "\(impatient.errors)")
        let running = try start(dump, process, [])
        usleep(300_000)
        #expect(!running.hasEnded(within: 0))
        try other.call("SCRIPT", "KILL")
        worker.finish()
        let run = try running.end()
        #expect(run.status == 0, "\(run.errors)")
        expectNone(try Comparison.differences(dump, [process], byCommands: true), "after a script")
    }

    @Test("a server that sleeps")
    func asleep() throws {
        let dump = try SavedDump.small(400)
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let running = try start(
            dump, process, ["--max-ops", "800", "--reply-timeout", "0.4", "--on-conflict", "error"])
        let connection = try process.connect()
        try waitForKeys(connection, 20, running)
        // Longer than the reply's time: the connection is given up, and what was sent on it looked at again.
        try connection.call("DEBUG", "SLEEP", 1)
        let run = try running.end()
        #expect(run.status == 0, "\(run.errors)")
        #expect(try Summary(run).applied == dump.entries.count)
        #expect(try Summary(run).reconnections > 0)
        expectNone(try Comparison.differences(dump, [process], byCommands: true), "after a sleep")
    }

    // MARK: - Loading

    @Test("a server that loads its data when the restore begins is refused")
    func loadingAtFirst() throws {
        let dump = try SavedDump.small(30)
        // A millisecond a key; commands are answered meanwhile.
        let process = try ServerProcess(
            .debian,
            options: [
                (name: "key-load-delay", value: "1000"),
                (name: "loading-process-events-interval-bytes", value: "1024"),
            ])
        defer { process.stop() }
        let connection = try process.connect()
        _ = try connection.pipeline((0..<60_000).map { Command("SET", "old:\($0)", $0) })
        try connection.call("SAVE")
        try process.kill()
        try process.beginRestart()
        try wait(seconds: 30) {
            guard let connection = try? process.connect() else { return false }
            guard case .error(let text)? = try connection.exchange([Command("PING")]).first else { return false }
            return text.hasPrefix("LOADING")
        }
        let run = try RDBKitProgram.locate().run(["restore", dump.path, process.url])
        #expect(run.status == 69)
        #expect(run.errors.contains("the server is loading its data"), "\(run.errors)")
        #expect(run.errors.split(separator: "\n").count == 1)
    }

    @Test("a server that is killed, and loads its data for a while when it is back")
    func loadingInTheMidst() throws {
        let dump = try Self.manyDatabases.get()
        let process = try ServerProcess(
            .debian,
            options: [
                (name: "appendonly", value: "yes"), (name: "appendfsync", value: "always"),
                (name: "key-load-delay", value: "3000"),
                // Commands are answered while the log is loaded.
                (name: "loading-process-events-interval-bytes", value: "1024"),
            ])
        defer { process.stop() }
        let connection = try process.connect()
        let running = try start(dump, process, ["--as", "restore", "--max-ops", "600"])
        try waitForKeys(connection, 60, running)
        usleep(300_000)
        try process.kill()
        try process.restart()
        let run = try running.end(timeoutSeconds: 120)
        #expect(run.status == 0, "\(run.errors)")
        #expect(try Summary(run).applied == dump.entries.count)
        expectNone(try Comparison.differences(dump, [process]), "after loading")
    }

    // MARK: - Not to be written to

    @Test("a read-only replica names its primary")
    func replica() throws {
        let port = try ServerProcess.freePort()
        let primary = try ServerProcess(
            .debian, options: [(name: "port", value: "\(port)"), (name: "bind", value: "127.0.0.1")])
        defer { primary.stop() }
        let replica = try ServerProcess(.debian, options: [(name: "replicaof", value: "127.0.0.1 \(port)")])
        defer { replica.stop() }
        try wait(seconds: 20) { try replica.connect().call("ROLE").elements()[3].text() == "connected" }
        let dump = try SavedDump.small(30)
        let run = try RDBKitProgram.locate().run(["restore", dump.path, replica.url])
        #expect(run.status == 69)
        #expect(
            run.errors.contains("the server is a read-only replica of 127.0.0.1:\(port); write to that one"),
            "\(run.errors)")
        #expect(run.errors.split(separator: "\n").count == 1)

        // One that becomes a replica in the midst.
        let other = try ServerProcess(.debian)
        defer { other.stop() }
        let running = try start(dump, other, ["--max-ops", "60"])
        let connection = try other.connect()
        try waitForKeys(connection, 5, running)
        try connection.call("REPLICAOF", "127.0.0.1", port)
        let turned = try running.end()
        #expect(turned.status == 69, "\(turned.errors)")
        #expect(turned.errors.contains("READONLY"), "\(turned.errors)")
        #expect(try Summary(turned).failed > 0)
    }

    @Test("a full server ends the run with what was applied", arguments: ["auto", "restore", "commands"])
    func full(form: String) throws {
        let dump = try SavedDump(readsBack: false) { connection in
            for index in 0..<400 {
                let text = Bytes(repeating: UInt8(0x61 + index % 26), count: 20_000) + Bytes("\(index)".utf8)
                try connection.call("SET", "string:\(index)", text)
                try connection.call("RPUSH", "list:\(index)", text, index)
            }
        }
        let process = try ServerProcess(.debian, options: [(name: "maxmemory-policy", value: "noeviction")])
        defer { process.stop() }
        let connection = try process.connect()
        let fields = try connection.call("INFO", "memory").text().split(whereSeparator: \.isNewline)
        let used = try #require(fields.first { $0.hasPrefix("used_memory:") }.flatMap { Int($0.dropFirst(12)) })
        // About half of it has room, beside the buffers of connections.
        try connection.call("CONFIG", "SET", "maxmemory", used + 8_000_000)
        let folder = try TemporaryFolder()
        let run = try RDBKitProgram.locate().restore(
            dump.path, process.url, ["--as", form, "--errors", folder.file("errors"), "--max-rate", "20MB/s"])
        #expect(run.status == 69, "\(form): \(run.errors)")
        #expect(run.errors.contains("OOM command not allowed when used memory > 'maxmemory'"), "\(run.errors)")
        try connection.call("CONFIG", "SET", "maxmemory", 0)
        let summary = try Summary(run)
        #expect(try summary.applied > 0)
        #expect(try connection.call("DBSIZE").integer() == Int64(try summary.applied), "\(form)")
        // Every entry that was refused stands in the file, none that is there.
        let lines = try Files.read(folder.file("errors")).split(separator: 0x0a)
        #expect(lines.count == (try summary.failed))
        #expect(lines.count > 0)
        for line in lines {
            let fields = try JSONFields(try JSONValue(parsing: Bytes(line)))
            #expect(try fields.plainText("code") == "refused")
            #expect(try connection.call("EXISTS", try fields.text("key")).integer() == 0)
        }
        // What is there is whole.
        for key in try connection.keys() {
            let index = String(decoding: key, as: UTF8.self).split(separator: ":")[1]
            let length = try connection.call(key.starts(with: Bytes("list".utf8)) ? "LLEN" : "STRLEN", key).integer()
            #expect(length == (key.starts(with: Bytes("list".utf8)) ? 2 : Int64(20_000 + index.count)))
        }
    }

    @Test("a server that cannot save and so takes no writes")
    func misconfigured() throws {
        // Since 7.0 a server lets nobody change its folder unless it is told so at its start.
        let process = try ServerProcess(.debian, options: [(name: "enable-protected-configs", value: "yes")])
        defer { process.stop() }
        let connection = try process.connect()
        let folder = try TemporaryFolder()
        let gone = folder.file("gone")
        #expect(mkdir(gone, 0o755) == 0)
        try connection.call("CONFIG", "SET", "dir", gone)
        try connection.call("CONFIG", "SET", "save", "3600 1")
        rmdir(gone)
        try connection.call("BGSAVE")
        try wait(seconds: 10) {
            try connection.call("INFO", "persistence").text().contains("rdb_last_bgsave_status:err")
        }
        let dump = try SavedDump.small(30)
        let run = try RDBKitProgram.locate().restore(dump.path, process.url)
        #expect(run.status == 69)
        #expect(run.errors.contains("MISCONF"), "\(run.errors)")
        #expect(try Summary(run).applied == 0)
    }

    // MARK: - Modules

    /// A file with one value of a module, and a string.
    private static func file(_ name: String, version: UInt64) -> Bytes {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var identifier: UInt64 = 0
        for letter in name.utf8 { identifier = identifier << 6 | UInt64(alphabet.firstIndex(of: letter)!) }
        identifier = identifier << 10 | version
        var bytes = Bytes("REDIS0010".utf8) + [0xfe, 0]
        bytes += [0, 1] + Bytes("a".utf8) + [1] + Bytes("b".utf8)
        bytes += [7, 6] + Bytes("module".utf8) + [0x81]
        bytes += (0..<8).reversed().map { UInt8(truncatingIfNeeded: identifier >> (8 * UInt64($0))) }
        // An unsigned number, a string, the end.
        bytes += [2, 42, 5, 3] + Bytes("xyz".utf8) + [0]
        return bytes + [0xff] + Bytes(repeating: 0, count: 8)
    }

    @Test(
        "a module's value where there is no such module is told by the module's name",
        arguments: ServerCatalog.available)
    func module(server: Server) throws {
        let folder = try TemporaryFolder()
        let process = try ServerProcess(server)
        defer { process.stop() }
        for (name, version) in [("ReJSON-RL", 3), ("own-type1", 7)] {
            try Files.write(Self.file(name, version: UInt64(version)), to: folder.file("dump.rdb"))
            let run = try RDBKitProgram.locate().restore(
                folder.file("dump.rdb"), process.url, ["--on-conflict", "replace"])
            #expect(run.status == 1, "\(server): \(run.errors)")
            #expect(try Summary(run).applied == 1)
            #expect(try Summary(run).failed == 1)
            let hasModules = try !process.connect().call("MODULE", "LIST").elements().isEmpty
            // Of a type that nobody has heard of, any module might be the one.
            let words =
                hasModules && name == "own-type1"
                ? "no module of the target reads \"own-type1\" version 7: ERR Bad data format"
                : "the target has no module \"\(name)\""
            #expect(run.errors.contains("key \"module\" (db 0): \(words)"), "\(server): \(run.errors)")
        }
    }

    @Test("a vector set goes where there is one, and is told where not")
    func vectorSets() throws {
        guard let source = ServerCatalog.available.last(where: \.hasVectorSets) else { return }
        let folder = try TemporaryFolder()
        let origin = try ServerProcess(source)
        defer { origin.stop() }
        let connection = try origin.connect()
        try connection.call("VADD", "vectors", "VALUES", 3, 1, 2, 3, "element")
        try connection.call("SET", "a", "b")
        try connection.call("SAVE")
        try Files.write(try Files.read(origin.dumpPath), to: folder.file("dump.rdb"))
        try connection.call("FLUSHALL")
        let back = try RDBKitProgram.locate().restore(folder.file("dump.rdb"), origin.url, ["--verify"])
        #expect(back.status == 0, "\(back.errors)")
        #expect(try connection.call("VCARD", "vectors").integer() == 1)

        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let run = try RDBKitProgram.locate().restore(folder.file("dump.rdb"), process.url)
        #expect(run.status == 1)
        #expect(run.errors.contains("the target has no module \"vectorset\""), "\(run.errors)")
        #expect(try Summary(run).applied == 1)
    }
}

/// A script that runs until somebody kills it.
final class ScriptRunner {
    private let running: RunningProgram

    init(_ process: ServerProcess, _ folder: TemporaryFolder) throws {
        running = try RedisCLI.start(["EVAL", "while true do end", "0"], on: process)
    }

    func finish() { _ = running.hasEnded(within: 10) }
}
