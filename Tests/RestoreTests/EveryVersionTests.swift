import ServerHarness
import Testing

/// `rdbkit restore` of what every server saves into every server.
///
/// `RDBKIT_SEEDS=n` runs seeds 1 to n for each source, `RDBKIT_SEED=n` only that one.
@Suite("restore from version to version", .serialized, .tags(.server, .slow))
struct EveryVersionTests {
    /// By default one for each server, so that all kinds of eviction come up.
    static let scenarios: [Scenario] = ServerCatalog.available.enumerated().flatMap { index, server in
        let isChosen = Environment["RDBKIT_SEED"] != nil || Environment["RDBKIT_SEEDS"] != nil
        return (isChosen ? Scenario.seeds : [UInt64(index + 1)]).map { Scenario(server: server, seed: $0) }
    }

    /// A run of the program and what has to come of it.
    private struct Way {
        let transfer: Transfer
        let arguments: [String]
    }

    private static func ways(from source: Server, to target: Server) -> [Way] {
        let restoresAll = Transfer.restoresAll(from: source, to: target)
        var ways = [
            Way(
                transfer: Transfer(from: source, to: target, restoresAll ? .restore : .mixed),
                arguments: ["--as", "auto"]),
            Way(transfer: Transfer(from: source, to: target, .commands), arguments: ["--as", "commands"]),
        ]
        if restoresAll {
            ways.append(
                Way(transfer: Transfer(from: source, to: target, .restore), arguments: ["--as", "restore"]))
        }
        return ways
    }

    @Test("the target holds what the source holds", arguments: scenarios)
    func everyTarget(scenario: Scenario) throws {
        let source = try ServerProcess.start(for: scenario)
        defer { source.stop() }
        let connection = try source.connect(protocolVersion: scenario.protocolVersion)
        try Workload.fill(connection, for: scenario)
        let truth = try WireTruth.save(connection, of: scenario)
        for server in ServerCatalog.available {
            let target = try ServerProcess(server, options: scenario.options + ServerProcess.keepsSigns)
            defer { target.stop() }
            for way in Self.ways(from: scenario.server, to: server) {
                let subject = "\(scenario) into \(server), rdbkit restore \(way.arguments.joined(separator: " "))"
                do {
                    try check(way, source.dumpPath, truth, connection, target, scenario, subject)
                } catch {
                    Issue.record(error, "\(subject)")
                }
            }
        }
    }

    private func check(
        _ way: Way, _ dump: String, _ truth: [CanonicalEntry], _ source: RESPConnection, _ target: ServerProcess,
        _ scenario: Scenario, _ subject: String
    ) throws {
        let connection = try target.connect(protocolVersion: scenario.protocolVersion)
        try connection.call("FLUSHALL")
        if target.server.isRedis7 { try connection.call("FUNCTION", "FLUSH") }
        // To be read back is to be used, which servers before 7.2 count.
        let verifiesAtOnce = target.server.isRedis72
        let run = try RDBKitProgram.locate().restore(
            dump, target.url, way.arguments + (verifiesAtOnce ? ["--verify"] : []))
        try checkSummary(run, truth, way.transfer, source, subject, isVerified: verifiesAtOnce)

        let found = try WireTruth.read(connection, of: Scenario(server: target.server, seed: scenario.seed))
        expectNone(
            Comparison.differences(expected: way.transfer.expected(truth), found: way.transfer.found(found)), subject)
        if !verifiesAtOnce {
            let again = try RDBKitProgram.locate().restore(
                dump, target.url, way.arguments + ["--verify", "--on-conflict", "skip"])
            let lost = truth.count(where: way.transfer.losesValue)
            #expect(try Summary(again).verified == truth.count - lost, "\(subject): \(again.errors.prefix(3000))")
            #expect(try Summary(again).differing == lost, "\(subject): \(again.errors.prefix(3000))")
        }
        for difference in try way.transfer.digestDifferences(of: truth, source, connection) {
            Issue.record("\(subject): \(difference)")
        }
        try checkFunctions(way.transfer, source, connection, subject)
    }

