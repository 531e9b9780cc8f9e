import RDBBytes
import RDBModel
import RDBTestSupport
import Testing

@testable import RDBTransforms

@Suite("digests of strings, several at a time")
struct StringDigestsTests {
    enum Value {
        case text([UInt8])
        case integer(Int64)
        case chunks([[UInt8]])
    }

    static func give(_ value: Value, to visitor: inout some ValueVisitor) {
        switch value {
        case .text(let text): visitor.text(text.rawSpan, as: .string)
        case .integer(let number): visitor.integer(number, as: .string)
        case .chunks(let chunks):
            visitor.beginLargeText(byteCount: UInt64(chunks.joined().count), as: .string)
            for chunk in chunks { visitor.largeTextChunk(chunk.rawSpan) }
            visitor.endLargeText(as: .string)
        }
    }

    @Test("are those of each one", arguments: [EntryDigest.Parts.data, [.database], []], 1...5 as ClosedRange<UInt64>)
    func same(_ parts: EntryDigest.Parts, seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var digest = EntryDigest(parts, key: Digest128(high: 1, low: 2))
        var strings = StringDigests(digest)
        var marks = KeyMarks()
        var expected: [UInt64: Digest128] = [:]
        for number in 0..<1000 as Range<UInt64> {
            func text() -> [UInt8] { random.words([0, 3, 7, 8, 9, 40, 150, 600].randomElement(using: &random)!) }
            let header = EntryHeader(
                database: UInt64.random(in: 0...2, using: &random),
                expiresAt: [nil, 5, -1].randomElement(using: &random)!)
            let key = text()
            let value: Value =
                switch Int.random(in: 0...5, using: &random) {
                case 0: .integer(Int64(bitPattern: random.next()))
                case 1: .chunks([text(), text(), random.words(2000)])
                default: .text(text())
                }
            strings.begin(database: header.database, expiresAt: header.expiresAt, key: key.rawSpan, hash: number)
            Self.give(value, to: &strings)
            if Int.random(in: 0...9, using: &random) == 0 {
                // As if the value had turned out to be damaged.
                strings.discard()
                continue
            }
            strings.end(into: &marks)
            digest.begin(header, key: key.rawSpan)
            Self.give(value, to: &digest)
            expected[number] = digest.finish()
            if number % 100 == 0 { strings.flush(into: &marks) }
        }
        strings.flush(into: &marks)
        #expect(expected.count > 500)
        #expect(marks.keys.count == expected.count)
        #expect(
            Dictionary(uniqueKeysWithValues: zip(marks.keys, marks.entries)) == expected, "seed \(seed), \(parts)")
    }
}
