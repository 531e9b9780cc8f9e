import ServerHarness
import Testing

/// Ways to reach a server.
@Suite("restore: protocols", .serialized, .tags(.server))
struct ProtocolTests {
    /// A workload beside values that go as frames of their own, and one that goes straight from the file.
    private static let dump = Result {
        try SavedDump(options: [(name: "rdbcompression", value: "no")]) { connection in
            try Workload.fill(connection, for: Scenario(server: .debian, seed: 3))
            try connection.call("SELECT", 0)
            for size in [1, 2, 5, 20] {
                try connection.call(
                    "EVAL", "redis.call('SET', KEYS[1], string.rep(ARGV[1], ARGV[2] * 1000000))", 1, "large:\(size)",
                    "x",
                    size)
            }
            try connection.call(
                "EVAL", "for i = 1, 60000 do redis.call('RPUSH', KEYS[1], string.rep('x', 100) .. i) end", 1, "list")
        }
    }

    private func check(
        _ process: ServerProcess, _ urls: [String], _ arguments: [String], _ location: SourceLocation = #_sourceLocation
    ) throws {
        let dump = try Self.dump.get()
        try process.connect().call("FLUSHALL")
        try process.connect().call("FUNCTION", "FLUSH")
        let run = try RDBKitProgram.locate().run(
            ["restore", dump.path] + urls + ["--format", "json", "--verify"] + arguments, timeoutSeconds: 120)
        let subject = "\(urls) \(arguments)"
        #expect(run.status == 0, "\(subject): \(run.errors)", sourceLocation: location)
        #expect(try Summary(run).verified == dump.entries.count, "\(subject)", sourceLocation: location)
        expectNone(
            try Comparison.differences(dump, [process], byCommands: true), subject, sourceLocation: location)
        #expect(run.peakKiB < 128 << 10, "\(subject): \(run.peakKiB) KiB", sourceLocation: location)
    }

    @Test("unix sockets and TCP, RESP2 and RESP3, one connection and several")
    func plain() throws {
        let port = try ServerProcess.freePort()
        let process = try ServerProcess(
            .debian,
            options: ServerProcess.keepsSigns + [
                (name: "port", value: "\(port)"), (name: "bind", value: "127.0.0.1"),
            ])
        defer { process.stop() }
        for url in [process.url, "redis://127.0.0.1:\(port)", "valkey://localhost:\(port)"] {
            for arguments in [[], ["--resp3"]] { try check(process, [url], arguments) }
        }
        for connections in [1, 2, 8] { try check(process, [process.url], ["--connections", "\(connections)"]) }
        try check(process, [process.url], ["--resp3", "--as", "commands", "--big-value", "1MiB"])
    }

    @Test("IPv6, where this machine has it")
    func newer() throws {
        let port = try ServerProcess.freePort()
        guard
            let process = try? ServerProcess(
                .debian,
                options: ServerProcess.keepsSigns + [(name: "port", value: "\(port)"), (name: "bind", value: "::1")])
        else { return print("this machine has no ::1") }
        defer { process.stop() }
        try check(process, ["redis://[::1]:\(port)"], [])
    }

    @Test("every version, RESP3", arguments: ServerCatalog.available)
    func versions(server: Server) throws {
        let process = try ServerProcess(server)
        defer { process.stop() }
        let dump = try SavedDump.small(100)
        let run = try RDBKitProgram.locate().restore(dump.path, process.url, ["--resp3", "--verify"])
        #expect(run.status == 0, "\(server): \(run.errors)")
        #expect(try Summary(run).verified == dump.entries.count, "\(server)")
    }

    @Test("TLS with a client's certificate, large frames, RESP3")
    func secure() throws {
        let certificates = try Certificates()
        let port = try ServerProcess.freePort()
        let process = try ServerProcess(
            .debian,
            options: ServerProcess.keepsSigns + certificates.options(port: port, asksForClient: true))
        defer { process.stop() }
        let client = [
            "--cacert", certificates.authority, "--cert", certificates.clientCertificate, "--key-file",
            certificates.clientKey,
        ]
        try process.connect().call("ACL", "SETUSER", "me", "on", ">mine", "~*", "&*", "+@all")
        let url = "rediss://me:mine@127.0.0.1:\(port)"
        try check(process, [url], client)
        try check(process, [url], client + ["--resp3", "--connections", "4"])
        try check(process, [url], client + ["--as", "commands", "--big-value", "1MiB"])
    }

    @Test("a TLS server that is killed and started again in the midst")
    func secureAndKilled() throws {
        let certificates = try Certificates()
        let port = try ServerProcess.freePort()
        let process = try ServerProcess(
            .debian,
            options: certificates.options(port: port) + [
                (name: "appendonly", value: "yes"), (name: "appendfsync", value: "always"),
            ])
        defer { process.stop() }
        let dump = try SavedDump.small(800)
        let running = try RDBKitProgram.locate().start([
            "restore", dump.path, "rediss://127.0.0.1:\(port)", "--cacert", certificates.authority, "--format", "json",
            "--max-ops", "800", "--as", "restore",
        ])
        let connection = try process.connect()
        try wait(seconds: 30) { try connection.call("DBSIZE").integer() > 100 }
        try process.kill()
        try process.restart()
        let run = try running.end()
        #expect(run.status == 0, "\(run.errors)")
        #expect(try Summary(run).applied == dump.entries.count)
        #expect(try Summary(run).reconnections > 0)
        expectNone(try Comparison.differences(dump, [process]), "TLS, killed")
    }
}
