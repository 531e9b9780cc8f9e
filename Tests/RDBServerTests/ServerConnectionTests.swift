import NIOCore
import NIOPosix
import RDBServer
import RESPFormat
import ServerHarness
import Testing

@Suite("Connections to real servers", .serialized)
struct ServerConnectionTests {
    private func connect(
        _ server: ServerProcess, _ options: ConnectionOptions = .init(), events: LinkEvents? = nil
    ) throws -> ServerConnection {
        try ServerConnection.connect(
            to: ServerURL(.unix(path: server.folder.file("socket"))), options: options, group: group,
            events: events, link: 3)
    }

    @Test("commands are answered in RESP2 and RESP3", arguments: ServerCatalog.available)
    func call(server: Server) throws {
        let process = try ServerProcess(server)
        defer { process.stop() }
        for version in [ConnectionOptions.ProtocolVersion.resp2, .resp3] {
            var options = ConnectionOptions()
            options.protocolVersion = version
            options.database = 2
            let connection = try connect(process, options)
            #expect(try connection.call("HSET", "h\(version)", "a", "1", "b", "2") == .integer(2))
            let all = try connection.call("HGETALL", "h\(version)")
            #expect(all["b"]?.text == "2")
            if case .map = all { #expect(version == .resp3) } else { #expect(version == .resp2) }
            #expect(try connection.call("GET", "none").isNull)
            #expect(try connection.call("NONSENSE").errorCode == "ERR")
            #expect(try connection.call("CLIENT", "LIST").text?.contains("db=2") == true)
            connection.close()
        }
    }

    @Test("many frames, and one larger than all buffers", arguments: ServerCatalog.available.prefix(2))
    func frames(server: Server) throws {
        let process = try ServerProcess(server)
        defer { process.stop() }
        let events = LinkEvents()
        let connection = try connect(process, events: events)
        defer { connection.close() }
        for frame in 0..<200 as Range<UInt64> {
            var bytes = ByteBuffer()
            for index in 0..<100 { bytes.writeCommand("SET", "key:\(frame):\(index)", "value") }
            bytes.writeCommand("GET", "none")
            connection.submit(CommandFrame(id: frame, bytes: bytes, commandCount: 101))
        }
        var big = ByteBuffer()
        big.writeCommand([Array("SET".utf8), Array("big".utf8), [UInt8](repeating: 7, count: 40 << 20)])
        connection.submit(CommandFrame(id: 200, bytes: big, commandCount: 1))
        var completed: [UInt64] = []
        while completed.count < 201 {
            let arrived = events.wait(milliseconds: 10_000)
            try #require(!arrived.isEmpty)
            for event in arrived {
                guard case .completed(3, let frame, let remarkable) = event else {
                    Issue.record("\(event)")
                    return
                }
                completed.append(frame)
                #expect(remarkable == (frame < 200 ? [.init(command: 100, reply: .null)] : []))
            }
        }
        #expect(completed == Array(0...200))
        #expect(try connection.call("DBSIZE") == .integer(20_001))
        #expect(try connection.call("STRLEN", "big") == .integer(40 << 20))
    }

    @Test("a server that is killed ends the connection with what it owed")
    func killed() throws {
        let process = try ServerProcess(ServerCatalog.available[0])
        let events = LinkEvents()
        let connection = try connect(process, events: events)
        var bytes = ByteBuffer()
        bytes.writeCommand("SET", "a", "1")
        bytes.writeCommand("BLPOP", "none", "0")
        connection.submit(CommandFrame(id: 1, bytes: bytes, commandCount: 2))
        // The first reply is there before the end: the command blocks behind it.
        let other = try connect(process)
        while try other.call("EXISTS", "a") != .integer(1) {}
        process.stop()
        guard case .closed(3, let error, let unfinished)? = events.wait(milliseconds: 10_000).first else {
            Issue.record("no end was told")
            return
        }
        #expect(error.code == .closed)
        #expect(unfinished == [.init(frame: 1, answeredCount: 1, remarkable: [])])
        #expect(throws: ServerError.self) { try connection.call("PING") }
    }

    @Test("silence for too long is a timeout")
    func timeout() throws {
        let process = try ServerProcess(ServerCatalog.available[0])
        defer { process.stop() }
        var options = ConnectionOptions()
        options.replyTimeout = .milliseconds(300)
        let connection = try connect(process, options)
        let error = #expect(throws: ServerError.self) { try connection.call("BLPOP", "none", "0") }
        #expect(error?.code == .timeout)
    }

    @Test("a password is asked for, wrong, or right; a user may not do everything")
    func passwords() throws {
        let process = try ServerProcess(ServerCatalog.available[0])
        defer { process.stop() }
        let admin = try connect(process)
        #expect(try admin.call("ACL", "SETUSER", "me", "on", ">mine", "+get", "~*").isOK)
        #expect(try admin.call("CONFIG", "SET", "requirepass", "secret").isOK)

        var options = ConnectionOptions()
        var error = #expect(throws: ServerError.self) { try connect(process, options) }
        #expect(error?.code == .authenticationFailed)
        #expect(error?.message.contains("NOAUTH Authentication required.") == true)
        options.password = "wrong"
        error = #expect(throws: ServerError.self) { try connect(process, options) }
        #expect(error?.code == .authenticationFailed)
        #expect(error?.message.contains("WRONGPASS invalid username-password pair") == true)
        options.password = "secret"
        #expect(try connect(process, options).call("PING") == .simple("PONG"))
        (options.user, options.password) = ("me", "mine")
        let restricted = try connect(process, options)
        #expect(try restricted.call("GET", "a").isNull)
        #expect(try restricted.call("PING").errorCode == "NOPERM")
    }

    @Test("nobody there, no such host, no such database")
    func absent() throws {
        let error = #expect(throws: ServerError.self) {
            try ServerConnection.connect(to: ServerURL("redis://127.0.0.1:1"), group: group)
        }
        #expect(error?.code == .cannotConnect)
        #expect(error?.message == "cannot connect to 127.0.0.1:1: connection refused")
        let missing = #expect(throws: ServerError.self) {
            try ServerConnection.connect(to: ServerURL("unix:///nowhere/socket"), group: group)
        }
        #expect(missing?.message == "cannot connect to /nowhere/socket: no such file or directory")
        let host = #expect(throws: ServerError.self) {
            try ServerConnection.connect(to: ServerURL("redis://no-such-host.invalid"), group: group)
        }
        #expect(host?.code == .cannotResolve)
        #expect(host?.message.hasPrefix("cannot find the address of no-such-host.invalid") == true)

        let process = try ServerProcess(ServerCatalog.available[0])
        defer { process.stop() }
        var options = ConnectionOptions()
        options.database = 99
        let database = #expect(throws: ServerError.self) { try connect(process, options) }
        #expect(database?.code == .refused(reply: "ERR DB index is out of range"))
    }
}
