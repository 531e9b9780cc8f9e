import RDBBytes
import RDBFormat
import RDBKit
import RDBModel
import RDBSinks
import RDBTestSupport
import Testing

/// RESTORE with the value's own bytes; the footer by the reference CRC. Source: formats/encodings.md §13.
@Suite("RESTORE commands")
struct RestoreCommandTests {
    private static func payload(_ type: UInt8, _ value: [UInt8], version: UInt8) -> [UInt8] {
        let body = [type] + value + [version, 0]
        return body + RDB.littleEndian(crc64(body))
    }

    private func only(
        _ items: [[UInt8]], magic: String = "REDIS0011", _ form: EntryForm = .restore, target: ServerVersion? = nil,
        _ options: CommandOptions = CommandOptions()
    ) throws -> [[[UInt8]]] {
        let output = try RESPOutput(RDBBuilder.file(magic, items), form, target: target, options: options)
        return Array(output.commands.dropFirst())
    }

    private func words(_ command: some Sequence<[UInt8]>) -> [String] {
        command.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("the payload is what DUMP gives, in the lowest version that has the layout")
    func payloads() throws {
        // Redis 7.0 answers to DUMP of "hello": 00 05 68 65 6C 6C 6F 0A 00 63 72 DF 76 65 34 20 0A.
        #expect(
            Self.payload(0, RDB.string("hello"), version: 10)
                == hex("00 05 68 65 6C 6C 6F 0A 00 63 72 DF 76 65 34 20 0A"))
        let layouts: [(UInt8, [UInt8], UInt8, String)] = [
            (0, RDB.string("hello"), 6, "REDIS0011"), (0, RDB.lzf(literally: Array("hello".utf8)), 6, "REDIS0006"),
            (13, RDB.string(RDB.ziplist([.text("f"), .text("v")])), 6, "REDIS0009"),
            (14, RDB.length(1) + RDB.string(RDB.ziplist([.text("e")])), 7, "REDIS0007"),
            (5, RDB.length(1) + RDB.string("m") + RDB.double(1), 8, "REDIS0009"),
            (16, RDB.string(RDB.listpack([.text("f"), .text("v")])), 10, "REDIS0010"),
            (20, RDB.string(RDB.listpack([.text("m")])), 11, "REDIS0011"),
            (21, Specimen.streamExample, 11, "REDIS0011"),
            (24, Specimen.time + hex("01 01 01 61 C0 01"), 12, "REDIS0012"),
            (22, hex("01 01 61 C0 01 00 20 4A A9 D1 01 00 00"), 80, "VALKEY080"),
        ]
        for (type, value, version, magic) in layouts {
            let commands = try only([RDB.entry(type, "k", value)], magic: magic)
            #expect(commands.count == 1)
            #expect(words(commands[0].prefix(3)) == ["RESTORE", "k", "0"])
            #expect(commands[0].count == 4)
            #expect(commands[0][3] == Self.payload(type, value, version: version), "type \(type)")
        }
    }

