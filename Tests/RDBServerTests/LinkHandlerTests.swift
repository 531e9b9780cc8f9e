import NIOCore
import NIOEmbedded
import NIOTLS
import RESPFormat
import ServerHarness
import Testing

@testable import RDBServer

@Suite("A connection's handler, on a channel without a network")
struct LinkHandlerTests {
    private struct Fixture {
        let events = LinkEvents()
        let inbox = LinkInbox()
        let handler: LinkHandler
        let loop = EmbeddedEventLoop()
        let channel: EmbeddedChannel

        init(timeout: TimeAmount? = nil, handshake: TimeAmount? = nil) throws {
            handler = LinkHandler(
                address: .tcp(host: "h", port: 1), link: 5, inbox: inbox, replyTimeout: timeout,
                handshakeTimeout: handshake, limits: .init())
            handler.tell(events)
            channel = EmbeddedChannel(handler: handler, loop: loop)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        func submit(_ id: UInt64, _ text: String, commands: Int = 1) {
            _ = inbox.put(.frame(CommandFrame(id: id, bytes: ByteBuffer(string: text), commandCount: commands)))
            handler.takeInbox()
        }

        func receive(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }
    }

    @Test("frames go out as they are, and their ends are told")
    func frames() throws {
        let fixture = try Fixture()
        fixture.submit(1, "PING\r\n")
        fixture.submit(2, "PING\r\nPING\r\n", commands: 2)
        #expect(try fixture.channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "PING\r\n"))
        #expect(try fixture.channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "PING\r\nPING\r\n"))
        try fixture.receive("+PONG\r\n+PONG\r\n-ERR x\r\n")
        #expect(
            fixture.events.wait(milliseconds: 0) == [
                .completed(link: 5, frame: 1, remarkable: []),
                .completed(link: 5, frame: 2, remarkable: [.init(command: 1, reply: .error("ERR x"))]),
            ])
        #expect(fixture.events.wait(milliseconds: 0) == [])
        _ = try fixture.channel.finish(acceptAlreadyClosed: true)
    }

    @Test("a large frame goes out in slices, and only while the channel takes more")
    func slices() throws {
        let fixture = try Fixture()
        fixture.channel.isWritable = false
        let size = LinkHandler.sliceByteCount * 5 / 2
        let text = String(repeating: "0123456789abcdef", count: size / 16)
        fixture.submit(1, text)
        #expect(try fixture.channel.readOutbound(as: ByteBuffer.self) == nil)
        fixture.channel.isWritable = true
        fixture.channel.pipeline.fireChannelWritabilityChanged()
        var sent = ByteBuffer()
        while var slice = try fixture.channel.readOutbound(as: ByteBuffer.self) {
            #expect(slice.readableBytes <= LinkHandler.sliceByteCount)
            sent.writeBuffer(&slice)
        }
        #expect(sent == ByteBuffer(string: text))
        _ = try fixture.channel.finish(acceptAlreadyClosed: true)
    }

    @Test("the end of the connection gives back what is not answered, and what comes too late")
    func closed() throws {
        let fixture = try Fixture()
        fixture.submit(1, "a", commands: 2)
        fixture.submit(2, "b")
        let waiter = ResultWaiter<[RESPReply]>()
        _ = fixture.inbox.put(.call(ByteBuffer(string: "c"), commandCount: 1, waiter))
        fixture.handler.takeInbox()
        try fixture.receive("+OK\r\n")
        fixture.channel.pipeline.fireChannelInactive()
        let error = ServerError(.closed, "h:1: the server closed the connection")
        #expect(
            fixture.events.wait(milliseconds: 0) == [
                .closed(
                    link: 5, error: error,
                    unfinished: [
                        .init(frame: 1, answeredCount: 1, remarkable: []),
                        .init(frame: 2, answeredCount: 0, remarkable: []),
                    ])
            ])
        #expect(throws: error) { try waiter.wait() }
        fixture.submit(3, "d")
        #expect(
            fixture.events.wait(milliseconds: 0) == [
                .closed(link: 5, error: error, unfinished: [.init(frame: 3, answeredCount: 0, remarkable: [])])
            ])
        _ = try? fixture.channel.finish(acceptAlreadyClosed: true)
    }

    @Test("silence ends the connection only while replies are owed")
    func timeout() throws {
        let fixture = try Fixture(timeout: .milliseconds(100))
        fixture.loop.advanceTime(by: .seconds(10))
        #expect(fixture.channel.isActive)
        fixture.submit(1, "a")
        // The embedded loop's time and the clock are two things: the clock has to have gone on as well.
        let start = NIODeadline.now()
        while NIODeadline.now() - start < .milliseconds(120) {}
        fixture.loop.advanceTime(to: .now())
        guard case .closed(5, let error, let unfinished)? = fixture.events.wait(milliseconds: 0).first else {
            Issue.record("the connection was not closed")
            return
        }
        #expect(error.code == .timeout)
        #expect(error.message == "h:1: no reply for 0.1 s")
        #expect(unfinished == [.init(frame: 1, answeredCount: 0, remarkable: [])])
        _ = try? fixture.channel.finish(acceptAlreadyClosed: true)
    }

    @Test("a TLS handshake that does not come is a timeout")
    func handshake() throws {
        let fixture = try Fixture(handshake: .seconds(10))
        fixture.loop.advanceTime(by: .seconds(9))
        #expect(fixture.events.wait(milliseconds: 0) == [])
        fixture.loop.advanceTime(by: .seconds(1))
        let words = "h:1: no TLS handshake in 10.0 s; does the server expect TLS on this port?"
        #expect(
            fixture.events.wait(milliseconds: 0) == [
                .closed(link: 5, error: ServerError(.timeout, words), unfinished: [])
            ])
        let other = try Fixture(handshake: .seconds(10))
        other.channel.pipeline.fireUserInboundEventTriggered(TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil))
        other.loop.advanceTime(by: .seconds(20))
        #expect(other.events.wait(milliseconds: 0) == [])
        _ = try? fixture.channel.finish(acceptAlreadyClosed: true)
        _ = try other.channel.finish(acceptAlreadyClosed: true)
    }

    @Test("a server that does not speak the protocol is told apart")
    func malformed() throws {
        let fixture = try Fixture()
        fixture.submit(1, "PING\r\n")
        try fixture.receive("HTTP/1.1 400 Bad Request\r\n")
        guard case .closed(5, let error, _)? = fixture.events.wait(milliseconds: 0).first else {
            Issue.record("the connection was not closed")
            return
        }
        #expect(error.code == .protocolViolation)
        #expect(error.message == "h:1: a malformed reply: expected a reply, found \"HTTP/1.1 400 Bad Request\"")
        _ = try? fixture.channel.finish(acceptAlreadyClosed: true)
    }
}
