import RDBBytes
import RDBFormat
import RDBKit
import RDBModel
import RDBSinks
import RDBTestSupport
import RDBTransforms
import Testing

/// However a value is written, the commands are the same; and whatever is wrong, only whole entries are.
@Suite("forms of commands")
struct RESPFormTests {
    static let redis88 = ServerVersion(.redis, 8, 8)

    private func check(same left: RESPOutput, _ right: RESPOutput, _ subject: String) {
        let isSame = left.bytes == right.bytes
        #expect(isSame, "\(subject): \(LargeJSONTests.firstDifference(left.bytes, right.bytes))")
        #expect(left.fault == right.fault, "\(subject)")
        #expect(left.notices == right.notices, "\(subject)")
        #expect(left.losses.examples == right.losses.examples, "\(subject)")
        #expect(left.losses.counts == right.losses.counts, "\(subject)")
        #expect(left.losses.neededModules == right.losses.neededModules, "\(subject)")
        #expect(left.losses.entryCount == right.losses.entryCount, "\(subject)")
    }

    // MARK: - Staged, or validated and then written

    private static var streamed: CommandOptions {
        var options = CommandOptions()
        options.stagingByteCount = 0
        return options
    }

    @Test("an entry read twice gives the same commands", arguments: Specimen.all)
    func streaming(_ specimen: Specimen) throws {
        for target in [nil, Self.redis88, ServerVersion(.valkey, 9, 1), ServerVersion(.redis, 4, 0)] {
            check(
                same: try RESPOutput(specimen.bytes, target: target),
                try RESPOutput(specimen.bytes, target: target, options: Self.streamed), "\(target as Any)")
        }
    }

    @Test("and so does a large one, from a source that holds little")
    func streamingLarge() throws {
        let file = RDBBuilder.file("REDIS0012", Self.manyBatches, checksum: .zero)
        let alone = try RESPOutput(file, target: Self.redis88)
        let source = RecordingSource(MemorySource(file, pieceByteCount: 9999), memoryLimit: 100_000)
        check(same: alone, try RESPOutput(source, target: Self.redis88, options: Self.streamed), "streamed")
    }

    /// Collections of more elements than one command takes.
    private static let manyBatches: [[UInt8]] = {
        var random = SplitMix64(seed: 11)
        let count = 1200
        func texts(_ prefix: String) -> [[UInt8]] {
            (0..<count).map { Array("\(prefix) \($0) ".utf8) + random.bytes(Int.random(in: 0...400, using: &random)) }
        }
        let (fields, values) = (texts("field"), texts("value"))
        let pairs = zip(fields, values).flatMap { RDB.string($0) + RDB.string($1) }
        let scored = fields.enumerated().flatMap { RDB.string($1) + RDB.double(Double($0) / 7) }
        let expiring = zip(fields, values).enumerated().flatMap { index, pair in
            RDB.length(index % 5 == 0 ? 0 : 1 + index / 50) + RDB.string(pair.0) + RDB.string(pair.1)
        }
        return [
            RDB.entry(1, "list", RDB.length(count) + fields.flatMap { RDB.string($0) }),
            RDB.entry(2, "set", RDB.length(count) + fields.flatMap { RDB.string($0) }),
            RDB.entry(5, "zset", RDB.length(count) + scored), RDB.entry(4, "hash", RDB.length(count) + pairs),
            RDB.entry(24, "expiring", Specimen.time + RDB.length(count) + expiring),
        ]
    }()

    // MARK: - Sizes of commands

