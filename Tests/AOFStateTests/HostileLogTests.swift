import AOFFormat
import FuzzEntrances
import RDBBytes
import RDBFormat
import RDBModel
import RDBTestSupport
import RESPFormat
import Testing

@testable import AOFState

/// Faults that mutated logs or reading found, each under its name.
@Suite("states of hostile logs")
struct HostileLogTests {
    /// A log in memory, its commands after an RDB or alone.
    private func log(_ commands: [[String]], base: [UInt8] = []) -> [UInt8] {
        base + commands.flatMap { AppliedLog.command($0.map { Array($0.utf8) }) }
    }

    private func applied(_ commands: [[String]], annotation: String = "") -> LogState {
        var state = LogState(now: AppliedLog.now, maxGrowth: 1 << 20)
        let bytes = Array(annotation.utf8) + log(commands)
        var reader = AOFReader(ByteWindow(MemorySource(bytes)), delivery: .committed)
        while let record = try? reader.next() { _ = state.apply(record, reader.arguments) }
        return state
    }

    private func isDoubtful(_ key: String, _ state: LogState) -> Bool {
        state.doubtfulKeys.contains(database: 0, key: Array(key.utf8).rawSpan)
    }

    private func rdbKeys(_ commands: [[String]], base: [UInt8]) throws -> [UInt64: Set<String>] {
        let bytes = log(commands)
        var touched = TouchedKeys()
        var reader = AOFReader(ByteWindow(MemorySource(bytes)), delivery: .committed)
        while let record = try reader.next() { touched.note(record, reader.arguments) }
        var state = LogState(now: AppliedLog.now)
        var rdb = try RDBReader(MemorySource(base))
        let version = rdb.version
        _ = try state.load(&rdb, touched)
        reader = AOFReader(ByteWindow(MemorySource(bytes)), delivery: .committed)
        while let record = try reader.next() { _ = state.apply(record, reader.arguments) }
        let copier = BaseCopier(try RDBReader(MemorySource(base)), touched)
        let producer = StateProducer(state, base: copier, places: StreamPlaces())
        var written = try RDBReader(WrittenSource(producer, version: version))
        var keys: [UInt64: Set<String>] = [:]
        while true {
            switch try written.next() {
            case .entry:
                try written.skipValue()
                keys[written.header.database, default: []].insert(String(decoding: written.copyKey(), as: UTF8.self))
            case .end: return keys
            default: break
            }
        }
    }

    private static let base = RDBBuilder.file([
        RDB.selectDatabase(0), RDB.entry(0, "a", RDB.string("1")), RDB.entry(0, "b", RDB.string("2")),
        RDB.selectDatabase(3), RDB.entry(0, "c", RDB.string("3")),
    ])

    // MARK: - Times

    @Test("a negative time of the log counts for nothing")
    func negativeTime() throws {
        let state = applied(
            [["HSET", "h", "f", "v"], ["HPEXPIRE", "h", "1000", "FIELDS", "1", "f"]], annotation: "#TS:-80\r\n")
        guard
            case .hash(let hash)? = state.keyspace.databases[0].flatMap({ database in
                database.entries.find(Array("h".utf8).rawSpan).map { database.entries[$0].value }
            })
        else {
            Issue.record("no hash")
            return
        }
        #expect(hash.expiry(of: Array("f".utf8).rawSpan) == AppliedLog.now + 1000)
    }

    @Test("expiries of fields that only Valkey has room for make a file of Valkey; a Redis refuses them")
    func farFieldExpiry() throws {
        let commands = [["HSET", "h", "f", "v"], ["HPEXPIREAT", "h", "9007199254740993", "FIELDS", "1", "f"]]
        let state = applied(commands)
        #expect(state.version(base: nil, isValkey: false).family == .valkey)
        #expect(FuzzEntrance.stateFault(log(commands), 0x3f) == nil)
        for (server, outcome) in [("redis-8.2", CommandOutcome.refused), ("valkey-9.0", .applied)] {
            let log = try AppliedLog(
                commands.map { $0.joined(separator: " ") }.joined(separator: "\n"), server: ServerVersion(server))
            #expect(log.outcomes == [.applied, outcome])
        }
        // The last one that commands of Redis give, as redis-8.2 says; its files have room for four times that.
        for (time, outcome) in [("70368744177663", CommandOutcome.applied), ("70368744177664", .refused)] {
            for command in ["HPEXPIREAT h \(time)", "HGETEX h PXAT \(time)"] {
                let log = try AppliedLog("HSET h f v\n\(command) FIELDS 1 f", server: ServerVersion("redis-8.2"))
                #expect(log.outcomes == [.applied, outcome], "\(command)")
            }
        }
        // In a file of Redis 7.4 or later it has no place: it is left out, and told.
        var settled = applied(commands)
        let version = settled.version(base: RDBVersion(number: 12, family: .redis), isValkey: false)
        #expect(version.family == .redis)
        #expect(settled.settle(version) == 1)
        #expect(isDoubtful("h", settled))
    }

