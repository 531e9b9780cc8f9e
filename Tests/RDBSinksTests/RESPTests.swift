import RDBBytes
import RDBFormat
import RDBKit
import RDBModel
import RDBSinks
import RDBTestSupport
import Testing

/// Commands worked out by hand from formats/commands.md, part A.
@Suite("commands of values")
struct RESPTests {
    static let redis82 = ServerVersion(.redis, 8, 2)
    static let redis88 = ServerVersion(.redis, 8, 8)
    static let valkey91 = ServerVersion(.valkey, 9, 1)

    private func lines(_ name: String, target: ServerVersion? = nil) throws -> [String] {
        let specimen = try #require(Specimen.all.first { $0.name == name }, "no specimen \(name)")
        return try RESPOutput(specimen.bytes, target: target).lines
    }

    private func lines(_ items: [[UInt8]], magic: String = "REDIS0011", target: ServerVersion? = nil) throws -> [String]
    {
        try RESPOutput(RDBBuilder.file(magic, items), target: target).lines
    }

    @Test("strings, with any bytes, and expiry behind the value")
    func strings() throws {
        #expect(
            try lines([
                RDB.entry(0, "a", RDB.string("")), RDB.entry(0, "", RDB.int16(-300)),
                RDB.expireMilliseconds(2_000_000_000_000), RDB.entry(0, "b c", RDB.string([0x0d, 0x0a, 0xff])),
                RDB.expireSeconds(7), RDB.entry(0, "d", RDB.lzf(literally: Array("text".utf8))),
            ]) == [
                "SET a ''", "SET '' -300", #"SET 'b c' '\x0d\x0a\xff'"#, "PEXPIREAT 'b c' 2000000000000",
                "SET d text", "PEXPIREAT d 7000",
            ])
    }

    @Test("lists and sets of every layout")
    func listsAndSets() throws {
        let elements = [RDB.ListpackEntry.text("x"), .number(-5), .number(70_000), .text("")]
        #expect(
            try lines([
                RDB.entry(1, "plain", RDB.length(2) + RDB.string("a") + RDB.int8(-1)),
                RDB.entry(10, "zip", RDB.string(RDB.ziplist([.text("a"), .int16(300), .immediate(12)]))),
                RDB.entry(
                    18, "quick", RDB.quicklist2([(2, RDB.string(RDB.listpack(elements))), (1, RDB.string("y"))])),
                RDB.entry(2, "set", RDB.length(2) + RDB.string("b") + RDB.string("a")),
                RDB.entry(11, "ints", RDB.string(RDB.intset(width: 8, [.min, -1, 5]))),
                RDB.entry(20, "pack", RDB.string(RDB.listpack([.text("m"), .number(9)]))),
            ]) == [
                "RPUSH plain a -1", "RPUSH zip a 300 12", "RPUSH quick x -5 70000 '' y", "SADD set b a",
                "SADD ints -9223372036854775808 -1 5", "SADD pack m 9",
            ])
    }

    @Test("scores read back to the same double")
    func scores() throws {
        let scores: [Double] = [
            1, -0.0, .infinity, -.infinity, 0.1, .leastNonzeroMagnitude, 1e300, 9_007_199_254_740_994, -2.5,
            1_000_000_000_000_000_000,
        ]
        let value = RDB.length(scores.count) + scores.enumerated().flatMap { RDB.string("\($0.0)") + RDB.double($0.1) }
        let line = try #require(try lines([RDB.entry(5, "z", value)]).first)
        let words = line.split(separator: " ").map(String.init)
        #expect(words[..<2] == ["ZADD", "z"])
        let read = stride(from: 2, to: words.count, by: 2).map { Double(words[$0])?.bitPattern }
        #expect(read == scores.map(\.bitPattern))
        #expect(stride(from: 3, to: words.count, by: 2).map { words[$0] } == scores.indices.map { "\($0)" })
        #expect(words[2] == "1" && words[18] == "-2.5")
    }

    @Test("a member whose score is not a number is told and left out")
    func notANumber() throws {
        let value = RDB.length(2) + RDB.string("a") + [253] + RDB.string("b") + RDB.oldScore("2")
        let output = try RESPOutput(RDBBuilder.file("REDIS0006", [RDB.entry(3, "z", value)]))
        #expect(output.lines == ["ZADD z 2 b"])
        #expect(output.losses.examples.map(\.loss) == [.notANumber])
    }

    @Test("hashes, and the expiry of their fields where the target has it")
    func hashes() throws {
        #expect(try lines("listpack hash") == ["HSET k f v n -1"])
        #expect(try lines("template hash of values") == ["HSET k b 1 aa x2 ab ''"])
        #expect(try lines("listpack hash", target: ServerVersion(.redis, 3, 2)) == ["HMSET k f v n -1"])
        let expiring = "listpack hash with expiries, Redis 7.4"
        let expiries = ["HPEXPIREAT k 2000000000000 FIELDS 1 b", "HPEXPIREAT k 2000000000500 FIELDS 1 c"]
        #expect(try lines(expiring, target: Self.redis82) == ["HSET k b 2 c 3 a 1"] + expiries)
        #expect(try lines(expiring, target: Self.valkey91) == ["HSET k b 2 c 3 a 1"] + expiries)
        #expect(try lines(expiring) == ["HSET k b 2 c 3 a 1"])
        // Neighbours with the same expiry share a command; the latest one that Redis keeps has 46 bits.
        let times: [(String, Int64)] = [("a", 1 << 45), ("b", 1 << 45), ("c", -1), ("d", 1 << 46)]
        var fields: [UInt8] = []
        for (name, time) in times { fields += RDB.string(name) + RDB.string("v") + RDB.littleEndian(time) }
        let items = [RDB.entry(22, "k", RDB.length(4) + fields)]
        #expect(
            try lines(items, magic: "VALKEY080", target: Self.valkey91) == [
                "HSET k a v b v c v d v", "HPEXPIREAT k 35184372088832 FIELDS 2 a b",
                "HPEXPIREAT k 70368744177664 FIELDS 1 d",
            ])
        let output = try RESPOutput(RDBBuilder.file("VALKEY080", items), target: Self.redis82)
        #expect(output.lines == ["HSET k a v b v c v d v", "HPEXPIREAT k 35184372088832 FIELDS 2 a b"])
        #expect(output.losses.examples.map(\.loss) == [.fieldExpiry])
    }

    @Test("arrays")
    func arrays() throws {
        #expect(
            try lines("array with an insert index and far indices", target: Self.redis88) == [
                "ARMSET k 1 1.0 1000000 '' 18446744073709551614 5", "ARSEEK k 2",
            ])
        #expect(
            try lines("array without insert index", target: Self.redis88) == [
                "ARMSET k 0 ab 3 7 5 1.5 9 longer-than-seven"
            ])
    }

    @Test(
        "what no command makes is told",
        arguments: ["path hash", "module value of every part", "limiter of Redis 8.10"])
    func withoutCommands(_ name: String) throws {
        let specimen = try #require(Specimen.all.first { $0.name == name })
        let output = try RESPOutput(specimen.bytes, target: Self.redis88)
        #expect(output.lines == [])
        #expect(output.losses.examples.map(\.loss) == [.value])
        #expect(output.losses.examples.first?.module?.name == (name.hasPrefix("module") ? "vectorset" : nil))
    }

    @Test("empty collections are nothing")
    func empty() throws {
        for form in [EntryForm.commands, .restore] {
            let file = RDBBuilder.file([RDB.entry(4, "h", [0]), RDB.entry(1, "l", [0]), RDB.entry(0, "s", [0])])
            let lines = try RESPOutput(file, form, target: Self.redis82).commands.map { $0[0] }
            #expect(
                lines.map { String(decoding: $0, as: UTF8.self) } == ["SELECT", form == .restore ? "RESTORE" : "SET"])
        }
    }

    @Test("databases, functions, and a library of a release candidate")
    func sections() throws {
        let code = "#!lua name=f\nreturn"
        let items = [
            RDB.function(code), RDB.functionPreGA(name: "lib", engine: "LUA", description: nil, code: "return"),
            RDB.selectDatabase(3), RDB.entry(0, "a", RDB.string("1")), RDB.selectDatabase(3),
            RDB.entry(0, "b", RDB.string("2")), RDB.selectDatabase(0), RDB.entry(0, "c", RDB.string("3")),
        ]
        #expect(
            try lines(items, target: Self.redis82) == [
                #"FUNCTION LOAD '#!lua name=f\x0areturn'"#, #"FUNCTION LOAD '#!lua name=lib\x0areturn'"#,
                "SELECT 3", "SET a 1", "SET b 2", "SELECT 0", "SET c 3",
            ])
        let output = try RESPOutput(RDBBuilder.file(items))
        #expect(output.lines.first == "SELECT 3")
        #expect(output.losses.functionCount == 2)
        var options = CommandOptions()
        options.replaces = true
        let replacing = try RESPOutput(RDBBuilder.file(items), target: Self.redis82, options: options)
        #expect(replacing.lines.first == #"FUNCTION LOAD REPLACE '#!lua name=f\x0areturn'"#)
        #expect(replacing.lines.suffix(2) == ["DEL c", "SET c 3"])
    }

    // MARK: - Streams

    private static let entries = ["XADD k 1-1 f v", "XADD k 5-0 g 1", "XADD k 5-1 f z"]

    @Test("a stream with counters")
    func stream() throws {
        let group = [
            "XGROUP CREATECONSUMER k G C",
            "XCLAIM k G C 0 1-1 TIME 1795233573927 RETRYCOUNT 1 JUSTID FORCE",
        ]
        #expect(
            try lines("stream of Redis 7.2", target: Self.redis82) == Self.entries + [
                "XGROUP CREATE k G 1-1 ENTRIESREAD -1"
            ] + group + ["XSETID k 5-1 ENTRIESADDED 4 MAXDELETEDID 1-2"])
        #expect(
            try lines("stream of Redis 7.0", target: Self.redis82) == Self.entries + [
                "XGROUP CREATE k G 1-1 ENTRIESREAD 3"
            ] + group + ["XSETID k 5-1 ENTRIESADDED 4 MAXDELETEDID 1-2"])
        // Without counts in the file: as a server estimates when it loads it; 1-1 is the first of three.
        #expect(
            try lines("stream of Redis 5", target: Self.redis82) == Self.entries + [
                "XGROUP CREATE k G 1-1 ENTRIESREAD 1"
            ] + group + ["XSETID k 5-1 ENTRIESADDED 3 MAXDELETEDID 0-0"])
        #expect(
            try lines("stream of Redis 7.2") == Self.entries + ["XGROUP CREATE k G 1-1"] + group + ["XSETID k 5-1"])
        // Before 6.2 a consumer comes into being by what it claims.
        #expect(
            try lines("stream of Redis 7.2", target: ServerVersion(.redis, 5, 0)) == Self.entries + [
                "XGROUP CREATE k G 1-1", group[1], "XSETID k 5-1",
            ])
        #expect(
            try lines("stream of Redis 8.6", target: Self.redis88)[3] == "XCFGSET k IDMP-DURATION 100 IDMP-MAXSIZE 100")
    }

    @Test("empty streams")
    func emptyStreams() throws {
        #expect(
            try lines("empty stream", target: Self.redis82) == [
                "XADD k MAXLEN 0 0-1 x y", "XSETID k 0-0 ENTRIESADDED 0 MAXDELETEDID 0-0",
            ])
        var value = RDB.Stream()
        value.lastID = RDB.ID(7, 2)
        value.maxDeletedID = RDB.ID(7, 1)
        value.entriesAdded = 9
        #expect(
            try lines([RDB.entry(21, "k", RDB.stream(value, generation: 3))], target: Self.redis82) == [
                "XADD k MAXLEN 0 7-2 x y", "XSETID k 7-2 ENTRIESADDED 9 MAXDELETEDID 7-1",
            ])
    }

    /// Pending 1-0 to 4-0, of which none exists, and an entry behind them.
    @Test("pending entries that no longer exist are there for their claims only", arguments: [512, 3, 1])
    func placeholders(_ pendingCount: Int) throws {
        let specimen = try #require(Specimen.all.first { $0.name == "stream with two groups and two consumers" })
        var options = CommandOptions()
        options.pendingCount = pendingCount
        let lines = try RESPOutput(specimen.bytes, target: Self.redis82, options: options).lines
        let added = (1...4).map { "XADD k \($0)-0 x y" }
        let groups = [
            "XGROUP CREATE k one 4-0 ENTRIESREAD 0", "XGROUP CREATECONSUMER k one a",
            #"XGROUP CREATECONSUMER k one 'b\x0a'"#,
        ]
        let claims = [("'b\\x0a'", 1), ("a", 2), ("a", 3), ("'b\\x0a'", 4)].map {
            "XCLAIM k one \($0.0) 0 \($0.1)-0 TIME \($0.1)0 RETRYCOUNT \($0.1) JUSTID FORCE"
        }
        let other = ["XGROUP CREATE k two 0-0 ENTRIESREAD -1"]
        let end = [
            "XSETID k 0-0", "XADD k 1000-5 temp -300 12 x",
            "XSETID k 2000-18446744073709551615 ENTRIESADDED 9 MAXDELETEDID 0-0",
        ]
        let trim = ["XTRIM k MAXLEN 0"]
        switch pendingCount {
        case 1:
            // The groups are made with the first of them.
            var expected: [String] = []
            for index in 0..<4 {
                expected +=
                    [added[index]] + (index == 0 ? groups : []) + [claims[index]] + (index == 0 ? other : []) + trim
            }
            #expect(lines == expected + end)
        case 3:
            #expect(
                lines == added[..<3] + groups + claims[..<3] + other + trim + [added[3], claims[3]] + trim + end)
        default: #expect(lines == added + groups + claims + other + trim + end)
        }
    }

    @Test("entries that nobody owns")
    func unowned() throws {
        let name = "stream with negatively acknowledged entries"
        let added = (1...3).map { "XADD k \($0)-1 x y" }
        let group = ["XGROUP CREATE k g 3-1 ENTRIESREAD 3", "XGROUP CREATECONSUMER k g alice"]
        let end = ["XTRIM k MAXLEN 0", "XSETID k 0-0"]
        let counters = ["XSETID k 3-1 ENTRIESADDED 3 MAXDELETEDID 0-0"]
        let empty = "XADD k MAXLEN 0 3-1 x y"
        #expect(
            try lines(name, target: Self.redis88) == added + group + [
                "XNACK k g FAIL IDS 1 1-1 RETRYCOUNT 1 FORCE", "XNACK k g FAIL IDS 1 2-1 RETRYCOUNT 0 FORCE",
                "XNACK k g FAIL IDS 1 3-1 RETRYCOUNT 9223372036854775807 FORCE",
            ] + end + ["XCFGSET k IDMP-DURATION 100 IDMP-MAXSIZE 100"] + counters)
        let specimen = try #require(Specimen.all.first { $0.name == name })
        let output = try RESPOutput(specimen.bytes, target: Self.redis82)
        #expect(output.losses.examples.map(\.loss) == [.unownedPending])
        #expect(!output.lines.contains(empty))
        #expect(!output.lines.contains { $0.hasPrefix("XNACK") || $0.hasPrefix("XCLAIM") })
        // Redis 6.0 cannot make a consumer that owns nothing.
        let old = try RESPOutput(specimen.bytes, target: ServerVersion(.redis, 6, 0))
        #expect(old.losses.examples.map(\.loss) == [[.unownedPending, .idleConsumers]])
    }

    @Test("idempotent producers")
    func producers() throws {
        let specimen = try #require(Specimen.all.first { $0.name == "stream with idempotent producers" })
        #expect(
            try lines(specimen.name, target: Self.redis88) == [
                "XADD k MAXLEN 0 0-1 x y", "XCFGSET k IDMP-DURATION 100 IDMP-MAXSIZE 100",
                "XIDMPRECORD k p1 i1 1795232671108-0",
                #"XIDMPRECORD k p2 'W\xee\xd7\x91\xce\x82k\x88\x80H\x1e\xad\xde\x02[\xc5' 1795232671109-0"#,
                "XSETID k 0-0 ENTRIESADDED 0 MAXDELETEDID 0-0",
            ])
        #expect(try RESPOutput(specimen.bytes, target: Self.redis82).losses.examples.map(\.loss) == [.idempotence])
    }

    @Test("entries read above what was added need the count first, and a last ID is not below an entry")
    func oddCounters() throws {
        var value = RDB.Stream()
        value.nodes = [
            RDB.StreamNode(
                RDB.ID(5, 0),
                RDB.listpack([
                    .uint7(1), .uint7(0), .uint7(1), .text("f"), .uint7(0),
                    .uint7(2), .uint7(0), .uint7(0), .text("v"), .uint7(4),
                ]))
        ]
        value.length = 1
        value.lastID = RDB.ID(4, 0)
        value.maxDeletedID = RDB.ID(9, 0)
        value.entriesAdded = 2
        value.groups = [RDB.Group("g", lastID: RDB.ID(4, 0), entriesRead: 7, pending: [], consumers: [])]
        let output = try RESPOutput(
            RDBBuilder.file([RDB.entry(21, "k", RDB.stream(value, generation: 3))]), target: Self.redis82)
        #expect(
            output.lines == [
                "XADD k 5-0 f v", "XSETID k 5-0 ENTRIESADDED 7 MAXDELETEDID 0-0", "XGROUP CREATE k g 4-0 ENTRIESREAD 7",
                "XSETID k 5-0 ENTRIESADDED 2 MAXDELETEDID 5-0",
            ])
        #expect(output.losses.counts == [.streamCounters: 1])
        #expect(!output.losses.isOfData)
    }
}
