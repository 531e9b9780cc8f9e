import Foundation
import ServerHarness
import Testing

/// Runs that are cut off and go on: nothing is lost, nothing doubled, no key half there.
///
/// `RDBKIT_SEEDS=n` runs n seeds of each, `RDBKIT_SEED=n` only that one.
@Suite("interrupted restores", .serialized, .tags(.server, .slow))
struct InterruptionTests {
    /// - Parameter count: by default.
    static func seeds(_ count: UInt64) -> [UInt64] {
        if let seed = Environment["RDBKIT_SEED"].flatMap(UInt64.init) { return [seed] }
        return Array(1...(Environment["RDBKIT_SEEDS"].flatMap(UInt64.init) ?? count))
    }

    private static let policies = ["error", "skip", "replace"]

    /// What a seed stands for.
    private struct Plan {
        let seed: UInt64
        var generator: SeededGenerator
        let policy: String
        let way: [String]

        init(_ seed: UInt64, salt: UInt64) {
            self.seed = seed
            generator = SeededGenerator(seed: seed &* 1000 &+ salt)
            policy = InterruptionTests.policies[Int(seed % 3)]
            way = Cargo.ways[Int(seed % UInt64(Cargo.ways.count))]
        }

        var arguments: [String] { way + ["--on-conflict", policy] }
        var description: String { "RDBKIT_SEED=\(seed): \(arguments.joined(separator: " "))" }
    }

    /// An empty target, with others' values at some keys where the policy is not to stop at them.
    private static func prepare(
        _ connection: RESPConnection, _ cargo: Cargo, _ plan: inout Plan
    ) throws -> Cargo.Occupied {
        try connection.call("FLUSHALL")
        try connection.call("FUNCTION", "FLUSH")
        if plan.policy == "error" { return Cargo.Occupied() }
        return try cargo.occupy(connection, &plan.generator)
    }

    private static func check(
        _ connection: RESPConnection, _ cargo: Cargo, _ plan: Plan, _ occupied: Cargo.Occupied
    ) throws {
        _ = try connection.temporaryKeys()
        try cargo.expectArrival(
            connection, skipped: plan.policy == "skip" ? occupied : Cargo.Occupied(), plan.description)
    }

    // MARK: - The client

    @Test("the client is killed again and again, and goes on from its checkpoint", arguments: seeds(6))
    func client(seed: UInt64) throws {
        let cargo = try Cargo.shared.get()
        var plan = Plan(seed, salt: 1)
        let target = try ServerProcess(.debian, options: Cargo.options)
        defer { target.stop() }
        let connection = try target.connect()
        let occupied = try Self.prepare(connection, cargo, &plan)
        let checkpoint = target.folder.file("checkpoint")
        let program = try RDBKitProgram.locate()
        var ends: [String] = []
        for attempt in 0..<30 {
            let arguments =
                [
                    "restore", cargo.dump, target.url, "--format", "json", "--checkpoint", checkpoint, "--max-rate",
                    "4MB/s",
                ]
                + plan.arguments
            let run = try program.start(arguments)
            // In the end it may have its way.
            let isLast = attempt >= 7
            if !isLast {
                _ = run.hasEnded(within: Double(plan.generator.number(0...900)) / 1000)
                run.send(signal: plan.generator.oneIn(2) ? SIGKILL : SIGINT)
            }
            let end = try run.end(timeoutSeconds: 60)
            ends.append("\(end.status)")
            #expect([0, 130, 137].contains(end.status), "\(plan.description), ends \(ends): \(end.errors)")
            _ = try connection.temporaryKeys()
            if end.status == 0 { break }
            guard [130, 137].contains(end.status) else { return }
        }
        #expect(ends.last == "0", "\(plan.description): \(ends)")
        #expect(!Files.exists(checkpoint), "\(plan.description)")
        try Self.check(connection, cargo, plan, occupied)
    }

    /// How far a checkpoint says that the target has come; 0 where there is none.
    private static func acknowledged(_ checkpoint: String) throws -> UInt64 {
        guard Files.exists(checkpoint) else { return 0 }
        let name = "acknowledged_offset: "
        let line = try Files.text(checkpoint).split(separator: "\n").first { $0.hasPrefix(name) }
        return line.flatMap { UInt64($0.dropFirst(name.count)) } ?? 0
    }

