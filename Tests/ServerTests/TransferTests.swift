import ServerHarness
import Testing

/// `rdbkit resp` from every server into every other one.
///
/// `RDBKIT_SEEDS=n` runs seeds 1 to n for each source, `RDBKIT_SEED=n` only that one.
@Suite("commands from server to server", .serialized, .tags(.server, .slow))
struct TransferTests {
    /// By default one for each server, so that all kinds of eviction come up.
    static let scenarios: [Scenario] = ServerCatalog.available.enumerated().flatMap { index, server in
        let isChosen = Environment["RDBKIT_SEED"] != nil || Environment["RDBKIT_SEEDS"] != nil
        return (isChosen ? Scenario.seeds : [UInt64(index + 1)]).map { Scenario(server: server, seed: $0) }
    }

    @Test("what arrives is what the source holds", arguments: scenarios)
    func workload(scenario: Scenario) throws {
        let source = try ServerProcess.start(for: scenario)
        defer { source.stop() }
        let connection = try source.connect(protocolVersion: scenario.protocolVersion)
        try Workload.fill(connection, for: scenario)
        let truth = try WireTruth.save(connection, of: scenario)
        try TransferCheck(scenario: scenario, dump: source.dumpPath, truth: truth, source: connection).intoAll()
    }

    @Test("rare forms arrive", arguments: ServerCatalog.available)
    func rareForms(server: Server) throws {
        try check(server, RareForms.fill) { try $0.intoAll() }
    }

    /// Servers without a type of their own add nothing here.
    @Test(
        "texts above 1 MiB arrive, and values that are not staged",
        arguments: ServerCatalog.available.filter { $0.family == .valkey ? $0.hasFieldExpiry : $0.minor == 2 })
    func largeTexts(server: Server) throws {
        try check(server, RareForms.fillLarge) { check in
            let target = try ServerProcess(server, options: check.options)
            defer { target.stop() }
            for way in TransferCheck.ways(from: server, to: server) { check.into(target, way) }
        }
    }

    @Test("small commands give the same", arguments: ServerCatalog.available.filter(\.hasFieldExpiry))
    func smallCommands(server: Server) throws {
        try check(server, RareForms.fill) { check in
            var check = check
            check.arguments = ["--max-command", "1KiB", "--threads", "1"]
            let target = try ServerProcess(server, options: check.options)
            defer { target.stop() }
            for way in TransferCheck.ways(from: server, to: server).prefix(2) { check.into(target, way) }
        }
    }

    private func check(
        _ server: Server, _ fill: (RESPConnection, Server) throws -> Void, _ body: (TransferCheck) throws -> Void
    ) throws {
        // Without eviction, but with compression.
        let scenario = Scenario(server: server, seed: 6)
        let source = try ServerProcess(server, options: scenario.options)
        defer { source.stop() }
        let connection = try source.connect()
        try fill(connection, server)
        let truth = try WireTruth.save(connection, of: scenario)
        try body(TransferCheck(scenario: scenario, dump: source.dumpPath, truth: truth, source: connection))
    }
}
