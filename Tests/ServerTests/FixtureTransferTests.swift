import ServerHarness
import Testing

/// `rdbkit resp` of the recorded files, from Redis 2.4 to today's, into every server.
@Suite("commands from recorded files", .serialized, .tags(.server))
struct FixtureTransferTests {
    /// Servers of the machine, each started once for all files.
    @Test("what arrives is what the recorded server answered", arguments: ServerCatalog.available)
    func fixtures(server: Server) throws {
        let target = try ServerProcess(server, options: [(name: "zset-max-ziplist-entries", value: "0")])
        defer { target.stop() }
        let connection = try target.connect(protocolVersion: 3)
        for fixture in FixtureTests.fixtures {
            let source = try #require(Server(named: fixture.name))
            let restoresAll = Transfer.restoresAll(from: source, to: server)
            let ways: [(Transfer, [String])] = [
                (Transfer(from: source, to: server, .commands, knowsTarget: false), []),
                (Transfer(from: source, to: server, .commands), ["--target", server.name, "--as", "commands"]),
                (Transfer(from: source, to: server, restoresAll ? .restore : .mixed), ["--target", server.name]),
            ]
            let truth = try fixture.truth()
            for (transfer, arguments) in ways {
                let subject = "\(fixture) into \(server), rdbkit resp \(arguments.joined(separator: " "))"
                do {
                    try check(fixture, truth, transfer, arguments, connection, subject)
                } catch {
                    Issue.record(error, "\(subject)")
                }
            }
        }
    }

    /// Types of Redis 8.8, by servers that do not have them.
    @Test(
        "of the newest types, what a server can hold arrives, and the rest is told", arguments: ServerCatalog.available)
    func newestTypes(server: Server) throws {
        let source = try #require(Server(named: "redis-8.8"))
        let target = try ServerProcess(server)
        defer { target.stop() }
        let connection = try target.connect(protocolVersion: 3)
        // Nobody owns the entry that was given back.
        let streams = NewestTypesTests.streams.map { entry in
            var entry = entry
            guard case .stream(var stream) = entry.value else { return entry }
            for index in stream.groups.indices { stream.groups[index].pending.removeAll { $0.consumer.isEmpty } }
            entry.value = .stream(stream)
            return entry
        }
        for arguments in [[], ["--target", server.name, "--as", "commands"], ["--target", server.name]] {
            let transfer = Transfer(
                from: source, to: server, arguments.count == 2 ? .mixed : .commands, knowsTarget: !arguments.isEmpty)
            let subject = "rdbkit resp \(arguments.joined(separator: " ")) into \(server)"
            let run = try RDBKitProgram.locate().run(["resp", NewestTypesTests.path] + arguments)
            #expect(run.status == 1, "\(subject)")
            func count(_ words: String) -> Int {
                run.errors.split(separator: "\n").count { $0.hasPrefix("rdbkit: key \"") && $0.contains(words) }
            }
            #expect(count("cannot hold arrays") == 4, "\(subject): \(run.errors)")
            #expect(count("cannot hold pending entries without a consumer") == 1, "\(subject): \(run.errors)")
            #expect(count("cannot hold idempotent producers") == 1, "\(subject): \(run.errors)")
            let others = streams + NewestTypesTests.others
            #expect(count("module vectorset") == others.count(where: transfer.losesValue), "\(subject): \(run.errors)")
            #expect(
                count("expiry of hash fields") == others.count(where: transfer.losesFieldExpiry),
                "\(subject): \(run.errors)")

            try connection.call("FLUSHALL")
            #expect(try connection.replay(run.output) == [], "\(subject)")
            let found = try WireTruth.read(connection, of: Scenario(server: server, seed: 6))
            expectNone(
                Comparison.differences(expected: transfer.expected(others), found: transfer.found(found)), subject)
        }
    }

    private func check(
        _ fixture: FixtureTests.Fixture, _ truth: [CanonicalEntry], _ transfer: Transfer, _ arguments: [String],
        _ connection: RESPConnection, _ subject: String
    ) throws {
        try connection.call("FLUSHALL")
        if transfer.target.isRedis7 { try connection.call("FUNCTION", "FLUSH") }
        let run = try RDBKitProgram.locate().run(["resp", fixture.path] + arguments)
        #expect([0, 1].contains(run.status), "\(subject): \(run.errors.prefix(600))")
        if truth.contains(where: { transfer.losesValue($0) || transfer.losesFieldExpiry($0) }) {
            #expect(run.status == 1, "\(subject)")
        }
        #expect(try connection.replay(run.output) == [], "\(subject)")
        let found = try WireTruth.read(connection, of: Scenario(server: transfer.target, seed: 6))
        expectNone(
            Comparison.differences(
                expected: transfer.expected(truth), found: transfer.found(found), order: fixture.order), subject)
    }
}
