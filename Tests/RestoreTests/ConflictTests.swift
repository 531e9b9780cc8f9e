import ServerHarness
import Testing

/// What becomes of keys that exist at the target, for every form that entries go in.
@Suite("keys that exist", .serialized, .tags(.server))
struct ConflictTests {
    /// Forms that a key may go in, each with options that make it so.
    enum Form: String, CaseIterable, Sendable {
        /// Strings in MSETs, strings with an expiry by SET, packed values by RESTORE.
        case auto
        case restore
        /// Strings in MSETs and by SET, the rest in transactions.
        case commands
        /// Strings by SET and APPEND, the rest in transactions of slices, one after another.
        case slices

        var arguments: [String] {
            switch self {
            case .auto: ["--as", "auto"]
            case .restore: ["--as", "restore"]
            case .commands: ["--as", "commands"]
            case .slices: ["--as", "commands", "--big-value", "20"]
            }
        }
    }

    struct Case: Sendable, CustomStringConvertible {
        var server: Server
        var form: Form
        var policy: String
        var description: String { "\(server), \(form.rawValue), --on-conflict \(policy)" }
    }

    static let cases = [Server.debian, Server.newest.last].compactMap { $0 }.flatMap { server in
        Form.allCases.flatMap { form in
            ["error", "skip", "replace"].map { Case(server: server, form: form, policy: $0) }
        }
    }

    /// One key of each type, plain and with an expiry.
    static func fill(_ connection: RESPConnection) throws {
        for suffix in ["", ":ttl"] {
            try connection.call("SET", "string" + suffix, "the value of a string, which is longer than a slice")
            try connection.call("RPUSH", "list" + suffix, "one", "two", "three", "a fourth element that is longer")
            try connection.call("SADD", "set" + suffix, "one", "two", "three", "a fourth member that is longer")
            try connection.call("ZADD", "zset" + suffix, 1, "one", 2, "two", "3.5", "a third member that is longer")
            try connection.call("HSET", "hash" + suffix, "f", "v", "g", "a second value that is longer")
            try connection.call("XADD", "stream" + suffix, "1-1", "f", "v", "g", "a second value that is longer")
            try connection.call("XGROUP", "CREATE", "stream" + suffix, "group", "0")
            try connection.call("XREADGROUP", "GROUP", "group", "me", "STREAMS", "stream" + suffix, ">")
        }
        for type in ["string", "list", "set", "zset", "hash", "stream"] {
            try connection.call("PEXPIREAT", type + ":ttl", 4_102_444_800_123)
        }
    }

    static let types = ["string", "list", "set", "zset", "hash", "stream"]

    /// What stands at a key already: of the same type, another list, another string, each with and without an expiry.
    enum Occupant: String, CaseIterable, Sendable {
        case sameType, list, string
        static let expiries = [nil, 4_102_444_811_111]

        func put(_ connection: RESPConnection, _ type: String, _ key: String, _ expiry: Int?) throws {
            switch self == .sameType ? type : rawValue {
            case "string": try connection.call("SET", key, "occupied")
            case "list": try connection.call("RPUSH", key, "occupied")
            case "set": try connection.call("SADD", key, "occupied")
            case "zset": try connection.call("ZADD", key, 7, "occupied")
            case "hash": try connection.call("HSET", key, "occupied", "yes")
            default: try connection.call("XADD", key, "9-9", "occupied", "yes")
            }
            if let expiry { try connection.call("PEXPIREAT", key, expiry) }
        }
    }

