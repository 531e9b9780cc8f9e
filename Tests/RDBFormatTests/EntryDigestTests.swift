import RDBBytes
import RDBFormat
import RDBModel
import RDBTestSupport
import RDBTransforms
import Testing

/// What one digest stands for: equal data whatever holds it, and nothing else.
@Suite("digests of entries")
struct EntryDigestTests {
    static func digests(
        _ file: [UInt8], _ parts: EntryDigest.Parts = .data, window: Int = 4096, piece: Int = .max
    ) throws(DecodeError) -> [Digest128] {
        var reader = try RDBReader(MemorySource(file, pieceByteCount: piece), windowByteCount: window)
        var digest = EntryDigest(parts)
        var digests: [Digest128] = []
        while true {
            switch try reader.next() {
            case .entry:
                digest.begin(reader.header, key: reader.key)
                try reader.readValue(into: &digest)
                digests.append(digest.finish())
            case .end: return digests
            default: break
            }
        }
    }

    static func digest(
        _ type: UInt8, _ value: [UInt8], _ magic: String = "REDIS0015", before: [UInt8] = [],
        ignoring ignored: EntryDigest.Parts = []
    ) throws -> Digest128 {
        let file = RDBBuilder.file(magic, [before, RDB.entry(type, "k", value)], checksum: .zero)
        return try #require(digests(file, .data.subtracting(ignored)).first)
    }

    // MARK: - Layouts

    /// One value in all layouts that can hold it: type byte, value, magic, items before.
    struct Layouts: CustomTestStringConvertible {
        var name: String
        var all: [(type: UInt8, value: [UInt8], magic: String, before: [UInt8])]
        var testDescription: String { name }

        init(_ name: String, _ all: [(UInt8, [UInt8])], valkey: [(UInt8, [UInt8])] = [], before: [UInt8] = []) {
            self.name = name
            self.all =
                all.map { ($0.0, $0.1, "REDIS0015", before) } + valkey.map { ($0.0, $0.1, "VALKEY080", []) }
        }
    }

    static func node(_ id: RDB.ID, _ entries: [RDB.ListpackEntry]) -> RDB.StreamNode {
        RDB.StreamNode(id, RDB.listpack(entries))
    }

