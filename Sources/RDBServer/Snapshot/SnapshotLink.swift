import Glibc
import NIOCore
import RDBKit

/// The connection to one server that is read: several requests on their way at once, and a connection that breaks is made
/// anew. Requests only read, so each can be sent again.
final class SnapshotLink {
    let address: ServerAddress
    let description: TargetDescription
    let plan: SnapshotPlan
    private let connectionOptions: ConnectionOptions
    private let group: any EventLoopGroup
    private let patienceMilliseconds: Int64
    private var connection: ServerConnection
    /// How often the connection has been made.
    private var generation = 0

    struct Request {
        fileprivate let commands: ByteBuffer
        fileprivate let commandCount: Int
        fileprivate let waiter: ResultWaiter<[RESPReply]>
        fileprivate let generation: Int

        /// Whether waiting would be over at once.
        var isAnswered: Bool { waiter.isDelivered }
    }

    init(
        to address: ServerAddress, connection options: ConnectionOptions, group: any EventLoopGroup,
        _ snapshot: SnapshotOptions
    ) throws(ServerError) {
        self.address = address
        connectionOptions = options
        self.group = group
        patienceMilliseconds = snapshot.patienceMilliseconds
        let connection = try Self.connect(address, options, group)
        self.connection = connection
        do throws(ServerError) {
            try Self.awaitAnswers(connection, patienceMilliseconds)
            description = try TargetDescription.describe(connection)
            if let loading = description.loading, !loading.isAsynchronous, let obstacle = description.obstacle {
                throw obstacle
            }
            plan = try Self.probe(connection, description, snapshot.way)
        } catch {
            connection.close()
            throw error
        }
    }

    func close() { connection.close() }

    private static func connect(
        _ address: ServerAddress, _ options: ConnectionOptions, _ group: any EventLoopGroup
    ) throws(ServerError) -> ServerConnection {
        let connection = try ServerConnection.connect(to: address, options: options, group: group)
        // Reading leaves no trace in the keys' idle times (Redis 7.2). Others do not know it.
        try connection.call("CLIENT", "NO-TOUCH", "ON")
        return connection
    }

    /// A script may run for long; until it is done nothing can be found out.
    private static func awaitAnswers(_ connection: ServerConnection, _ patience: Int64) throws(ServerError) {
        let started = currentMilliseconds()
        while true {
            let reply = try connection.call("PING")
            guard reply.errorCode == "BUSY" else { return }
            if currentMilliseconds() - started >= patience {
                throw .refused(connection.address, "cannot use the server", reply)
            }
            usleep(100_000)
        }
    }

    private static func probe(
        _ connection: ServerConnection, _ description: TargetDescription, _ way: SnapshotOptions.Way
    ) throws(ServerError) -> SnapshotPlan {
        var commands = ByteBuffer()
        for probe in SnapshotPlan.probes { commands.writeCommand(probe.map { Array($0.utf8) }) }
        let replies = try connection.exchange(commands, commandCount: SnapshotPlan.probes.count)
        return SnapshotPlan(replies, description, way: way)
    }

    // MARK: - Requests

    /// Sends commands; their replies are waited for later.
    func begin(_ commands: ByteBuffer, commandCount: Int) -> Request {
        Request(
            commands: commands, commandCount: commandCount,
            waiter: connection.begin(commands, commandCount: commandCount), generation: generation)
    }

    /// Waits for the replies, and sends the request again where the connection is lost or the server is busy.
    /// - Throws: `replyTooLarge` where it was tried twice; what the connection could not be made for.
    func wait(_ request: Request) throws(ServerError) -> [RESPReply] {
        var request = request
        var deadline: Int64?
        var hasBeenTooLarge = false
        while true {
            let failure: ServerError
            do throws(ServerError) {
                let replies = try request.waiter.wait()
                let now = currentMilliseconds()
                let until = deadline ?? now + patienceMilliseconds
                guard replies.contains(where: Self.isLater), now < until else { return replies }
                deadline = until
                if Interrupt.isRequested { throw .interrupted }
                usleep(50_000)
                request = begin(request.commands, commandCount: request.commandCount)
                continue
            } catch { failure = error }
            if failure.code == .replyTooLarge {
                // It may have been the reply to another request of the same connection.
                if hasBeenTooLarge { throw failure }
                hasBeenTooLarge = true
            } else if !failure.isOfConnection || deadline.map({ currentMilliseconds() > $0 }) == true {
                throw failure
            }
            let until = deadline ?? currentMilliseconds() + patienceMilliseconds
            deadline = until
            try reconnect(after: request.generation, until: until)
            request = begin(request.commands, commandCount: request.commandCount)
        }
    }

    /// The server answers nothing at the moment, whatever it is asked.
    private static func isLater(_ reply: RESPReply) -> Bool {
        switch reply.errorCode {
        case "BUSY", "LOADING", "MASTERDOWN": true
        default: false
        }
    }

    func ask(_ commands: [[[UInt8]]]) throws(ServerError) -> [RESPReply] {
        var bytes = ByteBuffer()
        for command in commands { bytes.writeCommand(command) }
        return try wait(begin(bytes, commandCount: commands.count))
    }

    func ask(_ words: String...) throws(ServerError) -> RESPReply {
        guard let reply = try ask([words.map { Array($0.utf8) }]).first else {
            preconditionFailure("one reply for one command")
        }
        return reply
    }

    private func reconnect(after lost: Int, until deadline: Int64) throws(ServerError) {
        // Another request has seen to it.
        if lost != generation { return }
        connection.close()
        while true {
            do throws(ServerError) {
                connection = try Self.connect(address, connectionOptions, group)
                generation += 1
                break
            } catch {
                guard error.isOfConnection, currentMilliseconds() < deadline else { throw error }
                usleep(100_000)
            }
        }
        // A cursor of SCAN means nothing to another process.
        let info = try connection.call("INFO", "server").text
        guard let known = description.runID, info.flatMap({ InfoFields($0)["run_id"] }) == known else {
            throw ServerError(
                .closed, "\(address): the connection was lost, and the server is another or was started anew since")
        }
    }
}
