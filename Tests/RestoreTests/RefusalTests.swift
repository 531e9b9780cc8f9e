import Glibc
import ServerHarness
import Testing

/// What is told, and with which status, where nothing can be restored.
@Suite("restore: refusals", .serialized, .tags(.server))
struct RefusalTests {
    private static let dump = Result { try SavedDump.small(30) }

    /// Expects the status and one line of error that holds these words.
    private func expect(
        _ status: Int, _ words: String, _ run: RDBKitProgram.Run, _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(run.status == status, "\(run.arguments): \(run.errors)", sourceLocation: location)
        let lines = run.errors.split(separator: "\n").filter { $0.hasPrefix("rdbkit: ") }
        #expect(
            lines.count == 1 && lines[0].contains(words), "\(run.arguments): \(run.errors)", sourceLocation: location)
    }

    private func restore(
        _ url: String, _ arguments: [String] = [], environment: [String: String] = [:]
    ) throws -> RDBKitProgram.Run {
        try RDBKitProgram.locate().run(
            ["restore", try Self.dump.get().path, url, "--quiet"] + arguments, environment: environment)
    }

    // MARK: - Nobody, or somebody else

    @Test("nobody listens, nobody is known by that name")
    func nobody() throws {
        let port = try ServerProcess.freePort()
        expect(
            69, "cannot connect to 127.0.0.1:\(port): connection refused", try restore("redis://127.0.0.1:\(port)"))
        expect(69, "cannot connect to /nowhere/socket: no such file", try restore("unix:///nowhere/socket"))
        expect(69, "cannot find the address of no-such-host.invalid", try restore("redis://no-such-host.invalid"))
    }

    @Test("somebody who is no server of this kind")
    func strangers() throws {
        let echo = try LoopbackListener(.echo)
        let question = "is this a Redis or Valkey server?"
        expect(69, question, try restore("redis://127.0.0.1:\(echo.port)"))
        expect(69, question, try restore("redis://me:secret@127.0.0.1:\(echo.port)"))
        let web = try LoopbackListener(.saying("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
        expect(69, question, try restore("redis://127.0.0.1:\(web.port)"))
        let polite = try LoopbackListener(.saying("+HELLO THERE\r\n"))
        expect(69, question, try restore("redis://127.0.0.1:\(polite.port)"))
        let shy = try LoopbackListener(.hangingUp)
        let run = try restore("redis://127.0.0.1:\(shy.port)")
        #expect(run.status == 69)
        // Whether a question is on its way when the other side hangs up makes a reset of the end.
        let ends = ["the server closed the connection", "connection reset by peer"]
        #expect(
            ends.contains { run.errors.hasPrefix("rdbkit: 127.0.0.1:\(shy.port): \($0)") }, "\(run.errors)")
    }

    @Test("somebody who does not answer in time, and somebody who does not even take the connection")
    func silence() throws {
        let silent = try LoopbackListener(.silent)
        expect(
            69, "127.0.0.1:\(silent.port): no reply for 0.5 s",
            try restore("redis://127.0.0.1:\(silent.port)", ["--reply-timeout", "0.5"]))
        let full = try LoopbackListener(.full)
        expect(
            69, "cannot connect to 127.0.0.1:\(full.port): no answer in 0.5 s",
            try restore("redis://127.0.0.1:\(full.port)", ["--connect-timeout", "0.5"]))
    }

    @Test("a server that is stopped in the midst of a run")
    func stopped() throws {
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let connection = try process.connect()
        let fields = try connection.call("INFO", "server").text().split(whereSeparator: \.isNewline)
        let line = try #require(fields.first { $0.hasPrefix("process_id:") })
        let identifier = try #require(pid_t(line.dropFirst("process_id:".count)))
        let dump = try SavedDump.small(2000)
        let program = try RDBKitProgram.locate().start([
            "restore", dump.path, process.url, "--quiet", "--max-ops", "500", "--reply-timeout", "0.5", "--patience",
            "1.5",
        ])
        while try connection.call("DBSIZE").integer() == 0 { usleep(10_000) }
        kill(identifier, SIGSTOP)
        let run = try program.end()
        kill(identifier, SIGCONT)
        expect(69, "no progress for 1 s", run)
        #expect(run.errors.contains("no reply for 0.5 s"))
    }

    // MARK: - TLS

    @Test("certificates: of a wrong authority, for another name, none of this side, files that are not there")
    func certificates() throws {
        let certificates = try Certificates(serverNames: "DNS:server.test")
        let (port, plain) = (try ServerProcess.freePort(), try ServerProcess.freePort())
        let process = try ServerProcess(
            .debian,
            options: certificates.options(port: port, asksForClient: true) + [(name: "port", value: "\(plain)")])
        defer { process.stop() }
        let url = "rediss://127.0.0.1:\(port)"
        let client = ["--cert", certificates.clientCertificate, "--key-file", certificates.clientKey]
        let right = ["--cacert", certificates.authority, "--sni", "server.test"]
        expect(
            69, "the server's certificate is not signed by an authority that is trusted",
            try restore(url, ["--cacert", certificates.otherAuthority, "--sni", "server.test"] + client))
        expect(69, "not signed by an authority that is trusted", try restore(url, client))
        expect(
            69, "the server's certificate is not for this host",
            try restore(url, ["--cacert", certificates.authority, "--sni", "other.test"] + client))
        expect(
            69, "the server's certificate is not for this host",
            try restore(url, ["--cacert", certificates.authority] + client))
        expect(69, "the server asks for a client certificate", try restore(url, right))
        expect(
            69, "/nowhere/ca.crt: cannot read the CA certificates: no such file",
            try restore(url, ["--cacert", "/nowhere/ca.crt"]))
        expect(
            69, "/nowhere/my.crt: cannot read the certificate: no such file",
            try restore(url, right + ["--cert", "/nowhere/my.crt", "--key-file", certificates.clientKey]))
        expect(
            69, "/nowhere/my.key: cannot read the key: no such file",
            try restore(url, right + ["--cert", certificates.clientCertificate, "--key-file", "/nowhere/my.key"]))
        expect(
            69, "does the server expect TLS on this port?",
            try restore("rediss://127.0.0.1:\(plain)", right + ["--connect-timeout", "0.5"]))
        expect(69, "does it expect TLS?", try restore("redis://127.0.0.1:\(port)"))
        #expect(try restore(url, right + client).status == 0)
        #expect(try restore(url, ["--insecure", "--on-conflict", "skip"] + client).status == 0)
    }

    // MARK: - Logging in

    @Test("passwords: none, a wrong one, from the URL, the environment and the terminal")
    func passwords() throws {
        let process = try ServerProcess(.debian, options: [(name: "requirepass", value: "secret")])
        defer { process.stop() }
        let path = process.socketPath
        let again = ["--on-conflict", "skip"]
        expect(69, "cannot log in: NOAUTH Authentication required", try restore("unix://\(path)"))
        expect(69, "cannot log in: WRONGPASS", try restore("unix://:wrong@\(path)"))
        #expect(try restore("unix://:secret@\(path)").status == 0)
        #expect(try restore("unix://\(path)", again, environment: ["REDISCLI_AUTH": "secret"]).status == 0)
        expect(
            69, "cannot log in: WRONGPASS", try restore("unix://\(path)", again, environment: ["REDISCLI_AUTH": "no"]))
        // The URL is nearer than the environment.
        #expect(try restore("unix://:secret@\(path)", again, environment: ["REDISCLI_AUTH": "no"]).status == 0)
        expect(
            69, "cannot log in: WRONGPASS",
            try restore("unix://\(path)", again + ["--user", "nobody"], environment: ["REDISCLI_AUTH": "secret"]))
    }

    @Test("a password typed at the terminal: right, wrong, none, and ^C")
    func terminal() throws {
        let process = try ServerProcess(.debian, options: [(name: "requirepass", value: "a long secret ü")])
        defer { process.stop() }
        func type(_ text: String) throws -> RDBKitProgram.Run {
            let terminal = try Terminal()
            let program = try RDBKitProgram.locate().start(
                ["restore", try Self.dump.get().path, process.url, "--quiet", "--on-conflict", "skip", "--askpass"],
                on: terminal)
            #expect(try terminal.awaitText("Password: ") == "Password: ")
            terminal.type(text)
            let run = try program.end()
            // It is not shown.
            if text != "\u{3}" { #expect(!(try terminal.awaitText("\r\n")).contains("secret")) }
            return run
        }
        let right = try type("a long secret ü\n")
        #expect(right.status == 0, "\(right.errors)")
        expect(69, "cannot log in: WRONGPASS", try type("another secret\n"))
        expect(69, "no password was entered", try type("\n"))
        let interrupted = try type("\u{3}")
        #expect(interrupted.status == 130)
        #expect(interrupted.errors == "")
    }

    // MARK: - Rights

    /// Runs as a user with these rights, into an empty server.
    private func restore(
        _ process: ServerProcess, rights: String, _ arguments: [String] = [], dump: SavedDump? = nil
    ) throws -> RDBKitProgram.Run {
        let connection = try process.connect()
        try connection.call("FLUSHALL")
        try connection.call("ACL", "DELUSER", "me")
        try connection.call(
            "ACL", "SETUSER", "me", "on", ">mine", Arguments(rights.split(separator: " ").map { Bytes($0.utf8) }))
        return try RDBKitProgram.locate().run(
            ["restore", try dump?.path ?? Self.dump.get().path, "unix://me:mine@\(process.socketPath)"] + arguments)
    }

    @Test("a user who may only read")
    func readers() throws {
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let run = try restore(process, rights: "~* +@read +@connection", ["--quiet"])
        #expect(run.status == 69)
        let last = try #require(run.errors.split(separator: "\n").last)
        #expect(last.contains("NOPERM"), "\(run.errors)")
        #expect(try process.connect().call("DBSIZE").integer() == 0)
    }

    @Test("a user who may not ask for what the server is")
    func unasking() throws {
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let dump = try Self.dump.get()
        let run = try restore(process, rights: "~* +@all -select -info -config -module -cluster -client", ["--verify"])
        #expect(run.status == 0, "\(run.errors)")
        expectNone(try Comparison.differences(dump, [process]), "a user who may not ask")

        // Databases that cannot be selected are told; the others arrive.
        let several = try SavedDump { connection in
            for database in [0, 3] {
                try connection.call("SELECT", database)
                for index in 0..<5 { try connection.call("SET", "key:\(index)", database) }
            }
        }
        let other = try restore(process, rights: "~* +@all -select", ["--format", "json"], dump: several)
        #expect(other.status == 1)
        #expect(try Summary(other).applied == 5)
        #expect(try Summary(other).failed == 5)
        #expect(other.errors.contains("no permissions to run the 'select' command"), "\(other.errors)")
        #expect(try process.connect().call("DBSIZE").integer() == 5)
    }

    @Test("a user who may not use what is dangerous restores by commands")
    func cautious() throws {
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let run = try restore(process, rights: "~* +@all -@dangerous", ["--verify"])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors.contains("this user may not use RESTORE: everything went by commands"))
        expectNone(
            try Comparison.differences(try Self.dump.get(), [process], byCommands: true), "by commands")
    }

    @Test("a user with rights for some keys")
    func someKeys() throws {
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let run = try restore(process, rights: "~list:* ~hash:* +@all", ["--format", "json", "--as", "restore"])
        #expect(run.status == 1, "\(run.errors)")
        #expect(try Summary(run).applied == 6)
        #expect(try Summary(run).failed == 39)
        #expect(run.errors.contains("NOPERM"))
        #expect(try process.connect().call("DBSIZE").integer() == 6)
    }
}
