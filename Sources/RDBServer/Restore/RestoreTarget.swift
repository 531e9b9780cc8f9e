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
    private let encoder: EntryEncoder
    let connectionsPerServer: Int

    /// nil for a server by itself.
    private(set) var topology: ClusterTopology?
    private let seedAddress: ServerAddress
    private(set) var links: [ServerAddress: [RestoreLink]] = [:]
    private var byNumber: [Int: RestoreLink] = [:]
    private var nextNumber = 0
    private var controls: [ServerAddress: Control] = [:]
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
        encoder = EntryEncoder(plan)
        connectionsPerServer = connections
        seedAddress = control.address
        controls[control.address] = Control(control)
    }

    /// A connection for questions, apart from the flow of entries.
    private final class Control {
        let connection: ServerConnection
        var database: UInt64 = 0
        /// Whether the server was told that nothing asked here counts as a use of the key.
        var isUncounted = false

        init(_ connection: ServerConnection) { self.connection = connection }
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
        let all = (0..<connectionsPerServer).map { _ in RestoreLink(address, plan, encoder) }
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

    private func control(_ address: ServerAddress) throws(ServerError) -> Control {
        if let control = controls[address] { return control }
        let control = Control(
            try ServerConnection.connect(to: address, options: optionsForData, group: group))
        controls[address] = control
        return control
    }

    /// The connection for questions, if there is one already and it is in that database.
    func openControl(_ address: ServerAddress, _ database: UInt64) -> ServerConnection? {
        controls[address].flatMap { $0.database == database ? $0.connection : nil }
    }

    /// Questions about keys, whose idle times and frequencies stay as they are where the server can be told so.
    /// - Parameter isAsking: each goes behind an `ASKING`, whose answer is left out.
    func exchange(
        _ address: ServerAddress, database: UInt64, _ commands: [ByteBuffer], isAsking: Bool
    ) throws(ServerError) -> [RESPReply] {
        if plan.target.hasNoTouch, let control = try? control(address), !control.isUncounted {
            control.isUncounted = true
            // Who may not is served all the same.
            _ = try? control.connection.call("CLIENT", "NO-TOUCH", "ON")
        }
        var bytes = ByteBuffer()
        for command in commands {
            if isAsking { bytes.writeCommand("ASKING") }
            bytes.writeImmutableBuffer(command)
        }
        let replies = try exchange(
            address, database: database, bytes, commandCount: isAsking ? 2 * commands.count : commands.count)
        return isAsking ? stride(from: 1, to: replies.count, by: 2).map { replies[$0] } : replies
    }

    /// Several questions at once, in a database if that matters. A connection that has ended is made anew once.
    /// - Throws: `refused` where the database cannot be selected: then nothing was asked.
    func exchange(
        _ address: ServerAddress, database: UInt64? = nil, _ commands: ByteBuffer, commandCount: Int
    ) throws(ServerError) -> [RESPReply] {
        do throws(ServerError) {
            return try attempt(address, database, commands, commandCount)
        } catch {
            guard error.isOfConnection else { throw error }
            controls[address] = nil
            return try attempt(address, database, commands, commandCount)
        }
    }

    private func attempt(
        _ address: ServerAddress, _ database: UInt64?, _ commands: ByteBuffer, _ commandCount: Int
    ) throws(ServerError) -> [RESPReply] {
        let control = try control(address)
        // By itself: were it refused (a script runs), the questions would go to another database.
        if let database, database != control.database {
            let reply = try control.connection.call("SELECT", String(database))
            if !reply.isOK { throw .refused(address, "cannot use database \(database)", reply) }
            control.database = database
        }
        return try control.connection.exchange(commands, commandCount: commandCount)
    }

    /// One question.
    func ask(
        _ address: ServerAddress, database: UInt64? = nil, _ arguments: [[UInt8]]
    ) throws(ServerError) -> RESPReply {
        var bytes = ByteBuffer()
        bytes.writeCommand(arguments)
        guard let reply = try exchange(address, database: database, bytes, commandCount: 1).first else {
            preconditionFailure("one reply for one command")
        }
        return reply
    }

    func ask(_ address: ServerAddress, _ words: String...) throws(ServerError) -> RESPReply {
        try ask(address, words.map { Array($0.utf8) })
    }

    // MARK: - Topology

    /// `MOVED` tells who owns a slot.
    func note(redirection text: String, from address: ServerAddress) {
        guard let found = ClusterRedirection(errorText: text, asked: address) else { return }
        topology?.update(movedSlot: found.slot, to: found.address)
    }

    /// Asks any server that answers who owns what; at most ten times a second.
    func refreshTopology(now: Int64) {
        guard isCluster, now - lastRefresh >= 100 else { return }
        lastRefresh = now
        // A server that is gone may take its time to be found so: those that answered last come first.
        let all = servers + seeds.map(\.address)
        for address in all.filter({ controls[$0] != nil }) + all.filter({ controls[$0] == nil }) {
            do throws(ServerError) {
                topology = try ClusterTopology.read(
                    control(address).connection, usesTLS: connectionOptions.usesTLS)
                return
            } catch {
                controls[address]?.connection.close()
                controls[address] = nil
                if error.code == .interrupted { return }
            }
        }
    }

    func close() {
        for link in allLinks { link.disconnect() }
        for control in controls.values { control.connection.close() }
        controls = [:]
    }
}
