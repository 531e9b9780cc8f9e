import Glibc
import RDBFormat
import RDBModel
import ServerHarness
import Testing

@testable import AOFState

/// Stream commands against what real servers make of the same log. `RDBKIT_SEEDS=n` and `RDBKIT_SEED=n` choose the seeds.
@Suite("streams of a log as servers load it", .serialized, .enabled(if: !ServerCatalog.available.isEmpty))
struct StreamServerTests {
    struct Run: Sendable, CustomStringConvertible {
        let server: Server
        let seed: UInt64
        var description: String { "\(server) with RDBKIT_SEED=\(seed)" }

        var version: ServerVersion { ServerVersion(server.name)! }
        /// The newest that has all that the server tells.
        var rdbVersion: RDBVersion { RDBVersion(number: 14, family: .redis) }
    }

    static let runs = ServerCatalog.available.flatMap { server in
        Scenario.seeds.prefix(2).map { Run(server: server, seed: $0) }
    }

    @Test("a log that a server wrote", arguments: runs)
    func serverWritten(run: Run) throws {
        let options = ServerLog.options(run.server)
        let process = try ServerProcess(run.server, options: options)
        defer { process.stop() }
        let connection = try process.connect()
        let recent = try Self.time(connection)
        var workload = StreamWorkload(server: run.server, seed: run.seed, usesClock: true)
        for _ in 0..<8 { _ = try connection.exchange(workload.commands(250)) }
        // What the server makes of its own log; it may differ from what it had before, where the log does not say all.
        usleep(20_000)
        try connection.call("DEBUG", "LOADAOF")
        var applied = AppliedLog(server: run.version, now: try Self.time(connection))
        for file in try process.log.files() {
            let bytes = try Files.read(file.path)
            // The base is an RDB without keys.
            if let start = LoggedCommand.start(in: bytes) { try applied.apply(log: Array(bytes[start...])) }
        }
        // Deliveries have the times at which they happened, which are in the log.
        try expectSame(run, connection, applied, recent: .max)
        #expect(recent > 0)
        #expect(applied.outcomes.count > 300, "\(run): \(applied.outcomes.count)")
    }

    @Test("a log of commands as clients send them", arguments: runs)
    func handMade(run: Run) throws {
        var workload = StreamWorkload(server: run.server, seed: run.seed &+ 1000, usesClock: false)
        var log: [UInt8] = []
        for command in workload.commands(2000) { log += AppliedLog.command(command.arguments) }
        let recent = Int64(Glibc.time(nil)) * 1000 - 1000
        let process = try ServerProcess(run.server, options: ServerLog.options(run.server), replaying: log)
        defer { process.stop() }
        let connection = try process.connect()
        var applied = AppliedLog(server: run.version, now: try Self.time(connection))
        try applied.apply(log: log)
        try expectSame(run, connection, applied, recent: recent)
    }

    @Test("each command does what it does to a server", arguments: runs)
    func commandByCommand(run: Run) throws {
        let process = try ServerProcess(run.server)
        defer { process.stop() }
        let connection = try process.connect()
        // Trims that have a limit obey it only outside of logs.
        var workload = StreamWorkload(server: run.server, seed: run.seed &+ 2000, usesClock: false)
        let recent = try Self.time(connection)
        var applied = AppliedLog(server: run.version)
        for command in workload.commands(600) where !command.arguments.contains(Array("LIMIT".utf8)) {
            let reply = try connection.exchange([command])[0]
            applied.runner.now = try Self.time(connection)
            try applied.apply(log: AppliedLog.command(command.arguments))
            if case .error(let text) = reply {
                #expect(applied.outcomes.last == .refused, "\(run): \(command) is answered with \(text)")
            } else {
                #expect(applied.outcomes.last == .applied, "\(run): \(command) is answered with \(reply)")
            }
            let before = Self.lastIssueCount
            try expectSame(run, connection, applied, recent: recent, after: command)
            if Self.lastIssueCount > before { return }
        }
    }

    nonisolated(unsafe) private static var lastIssueCount = 0

    private func expectSame(
        _ run: Run, _ connection: RESPConnection, _ applied: AppliedLog, recent: Int64, after command: Command? = nil
    ) throws {
        for key in StreamWorkload.keys + ["no-stream"] {
            let isThere = try connection.call("EXISTS", key).integer() == 1
            let found = try applied.stream(key, run.rdbVersion)
            #expect((found != nil) == isThere, "\(run): \(key)")
            guard isThere, let found else { continue }
            let truth = try CanonicalStream(information: connection.call("XINFO", "STREAM", key, "FULL", "COUNT", 0))
            let expected = StreamLines.of(truth, recent: recent, run.server)
            let lines = StreamLines.of(found, recent: recent, run.server)
            if lines != expected {
                let index =
                    zip(lines, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? min(lines.count, expected.count)
                Self.lastIssueCount += 1
                Issue.record(
                    """
                    \(run), after \(command.map(String.init(describing:)) ?? "all"), \(key), line \(index): expected \
                    \(expected.dropFirst(index).first ?? "nothing"), found \(lines.dropFirst(index).first ?? "nothing"); \
                    \(lines.count - expected.count) more lines
                    """)
            }
        }
    }

    private static func time(_ connection: RESPConnection) throws -> Int64 {
        let parts = try connection.call("TIME").elements()
        return try parts[0].integer() * 1000 + parts[1].integer() / 1000
    }
}
