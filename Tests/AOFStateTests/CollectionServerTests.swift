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
        var runner = CommandRunner(Keyspace(), now: unixMilliseconds())
        var workload = CollectionWorkload(round.server, seed: round.seed)
        for batch in 0..<Self.batchCount {
            let commands = (0..<Self.batchSize).map { _ in workload.next() }
            var log: [String] = []
            var isSame = true
            runner.now = unixMilliseconds()
            for command in commands {
                let reply = try connection.exchange([command])[0]
                let outcome = run([command.arguments], &runner)[0]
                log.append("\(command) -> \(reply), \(outcome)")
                if outcome == .cannotRun {
                    // The result depends on more than the data: both go on without it.
                    let target = Command("DEL", command.target)
                    try connection.call("DEL", command.target)
                    _ = run([target.arguments], &runner)
                    continue
                }
                var isError = false
                if case .error = reply { isError = true }
                if isError != (outcome != .applied) {
                    Issue.record("\(round.testDescription), batch \(batch): \(command) -> \(reply), here \(outcome)")
                    isSame = false
                }
            }
            if !compare(
                try HeldEntry.read(connection, round.server), HeldEntry.read(runner.database),
                "\(round.testDescription), batch \(batch)") || !isSame
            {
                Issue.record("after\n\(log.joined(separator: "\n"))")
                return
            }
            if batch % 10 == 9 { try exchangeValues(connection, &runner, round) }
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
    private func exchangeValues(_ connection: RESPConnection, _ runner: inout CommandRunner, _ round: Round) throws {
        let held = try HeldEntry.read(connection, round.server)
        for key in held.keys {
            let payload = try connection.call("DUMP", key).bytes()
            let copy = Bytes("copy".utf8)
            var other = CommandRunner(Keyspace(), now: unixMilliseconds())
            #expect(run([Command("RESTORE", copy, 0, payload).arguments], &other) == [.applied])
            var expected = held[key]
            expected?.expiresAt = nil
            let loaded = HeldEntry.read(other.database)[copy]
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

extension Command {
    /// The key that a command stores its result at.
    fileprivate var target: Bytes {
        let name = String(decoding: arguments[0], as: UTF8.self)
        if name == "GEOSEARCHSTORE" { return arguments[1] }
        for (index, argument) in arguments.enumerated() where index + 1 < arguments.count {
            if ["STORE", "STOREDIST"].contains(String(decoding: argument, as: UTF8.self)) { return arguments[index + 1] }
        }
        return arguments[1]
    }
}

extension CommandRunner {
    fileprivate var values: [(key: [UInt8], value: KeyspaceValue)] {
        var values: [(key: [UInt8], value: KeyspaceValue)] = []
        var next = database.entries.firstIndex
        while let index = next {
            values.append((database.entries.key(at: index).array, database.entries[index].value))
            next = database.entries.index(after: index)
        }
        return values
    }
}

/// A value as RESTORE takes it.
enum Payload {
    /// nil where the server knows no layout that servers of today use.
    static func make(_ value: KeyspaceValue, for server: Server) -> [UInt8]? {
        guard let layout = value.layout(server.family == .valkey ? .valkey : .redis) else { return nil }
        switch layout {
        case .listQuicklist2, .hashListpack, .zsetListpack: if !server.isRedis7 { return nil }
        case .setListpack: if !server.isRedis72 { return nil }
        default: break
        }
        var out = OutputBuffer(capacity: 256)
        out.append(layout.typeByte)
        value.append(to: &out, as: layout)
        out.append(littleEndian: UInt16(6))
        var crc = CRC64()
        crc.update(out.bytes)
        out.append(littleEndian: crc.value)
        return out.bytes.array
    }
}