    @Test("an expiry from now is the same in every run of one restore")
    func expiryFromNow() throws {
        let cargo = try Cargo.shared.get()
        let target = try ServerProcess(.debian, options: Cargo.options)
        defer { target.stop() }
        let connection = try target.connect()
        let checkpoint = target.folder.file("checkpoint")
        let arguments = [
            "restore", cargo.dump, target.url, "--checkpoint", checkpoint, "--ttl", "=1d", "--max-rate", "600KB/s",
        ]
        let program = try RDBKitProgram.locate()
        for runCount in 1...3 {
            let run = try program.start(arguments)
            // Until this run has noted more than the ones before.
            let before = try Self.acknowledged(checkpoint)
            try wait(seconds: 60) { try Self.acknowledged(checkpoint) > before || run.hasEnded(within: 0) }
            #expect(!run.hasEnded(within: 0), "run \(runCount) came to its end")
            run.send(signal: SIGKILL)
            _ = try run.end()
        }
        let last = try program.run(Array(arguments.dropLast(2)))
        #expect(last.status == 0, "\(last.errors)")
        #expect(String(decoding: last.output, as: UTF8.self).contains("applied by an earlier run"))
        _ = try connection.temporaryKeys()
        let found = try WireTruth.read(connection, of: Cargo.scenario)
        #expect(found.count == cargo.truth.count)
        #expect(Set(found.map { $0.expiresAt?.lowerBound ?? 0 }).count == 1)
    }

    @Test("a run that stops at a key goes on with that key when it is told what to do with it")
    func conflict() throws {
        let cargo = try Cargo.shared.get()
        let target = try ServerProcess(.debian, options: Cargo.options)
        defer { target.stop() }
        let connection = try target.connect()
        let checkpoint = target.folder.file("checkpoint")
        let program = try RDBKitProgram.locate()
        for key in ["small list:150", "plain:1500", "large list"] {
            for policy in ["skip", "replace"] {
                try connection.call("SELECT", 0)
                try connection.call("FLUSHALL")
                try connection.call("FUNCTION", "FLUSH")
                try connection.call("SET", key, "occupied")
                let stopped = try program.restore(
                    cargo.dump, target.url, ["--checkpoint", checkpoint, "--as", "commands", "--big-value", "60KB"])
                #expect(stopped.status == 1)
                #expect(stopped.errors.contains("key \"\(key)\" (db 0): the key exists"), "\(stopped.errors)")
                #expect(Files.exists(checkpoint))
                #expect(try connection.call("GET", key).text() == "occupied")
                let done = try program.restore(
                    cargo.dump, target.url, ["--checkpoint", checkpoint, "--on-conflict", policy])
                #expect(done.status == 0, "\(done.errors)")
                #expect(!Files.exists(checkpoint))
                if policy == "skip" {
                    #expect(try Summary(done).skipped == 1, "\(key)")
                    #expect(try connection.call("GET", key).text() == "occupied")
                } else {
                    try cargo.expectArrival(connection, "\(key)")
                }
            }
        }
    }

    @Test("what an earlier run could not apply is not forgotten")
    func failuresOfEarlierRuns() throws {
        let source = try ServerProcess(.debian)
        defer { source.stop() }
        let from = try source.connect()
        // The first keys of the file are refused, the rest takes a while.
        try from.call("SET", "fine", "x")
        try from.call("SELECT", 1)
        for index in 0..<2000 { try from.call("SET", "key \(index)", Bytes(repeating: 0x78, count: 1000)) }
        try from.call("SAVE")
        let target = try ServerProcess(.debian, options: [(name: "databases", value: "2")])
        defer { target.stop() }
        let checkpoint = target.folder.file("checkpoint")
        let arguments = ["--db-map", "0:2", "--checkpoint", checkpoint]
        let program = try RDBKitProgram.locate()
        let run = try program.start(["restore", source.dumpPath, target.url, "--max-rate", "400KB/s"] + arguments)
        let connection = try target.connect()
        try connection.call("SELECT", 1)
        try wait(seconds: 60) { try connection.call("DBSIZE").integer() > 100 }
        run.send(signal: SIGINT)
        let first = try run.end()
        #expect(first.status == 130)
        #expect(first.errors.contains("the target has no database 2"), "\(first.errors)")
        let second = try program.run(["restore", source.dumpPath, target.url] + arguments)
        #expect(second.status == 1, "\(second.errors)")
        let text = String(decoding: second.output, as: UTF8.self)
        #expect(text.contains("not applied by an earlier run: 1"), "\(text)")
        #expect(!Files.exists(checkpoint))
    }