    static let layouts: [Layouts] = [
        Layouts(
            "string of digits",
            [
                (0, RDB.int16(1234)), (0, RDB.int32(1234)), (0, RDB.string("1234")), (0, hex("40 04 '1234'")),
                (0, RDB.lzf(literally: Array("1234".utf8))),
            ]),
        Layouts("negative number", [(0, RDB.int8(-7)), (0, RDB.string("-7"))]),
        Layouts(
            "long text",
            [
                (0, RDB.lzf(block: hex("01 61 61 E0 1B 00 01 61 61"), count: 40)),
                (0, RDB.string(Specimen.text(40, "a"))),
            ]),
        Layouts(
            "list",
            [
                (1, [3] + RDB.string("a") + RDB.string("99") + RDB.string("ccccccccc")),
                (1, [3] + RDB.string("a") + RDB.int8(99) + RDB.lzf(literally: Array("ccccccccc".utf8))),
                (10, RDB.string(RDB.ziplist([.text("a"), .int8(99), .text("ccccccccc")]))),
                (10, RDB.string(RDB.ziplist([.text("a"), .text("99"), .string32(Array("ccccccccc".utf8))]))),
                (
                    14,
                    [2] + RDB.string(RDB.ziplist([.text("a")]))
                        + RDB.string(RDB.ziplist([.int64(99), .text("ccccccccc")]))
                ),
                (18, RDB.quicklist2([(2, RDB.string(RDB.listpack([.text("a"), .uint7(99), .text("ccccccccc")])))])),
                (18, RDB.quicklist2([(1, RDB.string("a")), (1, RDB.int8(99)), (1, RDB.string("ccccccccc"))])),
            ]),
        Layouts(
            "set of numbers",
            [
                (2, hex("03 c0 01 c0 fd c1 2c01")), (2, hex("03 03 '300' 01 '1' 02 '-3'")),
                (11, RDB.string(RDB.intset(width: 2, [-3, 1, 300]))),
                (11, RDB.string(RDB.intset(width: 8, [-3, 1, 300]))),
                (20, RDB.string(RDB.listpack([.int16(300), .text("1"), .int13(-3)]))),
            ]),
        Layouts(
            "set of texts",
            [
                (2, hex("03 01 'a' 0a 'bbbbbbbbbb' c0 05")),
                (20, RDB.string(RDB.listpack([.text("bbbbbbbbbb"), .uint7(5), .text("a")]))),
            ]),
        Layouts(
            "sorted set",
            [
                (
                    3,
                    [4] + RDB.string("a") + RDB.oldScore("1.5") + RDB.string("b") + RDB.oldScore("-0") + RDB.int8(7) + [
                        254
                    ] + RDB.string("d") + RDB.oldScore("3")
                ),
                (
                    3,
                    [4] + RDB.string("a") + RDB.oldScore("15e-1") + RDB.string("b") + RDB.oldScore("0") + RDB.int8(7)
                        + [254] + RDB.string("d") + RDB.oldScore("3.0")
                ),
                (
                    5,
                    [4] + RDB.string("7") + RDB.double(.infinity) + RDB.string("d") + RDB.double(3) + RDB.string("b")
                        + RDB.double(-0.0) + RDB.string("a") + RDB.double(1.5)
                ),
                (
                    12,
                    RDB.string(
                        RDB.ziplist([
                            .text("b"), .immediate(0), .text("a"), .text("1.5"), .text("d"), .text("3"), .int8(7),
                            .text("inf"),
                        ]))
                ),
                (
                    17,
                    RDB.string(
                        RDB.listpack([
                            .text("b"), .text("-0"), .text("a"), .text("1.50"), .text("d"), .uint7(3), .uint7(7),
                            .text("inf"),
                        ]))
                ),
            ]),
        Layouts(
            "hash",
            [
                (4, hex("02 01 'f' 01 'v' c0 07 c1 3930")), (4, hex("02 01 '7' 05 '12345' 01 'f' 01 'v'")),
                (9, RDB.string(RDB.zipmap([RDB.ZipmapPair("7", "12345", free: [1, 2]), RDB.ZipmapPair("f", "v")]))),
                (13, RDB.string(RDB.ziplist([.text("f"), .text("v"), .immediate(7), .int16(12345)]))),
                (16, RDB.string(RDB.listpack([.text("f"), .text("v"), .uint7(7), .int16(12345)]))),
                (24, Specimen.time + hex("02 00 01 'f' 01 'v' 00 c0 07 c1 3930")),
                (
                    25,
                    Specimen.time
                        + RDB.string(
                            RDB.listpack([.text("f"), .text("v"), .uint7(0), .uint7(7), .int16(12345), .uint7(0)]))
                ),
                (
                    29,
                    [0] + RDB.string(RDB.listpack([.text("7"), .text("f")]))
                        + RDB.string(RDB.listpack([.uint7(99), .int16(12345), .text("v")]))
                ),
                (30, RDB.string(RDB.listpack([.uint7(9), .int16(12345), .text("v")]))),
                (31, hex("01 02 01 '7' 01 'f' 05 '12345' 01 'v'")), (32, hex("09 05 '12345' 01 'v'")),
            ],
            valkey: [(22, hex("02 01 'f' 01 'v'") + never + hex("c0 07 c1 3930") + never)],
            before: RDB.hashTemplate(9, ["7", "f"])),
        Layouts(
            "hash with an expiry",
            [
                (24, Specimen.time + hex("02 01 01 'b' c0 02 00 01 'a' c0 01")),
                (24, Specimen.time + hex("02 00 01 'a' c0 01 01 01 'b' c0 02")),
                (
                    25,
                    Specimen.time
                        + RDB.string(
                            RDB.listpack([
                                .text("b"), .uint7(2), .int64(2_000_000_000_000), .text("a"), .uint7(1), .uint7(0),
                            ]))
                ),
            ],
            valkey: [(22, hex("02 01 'a' 01 '1'") + never + hex("01 'b' 01 '2'") + Specimen.time)]),
    ]
    static let never = hex("FF FF FF FF FF FF FF FF")

    @Test("one value has one digest in all layouts", arguments: layouts)
    func oneDigest(_ layouts: Layouts) throws {
        var found: Set<Digest128> = []
        for layout in layouts.all {
            found.insert(try Self.digest(layout.type, layout.value, layout.magic, before: layout.before))
        }
        #expect(layouts.all.count >= 2)
        #expect(found.count == 1)
    }

    @Test("different values have different digests")
    func different() throws {
        var found: Set<Digest128> = []
        for layouts in Self.layouts {
            let layout = layouts.all[0]
            found.insert(try Self.digest(layout.type, layout.value, layout.magic, before: layout.before))
        }
        #expect(found.count == Self.layouts.count)
    }

    // MARK: - Specimens

