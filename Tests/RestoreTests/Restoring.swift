import ServerHarness
import Testing

extension Tag {
    /// Starts a server.
    @Tag static var server: Self
    /// Takes more than a few seconds.
    @Tag static var slow: Self
}

extension Server {
    /// The one that every machine with these tests has.
    static let debian = Server.all.first { $0.name == "redis-7.0" }!

    /// The newest of each family that is there.
    static var newest: [Server] {
        let available = ServerCatalog.available
        return [Family.redis, .valkey].compactMap { family in available.last { $0.family == family } }
    }
}

extension ServerProcess {
    /// Options of a target whose sorted sets are compared score by score: a compact table keeps numbers as integers, and
    /// loses the sign of a zero that commands put into it. Source: redis/redis src/t_zset.c, zzlInsertAt.
    static let keepsSigns = [(name: "zset-max-ziplist-entries", value: "0")]

    var url: String { "unix://\(socketPath)" }
}

/// The summary of a restore, from `--format json`.
struct Summary {
    private let fields: JSONFields

    init(_ run: RDBKitProgram.Run) throws {
        let lines = run.output.split(separator: 0x0a)
        guard lines.count == 1 else {
            throw HarnessError("no summary, but status \(run.status): \(run.errors.prefix(2000))")
        }
        fields = try JSONFields(try JSONValue(parsing: Bytes(lines[0])))
    }

    private func count(_ name: String) throws -> Int { Int(try fields.integer(name)) }

    var applied: Int { get throws { try count("applied") } }
    var skipped: Int { get throws { try count("skipped") } }
    var failed: Int { get throws { try count("failed") } }
    var expired: Int { get throws { try count("expired") } }
    var resumed: Int { get throws { try count("resumed") } }
    var functions: Int { get throws { try count("functions") } }
    var verified: Int { get throws { try count("verified") } }
    var differing: Int { get throws { try count("differing") } }
    var reconnections: Int { get throws { try count("reconnections") } }
    var elapsed: Int { get throws { try count("elapsed_ms") } }
}

extension RDBKitProgram {
    /// `rdbkit restore` with the summary in JSON.
    func restore(
        _ dump: String, _ url: String, _ arguments: [String] = [], input: String? = nil, timeoutSeconds: Double = 300
    ) throws -> Run {
        try run(["restore", dump, url, "--format", "json"] + arguments, input: input, timeoutSeconds: timeoutSeconds)
    }
}

/// What is at a key, as far as one server tells another: the payload and the expiry.
struct Holding: Equatable, CustomStringConvertible {
    /// Nil where the key is not there.
    var payload: Bytes?
    var type: String
    var expiresAt: Int64

    var description: String { payload == nil ? "nothing" : "a \(type) of \(payload!.count) bytes, until \(expiresAt)" }
}

extension RESPConnection {
    /// Of each key of the selected database. `KEYS *` in the order of their bytes.
    func keys() throws -> [Bytes] {
        try call("KEYS", "*").elements().map { try $0.bytes() }.sorted { $0.precedes($1) }
    }

    func holding(_ key: Bytes) throws -> Holding {
        let replies = try pipeline([Command("DUMP", key), Command("TYPE", key), Command("PEXPIRETIME", key)])
        return Holding(
            payload: replies[0].isNull ? nil : try replies[0].bytes(), type: try replies[1].text(),
            expiresAt: try replies[2].integer())
    }

    /// Everything in all databases. Payloads of sets and hashes depend on the order of their tables, so that only what
    /// one server tells twice can be compared.
    func holdings() throws -> [CanonicalEntry.Name: Holding] {
        var found: [CanonicalEntry.Name: Holding] = [:]
        for database in 0..<16 {
            try call("SELECT", database)
            for key in try keys() { found[.init(database: database, key: key)] = try holding(key) }
        }
        try call("SELECT", 0)
        return found
    }

    /// Names under which rdbkit builds values; each must go by itself within ten minutes.
    func temporaryKeys() throws -> [Bytes] {
        var found: [Bytes] = []
        for database in 0..<16 {
            try call("SELECT", database)
            for key in try keys() where key.starts(with: "rdbkit:{".utf8) {
                let left = try call("PTTL", key).integer()
                #expect((1...600_000).contains(left), "\(key.quoted) stays for \(left) ms")
                found.append(key)
                try call("DEL", key)
            }
        }
        try call("SELECT", 0)
        return found
    }
}

/// Expects that nothing differs, and shows the first few things that do.
func expectNone(_ differences: [Difference], _ subject: String, sourceLocation: SourceLocation = #_sourceLocation) {
    if differences.isEmpty { return }
    let shown = differences.prefix(12).map { "  \($0)" }.joined(separator: "\n")
    let more = differences.count > 12 ? "\n  … \(differences.count) differences in all" : ""
    Issue.record("\(subject):\n\(shown)\(more)", sourceLocation: sourceLocation)
}

extension CanonicalEntry.Value {
    /// In whatever order a sorted set's members came.
    var isSortedSet: Bool { if case .sortedSet = self { true } else { false } }
}