    @Test("a checkpoint of something else is refused, and stays")
    func otherCheckpoints() throws {
        let cargo = try Cargo.shared.get()
        let target = try ServerProcess(.debian, options: Cargo.options)
        defer { target.stop() }
        let connection = try target.connect()
        let checkpoint = target.folder.file("checkpoint")
        let program = try RDBKitProgram.locate()
        let run = try program.start(
            ["restore", cargo.dump, target.url, "--checkpoint", checkpoint, "--max-rate", "1MB/s", "--key", "*i*"])
        while !Files.exists(checkpoint), !run.hasEnded(within: 0.01) {}
        run.send(signal: SIGKILL)
        _ = try run.end()
        let text = try Files.text(checkpoint)
        try connection.call("FLUSHALL")

        func refused(_ dump: String, _ url: String, _ arguments: [String], _ words: String) throws {
            let run = try program.restore(dump, url, ["--checkpoint", checkpoint] + arguments)
            #expect(run.status == 64)
            #expect(run.errors.hasPrefix("rdbkit: \(checkpoint)"), "\(run.errors)")
            #expect(run.errors.contains(words), "\(run.errors)")
            #expect(try connection.call("DBSIZE").integer() == 0)
        }
        let other = target.folder.file("other.rdb")
        try Files.write(try Files.read(cargo.dump) + [0], to: other)
        try refused(other, target.url, ["--key", "*i*"], "is a checkpoint of another input")
        let second = try ServerProcess(.debian)
        defer { second.stop() }
        try refused(cargo.dump, second.url, ["--key", "*i*"], "is a checkpoint for another target")
        try refused(cargo.dump, target.url, [], "is the checkpoint of a run with --key '*i*'")
        try refused(cargo.dump, target.url, ["--key", "*i*", "--add-prefix", "x"], "of a run with --key '*i*'")
        #expect(try Files.text(checkpoint) == text)

        for content in ["", "rdbkit restore checkpoint 1\n", "something else\n", String(text.dropLast(30))] {
            try Files.write(Bytes(content.utf8), to: checkpoint)
            // An empty file is no checkpoint yet.
            if content.isEmpty { continue }
            try refused(cargo.dump, target.url, ["--key", "*i*"], "checkpoint of a restore")
        }
        // Where it cannot be written, nothing is sent.
        let run2 = try program.restore(cargo.dump, target.url, ["--checkpoint", "/nonexistent/checkpoint"])
        #expect(run2.status == 73, "\(run2.errors)")
        #expect(try connection.call("DBSIZE").integer() == 0)
    }

    // MARK: - The target

    private static let durable = [(name: "appendonly", value: "yes"), (name: "appendfsync", value: "always")]

