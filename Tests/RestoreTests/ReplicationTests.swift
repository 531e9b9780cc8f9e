import Glibc
import ServerHarness
import Testing

/// `--as replication` as a user runs it.
@Suite("restore by replication", .serialized, .tags(.server))
struct ReplicationTests {
    private func role(_ process: ServerProcess) throws -> String {
        try process.connect().call("ROLE").elements()[0].text()
    }

    @Test("every version takes its own file, and holds what it says", arguments: ServerCatalog.available)
    func versions(server: Server) throws {
        let source = try ServerProcess(server)
        defer { source.stop() }
        let scenario = Scenario(server: server, seed: 3)
        let from = try source.connect()
        try Workload.fill(from, for: scenario)
        let truth = try WireTruth.save(from, of: scenario)
        let target = try ServerProcess(server)
        defer { target.stop() }
        let run = try RDBKitProgram.locate().restore(
            source.dumpPath, target.url, ["--as", "replication", "--verify"])
        #expect(run.status == 0, "\(server): \(run.errors)")
        #expect(run.errors.contains("read back: \(truth.count) the same, 0 not"), "\(server): \(run.errors)")
        #expect(try role(target) == "master")
        let transfer = Transfer(from: server, to: server, .restore)
        let found = try WireTruth.read(try target.connect(), of: scenario)
        // A server that loads a file makes small tables compact, which loses the sign of a zero.
        expectNone(
            Comparison.differences(
                expected: Self.withoutSigns(transfer.expected(truth)), found: Self.withoutSigns(transfer.found(found))),
            "\(server)")
    }

    private static func withoutSigns(_ entries: [CanonicalEntry]) -> [CanonicalEntry] {
        entries.map { entry in
            guard case .sortedSet(let members) = entry.value else { return entry }
            var entry = entry
            entry.value = .sortedSet(
                members.map { member in
                    var member = member
                    if member.score == 0 { member.score = 0 }
                    return member
                })
            entry.idleSeconds = nil
            entry.frequency = nil
            return entry
        }
    }

    @Test("standard input is looked at first, be it a file or a pipe")
    func standardInput() throws {
        let dump = try SavedDump.small(200)
        let target = try ServerProcess(.debian)
        defer { target.stop() }
        let connection = try target.connect()
        let program = try RDBKitProgram.locate()
        let arguments = ["restore", "-", target.url, "--as", "replication"]

        // Nothing that is damaged reaches the server.
        var bytes = try Files.read(dump.path)
        bytes[bytes.count / 2] ^= 0xff
        let damaged = target.folder.file("damaged.rdb")
        try Files.write(bytes, to: damaged)
        let identifier = try Self.replicationID(connection)
        for run in [
            try program.run(arguments, input: damaged), try program.run(arguments, piping: damaged),
            try program.run(arguments, piping: "/dev/null"),
        ] {
            #expect(run.status == 65, "\(run.errors)")
            #expect(try connection.call("DBSIZE").integer() == 0)
            // It was never a replica.
            #expect(try Self.replicationID(connection) == identifier)
        }

        let compressed = target.folder.file("dump.rdb.gz")
        try Gzip.compress(dump.path, to: compressed)
        for path in [dump.path, compressed] {
            for isPipe in [false, true] {
                try connection.call("FLUSHALL")
                let run =
                    isPipe ? try program.run(arguments, piping: path) : try program.run(arguments, input: path)
                #expect(run.status == 0, "\(path): \(run.errors)")
                expectNone(try Comparison.differences(dump, [target]), "\(path), a pipe: \(isPipe)")
            }
        }
    }

    private static func replicationID(_ connection: RESPConnection) throws -> String? {
        let lines = try connection.call("INFO", "replication").text().split(whereSeparator: \.isNewline)
        return lines.first { $0.hasPrefix("master_replid:") }.map { String($0) }
    }

    private static func isLoading(_ connection: RESPConnection) throws -> Bool {
        try connection.call("INFO", "persistence").text().split(whereSeparator: \.isNewline).contains("loading:1")
    }

    @Test("a run that is killed leaves a replica; the next one says so and how it is mended")
    func killed() throws {
        let dump = try SavedDump(readsBack: false) { connection in
            _ = try connection.pipeline((0..<50_000).map { Command("SET", "key:\($0)", $0) })
        }
        // A millisecond a key; commands are answered meanwhile.
        let target = try ServerProcess(
            .debian,
            options: [
                (name: "key-load-delay", value: "1000"),
                (name: "loading-process-events-interval-bytes", value: "1024"),
            ])
        defer { target.stop() }
        let program = try RDBKitProgram.locate()
        let arguments = ["restore", dump.path, target.url]
        let running = try program.start(arguments + ["--as", "replication"])
        let connection = try target.connect()
        try wait(seconds: 60) {
            if running.hasEnded(within: 0) { throw HarnessError("it ended before: \(try running.errors())") }
            return try Self.isLoading(connection)
        }
        running.send(signal: SIGKILL)
        #expect(try running.end().status == 137)
        // It has most of the file already.
        try connection.call("CONFIG", "SET", "key-load-delay", 0)
        try wait(seconds: 60) { try !Self.isLoading(connection) }
        #expect(try role(target) == "slave")

        for way in ["replication", "auto"] {
            let run = try program.run(arguments + ["--as", way])
            #expect(run.status == 69, "\(run.errors)")
            #expect(
                run.errors.contains("if rdbkit was killed in the midst of --as replication, REPLICAOF NO ONE makes it"),
                "\(run.errors)")
        }
        try connection.call("REPLICAOF", "NO", "ONE")
        let run = try program.run(arguments + ["--as", "replication", "--flush", "--yes"])
        #expect(run.status == 0, "\(run.errors)")
        #expect(try connection.call("DBSIZE").integer() == 50_000)
    }
}
