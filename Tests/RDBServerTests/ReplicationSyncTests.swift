import Glibc
import NIOCore
import NIOPosix
import RDBBytes
import RDBKit
import RDBServer
import ServerHarness
import Testing

/// A source that fails, waits or lets something happen at a place.
private final class EventfulSource: ByteSource {
    private let bytes: Bytes
    private var index = 0
    private let place: Int
    private let atPlace: () -> SourceError?

    init(_ bytes: Bytes, at place: Int, _ atPlace: @escaping () -> SourceError?) {
        (self.bytes, self.place, self.atPlace) = (bytes, place, atPlace)
    }

    var byteCount: UInt64? { nil }
    var consumedByteCount: UInt64 { UInt64(index) }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SourceError) -> Int {
        if index == place, let error = atPlace() { throw error }
        let count = min(buffer.count, (index < place ? place : bytes.count) - index)
        bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[index..<index + count])) }
        index += count
        return count
    }

    func hold(from offset: UInt64, delivered: UnsafeRawBufferPointer) throws(SourceError) { throw .system(ESPIPE) }
    func rewind(to offset: UInt64) throws(SourceError) { throw .system(ESPIPE) }
    func release() {}
}

@Suite("Loading a file by replication", .serialized)
struct ReplicationSyncTests {
    private func connect(
        _ process: ServerProcess, port: Int? = nil, _ options: ConnectionOptions = .init()
    ) throws -> ServerConnection {
        let address = port.map { ServerAddress.tcp(host: "127.0.0.1", port: $0) }
        return try ServerConnection.connect(
            to: ServerURL(address ?? .unix(path: process.folder.file("socket"))), options: options, group: group)
    }

    /// A file of that server with a few keys.
    private func makeFile(_ server: Server, _ commands: [Command] = [Command("MSET", "a", 1, "b", 2)]) throws -> Bytes {
        let process = try ServerProcess(server)
        defer { process.stop() }
        let connection = try process.connect()
        _ = try connection.pipeline(commands)
        try connection.call("SAVE")
        return try Files.read(process.dumpPath)
    }