    @Test("error leaves the key, skip leaves it and goes on, replace replaces it", arguments: cases)
    func policies(_ test: Case) throws {
        let source = try ServerProcess(test.server)
        defer { source.stop() }
        let from = try source.connect()
        try Self.fill(from)
        let scenario = Scenario(server: test.server, seed: 3)
        let truth = try WireTruth.save(from, of: scenario)
        let target = try ServerProcess(test.server)
        defer { target.stop() }
        let to = try target.connect()
        let program = try RDBKitProgram.locate()
        let suffixes = test.policy == "error" ? [""] : ["", ":ttl"]
        for occupant in Occupant.allCases {
            for expiry in Occupant.expiries {
                // With `error`, one key at a time is there: the first one ends the run.
                let occupied = test.policy == "error" ? Self.types.map { [$0] } : [Self.types]
                for types in occupied {
                    let subject = "\(test), \(types) occupied by \(occupant), expiry \(expiry ?? 0)"
                    try to.call("FLUSHALL")
                    for type in types { for suffix in suffixes { try occupant.put(to, type, type + suffix, expiry) } }
                    let before = try to.holdings()
                    let run = try program.restore(
                        source.dumpPath, target.url,
                        test.form.arguments + ["--on-conflict", test.policy])
                    try check(run, test, before, truth, to, scenario, subject)
                }
            }
        }
    }

