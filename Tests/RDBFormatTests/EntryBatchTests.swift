import RDBBytes
import RDBFormat
import RDBModel
import RDBTestSupport
import Testing

@Suite("batches of entries")
struct EntryBatchTests {
    /// What is known of an entry when it is put together; of others than strings just that it is there.
    struct Known: Equatable {
        var database: UInt64
        var expiresAt: Int64?
        var key: [UInt8]
        var value: [UInt8]?
    }

    struct Strings: PlainStringVisitor {
        var entries: [Known] = []

        mutating func string(database: UInt64, expiresAt: Int64?, key: RawSpan, text: RawSpan) {
            entries.append(Known(database: database, expiresAt: expiresAt, key: key.array, value: text.array))
        }
        mutating func string(database: UInt64, expiresAt: Int64?, key: RawSpan, integer: Int64) {
            entries.append(
                Known(database: database, expiresAt: expiresAt, key: key.array, value: Array(String(integer).utf8)))
        }
    }

    static func file(_ random: inout SplitMix64) -> (bytes: [UInt8], entries: [Known]) {
        var items: [[UInt8]] = []
        var entries: [Known] = []
        var database: UInt64 = 0
        for _ in 0..<2000 {
            if Int.random(in: 0..<200, using: &random) == 0 {
                database = UInt64.random(in: 0...100, using: &random)
                items.append(RDB.selectDatabase(database))
            }
            var expiresAt: Int64?
            for _ in 0..<[0, 0, 1, 2].randomElement(using: &random)! {
                let time = Int64.random(in: -2...5, using: &random)
                switch Int.random(in: 0...4, using: &random) {
                case 0:
                    items.append(RDB.expireMilliseconds(time))
                    expiresAt = time == -1 ? nil : time
                case 1:
                    items.append(RDB.expireSeconds(Int32(time)))
                    expiresAt = time == -1 ? nil : time * 1000
                case 2: items.append([0xf9, 5])
                case 3: items.append([0xf8] + RDB.length([3, 1000].randomElement(using: &random)!))
                // Something between an attribute and what it belongs to.
                default: items.append(RDB.selectDatabase(database))
                }
            }
            var (key, keyBytes) = ([UInt8](), [UInt8]())
            switch Int.random(in: 0...19, using: &random) {
            case 0: (key, keyBytes) = (Array("-7".utf8), RDB.int8(-7))
            case 1:
                key = random.words(100)
                keyBytes = RDB.lzf(literally: key)
            default:
                key = random.bytes([0, 1, 10, 63, 64, 300].randomElement(using: &random)!)
                keyBytes = RDB.string(key)
            }
            var type: UInt8 = 0
            var (value, valueBytes): ([UInt8]?, [UInt8]) = (nil, [])
            switch Int.random(in: 0...9, using: &random) {
            case 0:
                type = 2
                valueBytes = RDB.length(1) + RDB.string("member")
            case 1:
                type = 11
                valueBytes = RDB.string(RDB.intset(width: 2, [1, 2]))
            case 2: (value, valueBytes) = (Array("-128".utf8), RDB.int8(-128))
            case 3: (value, valueBytes) = (Array("32767".utf8), RDB.int16(32767))
            case 4: (value, valueBytes) = (Array("-2147483648".utf8), RDB.int32(.min))
            case 5:
                let text = random.words(200)
                (value, valueBytes) = (text, RDB.lzf(literally: text))
            default:
                let text = random.bytes([0, 1, 63, 64, 5000, 20000].randomElement(using: &random)!)
                (value, valueBytes) = (text, RDB.string(text))
            }
            items.append([type] + keyBytes + valueBytes)
            entries.append(Known(database: database, expiresAt: expiresAt, key: key, value: value))
        }
        return (RDBBuilder.file(items), entries)
    }

    /// - Parameters:
    ///   - takesPlain: whether a batch is filled and read the fast way where that can be.
    @Test(
        "what goes in comes out, in order", arguments: [100, 5000, 300_000],
        [(false, false), (false, true), (true, false), (true, true)])
    func roundTrip(_ window: Int, takesPlain: (into: Bool, outOf: Bool)) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        let (bytes, expected) = Self.file(&random)
        var reader = try RDBReader(MemorySource(bytes), windowByteCount: window)
        var found: [Known] = []
        var plainCount = 0
        var batch = EntryBatch()
        var other = RDBReader(of: reader.version)

        func settle() throws {
            try batch.close(&reader)
            batch.start(&other)
            while true {
                if takesPlain.outOf {
                    var strings = Strings()
                    plainCount += batch.takePlainStrings(&other, into: &strings)
                    found += strings.entries
                }
                guard try batch.next(&other) else { break }
                var builder = ValueBuilder(maxByteCount: 1 << 20)
                try other.readValue(into: &builder)
                var known = Known(
                    database: other.header.database, expiresAt: other.header.expiresAt, key: other.copyKey())
                if case .string(let text) = builder.value(other.header.type) { known.value = text }
                found.append(known)
            }
            batch.removeAll()
        }

        while true {
            batch.hold(&reader)
            if batch.byteCount > 50_000 { try settle() }
            if takesPlain.into, batch.appendPlainEntries(&reader, upTo: 50_000) > 0 { continue }
            batch.hold(&reader)
            guard try reader.nextIsEntry() else {
                try batch.close(&reader)
                if case .end = try reader.section() { break }
                continue
            }
            try reader.skipValue()
            let isTaken = batch.append(&reader)
            #expect(isTaken)
        }
        try settle()
        let isSame = found == expected
        #expect(isSame, "seed \(seed)")
        #expect(found.count == expected.count)
        if takesPlain.outOf { #expect(plainCount > 500) }
    }
}
