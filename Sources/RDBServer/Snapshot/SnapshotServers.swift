import NIOCore
import NIOPosix
import RDBKit

/// The server that is read, or all primaries of its cluster.
final class SnapshotServers {
    let options: SnapshotOptions
    private let connectionOptions: ConnectionOptions
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private var links: [ServerAddress: SnapshotLink] = [:]
    private let seedAddress: ServerAddress
    /// nil for a server by itself.
    private(set) var topology: ClusterTopology?

    init(of url: ServerURL, connection: ConnectionOptions, _ options: SnapshotOptions) throws(ServerError) {
        var connection = connection.filled(from: url)
        var options = options
        // The database that a URL names is the only one that is read.
        let database = connection.database
        if let database { options.databases = [UInt64(database)...UInt64(database)] }
        connection.database = nil
        self.options = options
        connectionOptions = connection
        seedAddress = url.address
        do throws(ServerError) {
            let first = try link(to: url.address)
            if let database, database != 0 {
                // Requests name their databases again.
                let reply = try first.ask("SELECT", String(database))
                if !reply.isOK { throw .refused(first.address, "cannot use database \(database)", reply) }
            }
            if first.description.mode == .cluster { topology = try readTopology(first) }
            // What a file's head says holds for all that is in it, so the newest server counts.
            for server in servers { _ = try link(to: server) }
        } catch {
            close()
            throw error
        }
    }

    func close() {
        for link in links.values { link.close() }
        links = [:]
        // The loop ends by itself; nobody has to wait for it.
        group.shutdownGracefully { _ in }
    }

    var isCluster: Bool { topology != nil }

    /// All servers that own slots, or the one.
    var servers: [ServerAddress] {
        guard let topology else { return [seedAddress] }
        let owners = Set((0..<HashSlot.count).compactMap { topology.ownerIndex(of: $0) })
        return owners.sorted().map { topology.primaries[$0] }
    }

    /// The server that was named.
    var description: TargetDescription? { links[seedAddress]?.description }

    /// Of the newest server.
    var version: RDBVersion {
        let versions = links.values.map(\.plan.version)
        return versions.max { $0.number < $1.number } ?? RDBVersion(number: 9, family: .redis)
    }

    func link(to address: ServerAddress) throws(ServerError) -> SnapshotLink {
        if let link = links[address] { return link }
        let link = try SnapshotLink(to: address, connection: connectionOptions, group: group, options)
        if options.way == .dump, !link.plan.canDump {
            link.close()
            throw ServerError(
                .refused(reply: "NOPERM"),
                "\(address): this user may not use DUMP; values can be read by the commands of their types")
        }
        links[address] = link
        return link
    }

    // MARK: - Slots

    /// nil while nobody owns it.
    func owner(ofSlot slot: Int) -> ServerAddress? {
        guard let topology else { return seedAddress }
        return topology.owner(of: slot)
    }

    func note(redirection: ClusterRedirection) {
        if redirection.kind == .moved { topology?.update(movedSlot: redirection.slot, to: redirection.address) }
    }

    func refreshTopology() throws(ServerError) {
        if isCluster { topology = try readTopology(link(to: seedAddress)) }
    }

    private func readTopology(_ link: SnapshotLink) throws(ServerError) -> ClusterTopology {
        let usesTLS = connectionOptions.usesTLS
        let shards = try link.ask("CLUSTER", "SHARDS")
        let topology: ClusterTopology
        if shards.isError {
            // Before 7.0.
            let slots = try link.ask("CLUSTER", "SLOTS")
            if slots.isError { throw .refused(link.address, "cannot ask for the cluster's slots", slots) }
            topology = try ClusterTopology(slots: slots, asked: link.address)
        } else {
            topology = try ClusterTopology(shards: shards, asked: link.address, usesTLS: usesTLS)
        }
        guard topology.unassignedCount == 0 else {
            throw ServerError(
                .unsuitableTarget, "\(link.address): \(topology.unassignedCount) slots of the cluster have no server")
        }
        return topology
    }

    /// The slots that a server is giving away or taking over at this moment.
    func slotsOnTheMove(at server: ServerAddress) throws(ServerError) -> Set<Int> {
        let reply = try link(to: server).ask("CLUSTER", "NODES")
        guard let text = reply.text else { return [] }
        return Self.slotsOnTheMove(clusterNodes: text)
    }

    /// `[93->-id]` and `[93-<-id]` in the line of the server itself.
    static func slotsOnTheMove(clusterNodes text: String) -> Set<Int> {
        var slots: Set<Int> = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            guard words.count > 8, words[2].split(separator: ",").contains("myself") else { continue }
            for word in words[8...] where word.first == "[" {
                if let slot = Int(word.dropFirst().prefix { $0 != "-" }), 0..<HashSlot.count ~= slot {
                    slots.insert(slot)
                }
            }
        }
        return slots
    }
}
