import RDBBytes
import RESPFormat
import Testing

@Suite("Commands in RESP form")
struct RESPCommandTests {
    @Test("A command is an array of bulk strings, lengths in bytes")
    func command() {
        var out = OutputBuffer(capacity: 16)
        out.beginCommand(4)
        out.appendArgument("SET")
        out.appendArgument("ключ")
        out.appendArgument(decimal: -120)
        out.appendArgument([0, 13, 10].rawSpan)
        #expect(
            out.bytes.array
                == Array("*4\r\n$3\r\nSET\r\n$8\r\nключ\r\n$4\r\n-120\r\n$3\r\n\0\r\n\r\n".utf8))
    }

    @Test("Numbers state their own length", arguments: [0, 9, 10, -1, 999, 1000, .max, .min] as [Int64])
    func numbers(_ value: Int64) {
        var out = OutputBuffer(capacity: 16)
        out.appendArgument(decimal: value)
        let text = String(value)
        #expect(String(decoding: out.bytes.array, as: UTF8.self) == "$\(text.utf8.count)\r\n\(text)\r\n")
    }

    @Test("Arguments of every length state it")
    func lengths() {
        for count in Array(0...120) + [999, 1000, 9999, 10_000, 99_999, 100_000, 1_000_000] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            // Small, so that it has to grow at each of the lengths.
            var out = OutputBuffer(capacity: 1)
            out.beginCommand(count)
            out.appendArgument(bytes.rawSpan)
            out.beginArgument(byteCount: UInt64(count))
            let expected = Array("*\(count)\r\n$\(count)\r\n".utf8) + bytes + Array("\r\n$\(count)\r\n".utf8)
            #expect(out.bytes.array == expected)
        }
    }
}
