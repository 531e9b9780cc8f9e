import RDBBytes
import RDBFormat
import RDBKit
import RDBSinks
import RDBTestSupport
import RDBTransforms
import Testing

/// Several threads write what one writes, byte for byte, and tell the same fault.
@Suite("JSON on several threads")
struct ParallelJSONTests {
    static func items(_ rounds: Int) -> [[UInt8]] {
        var random = SplitMix64(seed: 31)
        var items: [[UInt8]] = [RDB.selectDatabase(0)]
        for round in 0..<rounds {
            items += [
                RDB.hashTemplate(UInt64(round), ["f\(round % 7)"]), RDB.expireMilliseconds(Int64(round)),
                RDB.entry(0, "string:\(round)", RDB.string(random.words(Int.random(in: 0...3000, using: &random)))),
                RDB.entry(32, "template:\(round)", RDB.length(round) + RDB.int8(5)),
                RDB.entry(21, "stream:\(round)", Specimen.streamExample),
                RDB.entry(24, "hash:\(round)", Specimen.time + hex("02 01 01 62 C0 02 00 01 61 C0 01")),
                // An attribute that something stands behind.
                RDB.expireMilliseconds(Int64(round) + 1), RDB.selectDatabase(UInt64(round % 3)),
            ]
            for number in 0..<round % 30 {
                items += [
                    [[], RDB.expireMilliseconds(7), [0xf9, 3], [0xf8] + RDB.length(200)][number % 4],
                    RDB.entry(0, "tiny:\(number)", [RDB.int8(5), RDB.string(random.words(number * 5))][number & 1]),
                ]
            }
            if round % 100 == 50 {
                items.append(RDB.entry(0, "large:\(round)", RDB.string([UInt8](repeating: 0x7a, count: 1_100_000))))
            }
        }
        return items
    }

    static func check(_ file: [UInt8], _ onError: EntryLoop.OnError = .stop) throws {
        let alone = try JSONOutput(file, onError: onError)
        for threads in [2, 5] {
            let together = try JSONOutput(file, onError: onError, threads: threads)
            let isSame = together.bytes == alone.bytes
            #expect(isSame, "\(threads) threads: \(LargeJSONTests.firstDifference(together.bytes, alone.bytes))")
            #expect(together.fault == alone.fault)
            #expect(together.notices == alone.notices)
        }
    }

    @Test("the same lines")
    func lines() throws {
        let file = RDBBuilder.file("REDIS0015", Self.items(300), checksum: .zero)
        #expect(file.count > 1 << 20)
        try Self.check(file)
    }

    static let selections: [@Sendable (inout Selection) -> Void] = [
        { $0.types = [.string] }, { $0.excludedTypes = [.string] }, { $0.databases = [1...1] },
        { $0.globs = [GlobPattern("*:?")] }, { $0.byteCounts = 100...5000 },
        { $0.byteCounts = 0...1_050_000 }, { $0.expiryStates = [.none] },
    ]

    /// Where only some entries are wanted, those that follow each other are few, and large ones lie between them.
    @Test("the same lines of what is selected", arguments: selections.indices)
    func selected(_ index: Int) throws {
        var selection = Selection(now: 0)
        Self.selections[index](&selection)
        let file = RDBBuilder.file("REDIS0015", Self.items(210), checksum: .zero)
        let alone = try JSONOutput(MemorySource(file), selection: selection)
        #expect(!alone.bytes.isEmpty && alone.fault == nil)
        for window in [64, 1000, 300_000] {
            for isPipe in [false, true] {
                let source: any ByteSource =
                    isPipe ? RecordingSource(FailingSource(file, seed: UInt64(window))) : MemorySource(file)
                let together = try JSONOutput(source, windowByteCount: window, selection: selection, threads: 2)
                let isSame = together.bytes == alone.bytes
                #expect(isSame, "\(window): \(LargeJSONTests.firstDifference(together.bytes, alone.bytes))")
                #expect(together.fault == nil)
            }
        }
    }

    @Test(
        "a source that fails at any byte: all lines before it, and the same fault",
        arguments: 1...20 as ClosedRange<UInt64>)
    func failures(seed: UInt64) throws {
        let file = RDBBuilder.file("REDIS0015", Self.items(80), checksum: .zero)
        var random = SplitMix64(seed: seed)
        let place = Int.random(in: 0..<file.count, using: &random)
        func output(_ threads: Int) throws -> JSONOutput {
            let source = RecordingSource(FailingSource(file, failsAt: place, seed: seed))
            return try JSONOutput(source, windowByteCount: 2000, threads: threads)
        }
        let (alone, together) = (try output(1), try output(3))
        #expect(alone.fault?.error.code == .readFailed, "seed \(seed)")
        #expect(together.bytes == alone.bytes, "seed \(seed), byte \(place)")
        #expect(together.fault == alone.fault, "seed \(seed), byte \(place)")
    }

    @Test("the same fault, in a value, a length, a type or a checksum", arguments: [EntryLoop.OnError.stop, .skip])
    func faults(_ onError: EntryLoop.OnError) throws {
        let first = Self.items(51)
        let faults = [
            RDB.entry(11, "bad", RDB.string(RDB.intset(width: 3, [1]))), RDB.entry(0, "bad", hex("c4")),
            RDB.entry(8, "bad", []), RDB.entry(0, "bad", hex("c3 02 02 00 61")), RDB.entry(32, "bad", hex("34 00")),
        ]
        for fault in faults {
            try Self.check(RDBBuilder.file("REDIS0015", first + [fault] + first, checksum: .zero), onError)
        }
        try Self.check(RDBBuilder.file("REDIS0015", first, checksum: .zero).dropLast(1000) + [0xff], onError)
    }

    @Test("every specimen", arguments: Specimen.all)
    func specimens(_ specimen: Specimen) throws {
        #expect(try JSONOutput(specimen.bytes, threads: 3).text == specimen.json)
    }
}
