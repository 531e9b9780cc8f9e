import Glibc
import ServerHarness
import Testing

/// Clusters of three primaries as inputs.
@Suite("live clusters as inputs", .serialized, .tags(.server, .slow))
struct ClusterTests {
    private static let program = Result { try RDBKitProgram.locate() }

    private func url(_ cluster: ClusterProcess, _ node: Int = 0) -> String {
        "redis://127.0.0.1:\(cluster.nodes[node].port)"
    }

    /// A server by itself and a cluster that hold the same.
    private func fill(_ seed: UInt64) throws -> (FilledServer, ClusterProcess) {
        let scenario = Scenario(server: .debian, seed: seed)
        let filled = try FilledServer(.debian, for: scenario, inOneDatabase: true)
        let cluster = try ClusterProcess(.debian)
        let run = try Self.program.get().run(["restore", filled.dump, url(cluster)], timeoutSeconds: 120)
        if run.status != 0 { throw HarnessError("restore: \(run.errors)") }
        return (filled, cluster)
    }

    @Test("a cluster holds what a file holds, whichever node is named")
    func whole() throws {
        let seed = Scenario.seeds[0]
        let (filled, cluster) = try fill(seed)
        defer {
            filled.stop()
            cluster.stop()
        }
        let program = try Self.program.get()
        let ways = [[], ["--read", "types", "--resp3"], ["--big-value", "1"]]
        for (node, way) in ways.enumerated() {
            try program.expectSame(filled.dump, url(cluster, node), way, "seed \(seed), \(way)")
        }
        try program.expectSame(url(cluster, 1), filled.url, [], "seed \(seed), live against live")
        let connection = try filled.process.connect()
        try connection.call("SET", "by its name", "value")
        try program.expectSame(filled.url, filled.url, ["--key", "by its name"], "seed \(seed)")
        #expect(try program.verify(filled.url, url(cluster), ["--key", "by its name"]).run.status == 1)
        // Keys of one node only.
        let names = try connection.call("KEYS", "*").elements().prefix(5).map { try $0.bytes() }
        for name in names where name.isUTF8 && !name.contains(0) && name.first != UInt8(ascii: "-") {
            let text = String(decoding: name, as: UTF8.self)
            let found = try program.run(["get", url(cluster), text])
            #expect(found.status == (text == "by its name" ? 1 : 0), "\(text): \(found.errors)")
        }
    }

    @Test("slots that move to a node already read, and back, hide no keys")
    func moves() throws {
        let filled = try ServerProcess(.debian)
        let cluster = try ClusterProcess(.debian)
        defer {
            filled.stop()
            cluster.stop()
        }
        let connection = try filled.connect()
        _ = try connection.pipeline((0..<3000).map { Command("SET", "key:\($0)", $0) })
        try connection.call("SAVE")
        let program = try Self.program.get()
        #expect(try program.run(["restore", filled.dumpPath, url(cluster)]).status == 0)
        // The first node is read by then, the last one is not.
        let running = try program.start(["verify", filled.dumpPath, url(cluster), "--max-ops", "1500"])
        usleep(900_000)
        for slot in 16_000..<16_040 { try cluster.move(slot: slot, from: 2, to: 0) }
        let moved = running.hasEnded(within: 0.01)
        #expect(!moved, "the slots moved too late to matter")
        let run = try running.end()
        #expect(run.status == 0, "\(String(decoding: run.output, as: UTF8.self)) \(run.errors)")
        // Everything is elsewhere than the cluster said at the beginning.
        let other = try program.start(["verify", filled.dumpPath, url(cluster), "--max-ops", "1500"])
        usleep(500_000)
        for slot in 16_000..<16_040 { try cluster.move(slot: slot, from: 0, to: 1) }
        for slot in 0..<40 { try cluster.move(slot: slot, from: 0, to: 2) }
        let second = try other.end()
        #expect(second.status == 0, "\(String(decoding: second.output, as: UTF8.self)) \(second.errors)")
    }

    @Test("a slot in the midst of its move: keys are read at both ends")
    func halfMoved() throws {
        let cluster = try ClusterProcess(.debian)
        let filled = try ServerProcess(.debian)
        defer {
            cluster.stop()
            filled.stop()
        }
        // One slot, 12182.
        let keys = (0..<300).map { "{foo}:\($0)" }
        let owner = cluster.firstOwner(of: 12_182)
        let program = try Self.program.get()
        _ = try filled.connect().pipeline(keys.map { Command("SET", $0, "value") })
        try filled.connect().call("SAVE")
        #expect(try program.run(["restore", filled.dumpPath, url(cluster)]).status == 0)
        let target = (owner + 1) % 3
        try cluster.beginMove(slot: 12_182, from: owner, to: target)
        let connection = try cluster.nodes[owner].process.connect()
        try connection.call(
            "MIGRATE", "127.0.0.1", cluster.nodes[target].port, "", 0, 10_000, "KEYS", Arguments(Array(keys[..<100])))
        let ways: [[String]] = [[], ["--read", "types"], ["--big-value", "1"]]
        let runs = try ways.map { try program.start(["verify", filled.dumpPath, url(cluster)] + $0) }
        // They wait for the end of the move, so as to miss nothing.
        usleep(2_000_000)
        try cluster.moveKeys(slot: 12_182, from: owner, to: target)
        try cluster.endMove(slot: 12_182, from: owner, to: target)
        for running in runs {
            let run = try running.end()
            #expect(run.status == 0, "\(run.arguments): \(String(decoding: run.output, as: UTF8.self)) \(run.errors)")
        }
    }
}
