import RDBBytes
import RDBFormat
import RDBTestSupport
import Testing

/// Listpacks against bytes that servers wrote or that were put together by hand.
@Suite("writing listpacks")
struct ListpackWriterTests {
    private func listpack(_ texts: [[UInt8]], _ version: RDBVersion = RDBVersion(number: 11, family: .redis)) -> [UInt8]
    {
        var writer = ListpackWriter(for: version)
        for text in texts { writer.append(text.rawSpan) }
        let byteCount = writer.byteCount
        var out = OutputBuffer(capacity: 64)
        writer.handOver(to: &out)
        let bytes = out.bytes.array
        let head = RDB.length(UInt64(byteCount))
        #expect(bytes.starts(with: head))
        #expect(bytes.count == head.count + byteCount)
        return Array(bytes[head.count...])
    }

    private func texts(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    @Test("each entry takes the form that a server gives it")
    func forms() {
        // The example of formats/encodings.md §4, from a server.
        let expected = hex(
            "40000000 0900 82'ab'03 0101 0d01 dffb02 c3e802 f2a0860104 f38096980005 f400e40b540200000009"
                + "94'cccccccccccccccccccc'15 ff")
        #expect(
            listpack(texts("ab", "1", "13", "-5", "1000", "100000", "10000000", "10000000000", "cccccccccccccccccccc"))
                == expected)
    }

    @Test("integers at the ends of each form, and texts that only look like integers")
    func borders() {
        let numbers: [Int64] = [
            0, 127, 128, -1, -4096, 4095, 4096, -4097, 32767, -32768, 32768, -32769, 8_388_607, -8_388_608, 8_388_608,
            -8_388_609, 2_147_483_647, -2_147_483_648, 2_147_483_648, -2_147_483_649, .max, .min,
        ]
        let expected = RDB.listpack(numbers.map { .number($0) })
        #expect(listpack(numbers.map { Array(String($0).utf8) }) == expected)
        let words = ["-0", "007", "+1", "1.0", "", "9223372036854775808", "-9223372036854775809", "1e3", " 1"]
        #expect(listpack(words.map { Array($0.utf8) }) == RDB.listpack(words.map { .text($0) }))
    }

    @Test(
        "back-lengths grow with the entry",
        arguments: [63, 64, 125, 126, 4095, 4096, 16377, 16379, 2_097_145, 2_097_147])
    func backLengths(count: Int) {
        let text = [UInt8](repeating: 0x78, count: count)
        let entry: RDB.ListpackEntry =
            count < 64
            ? .string6(String(decoding: text, as: UTF8.self)) : count < 4096 ? .string12(text) : .string32(text)
        #expect(listpack([text, text]) == RDB.listpack([entry, entry]))
        #expect(ListpackWriter.isPortable(textByteCount: count))
    }

    @Test("at the boundaries the target's generation decides", arguments: [16378, 2_097_146])
    func boundaries(count: Int) {
        let text = [UInt8](repeating: 0x78, count: count)
        let entry = RDB.ListpackEntry.string32(text)
        let old = RDB.listpack([.oldForm(entry)])
        let new = RDB.listpack([entry])
        #expect(!ListpackWriter.isPortable(textByteCount: count))
        #expect(listpack([text], RDBVersion(number: 11, family: .redis)) == old)
        #expect(listpack([text], RDBVersion(number: 13, family: .redis)) == old)
        #expect(listpack([text], RDBVersion(number: 14, family: .redis)) == new)
        #expect(listpack([text], RDBVersion(number: 80, family: .valkey)) == new)
    }

    @Test("scores are integers where they can be, else texts that read back the same")
    func scores() {
        var writer = ListpackWriter(for: RDBVersion(number: 11, family: .redis))
        for score in [1, -5, 2.5, .infinity, -.infinity, -0.0, 9_007_199_254_740_992, 0.1] {
            writer.append(score: score)
        }
        var out = OutputBuffer(capacity: 64)
        writer.handOver(to: &out)
        let expected = RDB.listpack([
            .number(1), .number(-5), .text("2.5"), .text("inf"), .text("-inf"), .text("-0.0"),
            .text("9007199254740992.0"), .text("0.1"),
        ])
        #expect(out.bytes.array == RDB.length(UInt64(expected.count)) + expected)
    }

    @Test("counts from 65535 on are told as unknown, and a writer begins anew after handing over")
    func counts() {
        var writer = ListpackWriter(for: RDBVersion(number: 11, family: .redis))
        var out = OutputBuffer(capacity: 64)
        for _ in 0..<65_536 { writer.append(0 as Int64) }
        writer.handOver(to: &out)
        #expect(out.bytes.array[5..<11] == hex("07000200 ffff")[...])
        out.truncate(to: 0)
        writer.append(7 as Int64)
        writer.handOver(to: &out)
        #expect(out.bytes.array == hex("09 09000000 0100 0701 ff"))
    }
}
