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
                RDB.selectDatabase(UInt64(round % 3)),
            ]
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

    @Test("the same fault, in a value, a length, a type or a checksum", arguments: [EntryLoop.OnError.stop, .skip])
    func faults(_ onError: EntryLoop.OnError) throws {
        let first = Self.items(120)
        let faults = [
            RDB.entry(11, "bad", RDB.string(RDB.intset(width: 3, [1]))), RDB.entry(0, "bad", hex("c4")),
            RDB.entry(8, "bad", []), RDB.entry(0, "bad", hex("c3 02 02 00 61")), RDB.entry(32, "bad", hex("70 00")),
        ]
        for fault in faults {
            try Self.check(RDBBuilder.file("REDIS0015", first + [fault] + first, checksum: .zero), onError)
            try Self.check(RDBBuilder.file("REDIS0015", first + [fault, fault], checksum: .zero), onError)
        }
        try Self.check(RDBBuilder.file("REDIS0015", first, checksum: .zero).dropLast(1000) + [0xff], onError)
    }

    @Test("every specimen", arguments: Specimen.all)
    func specimens(_ specimen: Specimen) throws {
        #expect(try JSONOutput(specimen.bytes, threads: 3).text == specimen.json)
    }
}