    private func check(
        _ run: RDBKitProgram.Run, _ test: Case, _ before: [CanonicalEntry.Name: Holding], _ truth: [CanonicalEntry],
        _ to: RESPConnection, _ scenario: Scenario, _ subject: String
    ) throws {
        #expect(try to.temporaryKeys() == [], "\(subject)")
        let after = try to.holdings()
        let summary = try Summary(run)
        if test.policy == "replace" {
            #expect(run.status == 0, "\(subject): \(run.errors)")
            #expect(try summary.applied == truth.count, "\(subject)")
        } else {
            for (name, holding) in before {
                #expect(after[name] == holding, "\(subject): \(name)")
            }
            #expect(run.status == (test.policy == "error" ? 1 : 0), "\(subject): \(run.errors)")
        }
        if test.policy == "skip" {
            #expect(try summary.skipped == before.count, "\(subject)")
            #expect(try summary.applied == truth.count - before.count, "\(subject)")
        }
        if test.policy == "error" {
            let name = try #require(before.keys.first)
            #expect(try summary.failed == 1, "\(subject)")
            #expect(
                run.errors.contains("key \(name.key.quoted) (db 0): the key exists at the target"),
                "\(subject): \(run.errors)")
        }
        // The others are whole, or with `error` perhaps not there.
        let transfer = Transfer(
            from: test.server, to: test.server,
            test.form == .restore ? .restore : test.form == .auto ? .mixed : .commands)
        let occupied = test.policy == "replace" ? [] : Set(before.keys)
        var expected = transfer.expected(truth).filter { !occupied.contains($0.name) }
        let found = transfer.found(try WireTruth.read(to, of: scenario)).filter { !occupied.contains($0.name) }
        if test.policy == "error" {
            let there = Set(found.map(\.name))
            expected.removeAll { !there.contains($0.name) }
        }
        expectNone(Comparison.differences(expected: expected, found: found), subject)
    }

    // MARK: - Keys of the input that become the same

    @Test("two keys that become one by a rename", arguments: Form.allCases)
    func renamedDuplicates(form: Form) throws {
        let source = try ServerProcess(.debian)
        defer { source.stop() }
        let from = try source.connect()
        try from.call("SET", "a:1", "the value of a, which is longer than a slice")
        try from.call("SET", "b:1", "the value of b, which is longer than a slice")
        try from.call("RPUSH", "a:2", "a", "an element that is longer than a slice")
        try from.call("RPUSH", "b:2", "b", "an element that is longer than a slice")
        try from.call("SAVE")
        let target = try ServerProcess(.debian)
        defer { target.stop() }
        let to = try target.connect()
        let strip = ["--rename-regex", "s/^[ab]:/c:/"]

        let error = try RDBKitProgram.locate().restore(source.dumpPath, target.url, form.arguments + strip)
        #expect(error.status == 1)
        #expect(error.errors.contains("the key exists at the target"), "\(error.errors)")
        // Of both keys the second entry may be on its way before the first answer ends the run.
        #expect((1...2).contains(try Summary(error).failed))

        for policy in ["skip", "replace"] {
            try to.call("FLUSHALL")
            let run = try RDBKitProgram.locate().restore(
                source.dumpPath, target.url, form.arguments + strip + ["--on-conflict", policy])
            #expect(run.status == 0, "\(run.errors)")
            #expect(try Summary(run).skipped == (policy == "skip" ? 2 : 0))
            #expect(try to.keys() == [Bytes("c:1".utf8), Bytes("c:2".utf8)])
            // One of both, whole.
            let text = try to.call("GET", "c:1").text()
            #expect(["a", "b"].contains { text == "the value of \($0), which is longer than a slice" })
            let list = try to.call("LRANGE", "c:2", 0, -1).elements().map { try $0.text() }
            #expect(["a", "b"].contains { list == [$0, "an element that is longer than a slice"] })
        }
    }

    @Test("the same key of two databases in one", arguments: ["error", "skip", "replace"])
    func joinedDatabases(policy: String) throws {
        let source = try ServerProcess(.debian)
        defer { source.stop() }
        let from = try source.connect()
        for database in [0, 3] {
            try from.call("SELECT", database)
            try from.call("SET", "same", "from \(database)")
            try from.call("SET", "own \(database)", "x")
        }
        try from.call("SAVE")
        let target = try ServerProcess(.debian)
        defer { target.stop() }
        let run = try RDBKitProgram.locate().restore(
            source.dumpPath, target.url, ["--db-map", "3:0", "--on-conflict", policy])
        let to = try target.connect()
        let value = try to.call("GET", "same").text()
        switch policy {
        case "error":
            #expect(run.status == 1)
            #expect(run.errors.contains("key \"same\" (db 0): the key exists at the target"), "\(run.errors)")
            #expect(value == "from 0")
        case "skip":
            #expect(run.status == 0)
            #expect(try Summary(run).skipped == 1)
            #expect(value == "from 0")
        default:
            #expect(run.status == 0)
            #expect(value == "from 3")
        }
    }

    // MARK: - Functions

    @Test("libraries of functions", arguments: ["error", "skip", "replace"])
    func functions(policy: String) throws {
        func library(_ name: String, _ answer: Int) -> String {
            "#!lua name=\(name)\nredis.register_function('\(name)', function() return \(answer) end)"
        }
        let source = try ServerProcess(.debian)
        defer { source.stop() }
        let from = try source.connect()
        for name in ["one", "same", "other"] { try from.call("FUNCTION", "LOAD", library(name, 1)) }
        try from.call("SET", "key", "value")
        try from.call("SAVE")
        let target = try ServerProcess(.debian)
        defer { target.stop() }
        let to = try target.connect()
        // What is there with the same code is as it should be.
        try to.call("FUNCTION", "LOAD", library("same", 1))
        let same = try RDBKitProgram.locate().restore(source.dumpPath, target.url, ["--on-conflict", policy])
        #expect(same.status == 0, "\(same.errors)")
        #expect(try Summary(same).functions == 3)

        try to.call("FLUSHALL")
        try to.call("FUNCTION", "FLUSH")
        try to.call("FUNCTION", "LOAD", library("other", 2))
        let run = try RDBKitProgram.locate().restore(source.dumpPath, target.url, ["--on-conflict", policy])
        #expect(run.status == (policy == "error" ? 1 : 0), "\(run.errors)")
        if policy == "error" {
            #expect(
                run.errors.contains("function library \"other\": ERR Library 'other' already exists"), "\(run.errors)")
            #expect(try to.call("DBSIZE").integer() == 0)
        } else {
            #expect(try to.call("FCALL", "one", 0).integer() == 1)
            #expect(try Summary(run).functions == (policy == "replace" ? 3 : 2))
        }
        #expect(try to.call("FCALL", "other", 0).integer() == (policy == "replace" ? 1 : 2))
    }
}
