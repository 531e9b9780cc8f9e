import ServerHarness
import Testing

/// Sends what one server holds to another one, in every form, and compares.
struct TransferCheck {
    let scenario: Scenario
    let dump: String
    /// What the source answered when it saved.
    let truth: [CanonicalEntry]
    let source: RESPConnection
    /// Given to every run of the program.
    var arguments: [String] = []

    /// A run of the program and what has to come of it.
    struct Way {
        let transfer: Transfer
        let arguments: [String]
        var carrier = Carrier.connection
    }

    /// How the commands come to the target.
    enum Carrier {
        case connection, pipe, appendOnlyFile
    }

    static func ways(from source: Server, to target: Server) -> [Way] {
        let restoresAll = Transfer.restoresAll(from: source, to: target)
        var ways = [
            Way(
                transfer: Transfer(from: source, to: target, .commands, knowsTarget: false), arguments: []),
            Way(
                transfer: Transfer(from: source, to: target, .commands),
                arguments: ["--target", target.name, "--as", "commands"], carrier: .appendOnlyFile),
            Way(
                transfer: Transfer(from: source, to: target, restoresAll ? .restore : .mixed),
                arguments: ["--target", target.name], carrier: .pipe),
        ]
        if restoresAll {
            ways.append(Way(transfer: Transfer(from: source, to: target, .restore), arguments: ["--as", "restore"]))
        }
        return ways
    }

    /// Every form, into every server that is there.
    func intoAll() throws {
        for server in ServerCatalog.available {
            let target = try ServerProcess(server, options: options)
            defer { target.stop() }
            for way in Self.ways(from: scenario.server, to: server) { into(target, way) }
        }
    }

    func into(_ target: ServerProcess, _ way: Way) {
        let words = (way.arguments + arguments).joined(separator: " ")
        let subject = "\(scenario) into \(target.server), rdbkit resp \(words)"
        do { try check(way, target, subject) } catch { Issue.record(error, "\(subject)") }
    }

    /// The target keeps the same of eviction, and does not lose the sign of a zero by making a table compact.
    var options: [(name: String, value: String)] {
        scenario.options + [(name: "zset-max-ziplist-entries", value: "0")]
    }

    private func check(_ way: Way, _ target: ServerProcess, _ subject: String) throws {
        let run = try RDBKitProgram.locate().run(["resp", dump] + way.arguments + arguments)
        try checkLosses(run, way.transfer, subject)

        switch way.carrier {
        case .connection:
            let connection = try emptied(target)
            #expect(try connection.replay(run.output) == [], "\(subject)")
            try compare(way, connection, subject)
        case .pipe:
            let connection = try emptied(target)
            let folder = try TemporaryFolder()
            try Files.write(run.output, to: folder.file("commands"))
            let words = try RedisCLI.pipe(folder.file("commands"), to: target)
            #expect(words.contains("errors: 0, replies: "), "\(subject): \(words)")
            try compare(way, connection, subject)
        case .appendOnlyFile:
            let other = try ServerProcess(target.server, options: options, replaying: run.output)
            defer { other.stop() }
            try compare(way, try other.connect(protocolVersion: scenario.protocolVersion), subject)
        }
    }

    private func emptied(_ target: ServerProcess) throws -> RESPConnection {
        let connection = try target.connect(protocolVersion: scenario.protocolVersion)
        try connection.call("FLUSHALL")
        if target.server.isRedis7 { try connection.call("FUNCTION", "FLUSH") }
        return connection
    }

    private func compare(_ way: Way, _ connection: RESPConnection, _ subject: String) throws {
        let there = Scenario(server: way.transfer.target, seed: scenario.seed)
        let found = try WireTruth.read(connection, of: there)
        expectNone(
            Comparison.differences(expected: way.transfer.expected(truth), found: way.transfer.found(found)), subject)
        for difference in try way.transfer.digestDifferences(of: truth, source, connection) {
            Issue.record("\(subject): \(difference)")
        }
        try checkFunctions(way.transfer, connection, subject)
    }

    // MARK: Losses

    private func checkLosses(_ run: RDBKitProgram.Run, _ transfer: Transfer, _ subject: String) throws {
        let values = truth.count(where: transfer.losesValue)
        let expiries = truth.count(where: transfer.losesFieldExpiry)
        let functions = transfer.losesFunctions ? try Self.functions(of: source, transfer.source).count : 0
        let lines = run.errors.split(separator: "\n")
        #expect(run.status == (values + expiries + functions > 0 ? 1 : 0), "\(subject): \(run.errors.prefix(600))")
        #expect(
            lines.count(where: { $0.hasPrefix("rdbkit: key ") }) == min(20, values + expiries),
            "\(subject): \(run.errors.prefix(3000))")
        func expectCount(_ words: String, _ count: Int) {
            let line = lines.filter {
                $0.contains(words) && !$0.contains("rdbkit: key ") && !$0.contains("function librar")
            }
            let isRight = count == 0 ? line.isEmpty : line.count == 1 && line[0].hasPrefix("rdbkit: \(count) key")
            #expect(isRight, "\(subject): \(count) \(words): \(run.errors.prefix(3000))")
        }
        expectCount(" left out", values)
        expectCount("without expiry of hash fields", expiries)
        if functions > 0 { #expect(run.errors.contains("\(functions) function librar"), "\(subject)") }
    }

    // MARK: What the wire alone does not show

    private static func functions(of connection: RESPConnection, _ server: Server) throws -> Set<Bytes> {
        guard server.isRedis7 else { return [] }
        let list = try connection.call("FUNCTION", "LIST", "WITHCODE").elements()
        return Set(try list.map { try $0.fields().required("library_code").bytes() })
    }

    private func checkFunctions(_ transfer: Transfer, _ target: RESPConnection, _ subject: String) throws {
        let expected = transfer.losesFunctions ? [] : try Self.functions(of: source, transfer.source)
        #expect(try Self.functions(of: target, transfer.target) == expected, "functions, \(subject)")
    }
}