    /// A file of 20 MB: more than all buffers between the two ends.
    private func makeLargeFile(_ server: Server) throws -> Bytes {
        var random = SeededGenerator(seed: 9)
        let commands = (0..<80).map { index in
            Command(
                "SET", "large:\(index)", (0..<32_768).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } })
        }
        return try makeFile(server, commands)
    }

    private func version(of file: Bytes) throws -> RDBVersion {
        let digits = file.starts(with: "VALKEY".utf8) ? 6 : 5
        let number = try #require(Int(String(decoding: file[digits..<9], as: UTF8.self)))
        return RDBVersion(number: number, family: digits == 6 ? .valkey : .redis)
    }

    private func sync(
        _ control: ServerConnection, _ file: Bytes, source: (any ByteSource)? = nil, hasLength: Bool = true,
        _ change: (inout ReplicationSync.Options) -> Void = { _ in }
    ) throws -> ReplicationSummary {
        var options = ReplicationSync.Options()
        options.connectBackTimeout = .seconds(8)
        change(&options)
        return try ReplicationSync(
            control: control, description: TargetDescription.describe(control),
            source: source ?? MemorySource(file), byteCount: hasLength ? UInt64(file.count) : nil,
            version: version(of: file), options: options
        ).run()
    }

    /// What every failure must leave behind.
    private func expectUntouched(
        _ process: ServerProcess, keys: Int = 0, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let connection = try process.connect()
        #expect(try connection.call("ROLE").elements()[0].text() == "master", sourceLocation: location)
        #expect(
            try connection.call("CONFIG", "GET", "repl-diskless-load").elements()[1].text() == "disabled",
            sourceLocation: location)
        #expect(try connection.call("DBSIZE").integer() == Int64(keys), sourceLocation: location)
    }

    // MARK: - What works

    @Test(
        "every server holds what the file holds, with expiry, consumers' times and idle times",
        arguments: ServerCatalog.available.flatMap { server in [1, 2].map { Scenario(server: server, seed: $0) } })
    func everything(scenario: Scenario) throws {
        let saving = try ServerProcess.start(for: scenario)
        defer { saving.stop() }
        let connection = try saving.connect(protocolVersion: scenario.protocolVersion)
        try Workload.fill(connection, for: scenario)
        let saved = try WireTruth.save(connection, of: scenario)
        let file = try Files.read(saving.dumpPath)

        // At this threshold no table becomes compact, and the signs of zeros stay.
        let options = scenario.options + [(name: "zset-max-ziplist-entries", value: "0")]
        let target = try ServerProcess(scenario.server, options: options)
        defer { target.stop() }
        let summary = try sync(connect(target), file, hasLength: scenario.seed != 2)
        #expect(summary.byteCount == UInt64(file.count))
        #expect(summary.isDiskless == true)
        #expect(summary.keyCounts?.values.reduce(0, +) == UInt64(saved.count))

        var loaded = try WireTruth.read(try target.connect(protocolVersion: 3), of: scenario)
        for index in loaded.indices {
            // The target has other thresholds.
            loaded[index].encodings = nil
            // Idle times have gone on since the file was saved.
            guard let idle = loaded[index].idleSeconds,
                let before = saved.first(where: { $0.name == loaded[index].name })?.idleSeconds
            else { continue }
            #expect((0...60).contains(idle.lowerBound - before.lowerBound), "\(scenario), \(loaded[index].name)")
            loaded[index].idleSeconds = before
        }
        let differences = Comparison.differences(expected: saved, found: loaded)
        #expect(differences.isEmpty, "\(scenario): \(differences.prefix(5))")
        if scenario.server.isRedis7 {
            let libraries = try [saving, target].map { process in
                let list = try process.connect(protocolVersion: 3).call("FUNCTION", "LIST", "WITHCODE").elements()
                return try list.map { try $0.fields().required("library_code").text() }.sorted()
            }
            #expect(libraries[0] == libraries[1])
        }
        try expectUntouched(target, keys: Int(summary.keyCounts?[0] ?? 0))
        #expect(try target.connect().call("SET", "written", "afterwards").text() == "OK")
    }

    @Test("files of older and of other servers", arguments: ServerCatalog.available)
    func foreign(server: Server) throws {
        // Version 9 is loaded by all.
        let file = try Files.read("\(Checkout.testdata)/servers/redis-6.2.rdb")
        let process = try ServerProcess(server)
        defer { process.stop() }
        #expect(try sync(connect(process), file).keyCounts?.isEmpty == false)
    }

    @Test("a target on a TCP port connects to the address that it was reached from, or to the announced one")
    func addresses() throws {
        let server = try #require(ServerCatalog.available.first)
        let file = try makeFile(server)
        let port = try ServerProcess.freePort()
        let process = try ServerProcess(
            server, options: [(name: "port", value: String(port)), (name: "bind", value: "127.0.0.1")])
        defer { process.stop() }
        let control = try connect(process, port: port)
        #expect(try sync(control, file).keyCounts == [0: 2])
        try process.connect().call("FLUSHALL")
        let announced = try ServerProcess.freePort()
        #expect(
            try sync(control, file) { $0.announce = .tcp(host: "localhost", port: announced) }.keyCounts == [0: 2])
        try process.connect().call("FLUSHALL")
        #expect(
            try sync(control, file) {
                ($0.announce, $0.listen) = (.tcp(host: "127.0.0.1", port: 0), .tcp(host: "127.0.0.1", port: 0))
            }.keyCounts == [0: 2])
    }

    @Test("a target that asks for a password or a user of its primary, and one whose user may do little")
    func passwords() throws {
        let server = try #require(ServerCatalog.available.last)
        let file = try makeFile(server)
        let process = try ServerProcess(
            server, options: [(name: "masterauth", value: "secret"), (name: "masteruser", value: "me")])
        defer { process.stop() }
        try process.connect().call(
            "ACL", "SETUSER", "few", "on", ">x", "+ping", "+replicaof", "+info", "+hello")
        var options = ConnectionOptions()
        (options.user, options.password) = ("few", "x")
        // Without the right to change the setting it goes by way of the disk.
        let summary = try sync(connect(process, options), file)
        #expect(summary.isDiskless == nil)
        #expect(summary.keyCounts == [0: 2])
        try expectUntouched(process, keys: 2)
    }

    @Test("a setting that cannot be put back is told, after success and after failure")
    func settingLost() throws {
        let server = try #require(ServerCatalog.available.last)
        let file = try makeLargeFile(server)
        let process = try ServerProcess(server)
        defer { process.stop() }
        let admin = try process.connect()
        var options = ConnectionOptions()
        (options.user, options.password) = ("few", "x")
        for error in [nil, SourceError.system(EIO)] {
            try admin.call("ACL", "SETUSER", "few", "on", ">x", "+@all")
            let source = EventfulSource(file, at: file.count / 2) {
                _ = try? admin.call("ACL", "SETUSER", "few", "-config")
                return error
            }
            let words = "cannot set repl-diskless-load back to disabled: NOPERM"
            if error == nil {
                let summary = try sync(connect(process, options), file, source: source)
                #expect(summary.keyCounts == [0: 80])
                #expect(summary.settingError?.message.contains(words) == true)
                try admin.call("FLUSHALL")
            } else {
                let failure = #expect(throws: ServerError.self) {
                    try sync(connect(process, options), file, source: source)
                }
                #expect(failure?.code == .sourceFailed)
                #expect(failure?.message.contains("; the target is a primary again, but ") == true)
                #expect(failure?.message.contains(words) == true)
            }
            #expect(try admin.call("ROLE").elements()[0].text() == "master")
            try admin.call("CONFIG", "SET", "repl-diskless-load", "disabled")
        }
    }

    @Test("more bytes than fit into all buffers, reported as they go", arguments: [true, false])
    func large(hasLength: Bool) throws {
        let server = try #require(ServerCatalog.available.last)
        let file = try makeLargeFile(server)
        let process = try ServerProcess(server)
        defer { process.stop() }
        let control = try connect(process)
        var sync = ReplicationSync(
            control: control, description: try TargetDescription.describe(control), source: MemorySource(file),
            byteCount: hasLength ? UInt64(file.count) : nil, version: try version(of: file))
        var phases: [ReplicationSync.Phase] = []
        var sent: UInt64 = 0
        sync.onProgress = { progress in
            if phases.last != progress.phase { phases.append(progress.phase) }
            #expect(progress.sentByteCount >= sent)
            sent = progress.sentByteCount
        }
        #expect(try sync.run().keyCounts == [0: 80])
        #expect(phases.last == .promoting)
        #expect(sent == UInt64(file.count))
    }

    @Test("a target that replicates over TLS", .enabled(if: hasDebianServer))
    func tls() throws {
        let certificates = try Certificates()
        let port = try ServerProcess.freePort()
        let process = try ServerProcess(
            debianServer, options: certificates.options(port: port) + [(name: "tls-replication", value: "yes")])
        defer { process.stop() }
        let file = try makeFile(debianServer)
        var options = ConnectionOptions()
        options.usesTLS = true
        options.tls.caFile = certificates.authority
        let without = try connect(process, port: port, options)
        let error = #expect(throws: ServerError.self) { try sync(without, file) }
        #expect(error?.code == .unsuitableTarget)
        #expect(error?.message.contains("give a certificate and a key") == true)
        options.tls.certificateFile = certificates.otherAuthority
        options.tls.keyFile = certificates.folder.file("other.key")
        let distrusted = #expect(throws: ServerError.self) {
            try sync(connect(process, port: port, options), file) { $0.connectBackTimeout = .seconds(3) }
        }
        #expect(distrusted?.code == .tls)
        try expectUntouched(process)
        options.tls.certificateFile = certificates.serverCertificate
        options.tls.keyFile = certificates.serverKey
        #expect(try sync(connect(process, port: port, options), file).keyCounts == [0: 2])
        try expectUntouched(process, keys: 2)
    }

    // MARK: - What is refused beforehand

    private func expectRefusal(
        _ words: String, _ process: ServerProcess, _ file: Bytes, keys: Int = 0,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let error = #expect(throws: ServerError.self, sourceLocation: location) { try sync(connect(process), file) }
        #expect(error?.code == .unsuitableTarget, "\(error?.message ?? "")", sourceLocation: location)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")", sourceLocation: location)
    }

    /// Whose files each server loads, as measured by starting it with them.
    private static let loadable: [String: Set<String>] = [
        "redis-6.2": ["redis-6.2"],
        "redis-7.0": ["redis-6.2", "redis-7.0"],
        "redis-8.2": ["redis-6.2", "redis-7.0", "redis-8.2", "valkey-8.1"],
        "valkey-8.1": ["redis-6.2", "redis-7.0", "valkey-8.1"],
        "valkey-9.1": ["redis-6.2", "redis-7.0", "valkey-8.1", "valkey-9.1"],
    ]

    @Test("files of all servers, loaded or refused", arguments: ServerCatalog.available)
    func tooNew(server: Server) throws {
        let process = try ServerProcess(server)
        defer { process.stop() }
        for other in ServerCatalog.available {
            let file = try makeFile(other)
            if Self.loadable[server.name]?.contains(other.name) == true {
                #expect(try sync(connect(process), file).keyCounts == [0: 2], "\(other) into \(server)")
                try process.connect().call("FLUSHALL")
            } else {
                try expectRefusal("does not load a file of version", process, file)
                try expectUntouched(process)
            }
        }
    }

    @Test("a target that holds keys or functions, a replica, a cluster's node")
    func unsuitable() throws {
        let server = try #require(ServerCatalog.available.last)
        let file = try makeFile(server)
        let process = try ServerProcess(server)
        defer { process.stop() }
        let admin = try process.connect()
        try admin.call("SELECT", 5)
        try admin.call("SET", "key", "value")
        try expectRefusal("the server is not empty", process, file)
        #expect(try admin.call("GET", "key").text() == "value")
        try admin.call("FLUSHALL")
        try admin.call(
            "FUNCTION", "LOAD", "#!lua name=mine\nredis.register_function('f', function() return 1 end)")
        try expectRefusal("the server has function libraries", process, file)
        try admin.call("FUNCTION", "FLUSH")
        try expectUntouched(process)
        try admin.call("REPLICAOF", "127.0.0.1", 1)
        try expectRefusal("the server is a replica of 127.0.0.1:1", process, file)
        #expect(try admin.call("ROLE").elements()[2].integer() == 1)

        let clustered = Scenario(server: server, seed: 4)
        #expect(clustered.isCluster)
        let node = try ServerProcess.start(for: clustered)
        defer { node.stop() }
        try expectRefusal("a node of a cluster", node, file)
    }

    @Test("a user who may not use REPLICAOF is told so in the server's words, and nothing is changed")
    func denied() throws {
        let server = try #require(ServerCatalog.available.last)
        let file = try makeFile(server)
        let process = try ServerProcess(server)
        defer { process.stop() }
        try process.connect().call("ACL", "SETUSER", "few", "on", ">x", "+@all", "-replicaof")
        var options = ConnectionOptions()
        (options.user, options.password) = ("few", "x")
        let error = #expect(throws: ServerError.self) { try sync(connect(process, options), file) }
        #expect(error?.code.name == "refused")
        #expect(error?.message.contains("cannot make the server a replica: NOPERM") == true)
        #expect(error?.message.contains("primary again") == false)
        try expectUntouched(process)
    }

    // MARK: - What fails on the way

    @Test("a target that cannot connect back is a primary again", arguments: ServerCatalog.available)
    func cannotConnectBack(server: Server) throws {
        let process = try ServerProcess(server)
        defer { process.stop() }
        let file = try makeFile(server)
        let error = #expect(throws: ServerError.self) {
            try sync(connect(process), file) { options in
                // Nobody listens on port 1; the listener is somewhere else.
                options.announce = .tcp(host: "127.0.0.1", port: 1)
                options.listen = .tcp(host: "127.0.0.1", port: 0)
                options.connectBackTimeout = .seconds(1)
            }
        }
        #expect(error?.code == .timeout)
        #expect(
            error?.message.hasSuffix(
                "the target could not connect back to 127.0.0.1:1 within 1.0 s; the target is a primary again") == true,
            "\(error?.message ?? "")")
        try expectUntouched(process)
    }

    @Test("nobody but the target is let in")
    func stranger() throws {
        let server = try #require(ServerCatalog.available.last)
        let process = try ServerProcess(server)
        defer { process.stop() }
        let error = #expect(throws: ServerError.self) {
            try sync(connect(process), try makeFile(server)) {
                $0.peers = ["127.0.0.2"]
                $0.connectBackTimeout = .seconds(2)
            }
        }
        #expect(error?.message.contains("127.0.0.1 did, and is not the address of the target") == true)
        try expectUntouched(process)
    }

    @Test("an input that ends early, fails, or is stopped in the middle", arguments: ServerCatalog.available)
    func sourceFails(server: Server) throws {
        let file = try makeLargeFile(server)
        let process = try ServerProcess(server)
        defer { process.stop() }
        let half = file.count / 2
        func attempt(_ source: any ByteSource) throws -> ServerError? {
            #expect(throws: ServerError.self) { try sync(connect(process), file, source: source) }
        }
        let short = try attempt(MemorySource(Array(file[..<half])))
        #expect(short?.code == .sourceFailed)
        #expect(
            short?.message == "the input ends after \(half) of \(file.count) bytes; the target is a primary again")
        try expectUntouched(process)
        let broken = try attempt(EventfulSource(file, at: half) { .system(EIO) })
        #expect(broken?.message == "cannot read the input: input/output error; the target is a primary again")
        try expectUntouched(process)
        let stopped = try attempt(EventfulSource(file, at: half) { .interrupted })
        #expect(stopped?.code == .interrupted)
        #expect(stopped?.message == "interrupted; the target is a primary again")
        try expectUntouched(process)
        // And after all that it works.
        #expect(try sync(connect(process), file).keyCounts == [0: 80])
    }

    @Test(
        "a damaged file is given up by the target, which lives on and is a primary again",
        arguments: ServerCatalog.available)
    func damaged(server: Server) throws {
        var file = try makeLargeFile(server)
        // A type byte that none of them knows, where a key begins.
        let key = try #require(file.lastRange(of: "large:".utf8))
        file[key.lowerBound - 2] = 0xc8
        let process = try ServerProcess(server)
        defer { process.stop() }
        let error = #expect(throws: ServerError.self) { try sync(connect(process), file) }
        #expect(error?.code == .closed)
        #expect(error?.message.contains("the target gave up after") == true, "\(error?.message ?? "")")
        #expect(error?.message.hasSuffix("; the target is a primary again") == true)
        try expectUntouched(process)
    }

    @Test(
        "a target that is killed in the middle is told; it starts again as a primary",
        arguments: ServerCatalog.available.suffix(1))
    func killed(server: Server) throws {
        let file = try makeLargeFile(server)
        let process = try ServerProcess(server)
        defer { process.stop() }
        let source = EventfulSource(file, at: file.count / 2) {
            try? process.kill()
            return nil
        }
        // Bounded: the wait for a server that does not come back.
        let error = #expect(throws: ServerError.self) { try sync(connect(process), file, source: source) }
        #expect(error?.code == .closed)
        #expect(error?.message.contains("the target may have been left a replica of 127.0.0.1:") == true)
        try process.restart()
        try expectUntouched(process)
    }

    @Test("a target that comes back in time is made a primary by a new connection")
    func restarted() throws {
        let server = try #require(ServerCatalog.available.last)
        let file = try makeLargeFile(server)
        let process = try ServerProcess(server)
        defer { process.stop() }
        let source = EventfulSource(file, at: file.count / 2) {
            try? process.kill()
            try? process.restart()
            return nil
        }
        let error = #expect(throws: ServerError.self) { try sync(connect(process), file, source: source) }
        #expect(error?.message.hasSuffix("; the target is a primary again") == true)
        try expectUntouched(process)
    }
}

extension Bytes {
    fileprivate func lastRange(of other: String.UTF8View) -> Range<Int>? {
        let pattern = Array(other)
        return indices.reversed().lazy.filter { $0 + pattern.count <= count }
            .first { Array(self[$0..<$0 + pattern.count]) == pattern }.map { $0..<$0 + pattern.count }
    }
}
