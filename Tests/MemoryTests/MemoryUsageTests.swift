import RDBKit
import ServerHarness
import Testing

/// The memory model against real servers, key by key.
///
/// `RDBKIT_SEEDS=n` runs seeds 1 to n, `RDBKIT_SEED=n` only that one.
@Suite("what the model says against MEMORY USAGE and INFO memory", .serialized)
struct MemoryUsageTests {
    /// Fewer than the other tests: each seed makes several data sets.
    static let seeds = Array(Scenario.seeds.prefix(3))

    @Test("keys, encodings and sums of all types", arguments: ServerCatalog.available)
    func everyKey(server: Server) throws {
        var table = ErrorTable()
        for seed in Self.seeds {
            for shape in MemoryShape.allCases {
                try measure(shape, server, seed, into: &table)
            }
        }
        print("\(server), seeds \(Self.seeds):\n\(table.text)")
        for (name, row) in table.rows {
            #expect(
                Double(row.within) >= 0.95 * Double(row.count),
                "\(server), \(name): \(row.within) of \(row.count) keys are within 5 %, seeds \(Self.seeds)")
        }
    }

    private func measure(
        _ shape: MemoryShape, _ server: Server, _ seed: UInt64, into table: inout ErrorTable
    ) throws {
        let subject = Comment("\(server), \(shape), RDBKIT_SEED=\(seed)")
        let filled = try ServerProcess(server)
        defer { filled.stop() }
        let connection = try filled.connect()
        try shape.fill(connection, server, seed)
        try connection.call("SAVE")
        if let folder = Environment["RDBKIT_KEEP"] {
            try Files.write(try Files.read(filled.dumpPath), to: "\(folder)/\(server)-\(shape)-seed\(seed).rdb")
        }
        let measured = try MeasuredServer(filled)
        let model = MemoryModel(server: ServerModel(named: server.name)!, allocator: measured.allocator)
        let modelled = try ModelledFile(path: filled.dumpPath, model)

        #expect(Set(modelled.entries.keys) == Set(measured.entries.keys), subject)
        var (estimated, sum) = (0.0, 0.0)
        for (name, entry) in measured.entries {
            guard let memory = modelled.entries[name] else { continue }
            let encoding = entry.type == "vectorset" ? "module" : entry.encoding
            if memory.encoding.name != encoding {
                Issue.record(
                    "\(name.key.prefix(40)): \(memory.encoding.name), the server says \(encoding); \(subject)")
            }
            table.add("\(entry.type) \(entry.encoding)", estimated: memory.bytes, measured: entry.bytes)
            estimated += Double(memory.bytes)
            sum += Double(entry.bytes)
            if Environment["RDBKIT_MEMORY_KEYS"] != nil, abs(Double(memory.bytes) / Double(entry.bytes) - 1) > 0.05 {
                print(
                    server, shape, entry.type, entry.encoding, "key", name.key.count, "elements", memory.elements,
                    "longest", memory.largestElementBytes, "expiring", memory.expiringFields, memory.hasExpiry,
                    "estimated", memory.bytes, "measured", entry.bytes,
                    String(decoding: name.key.prefix(20), as: UTF8.self))
            }
        }
        #expect(abs(estimated / sum - 1) <= 0.02, "sum of keys \(estimated), server \(sum); \(subject)")
        let used = Double(measured.usedBytes - measured.emptyBytes)
        let whole = Double(measured.usedBytes)
        print(
            "\(server) \(shape) seed \(seed): \(measured.entries.count) keys, sum",
            ErrorTable.percent(estimated / sum - 1), "data set",
            ErrorTable.percent(Double(modelled.dataset.usedBytes) / used - 1), "used_memory",
            ErrorTable.percent(Double(modelled.dataset.serverBytes) / whole - 1), "of", measured.usedBytes,
            "without data", measured.emptyBytes)
        #expect(
            abs(Double(modelled.dataset.usedBytes) / used - 1) <= 0.05,
            "the data set \(modelled.dataset.usedBytes), server \(used); \(subject)")
        #expect(
            abs(Double(modelled.dataset.serverBytes) / whole - 1) <= 0.05,
            "the server \(modelled.dataset.serverBytes), used_memory \(whole); \(subject)")
    }
}
