import ServerHarness
import Testing

/// What is restored where runs are interrupted: all types, many small keys, and values that go in slices.
///
/// Saved once, by a server of the version that is also the target, so that nothing is lost on the way.
final class Cargo: Sendable {
    static let shared = Result { try Cargo() }

    let dump: String
    let truth: [CanonicalEntry]
    private let folder: TemporaryFolder

    static let scenario = Scenario(server: .debian, seed: 3)

    /// Of every target.
    static let options = scenario.options + ServerProcess.keepsSigns

    private init() throws {
        folder = try TemporaryFolder()
        dump = folder.file("dump.rdb")
        let source = try ServerProcess(.debian, options: Self.scenario.options)
        defer { source.stop() }
        let connection = try source.connect(protocolVersion: Self.scenario.protocolVersion)
        try Workload.fill(connection, for: Self.scenario)
        try connection.call("SELECT", 0)
        var commands: [Command] = []
        for index in 0..<3000 { commands.append(Command("SET", "plain:\(index)", "value \(index)")) }
        for index in 0..<300 {
            commands.append(Command("SET", "expiring:\(index)", "value \(index)", "PXAT", 4_102_444_800_000 + index))
            commands.append(Command("RPUSH", "small list:\(index)", "first", "second", "third \(index)"))
        }
        for index in 0..<8000 {
            commands.append(Command("RPUSH", "large list", "element \(index) of the large list"))
            commands.append(Command("HSET", "large hash", "field \(index)", "value \(index) of the large hash"))
            commands.append(Command("XADD", "large stream", "1-\(index + 1)", "f", "value \(index)"))
        }
        commands.append(
            Command("SET", "large string", Bytes((0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) })))
        commands.append(Command("PEXPIREAT", "large list", 4_102_444_800_123))
        _ = try connection.pipeline(commands)
        // A server that makes a table compact when it loads it loses the sign of a zero: here as at the target.
        try connection.call("DEBUG", "RELOAD")
        truth = try WireTruth.save(connection, of: Self.scenario)
        try Files.write(try Files.read(source.dumpPath), to: dump)
    }

    /// Ways to send it, in turn.
    static let ways: [[String]] = [
        ["--as", "auto"], ["--as", "commands", "--big-value", "60KB"], ["--as", "restore", "--big-value", "60KB"],
        ["--as", "auto", "--big-value", "2KB", "--connections", "5"],
        ["--as", "commands", "--connections", "1"],
    ]

    private static let transfer = Transfer(from: .debian, to: .debian, .commands)

    /// Keys of the cargo that somebody else's values stand at.
    struct Occupied {
        var holdings: [CanonicalEntry.Name: Holding] = [:]
    }

    /// Puts values of another kind at some of the keys.
    func occupy(_ connection: RESPConnection, _ generator: inout SeededGenerator) throws -> Occupied {
        var occupied = Occupied()
        for entry in generator.sample(truth, 60) {
            try connection.call("SELECT", entry.name.database)
            switch generator.number(0...2) {
            case 0: try connection.call("SET", entry.name.key, "occupied")
            case 1: try connection.call("RPUSH", entry.name.key, "occupied")
            default: try connection.call("SET", entry.name.key, "occupied", "PXAT", 4_102_444_899_999)
            }
            occupied.holdings[entry.name] = try connection.holding(entry.name.key)
        }
        return occupied
    }

    /// Expects all of it at the target and nothing else, but for keys that are occupied where those are skipped.
    func expectArrival(
        _ connection: RESPConnection, skipped: Occupied = Occupied(), _ subject: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let found = try WireTruth.read(connection, of: Self.scenario).filter { skipped.holdings[$0.name] == nil }
        let expected = truth.filter { skipped.holdings[$0.name] == nil }
        expectNone(
            Comparison.differences(
                expected: Self.transfer.expected(expected), found: Self.transfer.found(found)), subject,
            sourceLocation: sourceLocation)
        for (name, holding) in skipped.holdings {
            try connection.call("SELECT", name.database)
            #expect(try connection.holding(name.key) == holding, "\(subject): \(name)", sourceLocation: sourceLocation)
        }
    }
}
