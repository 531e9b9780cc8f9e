import ServerHarness
import Testing

/// The state behind a log, against the state that servers tell over the wire. `RDBKIT_SEEDS=n` and `RDBKIT_SEED=n` as in
/// `SavedFileTests`.
@Suite("the state behind logs", .serialized, .tags(.server, .slow))
struct LogStateTests {
    struct Run: Sendable, CustomStringConvertible {
        let server: Server
        let seed: UInt64
        var description: String { "\(server) with RDBKIT_SEED=\(seed)" }

        var hasRDBBase: Bool { seed % 2 == 0 }
        var isRewritten: Bool { seed % 3 != 1 }
        var hasTimes: Bool { seed % 2 == 1 }
    }

    static let runs = ServerCatalog.available.flatMap { server in
        Scenario.seeds.prefix(Environment["RDBKIT_SEEDS"] == nil ? 4 : 1000).map { Run(server: server, seed: $0) }
    }

    private func options(_ run: Run) -> [(name: String, value: String)] {
        var options = [
            (name: "appendonly", value: "yes"), (name: "auto-aof-rewrite-percentage", value: "0"),
            (name: "aof-use-rdb-preamble", value: run.hasRDBBase ? "yes" : "no"),
        ]
        if run.server.isRedis7 { options.append((name: "aof-timestamp-enabled", value: run.hasTimes ? "yes" : "no")) }
        return options
    }

    /// What a server tells over the wire, without what a log does not hold.
    private func truth(_ connection: RESPConnection, _ run: Run) throws -> [CanonicalEntry] {
        // A seed that divides by 3: no eviction.
        try WireTruth.read(connection, of: Scenario(server: run.server, seed: run.seed * 3)).map {
            plain($0, run.server)
        }
    }

    /// Without when consumers were last seen, and without the form in memory.
    private func plain(_ entry: CanonicalEntry, _ server: Server) -> CanonicalEntry {
        var entry = entry
        entry.encodings = nil
        if case .stream(var stream) = entry.value {
            if !server.isRedis7 {
                // This server counts nothing; what was read says so by itself where its RDB has no place for it.
                (stream.firstID, stream.maxDeletedID, stream.entriesAdded) = (nil, nil, nil)
                for group in stream.groups.indices { stream.groups[group].entriesRead = nil }
            }
            for group in stream.groups.indices {
                for consumer in stream.groups[group].consumers.indices {
                    stream.groups[group].consumers[consumer].seenAt = 0
                    stream.groups[group].consumers[consumer].activeAt = nil
                }
            }
            entry.value = .stream(stream)
        }
        return entry
    }

    /// Without consumers that own nothing: XREADGROUP makes them, and not all servers log that.
    private func withoutIdleConsumers(_ entry: CanonicalEntry) -> CanonicalEntry {
        var entry = entry
        guard case .stream(var stream) = entry.value else { return entry }
        for group in stream.groups.indices {
            let owners = Set(stream.groups[group].pending.map(\.consumer))
            stream.groups[group].consumers.removeAll { !owners.contains($0.name) }
        }
        entry.value = .stream(stream)
        return entry
    }

    /// What `rdbkit json` says, but for what has expired by now.
    private func state(_ server: Server, _ arguments: [String], input: String? = nil) throws -> [CanonicalEntry] {
        let run = try RDBKitProgram.locate().run(["json"] + arguments, input: input)
        #expect(run.status == 0 && run.errors == "", "\(arguments): status \(run.status), \(run.errors)")
        let now = Int64(wallClock() * 1000)
        return try JSONLines.parse(run.output, as: .program).map { plain($0, server) }.compactMap { entry in
            var entry = entry
            if let time = entry.expiresAt?.lowerBound, time <= now { return nil }
            // Fields that are over, and the hash with the last of them.
            if case .hash(var fields) = entry.value {
                for (field, time) in entry.fieldExpiries where time <= now {
                    fields[field] = nil
                    entry.fieldExpiries[field] = nil
                }
                if fields.isEmpty { return nil }
                entry.value = .hash(fields)
            }
            return entry
        }
    }

    @Test("is what the server has that wrote the log, and what it has after loading it", arguments: runs)
    func written(run: Run) throws {
        let folder = try TemporaryFolder()
        let process = try ServerProcess(run.server, options: options(run))
        defer { process.stop() }
        let connection = try process.connect()
        var workload = StateWorkload(server: run.server, seed: run.seed)
        _ = try connection.exchange(workload.commands(steps: 500))
        if run.isRewritten {
            try connection.rewriteLog()
            _ = try connection.exchange(workload.commands(steps: 300))
        }
        if run.seed % 4 == 3 {
            try connection.rewriteLog()
            _ = try connection.exchange(workload.commands(steps: 100))
        }
        // What is to expire in this run has expired.
        pause(milliseconds: 500)
        let truth = try truth(connection, run)
        let log = try process.log.copy(to: folder, "log")
        let found = try state(run.server, [log.path])
        expectNone(
            Comparison.differences(expected: truth.map(withoutIdleConsumers), found: found.map(withoutIdleConsumers)),
            "rdbkit json of the log of \(run)")

        let loaded = try ServerProcess(run.server, options: ServerLog.options(run.server)) { folder in
            _ = try log.copy(to: folder, log.isMultiPart ? "appendonlydir" : "appendonly.aof")
        }
        defer { loaded.stop() }
        expectNone(
            Comparison.differences(expected: try self.truth(try loaded.connect(), run), found: found),
            "rdbkit json of the log, against the server that loaded it, \(run)")

        if !log.isMultiPart {
            let compressed = folder.file("log.gz")
            try Gzip.compress(log.path, to: compressed)
            expectNone(
                Comparison.differences(expected: found, found: try state(run.server, [compressed])), "gzip, \(run)")
            expectNone(
                Comparison.differences(expected: found, found: try state(run.server, ["-"], input: log.path)),
                "standard input, \(run)")
            expectNone(
                Comparison.differences(expected: found, found: try state(run.server, ["-"], input: compressed)),
                "gzip on standard input, \(run)")
        } else {
            expectNone(
                Comparison.differences(expected: found, found: try state(run.server, [try log.manifestPath()])),
                "manifest, \(run)")
        }
    }

    @Test("of commands that no server has rewritten is what the server makes of them", arguments: runs)
    func handMade(run: Run) throws {
        var workload = StateWorkload(server: run.server, seed: run.seed &+ 1000, isHandMade: true)
        var bytes = Bytes()
        for command in workload.commands(steps: 900) {
            bytes += "*\(command.arguments.count)\r\n".utf8
            for argument in command.arguments {
                bytes += Bytes("$\(argument.count)\r\n".utf8) + argument + [0x0d, 0x0a]
            }
        }
        let folder = try TemporaryFolder()
        let path = folder.file("log.aof")
        try Files.write(bytes, to: path)
        if let keep = Environment["RDBKIT_KEEP"] { try Files.write(bytes, to: "\(keep)/\(run.server)-\(run.seed).aof") }
        let process = try ServerProcess(run.server, options: [], replaying: bytes)
        defer { process.stop() }
        let result = try RDBKitProgram.locate().run(["json", "--quiet", path])
        #expect(result.status == 0 && result.errors == "", "\(run): \(result.errors)")
        expectNone(
            Comparison.differences(
                expected: try truth(try process.connect(), run),
                found: try JSONLines.parse(result.output, as: .program).map { plain($0, run.server) }),
            "a log made by hand, \(run)")
    }
}
