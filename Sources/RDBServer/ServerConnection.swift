public import NIOCore
import NIOPosix
import NIOSSL
import RDBBytes
public import RESPFormat

/// A connection to one server: control commands that wait for their reply, and frames of commands that do not.
///
/// Both may be used at once, from any thread but those of event loops; commands go out in the order of the calls.
/// Memory: what was submitted and is not sent yet, a read buffer of 64 KiB, and up to `ConnectionOptions.replyLimits` for
/// one reply that is kept.
public final class ServerConnection: Sendable {
    public let address: ServerAddress
    let options: ConnectionOptions
    private let channel: any Channel
    private let inbox: LinkInbox
    private let handler: NIOLoopBound<LinkHandler>

    private init(
        address: ServerAddress, options: ConnectionOptions, channel: any Channel, inbox: LinkInbox,
        handler: NIOLoopBound<LinkHandler>
    ) {
        self.address = address
        self.options = options
        self.channel = channel
        self.inbox = inbox
        self.handler = handler
    }

    deinit {
        // Loops that have ended have closed it.
        if channel.isActive { close() }
    }

    // MARK: - Connecting

    /// Connects, shakes hands by TLS, logs in, asks for the protocol's version and selects the database.
    ///
    /// - Parameters:
    ///   - options: what they leave open is taken from the URL.
    ///   - group: whose loops the connection lives on; it has to outlive it.
    ///   - events: where the ends of frames are told, and once this call has returned the end of the connection,
    ///     whoever ends it.
    ///   - link: the number that stands for this connection in the events.
    /// - Throws: `cannotResolve`, `cannotConnect`, `timeout`, `tls`, `authenticationFailed`, `refused`, `closed`,
    ///   `protocolViolation`, `interrupted`.
    public static func connect(
        to url: ServerURL, options: ConnectionOptions = ConnectionOptions(), group: any EventLoopGroup,
        events: LinkEvents? = nil, link: Int = 0
    ) throws(ServerError) -> ServerConnection {
        try connect(to: url.address, options: options.filled(from: url), group: group, events: events, link: link)
    }

    /// The same for another node of a cluster, which has no URL of its own.
    public static func connect(
        to address: ServerAddress, options: ConnectionOptions, group: any EventLoopGroup, events: LinkEvents? = nil,
        link: Int = 0
    ) throws(ServerError) -> ServerConnection {
        try connect(to: address, options: options, group: group, events: events, link: link, heedsInterrupt: true)
    }