    @Test("the target is killed and started again while the client waits", arguments: seeds(5))
    func target(seed: UInt64) throws {
        let cargo = try Cargo.shared.get()
        var plan = Plan(seed, salt: 2)
        let target = try ServerProcess(.debian, options: Cargo.options + Self.durable)
        defer { target.stop() }
        let occupied = try Self.prepare(try target.connect(), cargo, &plan)
        let run = try RDBKitProgram.locate().start(
            ["restore", cargo.dump, target.url, "--format", "json", "--max-rate", "4MB/s"] + plan.arguments)
        var killCount = 0
        for _ in 0..<3 {
            // Not before it has found out what the target is.
            if run.hasEnded(within: 0.3 + Double(plan.generator.number(0...400)) / 1000) { break }
            try target.kill()
            killCount += 1
            usleep(UInt32(plan.generator.number(0...200)) * 1000)
            try target.restart()
        }
        let end = try run.end(timeoutSeconds: 90)
        #expect(end.status == 0, "\(plan.description): \(end.errors)")
        if killCount > 0 { #expect(try Summary(end).reconnections > 0) }
        try Self.check(try target.connect(), cargo, plan, occupied)
    }

    @Test("the target is killed, the client gives up and goes on later", arguments: seeds(3))
    func patience(seed: UInt64) throws {
        let cargo = try Cargo.shared.get()
        var plan = Plan(seed, salt: 3)
        let target = try ServerProcess(.debian, options: Cargo.options + Self.durable)
        defer { target.stop() }
        let occupied = try Self.prepare(try target.connect(), cargo, &plan)
        let checkpoint = target.folder.file("checkpoint")
        let program = try RDBKitProgram.locate()
        let arguments =
            ["restore", cargo.dump, target.url, "--format", "json", "--max-rate", "4MB/s"]
            + ["--checkpoint", checkpoint] + plan.arguments
        var ends: [Int] = []
        for attempt in 0..<10 {
            let run = try program.start(arguments + ["--patience", attempt < 2 ? "2" : "60"])
            if attempt < 2, !run.hasEnded(within: 0.3 + Double(plan.generator.number(0...300)) / 1000) {
                try target.kill()
                let end = try run.end(timeoutSeconds: 60)
                ends.append(end.status)
                #expect(end.status == 69, "\(plan.description): \(end.errors)")
                #expect(end.errors.contains("no progress for 2 s"), "\(end.errors)")
                #expect(end.errors.contains("\(target.socketPath)"), "\(end.errors)")
                try target.restart()
                continue
            }
            let end = try run.end(timeoutSeconds: 60)
            ends.append(end.status)
            #expect(end.status == 0, "\(plan.description): \(end.errors)")
            break
        }
        #expect(ends.last == 0, "\(plan.description): \(ends)")
        #expect(!Files.exists(checkpoint))
        try Self.check(try target.connect(), cargo, plan, occupied)
    }

    // MARK: - The network

    @Test("connections are cut after any number of bytes", arguments: seeds(9))
    func cuts(seed: UInt64) throws {
        let cargo = try Cargo.shared.get()
        var plan = Plan(seed, salt: 4)
        let target = try ServerProcess(.debian, options: Cargo.options)
        defer { target.stop() }
        let connection = try target.connect()
        let occupied = try Self.prepare(connection, cargo, &plan)
        let base = plan.generator.next()
        let proxy = try CuttingProxy(to: target.socketPath) { number in
            var generator = SeededGenerator(seed: base &+ UInt64(number))
            func upTo(_ low: Double, _ high: Double) -> Int {
                Int(low * pow(high / low, Double(generator.number(0...1000)) / 1000))
            }
            // The first one finds out what the target is: it must hold until then.
            if number == 0 { return .init(replies: upTo(20_000, 100_000)) }
            switch generator.number(0...3) {
            case 0: return .init(commands: upTo(100, 3_000_000))
            case 1: return .init(commands: 20_000_000)
            // Everything that was sent is carried out, and some of the replies are lost.
            default: return .init(replies: upTo(1, 20_000))
            }
        }
        defer { proxy.stop() }
        let end = try RDBKitProgram.locate().restore(cargo.dump, "unix://\(proxy.path)", plan.arguments)
        #expect(end.status == 0, "\(plan.description), \(proxy.cutCount) cuts: \(end.errors)")
        #expect(proxy.cutCount > 0, "\(plan.description)")
        proxy.stop()
        try Self.check(connection, cargo, plan, occupied)
    }

    @Test("a reply that is lost is no conflict", arguments: Cargo.ways.indices)
    func lostReplies(way: Int) throws {
        let cargo = try Cargo.shared.get()
        let target = try ServerProcess(.debian, options: Cargo.options)
        defer { target.stop() }
        let connection = try target.connect()
        // Of the first connections no reply comes back at all, of the next ones a few.
        let proxy = try CuttingProxy(to: target.socketPath) { number in
            switch number {
            case 0: .init()
            // The greeting is answered: `+PONG`.
            case 1...6: .init(replies: 7)
            case 7...30: .init(replies: 7 + number * 5)
            default: .init()
            }
        }
        defer { proxy.stop() }
        let end = try RDBKitProgram.locate().restore(
            cargo.dump, "unix://\(proxy.path)", Cargo.ways[way] + ["--on-conflict", "error"])
        #expect(end.status == 0, "\(Cargo.ways[way]): \(end.errors)")
        #expect(proxy.cutCount > 5)
        #expect(try Summary(end).applied == cargo.truth.count)
        proxy.stop()
        #expect(try connection.temporaryKeys().count < 20)
        try cargo.expectArrival(connection, "\(Cargo.ways[way])")
    }

    @Test("a real conflict is one though replies are lost")
    func realConflict() throws {
        let cargo = try Cargo.shared.get()
        let target = try ServerProcess(.debian, options: Cargo.options)
        defer { target.stop() }
        let connection = try target.connect()
        for key in ["plain:7", "expiring:7", "small list:7", "large hash"] {
            try connection.call("SELECT", 0)
            try connection.call("FLUSHALL")
            try connection.call("FUNCTION", "FLUSH")
            try connection.call("SET", key, "occupied")
            let proxy = try CuttingProxy(to: target.socketPath) { number in
                (1...4).contains(number) ? .init(replies: 7) : .init()
            }
            defer { proxy.stop() }
            let end = try RDBKitProgram.locate().restore(cargo.dump, "unix://\(proxy.path)")
            #expect(end.status == 1)
            #expect(end.errors.contains("key \"\(key)\" (db 0): the key exists at the target"), "\(end.errors)")
            #expect(try connection.call("GET", key).text() == "occupied")
        }
    }
}
