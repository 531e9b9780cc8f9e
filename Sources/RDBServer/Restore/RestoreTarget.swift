import NIOCore
import NIOPosix
import RDBKit

/// The server or cluster that is restored into: who owns a slot, the connections, and getting them back.
final class RestoreTarget {
    let seeds: [ServerURL]
    let connectionOptions: ConnectionOptions
    let group: any EventLoopGroup
    let events = LinkEvents()
    let plan: RestorePlan
    let connectionsPerServer: Int

    /// nil for a server by itself.
    private(set) var topology: ClusterTopology?
    private let seedAddress: ServerAddress
    private(set) var links: [ServerAddress: [RestoreLink]] = [:]
    private var byNumber: [Int: RestoreLink] = [:]
    private var nextNumber = 0
    private var controls: [ServerAddress: ServerConnection] = [:]
    private var lastRefresh: Int64 = 0

    init(
        seeds: [ServerURL], options: ConnectionOptions, group: any EventLoopGroup, control: ServerConnection,
        topology: ClusterTopology?, plan: RestorePlan, connections: Int
    ) {
        self.seeds = seeds
        connectionOptions = options
        self.group = group
        self.topology = topology
        self.plan = plan
        connectionsPerServer = connections
        seedAddress = control.address
        controls[control.address] = control
    }

    var isCluster: Bool { topology != nil }

    /// All servers that own slots, or the one.
    var servers: [ServerAddress] { topology?.primaries ?? [seedAddress] }

    var allLinks: [RestoreLink] { links.values.flatMap { $0 } }

    // MARK: - Routing

    /// Where a key of the slot goes; nil while nobody owns it.
    func owner(ofSlot slot: Int) -> ServerAddress? {
        guard let topology else { return seedAddress }
        return topology.owner(of: slot)
    }

    /// The link for a key, always the same one while its slot does not move.
    func link(to address: ServerAddress, slot: Int) -> RestoreLink {
        if let all = links[address] { return all[slot % all.count] }
        let all = (0..<connectionsPerServer).map { _ in RestoreLink(address, plan: plan) }
        links[address] = all
        return all[slot % all.count]
    }

    func link(numbered number: Int) -> RestoreLink? { byNumber[number] }

    // MARK: - Connections

    /// Connects a link if it is not, and its time has come.
    /// - Returns: why it does not stand.
    func connect(_ link: RestoreLink) -> ServerError? {
        if link.connection != nil { return nil }
        let number = nextNumber
        nextNumber += 1
        do throws(ServerError) {
            link.connection = try ServerConnection.connect(
                to: link.address, options: optionsForData, group: group, events: events, link: number)
        } catch {
            link.delayNextConnection(currentMilliseconds())
            return error
        }
        link.number = number
        byNumber[number] = link
        return nil
    }

    /// Entries carry their own databases.
    private var optionsForData: ConnectionOptions {
        var options = connectionOptions
        options.database = nil
        return options
    }

    /// The end of a connection. Events that come later for its number find nothing.
    func drop(_ link: RestoreLink) {
        byNumber[link.number] = nil
        link.disconnect()
    }

    /// A connection for questions, apart from the flow of entries.
    func control(_ address: ServerAddress) throws(ServerError) -> ServerConnection {
        if let connection = controls[address] { return connection }
        let connection = try ServerConnection.connect(to: address, options: optionsForData, group: group)
        controls[address] = connection
        return connection
    }

    /// The same, if there is one already.
    func openControl(_ address: ServerAddress) -> ServerConnection? { controls[address] }

    /// One question on it; a connection that has ended is made anew once.
    func ask(_ address: ServerAddress, _ arguments: [[UInt8]]) throws(ServerError) -> RESPReply {
        do throws(ServerError) {
            return try control(address).call(arguments)
        } catch {
            guard error.isOfConnection else { throw error }
            controls[address] = nil
            return try control(address).call(arguments)
        }
    }

    /// Several questions at once.
    func exchange(
        _ address: ServerAddress, _ commands: ByteBuffer, commandCount: Int
    ) throws(ServerError) -> [RESPReply] {
        do throws(ServerError) {
            return try control(address).exchange(commands, commandCount: commandCount)
        } catch {
            guard error.isOfConnection else { throw error }
            controls[address] = nil
            return try control(address).exchange(commands, commandCount: commandCount)
        }
    }

    func ask(_ address: ServerAddress, _ words: String...) throws(ServerError) -> RESPReply {
        try ask(address, words.map { Array($0.utf8) })
    }

    // MARK: - Topology

    func note(movedSlot slot: Int, to address: ServerAddress) { topology?.update(movedSlot: slot, to: address) }

    /// Asks any server that answers who owns what; at most ten times a second.
    func refreshTopology(now: Int64) {
        guard isCluster, now - lastRefresh >= 100 else { return }
        lastRefresh = now
        for address in servers + seeds.map(\.address) {
            do throws(ServerError) {
                let fresh = try ClusterTopology.read(control(address), usesTLS: connectionOptions.usesTLS)
                topology = fresh
                return
            } catch {
                controls[address]?.close()
                controls[address] = nil
                if error.code == .interrupted { return }
            }
        }
    }

    func close() {
        for link in allLinks { link.disconnect() }
        for connection in controls.values { connection.close() }
        controls = [:]
    }
}
