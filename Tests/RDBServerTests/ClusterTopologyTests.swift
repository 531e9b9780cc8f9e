import RDBServer
import RESPFormat
import ServerHarness
import Testing

@Suite("The slots of a cluster")
struct ClusterTopologyTests {
    private let asked = ServerAddress.tcp(host: "10.9.9.9", port: 7000)

    /// Words as bulk strings, as servers send them.
    private static func bulk(_ text: String) -> RESPReply { .bulk(Array(text.utf8)) }

    private static func pairs(_ pairs: [(String, RESPReply)], isMap: Bool) -> RESPReply {
        let flat = pairs.flatMap { [bulk($0.0), $0.1] }
        return isMap ? .map(flat) : .array(flat)
    }

    private static func shard(
        _ slots: [Int64], _ nodes: [[(String, RESPReply)]], isMap: Bool
    ) -> RESPReply {
        pairs(
            [
                ("slots", .array(slots.map { .integer($0) })),
                ("nodes", .array(nodes.map { pairs($0, isMap: isMap) })),
            ], isMap: isMap)
    }

    private static func node(
        _ endpoint: RESPReply?, port: Int64? = nil, tls: Int64? = nil, role: String = "master",
        health: String = "online", ip: String = "10.0.0.1"
    ) -> [(String, RESPReply)] {
        var pairs = [("id", bulk("x"))]
        if let port { pairs.append(("port", .integer(port))) }
        if let tls { pairs.append(("tls-port", .integer(tls))) }
        pairs.append(("ip", bulk(ip)))
        if let endpoint { pairs.append(("endpoint", endpoint)) }
        return pairs + [("role", bulk(role)), ("replication-offset", .integer(0)), ("health", bulk(health))]
    }