    // MARK: - What is refused changes nothing of the RDB before the log

    @Test(
        "a FLUSHALL, FLUSHDB or SWAPDB that servers refuse leaves the RDB as it is",
        arguments: [
            ["FLUSHALL", "NOW"], ["FLUSHDB", "x"], ["FLUSHALL", "SYNC", "x"], ["SWAPDB", "0", "3", "x"],
            ["SWAPDB", "0", "3000000000"], ["SWAPDB", "0", "-1"], ["SWAPDB", "0"],
        ])
    func refusedFlush(command: [String]) throws {
        #expect(try rdbKeys([command], base: Self.base) == [0: ["a", "b"], 3: ["c"]])
    }

    @Test("databases that are swapped and flushed many times end where the last command put them")
    func manySwaps() throws {
        #expect(try rdbKeys([["SWAPDB", "0", "3"]], base: Self.base) == [3: ["a", "b"], 0: ["c"]])
        #expect(try rdbKeys([["SWAPDB", "0", "3"], ["FLUSHDB"]], base: Self.base) == [3: ["a", "b"]])
        #expect(
            try rdbKeys([["FLUSHDB"], ["SWAPDB", "0", "3"], ["SWAPDB", "0", "7"]], base: Self.base) == [7: ["c"]])
        #expect(try rdbKeys([["SWAPDB", "3", "3"], ["FLUSHALL", "async"]], base: Self.base) == [:])
        // Against a plain list of names.
        for seed in 1...20 as ClosedRange<UInt64> {
            var random = SplitMix64(seed: seed)
            var databases: [UInt64: UInt64] = Dictionary(uniqueKeysWithValues: (0..<6).map { ($0, $0) })
            var map = BaseDatabases()
            for _ in 0..<200 {
                let first = random.next() % 6
                let second = random.next() % 6
                if random.next() % 10 == 0 {
                    databases[first] = nil
                    map.remove(first)
                } else {
                    let old = databases[first]
                    databases[first] = databases[second]
                    databases[second] = old
                    map.swap(first, second)
                }
                for origin in 0..<6 as Range<UInt64> {
                    let now = databases.first { $0.value == origin }?.key
                    #expect(map.destination(of: origin) == now, "seed \(seed)")
                    if let now { #expect(map.origin(of: now) == origin, "seed \(seed)") }
                }
            }
        }
    }

    // MARK: - A little log, much work

    @Test("a list that SORT doubles again and again stops growing")
    func doubledList() {
        var commands = [["RPUSH", "l", "0123456789"]]
        for _ in 0..<60 { commands.append(["SORT", "l", "BY", "nosort", "GET", "#", "GET", "#", "STORE", "l"]) }
        let state = applied(commands)
        #expect(state.report.notRunCount > 30)
        #expect(isDoubtful("l", state))
    }

    @Test("slots are found whatever ranges name them")
    func slots() {
        for seed in 1...20 as ClosedRange<UInt64> {
            var random = SplitMix64(seed: seed)
            var words = ["SFLUSH"]
            var wanted: Set<Int> = []
            for _ in 0..<3 {
                let first = Int(random.next() % 16384)
                let last = min(16383, first + Int(random.next() % (random.next() % 2 == 0 ? 100 : 16384)))
                words += ["\(first)", "\(last)"]
                wanted.formUnion(first...last)
            }
            let bytes = log([words])
            var reader = RESPCommandReader(ByteWindow(MemorySource(bytes)))
            guard (try? reader.next()) == .command, let ranges = SlotRanges(reader.arguments, .sflush) else {
                Issue.record("seed \(seed): refused")
                continue
            }
            #expect((0..<16384).filter { ranges.contains($0) } == wanted.sorted(), "seed \(seed)")
        }
    }

    @Test("entries that share a long name in a file share it in memory")
    func sharedNames() {
        let stream = KeyspaceStream()
        var fields = StreamFields()
        fields.append(name: [UInt8](repeating: 0x61, count: 1 << 20).rawSpan)
        fields.append(value: [0x62].rawSpan)
        // A gigabyte, if each entry had a node with the name.
        for number in 1...1000 as ClosedRange<UInt64> {
            stream.restore(StreamID(milliseconds: number, sequence: 0), fields)
        }
        #expect(stream.length == 1000)
        #expect(stream.nodeCount == 1)
        // Small ones stand as servers put them.
        let small = KeyspaceStream()
        var few = StreamFields()
        few.append(name: [0x61].rawSpan)
        few.append(value: [0x62].rawSpan)
        for number in 1...1000 as ClosedRange<UInt64> {
            small.restore(StreamID(milliseconds: number, sequence: 0), few)
        }
        #expect(small.nodeCount == 10)
    }