    @Test("expiry, idle time, frequency and REPLACE")
    func restoreOptions() throws {
        let items = [
            RDB.expireMilliseconds(2_000_000_000_000) + RDB.idle(90) + RDB.entry(0, "a", RDB.string("1")),
            RDB.frequency(255) + RDB.entry(0, "b", RDB.string("2")),
            RDB.expireMilliseconds(-5) + RDB.entry(0, "c", RDB.string("3")),
        ]
        func tails(_ commands: [[[UInt8]]]) -> [[String]] { commands.map { words([$0[2]] + $0[4...]) } }
        #expect(
            tails(try only(items)) == [
                ["2000000000000", "ABSTTL", "IDLETIME", "90"], ["0", "FREQ", "255"], ["1", "ABSTTL"],
            ])
        var replacing = CommandOptions()
        replacing.replaces = true
        #expect(
            tails(try only(items, replacing)) == [
                ["2000000000000", "REPLACE", "ABSTTL", "IDLETIME", "90"], ["0", "REPLACE", "FREQ", "255"],
                ["1", "REPLACE", "ABSTTL"],
            ])
        // Before 5.0 the time that is left, from a moment at 1000 s.
        #expect(
            tails(try only(items, .auto, target: ServerVersion(.redis, 4, 0), replacing)) == [
                ["1999999000000", "REPLACE"], ["0", "REPLACE"], ["1", "REPLACE"],
            ])
        let oldest = try only(
            [RDB.entry(0, "a", RDB.string("1"))], .auto, target: ServerVersion(.redis, 2, 8), replacing)
        #expect(words(oldest[0]) == ["DEL", "a"])
        #expect(oldest[1].count == 4)
    }

    private func only(_ items: [[UInt8]], _ options: CommandOptions) throws -> [[[UInt8]]] {
        try only(items, .restore, target: ServerVersion(.redis, 7, 0), options)
    }

    private func only(
        _ items: [[UInt8]], _ form: EntryForm, target: ServerVersion, _ options: CommandOptions = CommandOptions()
    ) throws -> [[[UInt8]]] {
        try only(items, magic: "REDIS0011", form, target: target, options)
    }

    @Test("auto restores what the target takes, and makes the rest")
    func auto() throws {
        func name(_ type: UInt8, _ value: [UInt8], _ magic: String, _ target: ServerVersion?) throws -> String {
            let items = [RDB.entry(type, "k", value)]
            let commands = try only(items, magic: magic, .auto, target: target)
            return commands.first.map { String(decoding: $0[0], as: UTF8.self) } ?? "nothing"
        }
        let (redis62, redis70, redis74) = (
            ServerVersion(.redis, 6, 2), ServerVersion(.redis, 7, 0), ServerVersion(.redis, 7, 4)
        )
        let (valkey81, valkey90) = (ServerVersion(.valkey, 8, 1), ServerVersion(.valkey, 9, 0))
        #expect(try name(0, RDB.string("v"), "REDIS0011", nil) == "SET")
        #expect(try name(0, RDB.string("v"), "REDIS0011", redis62) == "RESTORE")
        #expect(try name(0, RDB.string("v"), "REDIS0002", ServerVersion(.redis, 2, 4)) == "SET")
        let listpack = RDB.string(RDB.listpack([.text("f"), .text("v")]))
        #expect(try name(16, listpack, "REDIS0010", redis62) == "HSET")
        #expect(try name(16, listpack, "REDIS0010", redis70) == "RESTORE")
        #expect(try name(16, listpack, "VALKEY080", redis70) == "RESTORE")
        let members = RDB.string(RDB.listpack([.text("m")]))
        #expect(try name(20, members, "REDIS0011", redis70) == "SADD")
        #expect(try name(20, members, "REDIS0012", valkey81) == "RESTORE")
        let expiring = Specimen.time + hex("01 01 01 61 C0 01")
        #expect(try name(24, expiring, "REDIS0012", redis74) == "RESTORE")
        #expect(try name(24, expiring, "REDIS0012", valkey90) == "HSET")
        let valkey = hex("01 01 61 C0 01 00 20 4A A9 D1 01 00 00")
        #expect(try name(22, valkey, "VALKEY080", valkey90) == "RESTORE")
        #expect(try name(22, valkey, "VALKEY080", valkey81) == "HSET")
        #expect(try name(22, valkey, "VALKEY080", redis74) == "HSET")
        let template = RDB.string(RDB.listpack([.uint7(9), .text("v")]))
        #expect(try name(29, [0] + RDB.string(RDB.listpack([.text("f")])) + template, "REDIS0015", redis74) == "HSET")
        #expect(try name(7, Specimen.vectorset + [0], "REDIS0012", redis74) == "nothing")
        #expect(try name(7, Specimen.vectorset + [0], "REDIS0012", ServerVersion(.redis, 8, 0)) == "RESTORE")
    }

    @Test("modules that the target needs are told")
    func modules() throws {
        let specimen = try #require(Specimen.all.first { $0.name == "JSON document of a module" })
        let output = try RESPOutput(specimen.bytes, .auto, target: ServerVersion(.redis, 7, 4))
        #expect(output.commands.count == 2)
        #expect(output.losses.neededModules == ["ReJSON-RL": 1])
        #expect(!output.losses.isOfData)
    }

    @Test("a payload in pieces is the same", arguments: [1 << 20, 9999])
    func large(piece: Int) throws {
        var random = SplitMix64(seed: 3)
        let value = RDB.string(random.bytes(2_500_000))
        let file = RDBBuilder.file(
            "REDIS0011",
            [RDB.entry(0, "a", RDB.string("1")), RDB.entry(0, "k", value), RDB.entry(0, "b", RDB.string("2"))],
            checksum: .zero)
        for threads in [1, 3] {
            let source = RecordingSource(MemorySource(file, pieceByteCount: piece), memoryLimit: 100_000)
            let output = try RESPOutput(source, .restore, threads: threads)
            #expect(output.commands.count == 4)
            let isSame = output.commands[2][3] == Self.payload(0, value, version: 6)
            #expect(isSame)
        }
    }

    @Test("payloads above the limit come as commands")
    func payloadLimit() throws {
        let items = [
            RDB.entry(0, "small", RDB.string("v")), RDB.entry(0, "large", RDB.string(Specimen.text(2500))),
            RDB.entry(7, "module", Specimen.json3 + [5] + RDB.string(Specimen.text(2500)) + [0]),
        ]
        var options = CommandOptions()
        options.maxPayloadByteCount = 300
        let target = ServerVersion(.redis, 7, 0)
        #expect(
            try only(items, .auto, target: target, options).map { words([$0[0]])[0] } == ["RESTORE", "SET", "RESTORE"])
        #expect(
            try only(items, .restore, target: target, options).map { words([$0[0]])[0] } == [
                "RESTORE", "RESTORE", "RESTORE",
            ])
        options = CommandOptions()
        options.maxCommandByteCount = 1024
        options.splitsStrings = true
        #expect(
            try only(items, .auto, target: target, options).map { words([$0[0]])[0] } == [
                "RESTORE", "SET", "APPEND", "APPEND", "RESTORE",
            ])
    }
}
