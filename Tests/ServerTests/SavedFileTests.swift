import ServerHarness
import Testing

/// The program under test against files that servers save in this very run.
///
/// `RDBKIT_SEEDS=n` runs seeds 1 to n, `RDBKIT_SEED=n` only that one, and `RDBKIT_KEEP=folder` keeps a
/// copy of each file.
@Suite("files that servers save", .serialized, .tags(.server, .slow))
struct SavedFileTests {
    /// A missing server is a warning that says how many runs it costs, or a failure when
    /// `RDBKIT_REQUIRE_SERVERS` is set.
    @Test("a server to compare with is there", arguments: Server.all)
    func present(server: Server) {
        if ServerCatalog.program(for: server) != nil { return }
        Issue.record(
            """
            no \(server) in \(ServerCatalog.folder): \(Scenario.seeds.count) runs of rdbkit and 1 of the server alone \
            are skipped; Tests/fetch-servers.sh gets it
            """,
            severity: Environment["RDBKIT_REQUIRE_SERVERS"] == nil ? .warning : .error)
    }

    @Test(
        "every command reads a saved file as the server that saved it answers",
        arguments: ServerCatalog.available.flatMap { server in
            Scenario.seeds.map { Scenario(server: server, seed: $0) }
        })
    func savedFile(scenario: Scenario) throws {
        let program = try RDBKitProgram.locate()
        let process = try ServerProcess.start(for: scenario)
        defer { process.stop() }
        let connection = try process.connect(protocolVersion: scenario.protocolVersion)
        try Workload.fill(connection, for: scenario)
        let truth = try WireTruth.save(connection, of: scenario)
        if let folder = Environment["RDBKIT_KEEP"] {
            let name = "\(folder)/\(scenario.server)-seed\(scenario.seed).rdb"
            try Files.write(try Files.read(process.dumpPath), to: name)
        }
        do {
            let lines = try program.output(["json", process.dumpPath])
            try checkContents(process.dumpPath, lines, program, truth, scenario)
            try checkOtherForms(process.dumpPath, lines, program, scenario)
            try DebugDigestTests.check(process, connection, program, scenario)
        } catch {
            Issue.record(error, "\(scenario)")
        }
    }

    private func checkContents(
        _ dump: String, _ lines: Bytes, _ program: RDBKitProgram, _ truth: [CanonicalEntry], _ scenario: Scenario
    ) throws {
        let entries = try JSONLines.parse(lines, as: .program)
        expectNone(Comparison.differences(expected: truth, found: entries), "rdbkit json, \(scenario)")

        // In the order of the file, as `json` gives them.
        let keys = entries.map(\.name.key)
        #expect(try program.output(["keys", dump]) == keys.flatMap { $0 + [0x0a] }, "rdbkit keys, \(scenario)")
        #expect(
            try program.output(["keys", "-0", dump]) == keys.flatMap { $0 + [0] }, "rdbkit keys -0, \(scenario)")

        let check = try program.run(["check", dump])
        #expect(check.status == 0, "rdbkit check, \(scenario): \(check.errors)")
        let information = try program.output(["info", "--json", dump])
        guard case .object = try JSONValue(parsing: information) else {
            Issue.record("rdbkit info --json gives no object, \(scenario)")
            return
        }
    }

    /// The same bytes in gzip and on standard input give the same lines.
    private func checkOtherForms(
        _ dump: String, _ lines: Bytes, _ program: RDBKitProgram, _ scenario: Scenario
    ) throws {
        let compressed = dump + ".gz"
        try Gzip.compress(dump, to: compressed)
        #expect(try program.output(["json", compressed]) == lines, "gzip, \(scenario)")
        #expect(try program.output(["json", "-"], input: dump) == lines, "standard input, \(scenario)")
        #expect(try program.output(["json", "-"], input: compressed) == lines, "gzip on standard input, \(scenario)")
    }
}
