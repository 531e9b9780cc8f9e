import NIOCore
import NIOTLS
import RESPFormat

/// The end of a connection's pipeline: sends frames in slices, matches replies, and tells how it went. Lives on the
/// connection's event loop.
final class LinkHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What is handed to the channel before it is asked again whether it can take more. A large frame then lies there
    /// once, and not in parts again in the buffers of TLS and of the socket.
    static let sliceByteCount = 256 << 10

    private let address: ServerAddress
    private let link: Int
    private var events: LinkEvents?
    private let inbox: LinkInbox
    private let replyTimeout: TimeAmount?
    /// How long the TLS handshake may take; nil on a plain connection.
    private let handshakeTimeout: TimeAmount?

    private var machine: PipelineStateMachine
    private var unsent = CircularBuffer<Unsent>()
    private var callers: [UInt64: ResultWaiter<[RESPReply]>] = [:]
    private var nextToken: UInt64 = 0
    private var context: ChannelHandlerContext?
    private var failure: ServerError?
    private var outputs: [PipelineStateMachine.Output] = []
    private var isSending = false
    private var hasReceived = false
    /// When the server last showed that it is there: a byte came, or the socket took more.
    private var lastActivity = NIODeadline.now()
    private var timer: Scheduled<Void>?
    private var handshakeTimer: Scheduled<Void>?

    private struct Unsent {
        var bytes: ByteBuffer
        /// The frame, where it has no command of its own to be answered: it ends when it is sent.
        var piece: UInt64?
    }

    init(
        address: ServerAddress, link: Int, inbox: LinkInbox, replyTimeout: TimeAmount?, handshakeTimeout: TimeAmount?,
        limits: RESPReplyParser.Limits
    ) {
        self.address = address
        self.link = link
        self.inbox = inbox
        self.replyTimeout = replyTimeout
        self.handshakeTimeout = handshakeTimeout
        machine = PipelineStateMachine(limits: limits)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        fail(.closed(address))
        self.context = nil
    }

    /// From now on frames may come, and their ends are told there; the end of the connection as well, even if it has
    /// come already.
    func tell(_ events: LinkEvents) {
        self.events = events
        if let failure { events.post([.closed(link: link, error: failure, unfinished: [])]) }
    }

    // MARK: - The beginning

    func channelActive(context: ChannelHandlerContext) {
        if let handshakeTimeout {
            handshakeTimer = context.eventLoop.assumeIsolated().scheduleTask(in: handshakeTimeout) { [self] in
                let seconds = Double(handshakeTimeout.nanoseconds) / 1e9
                let words = "no TLS handshake in \(seconds) s; does the server expect TLS on this port?"
                fail(ServerError(.timeout, "\(address): \(words)"))
            }
        }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent {
            handshakeTimer?.cancel()
            handshakeTimer = nil
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: - Out

    /// Takes what other threads have put into the inbox.
    func takeInbox() {
        let items = inbox.take()
        if let failure {
            refuse(items, failure)
            return
        }
        if !machine.isWaiting { lastActivity = .now() }
        for item in items {
            switch item {
            case .frame(let frame):
                if frame.commandCount > 0 {
                    machine.submit(.events(frame: frame.id), commandCount: frame.commandCount)
                }
                unsent.append(Unsent(bytes: frame.bytes, piece: frame.commandCount > 0 ? nil : frame.id))
            case .call(let bytes, let commandCount, let waiter):
                callers[nextToken] = waiter
                machine.submit(.caller(token: nextToken), commandCount: commandCount)
                nextToken += 1
                unsent.append(Unsent(bytes: bytes, piece: nil))
            }
        }
        send()
        startTimer()
    }

    /// Hands on slices for as long as the channel wants more.
    private func send() {
        // Flushing can end up here again by way of channelWritabilityChanged.
        if isSending { return }
        isSending = true
        var sentPieces: [LinkEvent] = []
        defer {
            isSending = false
            events?.post(sentPieces)
        }
        while let context, failure == nil, context.channel.isWritable, !unsent.isEmpty {
            var room = Self.sliceByteCount
            while room > 0, !unsent.isEmpty {
                let slice = nextSlice(upTo: room, &sentPieces)
                room -= max(slice.readableBytes, 1)
                context.write(wrapOutboundOut(slice), promise: nil)
            }
            context.flush()
        }
    }

    private func nextSlice(upTo count: Int, _ sentPieces: inout [LinkEvent]) -> ByteBuffer {
        let first = unsent.startIndex
        if unsent[first].bytes.readableBytes > count, let slice = unsent[first].bytes.readSlice(length: count) {
            return slice
        }
        let last = unsent.removeFirst()
        if let piece = last.piece { sentPieces.append(.completed(link: link, frame: piece, remarkable: [])) }
        return last.bytes
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            lastActivity = .now()
            send()
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: - In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if failure != nil { return }
        let buffer = unwrapInboundIn(data)
        lastActivity = .now()
        hasReceived = true
        var violation: PipelineStateMachine.Violation?
        do throws(PipelineStateMachine.Violation) {
            try machine.receive(buffer.readableBytesSpan, &outputs)
        } catch { violation = error }
        deliver()
        switch violation {
        case .malformed(let error):
            let code: ServerError.Code = error.code == .limitExceeded ? .replyTooLarge : .protocolViolation
            fail(ServerError(code, "\(address): \(error)"))
        case .unaskedError(let words): fail(ServerError(.refused(reply: words), "\(address): \(words)"))
        case .unaskedReply: fail(ServerError(.protocolViolation, "\(address): a reply to no command"))
        case nil: break
        }
    }

    private func deliver() {
        var completed: [LinkEvent] = []
        for output in outputs {
            switch output {
            case .completed(let frame, let remarkable):
                completed.append(.completed(link: link, frame: frame, remarkable: remarkable))
            case .answered(let token, let replies):
                callers.removeValue(forKey: token)?.deliver(.success(replies))
            }
        }
        outputs.removeAll(keepingCapacity: true)
        events?.post(completed)
    }

    // MARK: - The end

    func channelInactive(context: ChannelHandlerContext) {
        fail(ending(.closed(address)))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(ending(ServerError(channel: error, address: address)))
    }

    /// A server that expects TLS hangs up at the first command.
    private func ending(_ error: ServerError) -> ServerError {
        guard error.code == .closed, !hasReceived, handshakeTimeout == nil, case .tcp = address else { return error }
        return ServerError(.closed, error.message + " before it answered; does it expect TLS?")
    }

    /// Ends the connection for this reason; only the first one counts.
    func fail(_ error: ServerError) {
        if failure != nil { return }
        failure = error
        timer?.cancel()
        timer = nil
        handshakeTimer?.cancel()
        handshakeTimer = nil
        unsent.removeAll()
        let (unfinished, waiting) = machine.close()
        for token in waiting { callers.removeValue(forKey: token)?.deliver(.failure(error)) }
        events?.post([.closed(link: link, error: error, unfinished: unfinished)])
        context?.close(promise: nil)
        refuse(inbox.take(), error)
    }

    /// Gives back what was submitted too late.
    private func refuse(_ items: [LinkInbox.Item], _ error: ServerError) {
        var unfinished: [UnfinishedFrame] = []
        for item in items {
            switch item {
            case .frame(let frame):
                unfinished.append(UnfinishedFrame(frame: frame.id, answeredCount: 0, remarkable: []))
            case .call(_, _, let waiter): waiter.deliver(.failure(error))
            }
        }
        if !unfinished.isEmpty { events?.post([.closed(link: link, error: error, unfinished: unfinished)]) }
    }

    // MARK: - Timeout

    private func startTimer() {
        guard let replyTimeout, timer == nil, machine.isWaiting, failure == nil, let context else { return }
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: lastActivity + replyTimeout) {
            self.timer = nil
            self.checkTimeout(replyTimeout)
        }
    }

    private func checkTimeout(_ timeout: TimeAmount) {
        if machine.isWaiting, .now() - lastActivity >= timeout {
            let seconds = Double(timeout.nanoseconds) / 1e9
            fail(ServerError(.timeout, "\(address): no reply for \(seconds) s"))
        } else {
            startTimer()
        }
    }
}