    @Test("no command is larger than asked for, unless one element is", arguments: [1 << 10, 5000, 64 << 10, 1 << 20])
    func batches(_ limit: Int) throws {
        var options = CommandOptions()
        options.maxCommandByteCount = limit
        options.splitsStrings = limit < 1 << 20
        let text = [UInt8](repeating: 0x78, count: 20_000)
        let items = Self.manyBatches + [RDB.entry(0, "string", RDB.string(text))]
        let output = try RESPOutput(RDBBuilder.file("REDIS0012", items), target: Self.redis88, options: options)
        var found: [String: [[UInt8]]] = [:]
        var expiries: [[UInt8]: [UInt8]] = [:]
        for command in output.commands.dropFirst() {
            let byteCount = command.reduce(8) { $0 + $1.count + String($1.count).utf8.count + 5 }
            #expect(byteCount <= limit, "\(String(decoding: command[0], as: UTF8.self))")
            let key = String(decoding: command[1], as: UTF8.self)
            if command[0] == Array("HPEXPIREAT".utf8) {
                #expect(Int(String(decoding: command[4], as: UTF8.self)) == command.count - 5)
                for field in command[5...] { expiries[field] = command[2] }
                // Its fields are those of the command just before.
                continue
            }
            found[key, default: []] += command[2...]
        }
        let plain = try RESPOutput(RDBBuilder.file("REDIS0012", items), target: Self.redis88)
        #expect(plain.commands.count < output.commands.count || limit >= 64 << 10)
        #expect(found["list"]?.count == 1200)
        #expect(found["set"] == found["list"])
        #expect(
            found["zset"].map { $0.indices.filter { $0 % 2 == 1 }.map { index in found["zset"]![index] } }
                == found["list"])
        #expect(found["hash"]?.count == 2400)
        #expect(found["expiring"] == found["hash"])
        #expect(found["string"]?.flatMap { $0 } == text)
        #expect((found["string"]?.count ?? 0) > (limit < 20_000 ? 20_000 / limit : 0))
        // 2000000000000 is the smallest; every fifth field has none.
        #expect(expiries.count == 960)
        for (index, field) in (found["list"] ?? []).enumerated() where index % 5 != 0 {
            #expect(expiries[field] == Array("\(2_000_000_000_000 + index / 50)".utf8))
        }
    }

    @Test("a key too large for any limit")
    func largeKey() throws {
        let key = String(repeating: "k", count: 5000)
        var options = CommandOptions()
        options.maxCommandByteCount = 1024
        options.splitsStrings = true
        let value = RDB.length(100) + (0..<100).flatMap { RDB.string("element \($0)") }
        let output = try RESPOutput(RDBBuilder.file([RDB.entry(1, key, value)]), options: options)
        #expect(output.commands.count == 2)
        #expect(output.commands.last?.count == 102)
    }

    // MARK: - Several threads

    private static let functions = (0..<3).map { RDB.function("#!lua name=f\($0)\nreturn") }

    @Test("several threads write the same", arguments: EntryForm.allCases)
    func threads(_ form: EntryForm) throws {
        let items = ParallelJSONTests.items(120)
        let modules = (0..<30).map { RDB.entry(7, "module:\($0)", Specimen.vectorset + RDB.length(0)) }
        let file = RDBBuilder.file(
            "REDIS0015",
            [Self.functions[0]] + items + [Self.functions[1]] + modules + items + [Self.functions[2]], checksum: .zero)
        for target in [nil, ServerVersion(.redis, 7, 0), Self.redis88] {
            let alone = try RESPOutput(file, form, target: target)
            for threads in [2, 5] {
                check(
                    same: try RESPOutput(file, form, target: target, threads: threads), alone,
                    "\(threads) threads, \(target as Any)")
            }
        }
    }

    @Test("a stream whose end makes its commands too large for one of several")
    func overflow() throws {
        /// - Parameter byteCount: of a consumer's name, which stands once in the commands.
        func file(_ byteCount: Int) -> [UInt8] {
            var value = RDB.Stream()
            value.lastID = RDB.ID(9, 0)
            value.groups = [
                RDB.Group(
                    "g", lastID: RDB.ID(1, 0), entriesRead: 0, pending: [RDB.Pending(RDB.ID(3, 0), time: 5, count: 1)],
                    consumers: [
                        RDB.Consumer("c", seen: 1, active: 1, ids: [RDB.ID(3, 0)]),
                        RDB.Consumer(String(repeating: "x", count: byteCount), seen: 1, active: 1, ids: []),
                    ])
            ]
            return RDBBuilder.file(
                "REDIS0011",
                [
                    RDB.entry(0, "before", RDB.string("1")), RDB.expireMilliseconds(7),
                    RDB.entry(21, "k", RDB.stream(value, generation: 3)), RDB.entry(0, "after", RDB.string("2")),
                ], checksum: .zero)
        }
        // One of several keeps 1 MiB of an entry; what ends a stream takes some 150 bytes.
        let rest = try RESPOutput(file(100_000)).bytes.count - 100_000
        for above in stride(from: -100, through: 300, by: 25) {
            let file = file((1 << 20) - rest + above)
            check(same: try RESPOutput(file, threads: 2), try RESPOutput(file), "\(above) bytes")
        }
    }

    @Test("a value whose last batch crosses what is staged")
    func stagingBorder() throws {
        let element = RDB.string([UInt8](repeating: 0x61, count: 1000))
        // 1009 bytes an element: around 4 MiB, and around 1 MiB for one of several.
        for count in [1020, 1030, 1038, 1040, 1050, 4140, 4150, 4155, 4157, 4170] {
            var value = RDB.length(count)
            for _ in 0..<count { value += element }
            let file = RDBBuilder.file(
                "REDIS0011", [RDB.expireMilliseconds(7), RDB.entry(1, "k", value)], checksum: .zero)
            for threads in [1, 2] {
                let output = try RESPOutput(MemorySource(file), windowByteCount: 1 << 20, threads: threads)
                #expect(output.commands.dropFirst().dropLast().reduce(0) { $0 + $1.count - 2 } == count)
                #expect(output.lines.last == "PEXPIREAT k 7")
            }
        }
    }

    // MARK: - Faults

    private static let faulty = [
        RDB.entry(11, "bad", RDB.string(RDB.intset(width: 3, [1]))), RDB.entry(0, "bad", hex("c3 02 02 00 61")),
        RDB.entry(16, "bad", RDB.string(RDB.listpack([.text("f"), .text("v"), .text("w")]))),
    ]

    @Test("a fault leaves whole entries, and what follows in its database", arguments: EntryForm.allCases, [1, 3])
    func faults(_ form: EntryForm, _ threads: Int) throws {
        let before = [RDB.entry(0, "a", RDB.string("1")), RDB.entry(1, "l", RDB.length(1) + RDB.string("e"))]
        let after = [RDB.entry(0, "b", RDB.string("2")), RDB.selectDatabase(0), RDB.entry(0, "c", RDB.string("3"))]
        for fault in Self.faulty {
            // The fault is the first entry of its database.
            let file = RDBBuilder.file("REDIS0015", before + [RDB.selectDatabase(5), fault] + after)
            let sound = RDBBuilder.file("REDIS0015", before + [RDB.selectDatabase(5)] + after)
            let target = ServerVersion(.redis, 7, 0)
            let skipping = try RESPOutput(file, form, target: target, onError: .skip, threads: threads)
            #expect(skipping.lines == (try RESPOutput(sound, form, target: target).lines))
            #expect(skipping.notices.count == 1)
            let stopping = try RESPOutput(file, form, target: target, threads: threads)
            #expect(stopping.fault?.key == Array("bad".utf8))
            #expect(stopping.lines.starts(with: try RESPOutput(RDBBuilder.file(before), form, target: target).lines))
            #expect(stopping.lines.count <= before.count + 1)
        }
    }

    @Test("a fault behind what is staged leaves nothing of its entry", arguments: [1, 2])
    func lateFault(threads: Int) throws {
        let elements = (0..<60_000).flatMap { RDB.string("an element, and this is number \($0)") }
        let bad = RDB.length(60_001) + elements + [0xc4]
        let file = RDBBuilder.file([RDB.entry(0, "a", RDB.string("1")), RDB.entry(1, "bad", bad)])
        #expect(try RESPOutput(file, threads: threads).lines == ["SET a 1"])
    }

    @Test("every prefix and every flipped byte leave whole commands", arguments: Specimen.all)
    func damage(_ specimen: Specimen) throws {
        for index in specimen.bytes.sampledIndices where specimen.bytes.count < 3000 {
            for form in [EntryForm.commands, .restore] {
                _ = try RESPOutput(Array(specimen.bytes[..<index]), form, target: Self.redis88)
                var bytes = specimen.bytes
                bytes[index] ^= 0x81
                let alone = try RESPOutput(bytes, form, target: Self.redis88, onError: .skip)
                check(
                    same: alone,
                    try RESPOutput(bytes, form, target: Self.redis88, options: Self.streamed, onError: .skip),
                    "byte \(index)")
            }
        }
    }

    // MARK: - Losses

    @Test("losses are counted, and the first keys named in the order of the file", arguments: [1, 4])
    func losses(threads: Int) throws {
        var items: [[UInt8]] = []
        for index in 0..<3000 {
            let hash = Specimen.time + hex("02 01 01 62 C0 02 01 01 61 C0 01")
            items.append(RDB.entry(24, "hash:\(index)", hash))
            items.append(RDB.entry(0, "string:\(index)", RDB.string([UInt8](repeating: 0x78, count: 300))))
        }
        items.append(RDB.entry(28, "array", hex("01 00 00 00 01 'v'")))
        let losses = try RESPOutput(RDBBuilder.file("REDIS0014", items), threads: threads).losses
        #expect(losses.examples.map { String(decoding: $0.key, as: UTF8.self) } == (0..<20).map { "hash:\($0)" })
        #expect(losses.entryCount == 3001)
        #expect(losses.counts == [.fieldExpiry: 3000, .value: 1])
        #expect(losses.isOfData)
    }

    @Test("what is lost of bookkeeping is no loss of data")
    func bookkeeping() throws {
        let file = RDBBuilder.file([
            RDB.idle(7), RDB.entry(0, "a", RDB.string("1")), RDB.frequency(9), RDB.entry(0, "b", RDB.string("2")),
            RDB.entry(21, "s", Specimen.streamExample),
        ])
        let losses = try RESPOutput(file, target: ServerVersion(.redis, 7, 0)).losses
        #expect(losses.counts == [.evictionHints: 2, .consumerTimes: 1])
        #expect(!losses.isOfData && losses.examples.isEmpty)
    }
}