    /// What the events that were worked out by hand mean, order and encodings aside; nil for streams.
    static func meaning(_ events: [String]) -> String? {
        guard let head = events.first(where: { $0.hasPrefix("db ") }), !head.contains("stream") else { return nil }
        let words = head.split(separator: " ")
        var parts: [String] = []
        for event in events.drop(while: { $0 != head }).dropFirst() {
            if event.hasPrefix("elements ") || event == "expiry none" { continue }
            var line = event == "score -0.0" ? "score 0.0" : event
            // An integer means its text.
            if let space = line.firstIndex(of: " "), Int64(line[line.index(after: space)...]) != nil,
                !["index", "insert", "signed", "unsigned", "float", "double", "expiry"].contains(line[..<space])
            {
                line = line[...space] + "\"" + line[line.index(after: space)...] + "\""
            }
            let starts = ["member", "field ", "element", "index"].contains { line.hasPrefix($0) }
            if starts || parts.isEmpty { parts.append(line) } else { parts[parts.count - 1] += "|" + line }
        }
        if ["set", "zset", "hash"].contains(words[2]) { parts.sort() }
        return "\(words[1]) \(words[2]) \(words[4...].joined(separator: " ")) \(parts.joined(separator: ","))"
    }

    @Test("specimens have the same digest where they mean the same, and only there")
    func specimens() throws {
        var byMeaning: [String: Digest128] = [:]
        var byDigest: [Digest128: String] = [:]
        var repeated = 0
        for specimen in Specimen.all where specimen.events.count(where: { $0.hasPrefix("db ") }) == 1 {
            guard let meaning = Self.meaning(specimen.events) else { continue }
            let digest = try #require(try Self.digests(specimen.bytes).first)
            if let same = byMeaning[meaning] {
                #expect(same == digest, "\(specimen.name)")
                repeated += 1
            }
            if let other = byDigest[digest] { #expect(other == meaning, "\(specimen.name)") }
            byMeaning[meaning] = digest
            byDigest[digest] = meaning
        }
        #expect(repeated >= 8)
        #expect(byMeaning.count >= 50)
    }

    @Test("the same however the bytes arrive", arguments: Specimen.all)
    func arrival(_ specimen: Specimen) throws {
        let whole = try Self.digests(specimen.bytes)
        for window in [1, 2, 3, 7, 64] {
            for piece in [1, 5, 1000] {
                #expect(try Self.digests(specimen.bytes, window: window, piece: piece) == whole)
            }
        }
    }

    @Test(
        "texts beyond a window are the same in one piece, in chunks and compressed",
        arguments: [1 << 20, 1 << 20 + 1, 1_500_003])
    func large(count: Int) throws {
        var random = SplitMix64(seed: UInt64(count))
        let bytes = random.words(count)
        let block = try #require(LZF.compress(bytes, maxByteCount: bytes.count * 2))
        for type in [0, 1, 2, 4, 5] as [UInt8] {
            var found: Set<Digest128> = []
            for text in [RDB.string(bytes), RDB.lzf(block: block, count: count)] {
                let value =
                    switch type {
                    case 0: text
                    case 1: [2] + text + RDB.string("x")
                    case 2: [2] + RDB.string("x") + text
                    case 4: [2] + text + RDB.string("x") + RDB.string("y") + text
                    default: [1] + text + RDB.double(1)
                    }
                let file = RDBBuilder.file([RDB.entry(type, "k", value)], checksum: .zero)
                for piece in [9999, .max] { found.formUnion(try Self.digests(file, window: 100, piece: piece)) }
            }
            #expect(found.count == 1, "type \(type)")
        }
    }

    // MARK: - Edits

    @Test("each part of the head counts, unless it is ignored")
    func heads() throws {
        func digest(_ items: [[UInt8]], _ parts: EntryDigest.Parts = .data) throws -> Digest128 {
            try #require(Self.digests(RDBBuilder.file("REDIS0011", items, checksum: .zero), parts).first)
        }
        let plain = RDB.entry(0, "k", RDB.string("v"))
        let first = try digest([plain])
        #expect(try digest([RDB.idle(77), plain]) == first)
        #expect(try digest([RDB.frequency(9), plain]) == first)
        #expect(try digest([RDB.entry(0, "l", RDB.string("v"))]) != first)
        #expect(try digest([RDB.entry(0, "k", RDB.string("w"))]) != first)
        #expect(try digest([RDB.entry(0, "kv", RDB.string(""))]) != first)
        #expect(try digest([RDB.selectDatabase(1), plain]) != first)
        let expiring = try digest([RDB.expireMilliseconds(0), plain])
        #expect(expiring != first)
        #expect(try digest([RDB.expireMilliseconds(1000), plain]) == digest([RDB.expireSeconds(1), plain]))
        #expect(try digest([RDB.expireMilliseconds(1000), plain]) != digest([RDB.expireMilliseconds(1001), plain]))
        var parts = EntryDigest.Parts.data
        parts.remove(.expiry)
        #expect(try digest([RDB.expireMilliseconds(0), plain], parts) == first)
        parts.remove(.database)
        let anywhere = try digest([plain], parts)
        #expect(try digest([RDB.selectDatabase(3), RDB.expireMilliseconds(5), plain], parts) == anywhere)
        // One element of each type.
        let one = try [
            digest([RDB.entry(1, "k", [1] + RDB.string("v"))]), digest([RDB.entry(2, "k", [1] + RDB.string("v"))]),
            first,
            digest([RDB.entry(5, "k", [1] + RDB.string("v") + RDB.double(0))]),
            digest([RDB.entry(4, "k", [1] + RDB.string("v") + RDB.string(""))]),
        ]
        #expect(Set(one).count == 5)
    }

    @Test(
        "single edits of random collections change the digest, another order does not",
        arguments: 1...30 as ClosedRange<UInt64>)
    func edits(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let count = Int.random(in: 2...40, using: &random)
        // Distinct texts, some shorter than a word, some longer.
        let texts = (0..<count).map { "\($0)" + Specimen.text(Int.random(in: 0...20, using: &random)) }
        let numbers = (0..<count).map { _ in Double.random(in: -100...100, using: &random) }
        let order = Array(0..<count).shuffled(using: &random)
        let victim = Int.random(in: 0..<count, using: &random)
        let comment = Comment("seed \(seed), element \(victim) of \(count)")

        func list(_ texts: [String]) -> [UInt8] { RDB.length(texts.count) + texts.flatMap { RDB.string($0) } }
        let listed = try Self.digest(1, list(texts))
        var changed = texts
        changed[victim] += "!"
        #expect(try Self.digest(1, list(changed)) != listed, comment)
        #expect(try Self.digest(1, list(texts.dropLast())) != listed, comment)
        changed = texts
        changed.swapAt(victim, (victim + 1) % count)
        #expect(try Self.digest(1, list(changed)) != listed, comment)

        let set = try Self.digest(2, list(texts))
        #expect(try Self.digest(2, list(order.map { texts[$0] })) == set, comment)
        changed = texts
        changed[victim].removeFirst()
        #expect(try Self.digest(2, list(changed + [""])) != set, comment)
        #expect(try Self.digest(2, list(changed)) != set, comment)

        func sortedSet(_ order: [Int], _ score: (Int) -> Double) -> [UInt8] {
            RDB.length(count) + order.flatMap { RDB.string(texts[$0]) + RDB.double(score($0)) }
        }
        let sorted = try Self.digest(5, sortedSet(order) { numbers[$0] })
        #expect(try Self.digest(5, sortedSet(order.reversed()) { numbers[$0] }) == sorted, comment)
        #expect(
            try Self.digest(5, sortedSet(order) { $0 == victim ? numbers[$0].nextUp : numbers[$0] }) != sorted, comment)
        #expect(try Self.digest(5, sortedSet(order) { numbers[($0 + 1) % count] }) != sorted, comment)

        func hash(_ order: [Int], _ value: (Int) -> String, _ expiry: (Int) -> UInt64 = { UInt64($0 % 3) }) -> [UInt8] {
            Specimen.time + RDB.length(count)
                + order.flatMap { RDB.length(expiry($0)) + RDB.string(texts[$0]) + RDB.string(value($0)) }
        }
        let hashed = try Self.digest(24, hash(order) { texts[$0] })
        #expect(try Self.digest(24, hash(order.reversed()) { texts[$0] }) == hashed, comment)
        #expect(try Self.digest(24, hash(order) { $0 == victim ? "" : texts[$0] }) != hashed, comment)
        #expect(try Self.digest(24, hash(order) { texts[($0 + 1) % count] }) != hashed, comment)
        let otherExpiry = hash(order, { texts[$0] }, { $0 == victim ? 1 + ($0 % 3 == 1 ? 9 : 0) : UInt64($0 % 3) })
        #expect(try Self.digest(24, otherExpiry) != hashed, comment)
        #expect(
            try Self.digest(24, otherExpiry, ignoring: .fieldExpiry)
                == Self.digest(24, hash(order) { texts[$0] }, ignoring: .fieldExpiry), comment)
        #expect(
            try Self.digest(24, hash(order, { texts[$0] }, { _ in 0 }))
                == Self.digest(4, RDB.length(count) + order.flatMap { RDB.string(texts[$0]) + RDB.string(texts[$0]) }),
            comment)
    }
}
