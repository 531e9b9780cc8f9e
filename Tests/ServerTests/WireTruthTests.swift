import ServerHarness
import Testing

/// The truth that the other tests rely on, tried on servers alone.
@Suite("what servers answer", .serialized, .tags(.server))
struct WireTruthTests {
    @Test(
        "a server that loads the file answers what the server that saved it did",
        arguments: ServerCatalog.available.map { Scenario(server: $0, seed: Scenario.seeds[0]) })
    func reload(scenario: Scenario) throws {
        let saving = try ServerProcess.start(for: scenario)
        defer { saving.stop() }
        let connection = try saving.connect(protocolVersion: scenario.protocolVersion)
        try Workload.fill(connection, for: scenario)
        let saved = try WireTruth.save(connection, of: scenario)

        // When a server turns a table into a compact form it forgets the sign of a zero. At this
        // threshold it never does.
        let options = scenario.options + [(name: "zset-max-ziplist-entries", value: "0")]
        let loading = try ServerProcess(scenario.server, options: options, loading: try Files.read(saving.dumpPath))
        defer { loading.stop() }
        var loaded = try WireTruth.read(try loading.connect(protocolVersion: 3), of: scenario)
        for index in loaded.indices {
            // The second server has other thresholds, and its keys have been idle for longer.
            loaded[index].encodings = nil
            loaded[index].idleSeconds = saved.first { $0.name == loaded[index].name }?.idleSeconds
        }
        expectNone(Comparison.differences(expected: saved, found: loaded), "\(scenario)")
    }
}
