internal import Glibc

/// A cluster of primaries on the loopback interface, without replicas, on ports of their own.
package final class ClusterProcess {
    package struct Node {
        package let process: ServerProcess
        package let port: Int
        package let identifier: String
    }

    package let server: Server
    package let nodes: [Node]

    /// Starts the nodes, shares out all slots in equal parts in their order, and waits until every node finds the
    /// cluster sound.
    ///
    /// - Parameter options: configuration beyond what every test needs, by name.
    package init(_ server: Server, count: Int = 3, options: [(name: String, value: String)] = []) throws {
        self.server = server
        let started = try (0..<count).map { _ in try Self.start(server, options) }
        nodes = try started.map { process, port in
            let identifier = try process.connect().call("CLUSTER", "MYID").text()
            return Node(process: process, port: port, identifier: identifier)
        }
        do {
            try join()
            try waitUntilSound()
        } catch {
            stop()
            throw error
        }
    }

    /// Somebody else may take a free port first: then another one is tried.
    private static func start(
        _ server: Server, _ options: [(name: String, value: String)]
    ) throws -> (ServerProcess, Int) {
        var last: (any Error)?
        for _ in 0..<5 {
            let port = try ServerProcess.freePort()
            let bus = try ServerProcess.freePort()
            let basics = [
                (name: "port", value: String(port)), (name: "bind", value: "127.0.0.1"),
                (name: "cluster-enabled", value: "yes"), (name: "cluster-port", value: String(bus)),
                // Suspicion and its end come fast, so that tests need not wait long.
                (name: "cluster-node-timeout", value: "3000"),
                (name: "cluster-require-full-coverage", value: "yes"),
            ]
            do {
                return (try ServerProcess(server, options: basics + options), port)
            } catch {
                last = error
            }
        }
        throw last ?? HarnessError("a node of \(server) does not start")
    }

    private func join() throws {
        for (index, node) in nodes.enumerated() {
            let connection = try node.process.connect()
            let first = 16_384 * index / nodes.count
            let last = 16_384 * (index + 1) / nodes.count - 1
            try connection.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
            try connection.call("CLUSTER", "ADDSLOTSRANGE", first, last)
            if index > 0 {
                let other = nodes[0]
                let bus = try other.process.connect().call("CONFIG", "GET", "cluster-port").elements()[1].text()
                try connection.call("CLUSTER", "MEET", "127.0.0.1", other.port, bus)
            }
        }
    }

    /// Waits until every node that runs says that the cluster is sound, with all slots and all nodes.
    package func waitUntilSound(seconds: Double = 30) throws {
        let deadline = now() + seconds
        for node in nodes {
            while true {
                let information = try node.process.connect().call("CLUSTER", "INFO").text()
                let lines = information.split(whereSeparator: \.isNewline).map { String($0) }
                let wanted = ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:\(nodes.count)"]
                if wanted.allSatisfy({ lines.contains($0) }) { break }
                if now() > deadline { throw HarnessError("the cluster of \(server) is not sound:\n\(information)") }
                usleep(20_000)
            }
        }
    }

    /// The index of the node that had a slot at the beginning.
    package func firstOwner(of slot: Int) -> Int {
        nodes.indices.last { 16_384 * $0 / nodes.count <= slot } ?? 0
    }

    // MARK: Moving slots

    /// Opens a slot for its move: the old owner answers `ASK` for keys that it does not have (any more).
    package func beginMove(slot: Int, from source: Int, to target: Int) throws {
        try nodes[target].process.connect()
            .call("CLUSTER", "SETSLOT", slot, "IMPORTING", nodes[source].identifier)
        try nodes[source].process.connect()
            .call("CLUSTER", "SETSLOT", slot, "MIGRATING", nodes[target].identifier)
    }

    /// Moves the keys that the old owner has of the slot now.
    package func moveKeys(slot: Int, from source: Int, to target: Int) throws {
        let connection = try nodes[source].process.connect()
        while true {
            let keys = try connection.call("CLUSTER", "GETKEYSINSLOT", slot, 100).elements().map { try $0.bytes() }
            if keys.isEmpty { return }
            try connection.call(
                "MIGRATE", "127.0.0.1", nodes[target].port, "", 0, 10_000, "KEYS", Arguments(keys))
        }
    }

    /// Gives the slot to its new owner: the old one answers `MOVED`.
    package func endMove(slot: Int, from source: Int, to target: Int) throws {
        // A new owner that has not heard of the old one's epoch takes too low a one itself, and gives the slot back at
        // the old one's next word.
        try waitForOneEpoch()
        let others = nodes.indices.filter { $0 != source && $0 != target }
        for index in [target, source] + others {
            try nodes[index].process.connect()
                .call("CLUSTER", "SETSLOT", slot, "NODE", nodes[target].identifier)
        }
    }

    private func waitForOneEpoch(seconds: Double = 20) throws {
        let deadline = now() + seconds
        while true {
            let epochs = try nodes.map { node in
                try node.process.connect().call("CLUSTER", "INFO").text().split(whereSeparator: \.isNewline)
                    .first { $0.hasPrefix("cluster_current_epoch:") }
            }
            if Set(epochs).count == 1 { return }
            if now() > deadline { throw HarnessError("the nodes do not agree on an epoch: \(epochs)") }
            usleep(20_000)
        }
    }

    /// All of it.
    package func move(slot: Int, from source: Int, to target: Int) throws {
        try beginMove(slot: slot, from: source, to: target)
        try moveKeys(slot: slot, from: source, to: target)
        try endMove(slot: slot, from: source, to: target)
    }

    package func stop() {
        for node in nodes { node.process.stop() }
    }

    deinit { stop() }
}
