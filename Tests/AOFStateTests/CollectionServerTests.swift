import RDBBytes
import RDBFormat
import ServerHarness
import Testing

@testable import AOFState

/// The same random commands to a real server and to the keyspace: errors must be refusals, and what both hold must be
/// the same. `RDBKIT_SEEDS=n` runs seeds 1 to n, `RDBKIT_SEED=n` only that one.
@Suite("collections against real servers", .enabled(if: !ServerCatalog.available.isEmpty), .serialized)
struct CollectionServerTests {
    struct Round: CustomTestStringConvertible, Sendable {
        let server: Server
        let seed: UInt64
        var testDescription: String { "\(server) with RDBKIT_SEED=\(seed)" }
    }

    static let rounds: [Round] = {
        let seeds: [UInt64]
        if let seed = Environment["RDBKIT_SEED"].flatMap(UInt64.init) {
            seeds = [seed]
        } else {
            seeds = Array(1...(Environment["RDBKIT_SEEDS"].flatMap(UInt64.init) ?? 2))
        }
        return ServerCatalog.available.flatMap { server in seeds.map { Round(server: server, seed: $0) } }
    }()

    private static let batchCount = 120
    private static let batchSize = 40

    @Test("hold what the server holds, command by command", arguments: rounds)
    func sameState(_ round: Round) throws {
        let process = try ServerProcess(round.server)
        defer { process.stop() }
        let connection = try process.connect()
        var applied = AppliedLog(server: ServerVersion(round.server.name), now: HeldEntry.now)
        var workload = CollectionWorkload(round.server, seed: round.seed)
        for batch in 0..<Self.batchCount {
            let commands = (0..<Self.batchSize).map { _ in workload.next() }
            var log: [String] = []
            var isSame = true
            applied.runner.now = HeldEntry.now
            for command in commands {
                let reply = try connection.exchange([command])[0]
                let outcome = try applied.outcome(of: command)
                log.append("\(command) -> \(reply), \(outcome)")
                if outcome == .cannotRun {
                    // The result depends on more than the data: both go on without it.
                    let target = Command("DEL", command.target)
                    try connection.call("DEL", command.target)
                    _ = try applied.outcome(of: target)
                    continue
                }
                var isError = false
                if case .error = reply { isError = true }
                let name = String(decoding: command.arguments[0], as: UTF8.self)
                // Redis 6.2 pops nothing from a value of another type without an error.
                let isLenient = !round.server.isRedis7 && (name.hasSuffix("POP") || name.hasPrefix("ZPOP"))
                if isError, outcome == .applied, name == "SORT", round.server.major == 9 {
                    // Valkey 9 takes no empty element for the number 0, as all others do.
                    try connection.call("DEL", command.target)
                    _ = try applied.outcome(of: Command("DEL", command.target))
                    continue
                }
                if !round.server.isRedis7, reply == .array([]), name.hasPrefix("GEO") {
                    // Up to Redis 6.2.5, where the source is missing nothing is looked at, and the target stays.
                    try connection.call("DEL", command.target)
                    _ = try applied.outcome(of: Command("DEL", command.target))
                    continue
                }
                if isError != (outcome != .applied), !isLenient {
                    Issue.record("\(round.testDescription), batch \(batch): \(command) -> \(reply), here \(outcome)")
                    isSame = false
                }
            }
            if !compare(
                try HeldEntry.read(connection, round.server), HeldEntry.read(applied.runner.database),
                "\(round.testDescription), batch \(batch)") || !isSame
            {
                Issue.record("after\n\(log.joined(separator: "\n"))")
                return
            }
            if batch % 10 == 9 { try exchangeValues(connection, applied.runner, round) }
        }
    }

    private func compare(_ theirs: [[UInt8]: HeldEntry], _ ours: [[UInt8]: HeldEntry], _ note: String) -> Bool {
        var isSame = true
        for key in Set(theirs.keys).union(ours.keys) {
            switch (theirs[key], ours[key]) {
            case (let their?, let our?) where their.isEqual(our): break
            case (let their, let our):
                let their = their.map(\.description) ?? "nothing"
                let our = our.map(\.description) ?? "nothing"
                Issue.record("\(note): \(key.quoted)\nserver: \(their)\nhere:   \(our)")
                isSame = false
            }
        }
        return isSame
    }

    /// Each value the server's way to us (DUMP), and ours to the server (RESTORE).
    private func exchangeValues(_ connection: RESPConnection, _ runner: CommandRunner, _ round: Round) throws {
        let held = try HeldEntry.read(connection, round.server)
        for key in held.keys {
            let payload = try connection.call("DUMP", key).bytes()
            let copy = Bytes("copy".utf8)
            var other = AppliedLog()
            #expect(try other.outcome(of: Command("RESTORE", copy, 0, payload)) == .applied)
            var expected = held[key]
            expected?.expiresAt = nil
            let loaded = HeldEntry.read(other.runner.database)[copy]
            #expect(
                loaded.map { expected?.isEqual($0) == true } ?? false,
                "\(round.testDescription): DUMP of \(key.quoted) is read as \(String(describing: loaded))")
        }
        for (key, value) in runner.values {
            guard let payload = Payload.make(value, for: round.server) else { continue }
            let reply = try connection.exchange([Command("RESTORE", "restored", 0, payload)])[0]
            #expect(reply == .simple("OK"), "\(round.testDescription): RESTORE of \(key.quoted) \(HeldEntry(value))")
            let restored = try HeldEntry.read(connection, round.server)[Bytes("restored".utf8)]
            #expect(
                restored?.isEqual(HeldEntry(value)) == true,
                "\(round.testDescription): \(HeldEntry(value)) is restored as \(String(describing: restored))")
            try connection.call("DEL", "restored")
        }
    }
}

extension AppliedLog {
    fileprivate mutating func outcome(of command: Command) throws -> CommandOutcome {
        try apply(log: Self.command(command.arguments))
        return outcomes.removeLast()
    }
}

extension Command {
    /// The key that a command stores its result at.
    fileprivate var target: Bytes {
        let name = String(decoding: arguments[0], as: UTF8.self)
        if name == "GEOSEARCHSTORE" { return arguments[1] }
        for (index, argument) in arguments.enumerated() where index + 1 < arguments.count {
            if ["STORE", "STOREDIST"].contains(String(decoding: argument, as: UTF8.self)) {
                return arguments[index + 1]
            }
        }
        return arguments[1]
    }
}

extension CommandRunner {
    fileprivate var values: [(key: [UInt8], value: KeyspaceValue)] {
        var values: [(key: [UInt8], value: KeyspaceValue)] = []
        database.entries.forEachInOrder { key, entry in values.append((key.array, entry.value)) }
        return values
    }
}

/// A value as RESTORE takes it.
enum Payload {
    /// nil where the server knows no layout that servers of today use.
    static func make(_ value: KeyspaceValue, for server: Server) -> [UInt8]? {
        let version =
            server.family == .valkey ? RDBVersion(number: 80, family: .valkey) : RDBVersion(number: 12, family: .redis)
        guard let layout = value.layout(in: version), let byte = layout.byte(in: version) else { return nil }
        switch layout {
        case .listQuicklist2, .hashListpack, .zsetListpack: if !server.isRedis7 { return nil }
        case .setListpack: if !server.isRedis72 { return nil }
        default: break
        }
        var out = OutputBuffer(capacity: 256)
        out.append(byte)
        value.append(to: &out, as: layout, in: version)
        out.append(littleEndian: UInt16(6))
        var crc = CRC64()
        crc.update(out.bytes)
        out.append(littleEndian: crc.value)
        return out.bytes.array
    }
}
