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

    /// What is loaded into which server.
    private struct Case: CustomStringConvertible {
        var shape: MemoryShape
        var seed: UInt64
        var writer: Server
        var server: Server
        /// Limits beyond the defaults, by the names of the server's configuration.
        var limits: [(name: String, value: String)] = []

        var description: String {
            let names = limits.map { " \($0.name) \($0.value)" }.joined()
            return (writer == server ? "\(server)" : "\(writer) in \(server)") + " \(shape)\(names) RDBKIT_SEED=\(seed)"
        }
    }

    @Test("keys, encodings and sums of all types", arguments: ServerCatalog.available)
    func everyKey(server: Server) throws {
        let cases = Self.seeds.flatMap { seed in
            MemoryShape.allCases.map { Case(shape: $0, seed: seed, writer: server, server: server) }
        }
        try measure(cases, "\(server)")
    }

    @Test("files of an older server, whose forms the newer one changes", arguments: ServerCatalog.available.dropFirst())
    func olderFile(server: Server) throws {
        let writers = ServerCatalog.available.prefix(server.isRedis72 ? 2 : 1)
        let cases = writers.flatMap { writer in
            [MemoryShape.edges, .mixture].map { Case(shape: $0, seed: Self.seeds[0], writer: writer, server: server) }
        }
        // The GNU C library leaves 16 bytes behind a block that was made smaller, which converting does to each.
        try measure(cases, "older files in \(server)", libcTolerance: 16)
    }

    @Test("other limits than the defaults", arguments: ServerCatalog.available)
    func configured(server: Server) throws {
        let packed = server.isRedis7 ? "listpack" : "ziplist"
        var wide = [("hash-max-\(packed)-entries", "1024"), ("zset-max-\(packed)-value", "200")]
        var narrow = [
            ("hash-max-\(packed)-value", "20"), ("zset-max-\(packed)-entries", "7"), ("set-max-intset-entries", "31"),
        ]
        wide.append(("list-max-\(packed)-size", "-4"))
        narrow.append(("list-max-\(packed)-size", "64"))
        if server.isRedis72 {
            wide.append(("set-max-listpack-entries", "600"))
            narrow.append(("set-max-listpack-value", "10"))
        }
        let cases = [wide, narrow].map { limits in
            Case(
                shape: .edges, seed: Self.seeds[0], writer: server, server: server,
                limits: limits.map { (name: $0.0, value: $0.1) })
        }
        // Nor does it split a free block for the 16 bytes that would be left.
        try measure(cases, "other limits in \(server)", libcTolerance: 16)
    }

    private func measure(_ cases: [Case], _ title: String, libcTolerance: Int64 = 0) throws {
        var table = ErrorTable()
        guard let server = cases.first?.server else { return }
        let empty = try MeasuredServer(server)
        if empty.allocator == .libc { table.tolerance = libcTolerance }
        for part in cases { try measure(part, empty, into: &table) }
        print("\(title), seeds \(Set(cases.map(\.seed)).sorted()):\n\(table.text)")
        for (name, row) in table.rows {
            #expect(
                Double(row.within) >= 0.95 * Double(row.count),
                "\(title), \(name): \(row.within) of \(row.count) keys are within 5 %, \(cases.map(\.description))")
        }
    }

    private func measure(_ part: Case, _ empty: MeasuredServer, into table: inout ErrorTable) throws {
        let (shape, server) = (part.shape, part.server)
        let subject = Comment("\(part)")
        let filled = try ServerProcess(part.writer)
        defer { filled.stop() }
        let connection = try filled.connect()
        try shape.fill(connection, part.writer, part.seed)
        try connection.call("SAVE")
        if let folder = Environment["RDBKIT_KEEP"] {
            try Files.write(
                try Files.read(filled.dumpPath), to: "\(folder)/\(part.writer)-\(shape)-seed\(part.seed).rdb")
        }
        let measured = try MeasuredServer(server, options: part.limits, loading: try Files.read(filled.dumpPath))
        var model = MemoryModel(server: ServerModel(named: server.name)!, allocator: measured.allocator)
        for limit in part.limits {
            let isTaken = model.limits.set(limit.name, to: limit.value)
            #expect(isTaken, "\(limit.name)")
        }
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
        let used = Double(measured.usedBytes - empty.usedBytes)
        let whole = Double(measured.usedBytes)
        print(
            "\(part): \(measured.entries.count) keys, sum",
            ErrorTable.percent(estimated / sum - 1), "data set",
            ErrorTable.percent(Double(modelled.dataset.usedBytes) / used - 1), "used_memory",
            ErrorTable.percent(Double(modelled.dataset.serverBytes) / whole - 1), "of", measured.usedBytes,
            "without data", empty.usedBytes)
        #expect(
            abs(Double(modelled.dataset.usedBytes) / used - 1) <= 0.05,
            "the data set \(modelled.dataset.usedBytes), server \(used); \(subject)")
        #expect(
            abs(Double(modelled.dataset.serverBytes) / whole - 1) <= 0.05,
            "the server \(modelled.dataset.serverBytes), used_memory \(whole); \(subject)")
    }
}
