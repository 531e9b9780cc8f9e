import ServerHarness
import Testing

/// `digest --redis` against what the servers' own `DEBUG DIGEST` tells of the same data. Files that servers have just
/// saved are held against it in `SavedFileTests`.
@Suite("DEBUG DIGEST", .serialized, .tags(.server, .slow))
struct DebugDigestTests {
    private static func text(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }

    /// A saved file has the digest that its server tells, whole and key by key.
    static func check(
        _ process: ServerProcess, _ connection: RESPConnection, _ program: RDBKitProgram, _ scenario: Scenario
    ) throws {
        let digest = try connection.call("DEBUG", "DIGEST").text()
        let dump = process.dumpPath
        for options in [["--threads", "1"], ["--threads", "4"], ["--server", scenario.server.name]] {
            let found = try program.output(["digest", "--redis", dump] + options)
            #expect(text(found) == "\(digest)  \(dump)\n", "rdbkit digest --redis \(options), \(scenario)")
        }
        let found = try KeyDigests.parse(
            program.output(["digest", "--redis", "--per-key", "--format", "json", dump]))
        let expected = try KeyDigests.ask(connection, databases: scenario.isCluster ? 1 : 16)
        expectNone(KeyDigests.differences(expected, found), "rdbkit digest --redis --per-key, \(scenario)")
    }

    @Test(
        "a file that another server loads has the digest that this one tells, by its rules",
        arguments: ServerCatalog.available.dropFirst())
    func loaded(server: Server) throws {
        let program = try RDBKitProgram.locate()
        guard let oldest = ServerCatalog.available.first else { return }
        let scenario = Scenario(server: oldest, seed: Scenario.seeds[0])
        let saving = try ServerProcess.start(for: scenario)
        defer { saving.stop() }
        let connection = try saving.connect()
        try Workload.fill(connection, for: scenario)
        try connection.call("SAVE")
        // So that no table becomes compact, which forgets the sign of a zero.
        let loading = try ServerProcess(
            server, options: [(name: "zset-max-ziplist-entries", value: "0")],
            loading: try Files.read(saving.dumpPath))
        defer { loading.stop() }
        let digest = try loading.connect().call("DEBUG", "DIGEST").text()
        let found = try program.output(["digest", "--redis", "--server", server.name, saving.dumpPath])
        #expect(Self.text(found) == "\(digest)  \(saving.dumpPath)\n", "\(scenario) in \(server)")
    }

    /// Every form of the text of a score: all magnitudes, whole numbers, few digits, doubles of random bits.
    static func scores(_ seed: UInt64) -> [Double] {
        var generator = SeededGenerator(seed: seed)
        var scores: [Double] = [
            0, -0.0, 1, -1, 0.1, 0.3, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude,
            123_456_789_012_345_680, 1e21, 1e22, 1e23, 9.5e-7, .infinity, -.infinity, 4.35, 0.5, 4503599627370496.5,
        ]
        for power in -30...30 { scores += [Double("1e\(power)") ?? 0, Double("-12345678901e\(power)") ?? 0] }
        for exponent in -1074...1023 { scores.append(Double(sign: .plus, exponent: exponent, significand: 1)) }
        while scores.count < 30_000 {
            switch generator.number(0...3) {
            case 0: scores.append(Double(generator.number(-1_000_000...1_000_000)) / 1000)
            case 1: scores.append(Double(generator.number(.min ... .max)))
            default: scores.append(Double(bitPattern: generator.next()))
            }
        }
        return scores.filter { !$0.isNaN }
    }

    @Test("scores are told apart as the servers write them", arguments: ServerCatalog.available)
    func scores(server: Server) throws {
        let program = try RDBKitProgram.locate()
        let process = try ServerProcess(server)
        defer { process.stop() }
        let connection = try process.connect()
        for seed in Scenario.seeds {
            try connection.call("FLUSHALL")
            let scores = Self.scores(seed)
            // Small sets, packed and not, so that one wrong digit names a few scores.
            let sets = stride(from: 0, to: scores.count, by: 50).map { start in
                scores[start..<min(start + 50, scores.count)].enumerated().flatMap { index, score in
                    score.commandArguments + [Bytes("member\(index)".utf8)]
                }
            }
            _ = try connection.pipeline(sets.enumerated().map { Command("ZADD", "set:\($0)", Arguments($1)) })
            try connection.call("CONFIG", "SET", "zset-max-ziplist-entries", 0)
            _ = try connection.pipeline(sets.enumerated().map { Command("ZADD", "table:\($0)", Arguments($1)) })
            try connection.call("CONFIG", "SET", "zset-max-ziplist-entries", 128)
            try connection.call("SAVE")
            let found = try KeyDigests.parse(
                program.output(["digest", "--redis", "--per-key", "--format", "json", process.dumpPath]))
            expectNone(
                KeyDigests.differences(try KeyDigests.ask(connection, databases: 1), found),
                "\(server) with RDBKIT_SEED=\(seed)")
        }
    }

    @Test("an empty server", arguments: ServerCatalog.available)
    func empty(server: Server) throws {
        let process = try ServerProcess(server)
        defer { process.stop() }
        let connection = try process.connect()
        try connection.call("SAVE")
        let digest = try connection.call("DEBUG", "DIGEST").text()
        let found = try RDBKitProgram.locate().output(["digest", "--redis", process.dumpPath])
        #expect(Self.text(found) == "\(digest)  \(process.dumpPath)\n")
    }
}