    /// What could not be held is told and counted; everything else is there, by the program's own look as well.
    private func checkSummary(
        _ run: RDBKitProgram.Run, _ truth: [CanonicalEntry], _ transfer: Transfer, _ source: RESPConnection,
        _ subject: String, isVerified: Bool
    ) throws {
        let lost = truth.count(where: transfer.losesValue)
        let expiries = truth.count(where: transfer.losesFieldExpiry)
        let libraries = try Self.functions(of: source, transfer.source).count
        let lostLibraries = transfer.losesFunctions ? libraries : 0
        let summary = try Summary(run)
        let words = run.errors.prefix(3000)
        #expect(run.status == (lost + expiries + lostLibraries > 0 ? 1 : 0), "\(subject): \(words)")
        #expect(try summary.applied == truth.count - lost, "\(subject): \(words)")
        #expect(try summary.failed == lost, "\(subject): \(words)")
        #expect(try summary.skipped == 0, "\(subject)")
        #expect(try summary.functions == libraries - lostLibraries, "\(subject): \(words)")
        if isVerified {
            #expect(try summary.verified == truth.count - lost, "\(subject): \(words)")
            #expect(try summary.differing == lost, "\(subject): \(words)")
        }
        let lines = run.errors.split(separator: "\n")
        let expiryLines = lines.filter { $0.contains("without expiry of hash fields") }
        #expect(
            expiries == 0
                ? expiryLines.isEmpty
                : expiryLines.count == 1 && expiryLines[0].hasPrefix("rdbkit: \(expiries) key"),
            "\(subject): \(words)")
    }

    // MARK: What the wire alone does not show

    private static func functions(of connection: RESPConnection, _ server: Server) throws -> Set<Bytes> {
        guard server.isRedis7 else { return [] }
        let list = try connection.call("FUNCTION", "LIST", "WITHCODE").elements()
        return Set(try list.map { try $0.fields().required("library_code").bytes() })
    }

    private func checkFunctions(
        _ transfer: Transfer, _ source: RESPConnection, _ target: RESPConnection, _ subject: String
    ) throws {
        let expected = transfer.losesFunctions ? [] : try Self.functions(of: source, transfer.source)
        #expect(try Self.functions(of: target, transfer.target) == expected, "functions, \(subject)")
    }

    @Test(
        "what a target cannot restore fails with the server's own words, where nothing else is allowed",
        arguments: ServerCatalog.available.filter { $0.name == "redis-8.2" || $0.name == "valkey-9.1" })
    func downgradeByRestoreAlone(source: Server) throws {
        guard let old = ServerCatalog.available.first(where: { $0.name == "redis-6.2" }) else { return }
        let from = try ServerProcess(source)
        defer { from.stop() }
        let connection = try from.connect()
        try connection.call("SET", "string", "text")
        try connection.call("HSET", "hash", "f", "v")
        try connection.call("SAVE")
        let to = try ServerProcess(old)
        defer { to.stop() }
        let errors = to.folder.file("errors.jsonl")
        let run = try RDBKitProgram.locate().restore(
            from.dumpPath, to.url, ["--as", "restore", "--errors", errors])
        #expect(run.status == 1)
        // A payload bears the version that its layout needs: a string's is the same everywhere, and the old server takes it.
        #expect(try Summary(run).applied == 1)
        #expect(try Summary(run).failed == 1)
        #expect(
            run.errors.contains("key \"hash\" (db 0): ERR DUMP payload version or checksum are wrong"), "\(run.errors)")
        let lines = try Files.text(errors).split(separator: "\n")
        #expect(lines.count == 1)
        #expect(
            lines.allSatisfy { $0.hasPrefix(#"{"code":"refused","message":"ERR DUMP payload version"#) }, "\(lines)")
        #expect(try to.connect().keys() == [Bytes("string".utf8)])
    }

    @Test("a payload that the target refuses, though its version is said to take it, goes by commands")
    func refusedPayloads() throws {
        guard let old = ServerCatalog.available.first(where: { $0.name == "redis-6.2" }) else { return }
        let dump = try SavedDump.small(60)
        let target = try ServerProcess(old)
        defer { target.stop() }
        // Whoever asks is told another version: as with a server that is not quite what it says.
        let version = try target.connect().call("INFO", "server").text().split(whereSeparator: \.isNewline)
            .first { $0.hasPrefix("redis_version:") }
        let line = String(try #require(version))
        let other = "redis_version:7.0" + line.dropFirst("redis_version:6.2".count)
        let proxy = try LoopbackProxy(to: .unix(target.socketPath), rewriting: (line, other))
        defer { proxy.stop() }
        // The commands of streams are others in the version that it is not.
        let entries = dump.entries.filter { if case .stream = $0.value { false } else { true } }
        let run = try RDBKitProgram.locate().restore(
            dump.path, "redis://127.0.0.1:\(proxy.port)", ["--not-type", "stream"])
        #expect(run.status == 0, "\(run.errors)")
        #expect(try Summary(run).applied == entries.count)
        let text = String(decoding: run.output, as: UTF8.self)
        #expect(text.contains("Redis 7.0"), "\(text)")
        let transfer = Transfer(from: .debian, to: old, .commands)
        let found = try WireTruth.read(try target.connect(), of: Scenario(server: old, seed: 3))
        expectNone(
            Comparison.differences(
                expected: transfer.expected(entries), found: transfer.found(found)), "by commands after all")

        // Where nothing else is allowed each is told.
        try target.connect().call("FLUSHALL")
        let strict = try RDBKitProgram.locate().restore(
            dump.path, "redis://127.0.0.1:\(proxy.port)", ["--as", "restore"])
        #expect(strict.status == 1)
        #expect(strict.errors.contains("ERR DUMP payload version or checksum are wrong"), "\(strict.errors)")
    }
}
