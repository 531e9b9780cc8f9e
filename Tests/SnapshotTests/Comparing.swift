import ServerHarness
import Testing

extension Tag {
    /// Starts a server.
    @Tag static var server: Self
    /// Takes more than a few seconds.
    @Tag static var slow: Self
}

extension Server {
    /// The one that every machine with these tests has, and the only one here that knows TLS and clusters' ports.
    static let debian = Server.all.first { $0.name == "redis-7.0" }!
}

extension ServerProcess {
    var url: String { "unix://\(socketPath)" }
}

/// What `verify` says: `same`, or what differs.
struct Verdict: Equatable, CustomStringConvertible {
    let run: RDBKitProgram.Run

    var isSame: Bool { run.status == 0 }

    static func == (left: Verdict, right: Verdict) -> Bool { left.run.status == right.run.status }

    var description: String {
        "status \(run.status): \(String(decoding: run.output.prefix(1500), as: UTF8.self)) \(run.errors.prefix(1500))"
    }
}

extension RDBKitProgram {
    func verify(_ a: String, _ b: String, _ arguments: [String] = [], timeoutSeconds: Double = 120) throws -> Verdict {
        Verdict(run: try run(["verify", a, b] + arguments, timeoutSeconds: timeoutSeconds))
    }

    /// Expects that two inputs hold the same data; shows what `diff` finds where they do not.
    func expectSame(
        _ a: String, _ b: String, _ arguments: [String] = [], _ subject: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let verdict = try verify(a, b, arguments)
        if verdict.isSame { return }
        let compared = arguments.filter { $0 != "--format" && $0 != "json" }
        let shown = (try? run(["diff", a, b] + compared)).map {
            String(decoding: $0.output.prefix(3000), as: UTF8.self)
        }
        Issue.record(
            "\(subject): verify \(a) \(b) \(arguments): \(verdict)\n\(shown ?? "")", sourceLocation: sourceLocation)
    }
}

/// A server that is filled by a workload and has saved what it holds.
struct FilledServer {
    let process: ServerProcess
    var url: String { process.url }
    var dump: String { process.dumpPath }
    var server: Server { process.server }

    init(_ server: Server, for scenario: Scenario, inOneDatabase: Bool = false) throws {
        process =
            server == scenario.server && !inOneDatabase
            ? try ServerProcess.start(for: scenario) : try ServerProcess(server, options: scenario.options)
        let connection = try process.connect()
        try Workload.fill(connection, for: scenario, inOneDatabase: inOneDatabase)
        try connection.call("SAVE")
    }

    func stop() { process.stop() }
}
