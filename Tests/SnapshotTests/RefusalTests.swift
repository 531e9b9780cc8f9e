import ServerHarness
import Testing

/// Servers and users that do not let everything be read.
@Suite("live servers: rights and errors", .serialized, .tags(.server))
struct RefusalTests {
    private static let readers: [(rights: [String], ways: [[String]])] = [
        // What the documentation of servers proposes for somebody who only reads.
        (["+@read", "+select", "+info"], [[], ["--read", "types"], ["--big-value", "1"]]),
        // No payloads: by types, also without asking.
        (["+@read", "+select", "+info", "-dump"], [[], ["--resp3"], ["--big-value", "1"]]),
        // No transactions, no INFO, no MEMORY USAGE, no functions.
        (["+@read", "+select", "-memory|usage", "-function"], [[], ["--read", "types"]]),
        (["+@all", "-memory", "-multi", "-time", "-pexpiretime", "-info"], [[], ["--big-value", "1"]]),
    ]

    @Test("users who may not do everything", arguments: ServerCatalog.available)
    func rights(server: Server) throws {
        let scenario = Scenario(server: server, seed: 1)
        let filled = try FilledServer(server, for: scenario)
        defer { filled.stop() }
        let connection = try filled.process.connect()
        for (index, reader) in Self.readers.enumerated() {
            // Before 7.0 rights for part of a command are given, not taken, and unknown commands have none.
            let rights = reader.rights.map { server.isRedis7 ? $0 : $0.replacing("|usage", with: "") }
                .filter { server.isRedis7 || $0 != "-function" && $0 != "-pexpiretime" }
            try connection.call("ACL", "SETUSER", "reader\(index)", "on", ">secret", "~*", Arguments(rights))
            // Vector sets are read by DUMP only.
            let others = rights.contains("-dump") && server.hasVectorSets ? ["--not-type", "module"] : []
            // Without TIME the expiries of old servers are as exact as the clocks.
            let tolerance =
                server.isRedis7 && !reader.rights.contains("-pexpiretime") ? [] : ["--expiry-tolerance", "2s"]
            for way in reader.ways {
                let url = "unix://reader\(index):secret@\(filled.process.socketPath)"
                try RDBKitProgram.locate().expectSame(
                    filled.dump, url, way + others + tolerance + ["--no-functions"], "\(scenario), \(rights) \(way)")
            }
        }
    }

    @Test("a value that nothing but DUMP reads ends the reading of who may not use it")
    func unreadable() throws {
        guard let server = ServerCatalog.available.first(where: { $0.hasVectorSets }) else { return }
        let process = try ServerProcess(server)
        defer { process.stop() }
        let connection = try process.connect()
        try connection.call("VADD", "vectors", "VALUES", 2, "1", "2", "element")
        try connection.call("ACL", "SETUSER", "reader", "on", ">secret", "~*", "+@read", "-dump", "+info")
        let run = try RDBKitProgram.locate().run(["keys", "unix://reader:secret@\(process.socketPath)"])
        #expect(run.status == 69)
        #expect(run.errors.contains("\"vectors\"") && run.errors.contains("only DUMP"), "\(run.errors)")
    }

    @Test("a user who may not read a key is told so, and can leave it out")
    func someKeys() throws {
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let connection = try process.connect()
        try connection.call("MSET", "mine:1", "a", "mine:2", "b", "other", "c")
        try connection.call("ACL", "SETUSER", "reader", "on", ">secret", "~mine:*", "+@all")
        let url = "unix://reader:secret@\(process.socketPath)"
        let program = try RDBKitProgram.locate()
        let run = try program.run(["keys", url])
        #expect(run.status == 69)
        #expect(run.errors.contains("cannot read key \"other\""), "\(run.errors)")
        #expect(try program.output(["keys", url, "--key", "mine:*"]).count == 14)
        #expect(try program.verify(process.url, url, ["--key", "mine:*"]).isSame)
    }

    @Test("status 69 and the reason where a server cannot be read")
    func unavailable() throws {
        let program = try RDBKitProgram.locate()
        let nowhere = "redis://127.0.0.1:\(try ServerProcess.freePort())"
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        try process.connect().call("SET", "key", "value")
        try process.connect().call("ACL", "SETUSER", "nobody", "on", ">secret", "+ping")
        let cases: [(arguments: [String], status: Int, words: String)] = [
            (["verify", nowhere, process.url], 69, "connection refused"),
            (["verify", process.url, nowhere], 69, "connection refused"),
            (["keys", nowhere], 69, "connection refused"),
            (["digest", "unix:///no/such/socket"], 69, "no such file"),
            (["keys", "unix://me:wrong@\(process.socketPath)"], 69, "WRONGPASS"),
            (["keys", "unix://nobody:secret@\(process.socketPath)"], 69, "NOPERM"),
            (["json", "redis://"], 64, "expected a host"),
            (["verify", "redis://host:99999", process.url], 64, "port"),
            (["check", process.url], 64, "reads no live servers"),
            (["keys", "\(process.url)?db=99"], 69, "cannot use database 99"),
        ]
        for (arguments, status, words) in cases {
            let run = try program.run(arguments)
            #expect(run.status == status, "\(arguments): \(run.status), \(run.errors)")
            #expect(run.errors.contains(words), "\(arguments): \(run.errors)")
            #expect(!run.errors.contains("secret"), "\(run.errors)")
        }
        let json = try program.run(["keys", nowhere, "--error-format", "json"])
        let fields = try JSONFields(try JSONValue(parsing: Bytes(json.errors.utf8.filter { $0 != 0x0a })))
        #expect(try fields.plainText("code") == "cannotConnect")
    }

    @Test("TLS, with a certificate of this side")
    func secure() throws {
        let certificates = try Certificates()
        let port = try ServerProcess.freePort()
        let process = try ServerProcess(.debian, options: certificates.options(port: port, asksForClient: true))
        defer { process.stop() }
        let connection = try process.connect()
        try Workload.fill(connection, for: Scenario(server: .debian, seed: 2))
        try connection.call("SAVE")
        let client = [
            "--cacert", certificates.authority, "--cert", certificates.clientCertificate, "--key-file",
            certificates.clientKey,
        ]
        let program = try RDBKitProgram.locate()
        for url in ["rediss://127.0.0.1:\(port)", "valkeys://127.0.0.1:\(port)"] {
            try program.expectSame(process.dumpPath, url, client, "TLS")
        }
        let distrusting = try program.verify(process.dumpPath, "rediss://127.0.0.1:\(port)")
        #expect(distrusting.run.status == 69)
        #expect(distrusting.run.errors.contains("TLS"), "\(distrusting)")
    }
}
