import Dispatch
import NIOCore
import RDBBytes
import Synchronization

/// What happens on the listener and its connections.
enum ReplicaEvent: Sendable {
    /// Somebody connected who is not the target, and was sent away.
    case strangerRefused(host: String)
    case connected
    case syncRequested(ReplicaLink, capabilities: Set<String>, oldForm: Bool)
    case acknowledged(ObjectIdentifier, offset: UInt64)
    /// Any byte from the replica.
    case heard
    /// - Parameter link: of the connection, if it had asked to synchronize.
    case closed(ObjectIdentifier?, ServerError)
}

/// A replica's connection as the thread sees it that feeds it. Memory: four pieces of 1 MiB.
final class ReplicaLink: Sendable {
    static let pieceByteCount = 1 << 20
    private static let pieceCount = 4

    private let channel: any Channel
    private let slots = DispatchSemaphore(value: 0)
    private let spare = Mutex<[ByteBuffer]>([])
    private let failure = Mutex<ServerError?>(nil)

    init(_ channel: any Channel) {
        self.channel = channel
        // Not its first value: a semaphore that ends below that one traps.
        for _ in 0..<Self.pieceCount { slots.signal() }
    }

    /// Sends text at once, whatever else is on its way.
    func send(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

    /// Waits for room for one more piece.
    /// - Returns: an empty buffer for `send`, or nil if there was no room in that time.
    /// - Throws: why the connection takes no more.
    func piece(milliseconds: Int) throws(ServerError) -> ByteBuffer? {
        guard slots.wait(timeout: .now() + .milliseconds(milliseconds)) == .success else { return nil }
        if let failure = failure.withLock({ $0 }) { throw failure }
        var buffer = spare.withLock { $0.popLast() } ?? ByteBuffer()
        buffer.clear(minimumCapacity: Self.pieceByteCount)
        return buffer
    }

    func send(_ piece: ByteBuffer) {
        let promise = channel.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { [self] result in
            switch result {
            case .success: spare.withLock { $0.append(piece) }
            case .failure(let error): fail(ServerError(.closed, "the connection to the replica ended: \(error)"))
            }
            slots.signal()
        }
        channel.writeAndFlush(piece, promise: promise)
    }

    /// The next piece is not given any more.
    func fail(_ error: ServerError) { failure.withLock { $0 = $0 ?? error } }

    func close() { channel.close(promise: nil) }
}

/// The end of the pipeline of a connection that a replica has made.
final class PrimaryHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let mailbox: Mailbox<ReplicaEvent>
    private var machine = PrimaryStateMachine()
    private var outputs: [PrimaryStateMachine.Output] = []
    private var link: ReplicaLink?
    private var failure: ServerError?

    init(mailbox: Mailbox<ReplicaEvent>) { self.mailbox = mailbox }

    func channelActive(context: ChannelHandlerContext) {
        mailbox.post([.connected])
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if failure != nil { return }
        let buffer = unwrapInboundIn(data)
        var violation: PrimaryStateMachine.Violation?
        do throws(PrimaryStateMachine.Violation) {
            try machine.receive(buffer.readableBytesSpan, &outputs)
        } catch { violation = error }
        var events: [ReplicaEvent] = [.heard]
        var answers = ""
        for output in outputs {
            switch output {
            case .answer(let text): answers += text
            case .syncRequested(let capabilities, let oldForm):
                let link = ReplicaLink(context.channel)
                self.link = link
                events.append(.syncRequested(link, capabilities: capabilities, oldForm: oldForm))
            case .acknowledged(let offset):
                if let link { events.append(.acknowledged(ObjectIdentifier(link), offset: offset)) }
            }
        }
        outputs.removeAll(keepingCapacity: true)
        if !answers.isEmpty { context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answers)), promise: nil) }
        mailbox.post(events)
        switch violation {
        case .malformed(let words):
            fail(ServerError(.protocolViolation, "the replica sends what is no command: \(words)"), context)
        case .speaksTLS:
            let words = "the target replicates over TLS (tls-replication), but does not let its settings be read"
            fail(ServerError(.tls, words), context)
        case nil: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(ServerError(replica: error), context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(ServerError(.closed, "the target ended the synchronization"), context)
        context.fireChannelInactive()
    }

    private func fail(_ error: ServerError, _ context: ChannelHandlerContext) {
        if failure != nil { return }
        failure = error
        link?.fail(error)
        mailbox.post([.closed(link.map { ObjectIdentifier($0) }, error)])
        context.close(promise: nil)
    }
}