    @Test("hashes that share a template's long names are loaded up to a limit")
    func templates() throws {
        let name = String(repeating: "n", count: 100_000)
        let hashes = (0..<50).map { RDB.entry(32, "h\($0)", [7, 0x01, 0x76]) }
        let file = RDBBuilder.file("REDIS0015", [RDB.hashTemplate(7, [name]), RDB.selectDatabase(0)] + hashes)
        var state = LogState(now: AppliedLog.now, maxGrowth: 1 << 20)
        var reader = try RDBReader(MemorySource(file))
        let error = #expect(throws: DecodeError.self) { _ = try state.load(&reader, nil) }
        #expect(error?.code == .limitExceeded)
        #expect(state.keyspace.databases[0]?.entries.count == 10)
        // All of them with the limit that holds otherwise.
        var all = LogState(now: AppliedLog.now)
        reader = try RDBReader(MemorySource(file))
        _ = try all.load(&reader, nil)
        #expect(all.keyspace.databases[0]?.entries.count == 50)
    }

    @Test("a library of functions is found by its name, and a name twice in a payload refuses all")
    func functions() throws {
        func source(_ name: String) -> String { "#!lua name=\(name)\nreturn 1" }
        let state = applied([
            ["FUNCTION", "LOAD", source("one")], ["FUNCTION", "LOAD", source("two")],
            ["FUNCTION", "LOAD", source("one")], ["FUNCTION", "LOAD", "REPLACE", source("one")],
            ["FUNCTION", "DELETE", "none"],
        ])
        #expect(state.report.refusedCount == 2)
        var names: [String] = []
        var next = state.keyspace.functions.firstIndex
        while let index = next {
            names.append(state.keyspace.functions.withKey(at: index) { String(decoding: $0.array, as: UTF8.self) })
            next = state.keyspace.functions.index(after: index)
        }
        #expect(names == ["two", "one"])
        func section(_ name: String) -> [UInt8] {
            let text = Array(source(name).utf8)
            return [0xf5, UInt8(text.count)] + text
        }
        func outcome(_ sections: [UInt8], _ word: String) throws -> CommandOutcome? {
            var log = AppliedLog()
            let payload = sections + [11, 0] + [UInt8](repeating: 0, count: 8)
            try log.apply(
                log: AppliedLog.command([Array("FUNCTION".utf8), Array("RESTORE".utf8), payload, Array(word.utf8)]))
            return log.outcomes.first
        }
        #expect(try outcome(section("a") + section("b"), "FLUSH") == .applied)
        #expect(try outcome(section("a") + section("a"), "REPLACE") == .refused)
    }

    @Test("a payload of a type that is not known may be one that the server takes; a damaged one is refused")
    func unknownPayload() throws {
        func outcome(_ value: [UInt8]) throws -> CommandOutcome? {
            var log = AppliedLog()
            let payload = value + [15, 0] + [UInt8](repeating: 0, count: 8)
            try log.apply(
                log: AppliedLog.command(["RESTORE", "k", "0"].map { Array($0.utf8) } + [payload]))
            return log.outcomes.first
        }
        #expect(try outcome([0, 1, 0x61]) == .applied)
        #expect(try outcome([0, 2, 0x61]) == .refused)
        #expect(try outcome([200, 1, 0x61]) == .cannotRun)
        #expect(try outcome([]) == .refused)
    }

    @Test("zeros beyond what a log may ask for are not made")
    func growth() {
        let state = applied([
            ["SETRANGE", "a", "1048570", "x"], ["SETBIT", "b", "4194304", "1"],
            ["SETRANGE", "c", "9223372036854775806", "xx"],
            ["BITFIELD", "d", "SET", "u63", "#146402730743726", "1"], ["SETBIT", "e", "9223372036854775807", "1"],
        ])
        #expect(state.report.appliedCount == 1)
        #expect(state.report.notRunCount == 4)
    }

    // MARK: - Damaged values

    @Test("a value of the base that ends too early is told with its place in the base")
    func endOfBase() {
        let places = StreamPlaces()
        places.note(100, 40)
        places.noteEnd(150)
        #expect(places.origin(of: 149) == 89)
        #expect(places.origin(of: 150) == 90)
        #expect(places.origin(of: 151) == nil)
        #expect(StreamPlaces().origin(of: 5) == nil)
    }

    @Test("a damaged HyperLogLog is refused, by whatever command")
    func damagedHyperLogLog() throws {
        var header = Array("HYLL".utf8) + [1] + [UInt8](repeating: 0, count: 11)
        for runs in [[0x7f, 0xff, 0x7f, 0xff], [0x40], [], [0x7f, 0xfe], [0x83]] as [[UInt8]] {
            let bytes = header + runs
            var log = AppliedLog()
            try log.apply(log: AppliedLog.command([Array("SET".utf8), Array("h".utf8), bytes]))
            try log.apply("PFMERGE d h\nPFMERGE h h\nPFMERGE h")
            #expect(log.outcomes == [.applied, .refused, .refused, .refused], "\(runs)")
        }
        header[15] = 0x80
        var log = AppliedLog()
        try log.apply(log: AppliedLog.command([Array("SET".utf8), Array("h".utf8), header + [0x7f]]))
        try log.apply("PFCOUNT h")
        #expect(log.outcomes == [.applied, .refused])
    }
}