    /// - Parameter heedsInterrupt: false for what has to be done before the program may stop.
    static func connect(
        to address: ServerAddress, options: ConnectionOptions, group: any EventLoopGroup, events: LinkEvents? = nil,
        link: Int = 0, heedsInterrupt: Bool
    ) throws(ServerError) -> ServerConnection {
        let tls = try TLSClient(address: address, options: options)
        let inbox = LinkInbox()
        let made = MadeHandler()
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(TimeAmount(options.connectTimeout))
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.writeBufferWaterMark, value: .init(low: LinkHandler.sliceByteCount, high: 1 << 20))
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 64 << 10))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if case .tcp = address { try channel.setNoDelay() }
                    if let tls { try channel.pipeline.syncOperations.addHandler(tls.makeHandler()) }
                    let handler = LinkHandler(
                        address: address, link: link, inbox: inbox,
                        replyTimeout: options.replyTimeout.map { TimeAmount($0) },
                        handshakeTimeout: tls == nil ? nil : TimeAmount(options.connectTimeout),
                        limits: options.replyLimits)
                    made.handler = handler
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        let waiter = ResultWaiter<ServerConnection>()
        let future =
            switch address {
            case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        future.flatMapThrowing { channel in
            guard let handler = made.handler else { throw ChannelError.ioOnClosedChannel }
            return ServerConnection(
                address: address, options: options, channel: channel, inbox: inbox,
                handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
        }.whenComplete { result in
            waiter.deliver(result.mapError { ServerError(connecting: $0, address: address) })
        }
        let connection = try waiter.wait(heedsInterrupt: heedsInterrupt)
        do throws(ServerError) {
            try connection.greet(options, heedsInterrupt)
        } catch {
            connection.close()
            throw error.code == .protocolViolation
                ? ServerError(.protocolViolation, error.message + "; is this a Redis or Valkey server?") : error
        }
        if let events {
            connection.channel.eventLoop.execute { [handler = connection.handler] in handler.value.tell(events) }
        }
        return connection
    }

    private func greet(_ options: ConnectionOptions, _ heedsInterrupt: Bool) throws(ServerError) {
        func call(_ arguments: [String]) throws(ServerError) -> RESPReply {
            try self.call(arguments.map { Array($0.utf8) }, heedsInterrupt: heedsInterrupt)
        }
        if options.user != nil || options.password != nil {
            let login = ["AUTH"] + (options.user.map { [$0] } ?? []) + [options.password ?? ""]
            let reply = try call(login)
            if reply.isError { throw authenticationFailed(reply) }
            if !reply.isOK { throw ServerError(.protocolViolation, "\(address): an unexpected reply to AUTH") }
        } else {
            // Whether anybody is there who speaks this protocol, and wants no password.
            let reply = try call(["PING"])
            switch reply.errorCode {
            case "NOAUTH": throw authenticationFailed(reply)
            case "DENIED": throw .refused(address, "cannot use the server", reply)
            case "ERR" where reply.errorText?.contains("max number of clients") == true:
                throw .refused(address, "cannot use the server", reply)
            case nil where reply.text != "PONG":
                throw ServerError(.protocolViolation, "\(address): an unexpected reply to PING")
            default: break  // Loading, or not allowed to ask: it is there.
            }
        }
        if options.protocolVersion == .resp3 {
            let reply = try call(["HELLO", "3"])
            if reply.isError { throw .refused(address, "cannot use RESP3", reply) }
        }
        if let database = options.database, database != 0 {
            let reply = try call(["SELECT", String(database)])
            if reply.isError { throw .refused(address, "cannot select database \(database)", reply) }
        }
    }

    private func authenticationFailed(_ reply: RESPReply) -> ServerError {
        ServerError(.authenticationFailed, "\(address): cannot log in: \(reply.errorText ?? "")")
    }

    var eventLoop: any EventLoop { channel.eventLoop }

    /// This side's IP address, as the server sees it where nothing translates between; nil on a unix socket.
    public var localHost: String? { channel.localAddress?.ipAddress }

    /// The server's IP address; nil on a unix socket.
    public var remoteHost: String? { channel.remoteAddress?.ipAddress }

    // MARK: - Control commands

    /// Sends one command and waits for its reply; an error reply is returned, not thrown.
    @discardableResult
    public func call(_ arguments: String...) throws(ServerError) -> RESPReply {
        try call(arguments.map { Array($0.utf8) })
    }

    /// - Parameter heedsInterrupt: false for what has to be done before the program may stop.
    @discardableResult
    public func call(_ arguments: [[UInt8]], heedsInterrupt: Bool = true) throws(ServerError) -> RESPReply {
        var bytes = ByteBuffer()
        bytes.writeCommand(arguments)
        let replies = try exchange(bytes, commandCount: 1, heedsInterrupt: heedsInterrupt)
        guard let reply = replies.first else { preconditionFailure("one reply for one command") }
        return reply
    }

    /// Sends several commands at once and waits for all replies, in their order.
    /// - Throws: `closed`, `timeout`, `tls`, `protocolViolation`, `replyTooLarge`, `interrupted`, `refused` where the
    ///   server hangs up with a word.
    public func exchange(
        _ commands: ByteBuffer, commandCount: Int, heedsInterrupt: Bool = true
    ) throws(ServerError) -> [RESPReply] {
        channel.eventLoop.preconditionNotInEventLoop()
        return try begin(commands, commandCount: commandCount).wait(heedsInterrupt: heedsInterrupt)
    }

    /// The same for who has something to do before it waits: more may be begun meanwhile.
    func begin(_ commands: ByteBuffer, commandCount: Int) -> ResultWaiter<[RESPReply]> {
        let waiter = ResultWaiter<[RESPReply]>()
        put(.call(commands, commandCount: commandCount, waiter))
        return waiter
    }

    // MARK: - Frames

    /// Sends a frame behind everything submitted before; never blocks. Its end is told by an event.
    ///
    /// What was submitted lies in memory until it is sent: whoever submits keeps count of what is on its way.
    public func submit(_ frame: CommandFrame) { put(.frame(frame)) }

    /// Ends the connection at once, whatever is still on its way.
    public func close() {
        channel.eventLoop.execute { [handler, address] in
            handler.value.fail(.closed(address, "the connection was closed by this side"))
        }
    }

    private func put(_ item: LinkInbox.Item) {
        if inbox.put(item) {
            channel.eventLoop.execute { [handler] in handler.value.takeInbox() }
        }
    }
}

extension Channel {
    fileprivate func setNoDelay() throws {
        try syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
    }
}

/// The handler of a connection that is being made. Set and read on the connection's event loop only. The pipeline no
/// longer has it where the connection has ended already, but it knows why.
private final class MadeHandler: @unchecked Sendable {
    var handler: LinkHandler?
}
