import NIOCore
import NIOPosix
import RDBServer
import RESPFormat
import ServerHarness
import Testing

@Suite("TLS", .serialized, .enabled(if: hasDebianServer))
struct TLSTests {
    /// What came of an attempt to say PING.
    private func attempt(
        _ port: Int, host: String = "127.0.0.1", _ change: (inout TLSOptions) -> Void,
        timeout: Duration = .seconds(10)
    ) -> Result<RESPReply, ServerError> {
        var options = ConnectionOptions()
        change(&options.tls)
        options.connectTimeout = timeout
        let url = ServerURL(.tcp(host: host, port: port), usesTLS: true)
        do throws(ServerError) {
            let connection = try ServerConnection.connect(to: url, options: options, group: group)
            return .success(try connection.call("PING"))
        } catch {
            return .failure(error)
        }
    }

    private func expectTLSError(
        _ words: String, _ result: Result<RESPReply, ServerError>, _ location: SourceLocation = #_sourceLocation
    ) {
        guard case .failure(let error) = result else {
            Issue.record("connected", sourceLocation: location)
            return
        }
        #expect(error.code == .tls, "\(error)", sourceLocation: location)
        #expect(error.message.contains(words), sourceLocation: location)
    }

    private let pong = Result<RESPReply, ServerError>.success(.simple("PONG"))

    @Test("the server's certificate is verified: by the right authority, by a wrong one, by none")
    func authority() throws {
        let certificates = try Certificates()
        let port = try ServerProcess.freePort()
        let process = try ServerProcess(debianServer, options: certificates.options(port: port))
        defer { process.stop() }
        #expect(attempt(port) { $0.caFile = certificates.authority } == pong)
        let untrusted = "the server's certificate is not signed by an authority that is trusted"
        expectTLSError(untrusted, attempt(port) { $0.caFile = certificates.otherAuthority })
        expectTLSError(untrusted, attempt(port) { _ in })
        #expect(attempt(port) { $0.verifies = false } == pong)
        #expect(
            attempt(port) { ($0.caFile, $0.verifies) = (certificates.otherAuthority, false) } == pong)
    }

    @Test("the certificate must be for the name that is asked for, or for the address")
    func name() throws {
        let certificates = try Certificates(serverNames: "DNS:server.test")
        let port = try ServerProcess.freePort()
        let process = try ServerProcess(debianServer, options: certificates.options(port: port))
        defer { process.stop() }
        #expect(
            attempt(port) { ($0.caFile, $0.serverName) = (certificates.authority, "server.test") } == pong)
        let wrongName = "the server's certificate is not for this host"
        expectTLSError(
            wrongName, attempt(port) { ($0.caFile, $0.serverName) = (certificates.authority, "other.test") })
        expectTLSError(wrongName, attempt(port, host: "localhost") { $0.caFile = certificates.authority })
        expectTLSError(wrongName, attempt(port) { $0.caFile = certificates.authority })
        #expect(attempt(port, host: "localhost") { $0.verifies = false } == pong)
    }

    @Test("a server that wants a client's certificate")
    func client() throws {
        let certificates = try Certificates()
        let port = try ServerProcess.freePort()
        let process = try ServerProcess(debianServer, options: certificates.options(port: port, asksForClient: true))
        defer { process.stop() }
        expectTLSError("certificate", attempt(port) { $0.caFile = certificates.authority })
        #expect(
            attempt(port) {
                $0.caFile = certificates.authority
                ($0.certificateFile, $0.keyFile) = (certificates.clientCertificate, certificates.clientKey)
            } == pong)
    }

    @Test("files that are missing or wrong are told by name")
    func files() throws {
        let certificates = try Certificates()
        expectTLSError("/nowhere/ca.crt: cannot read the CA certificates", attempt(1) { $0.caFile = "/nowhere/ca.crt" })
        expectTLSError(
            "\(certificates.serverKey): cannot read the CA certificates",
            attempt(1) { $0.caFile = certificates.serverKey })
        expectTLSError(
            "cannot read the key",
            attempt(1) { ($0.certificateFile, $0.keyFile) = (certificates.clientCertificate, certificates.authority) })
        expectTLSError(
            "cannot use certificate and key",
            attempt(1) { ($0.certificateFile, $0.keyFile) = (certificates.clientCertificate, certificates.serverKey) })
    }

    @Test("TLS to a plain port, and plain to a TLS port")
    func mixedUp() throws {
        let certificates = try Certificates()
        let (plain, secure) = (try ServerProcess.freePort(), try ServerProcess.freePort())
        let process = try ServerProcess(
            debianServer, options: certificates.options(port: secure) + [(name: "port", value: String(plain))])
        defer { process.stop() }
        guard case .failure(let silence) = attempt(plain, { $0.verifies = false }, timeout: .milliseconds(500)) else {
            Issue.record("connected")
            return
        }
        #expect(silence.code == .timeout)
        #expect(silence.message.hasSuffix("no TLS handshake in 0.5 s; does the server expect TLS on this port?"))
        let error = #expect(throws: ServerError.self) {
            try ServerConnection.connect(
                to: ServerURL(.tcp(host: "127.0.0.1", port: secure)), group: group)
        }
        #expect(error?.code == .closed)
        #expect(error?.message.hasSuffix("does it expect TLS?") == true)
    }

    @Test("a server that is killed has closed the connection; that is no fault of TLS")
    func killed() throws {
        let certificates = try Certificates()
        let port = try ServerProcess.freePort()
        let process = try ServerProcess(debianServer, options: certificates.options(port: port))
        var options = ConnectionOptions()
        options.tls.caFile = certificates.authority
        let connection = try ServerConnection.connect(
            to: ServerURL(.tcp(host: "127.0.0.1", port: port), usesTLS: true), options: options, group: group)
        #expect(try connection.call("PING") == .simple("PONG"))
        process.stop()
        let error = #expect(throws: ServerError.self) { try connection.call("PING") }
        #expect(error?.code == .closed)
        #expect(error?.isOfConnection == true)
    }

    @Test("large frames over TLS")
    func frames() throws {
        let certificates = try Certificates()
        let port = try ServerProcess.freePort()
        let process = try ServerProcess(debianServer, options: certificates.options(port: port))
        defer { process.stop() }
        var options = ConnectionOptions()
        options.tls.caFile = certificates.authority
        let events = LinkEvents()
        let connection = try ServerConnection.connect(
            to: ServerURL(.tcp(host: "127.0.0.1", port: port), usesTLS: true), options: options,
            group: group, events: events)
        var bytes = ByteBuffer()
        bytes.writeCommand([Array("SET".utf8), Array("big".utf8), [UInt8](repeating: 7, count: 20 << 20)])
        connection.submit(CommandFrame(id: 1, bytes: bytes, commandCount: 1))
        #expect(events.wait(milliseconds: 20_000) == [.completed(link: 0, frame: 1, remarkable: [])])
        #expect(try connection.call("STRLEN", "big") == .integer(20 << 20))
    }
}