    @Test("CLUSTER SHARDS in both protocols: ranges, roles, failed primaries", arguments: [false, true])
    func shards(isMap: Bool) throws {
        let reply = RESPReply.array([
            Self.shard(
                [8192, 16_383],
                [
                    Self.node(Self.bulk("10.0.0.3"), port: 7003, role: "replica"),
                    Self.node(Self.bulk("10.0.0.4"), port: 7004, health: "failed"),
                    Self.node(Self.bulk("10.0.0.2"), port: 7002),
                ], isMap: isMap),
            Self.shard([], [Self.node(Self.bulk("10.0.0.8"), port: 7008)], isMap: isMap),
            Self.shard([0, 99, 200, 8191], [Self.node(Self.bulk("10.0.0.1"), port: 7001)], isMap: isMap),
            Self.shard([], [Self.node(Self.bulk("10.0.0.9"), port: 7009, role: "replica")], isMap: isMap),
        ])
        let topology = try ClusterTopology(shards: reply, asked: asked, usesTLS: false)
        #expect(
            topology.primaries == [
                .tcp(host: "10.0.0.1", port: 7001), .tcp(host: "10.0.0.2", port: 7002),
                .tcp(host: "10.0.0.8", port: 7008),
            ])
        #expect(topology.owner(of: 0) == .tcp(host: "10.0.0.1", port: 7001))
        #expect(topology.owner(of: 100) == nil)
        #expect(topology.ownerIndex(of: 8191) == 0)
        #expect(topology.ownerIndex(of: 8192) == 1)
        #expect(topology.ownerIndex(of: 16_383) == 1)
        #expect(topology.unassignedCount == 100)
    }

    struct Endpoint: Sendable {
        var endpoint: RESPReply?
        var port: Int64?
        var tls: Int64?
        var usesTLS: Bool
        var address: ServerAddress
    }

    @Test(
        "endpoints: names, addresses, none; ports for TLS and without",
        arguments: [
            Endpoint(
                endpoint: bulk("node.test"), port: 1, tls: 2, usesTLS: false, address: .tcp(host: "node.test", port: 1)),
            Endpoint(
                endpoint: bulk("node.test"), port: 1, tls: 2, usesTLS: true, address: .tcp(host: "node.test", port: 2)),
            Endpoint(endpoint: bulk("::1"), port: 1, usesTLS: true, address: .tcp(host: "::1", port: 1)),
            Endpoint(endpoint: bulk(""), port: 1, usesTLS: false, address: .tcp(host: "10.9.9.9", port: 1)),
            Endpoint(endpoint: .null, port: 1, usesTLS: false, address: .tcp(host: "10.9.9.9", port: 1)),
            // A name is preferred and none is set.
            Endpoint(endpoint: bulk("?"), port: 1, usesTLS: false, address: .tcp(host: "10.0.0.1", port: 1)),
            Endpoint(endpoint: nil, tls: 3, usesTLS: false, address: .tcp(host: "10.0.0.1", port: 3)),
        ])
    func endpoints(_ endpoint: Endpoint) throws {
        let node = Self.node(endpoint.endpoint, port: endpoint.port, tls: endpoint.tls)
        let reply = RESPReply.array([Self.shard([0, 16_383], [node], isMap: false)])
        let topology = try ClusterTopology(shards: reply, asked: asked, usesTLS: endpoint.usesTLS)
        #expect(topology.primaries == [endpoint.address])
        #expect(topology.unassignedCount == 0)
    }

    @Test("CLUSTER SLOTS: of 6.2 and of 7.0, empty and null hosts")
    func slots() throws {
        func node(_ host: RESPReply, _ port: Int64, _ more: [RESPReply] = []) -> RESPReply {
            .array([host, .integer(port), Self.bulk("id")] + more)
        }
        let reply = RESPReply.array([
            .array([.integer(10_000), .integer(16_383), node(.null, 7003)]),
            .array([.integer(0), .integer(4_999), node(Self.bulk("10.0.0.1"), 7001), node(Self.bulk("10.0.0.7"), 7007)]
            ),
            .array([.integer(5_000), .integer(5_000), node(Self.bulk(""), 7002, [.array([])])]),
            .array([
                .integer(5_001), .integer(9_999),
                node(Self.bulk("?"), 7004, [.array([Self.bulk("ip"), Self.bulk("10.0.0.4")])]),
            ]),
        ])
        let topology = try ClusterTopology(slots: reply, asked: asked)
        #expect(
            topology.primaries == [
                .tcp(host: "10.0.0.1", port: 7001), .tcp(host: "10.9.9.9", port: 7002),
                .tcp(host: "10.0.0.4", port: 7004), .tcp(host: "10.9.9.9", port: 7003),
            ])
        #expect(
            [0, 4999, 5000, 5001, 9999, 10_000, 16_383].map { topology.ownerIndex(of: $0) } == [0, 0, 1, 2, 2, 3, 3])
    }

    @Test("replies that are none are errors, not traps")
    func malformed() {
        let good = Self.node(Self.bulk("h"), port: 1)
        let bad: [RESPReply] = [
            .integer(1), .array([.integer(1)]), .array([.array([])]),
            .array([Self.shard([0], [good], isMap: false)]), .array([Self.shard([0, 16_384], [good], isMap: false)]),
            .array([Self.shard([-1, 5], [good], isMap: false)]), .array([Self.shard([9, 5], [good], isMap: false)]),
            .array([Self.shard([.min, .max], [good], isMap: false)]),
            .array([Self.shard([0, 1], [Self.node(Self.bulk("h"))], isMap: false)]),
            .array([Self.shard([0, 1], [Self.node(Self.bulk("h"), port: 70_000)], isMap: false)]),
        ]
        for reply in bad {
            #expect(throws: ServerError.self) { try ClusterTopology(shards: reply, asked: asked, usesTLS: false) }
        }
        let node = RESPReply.array([Self.bulk("h"), .integer(1)])
        for reply in [
            RESPReply.null, .array([.array([.integer(0), .integer(1)])]),
            .array([.array([.integer(0), .integer(1), .null])]),
            .array([.array([.integer(0), .integer(20_000), node])]), .array([.array([.null, .integer(1), node])]),
        ] {
            #expect(throws: ServerError.self) { try ClusterTopology(slots: reply, asked: asked) }
        }
    }

    @Test("redirections, and what they change")
    func redirections() throws {
        func read(_ text: String) -> ClusterRedirection? { ClusterRedirection(errorText: text, asked: asked) }
        let moved = try #require(read("MOVED 3999 127.0.0.1:6381"))
        #expect(moved.kind == .moved && moved.slot == 3999 && moved.address == .tcp(host: "127.0.0.1", port: 6381))
        #expect(read("ASK 0 ::1:6381")?.address == .tcp(host: "::1", port: 6381))
        #expect(read("ASK 0 [::1]:6381")?.kind == .ask)
        #expect(read("MOVED 1 :6381")?.address == .tcp(host: "10.9.9.9", port: 6381))
        #expect(read("MOVED 1 ?:6381")?.address == .tcp(host: "10.9.9.9", port: 6381))
        #expect(read("MOVED 1 node-1.test:6381")?.address == .tcp(host: "node-1.test", port: 6381))
        for text in [
            "MOVED", "MOVED 1", "MOVED 16384 h:1", "MOVED -1 h:1", "MOVED x h:1", "MOVED 1 h", "MOVED 1 h:0",
            "ERR 1 h:1",
        ] {
            #expect(read(text) == nil)
        }
        let unix = ClusterRedirection(errorText: "MOVED 1 :7", asked: .unix(path: "/s"))
        #expect(unix?.address == .tcp(host: "127.0.0.1", port: 7))

        var topology = try ClusterTopology(
            shards: .array([Self.shard([0, 16_383], [Self.node(Self.bulk("h"), port: 1)], isMap: true)]), asked: asked,
            usesTLS: false)
        topology.update(movedSlot: 3999, to: moved.address)
        topology.update(movedSlot: 16_384, to: moved.address)
        #expect(topology.owner(of: 3999) == moved.address)
        #expect(topology.owner(of: 4000) == .tcp(host: "h", port: 1))
        #expect(topology.primaries.count == 2)
    }

    @Suite("A real cluster", .serialized)
    struct RealCluster {
        @Test(
            "is read, and stays right when a slot moves and when a node dies",
            .enabled(if: hasDebianServer))
        func cluster() throws {
            let cluster = try ClusterProcess(debianServer)
            defer { cluster.stop() }
            func connect(_ index: Int) throws -> ServerConnection {
                try ServerConnection.connect(
                    to: ServerURL(.tcp(host: "127.0.0.1", port: cluster.nodes[index].port)),
                    group: group)
            }
            let addresses = cluster.nodes.map { ServerAddress.tcp(host: "127.0.0.1", port: $0.port) }
            let first = try connect(0)
            #expect(try TargetDescription.describe(first).mode == .cluster)
            #expect(try TargetDescription.describe(first).databaseCount == 1)
            let topology = try ClusterTopology.read(first, usesTLS: false)
            #expect(topology.primaries == addresses)
            for slot in 0..<16_384 { #expect(topology.ownerIndex(of: slot) == cluster.firstOwner(of: slot)) }
            let slots = try ClusterTopology(slots: first.call("CLUSTER", "SLOTS"), asked: first.address)
            #expect(slots == topology)

            // foo is in slot 12182, which the last node has.
            let moved = try first.call("SET", "foo", "1")
            let redirection = ClusterRedirection(errorText: moved.errorText ?? "", asked: first.address)
            #expect(redirection?.kind == .moved && redirection?.slot == 12_182)
            #expect(redirection?.address == addresses[2])
            let third = try connect(2)
            #expect(try third.call("SET", "foo", "1").isOK)
            try cluster.beginMove(slot: 12_182, from: 2, to: 0)
            let asked = try third.call("GET", "{foo}2")
            #expect(ClusterRedirection(errorText: asked.errorText ?? "", asked: third.address)?.kind == .ask)
            try cluster.moveKeys(slot: 12_182, from: 2, to: 0)
            try cluster.endMove(slot: 12_182, from: 2, to: 0)
            #expect(try first.call("GET", "foo").text == "1")
            let after = try ClusterTopology.read(first, usesTLS: false)
            #expect(after.ownerIndex(of: 12_182) == 0 && after.ownerIndex(of: 12_183) == 2)

            try cluster.nodes[1].process.kill()
            #expect(throws: ServerError.self) { try connect(1) }
            try cluster.nodes[1].process.restart()
            try cluster.waitUntilSound()
            #expect(try ClusterTopology.read(connect(1), usesTLS: false).owner(of: 12_182) == addresses[0])
        }
    }
}
