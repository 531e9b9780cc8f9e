import RDBBytes
import RDBFormat
import RDBModel
import RDBTestSupport
import Testing

/// The frame of a file, against bytes put together by hand.
@Suite("writing RDB")
struct RDBWriterTests {
    @Test("sections, attributes and keys stand as servers write them", arguments: [1, 3, 4096])
    func frame(pieceByteCount: Int) throws {
        let expected = RDBBuilder.file(
            "REDIS0011",
            [
                hex("fa 09'redis-ver' 05'7.2.4'"), hex("f5 0b'#!lua name='"),
                hex("fe 00 00 01'a' 01'1'"),
                hex("fc e803000000000000 00 01'b' 01'2'"),
                hex("fe 4100 f8 2a 00 01'c' 01'3'"),
                hex("f9 07 00 01'd' 01'4'"),
            ])
        let source = WrittenSource(Sample(), version: RDBVersion(number: 11, family: .redis))
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: pieceByteCount)
        while true {
            let count = try piece.withUnsafeMutableBytes { buffer in try source.read(into: buffer) }
            if count == 0 { break }
            bytes += piece[..<count]
        }
        #expect(bytes == expected)
    }

    private struct Sample: RDBProducer {
        var step = 0

        mutating func produce(_ writer: inout RDBWriter) throws(SourceError) {
            func entry(_ header: EntryHeader, _ key: String, _ value: String) {
                writer.beginEntry(header, typeByte: 0, key: Array(key.utf8).rawSpan)
                writer.out.append(text: Array(value.utf8).rawSpan)
            }
            switch step {
            case 0:
                writer.append(aux: "redis-ver", "7.2.4".utf8)
                writer.append(function: Array("#!lua name=".utf8).rawSpan)
            case 1: entry(EntryHeader(), "a", "1")
            case 2: entry(EntryHeader(expiresAt: 1000), "b", "2")
            case 3: entry(EntryHeader(database: 256, idleSeconds: 42), "c", "3")
            case 4: entry(EntryHeader(database: 256, lfuFrequency: 7), "d", "4")
            default: writer.end()
            }
            step += 1
        }
    }

    @Test(
        "lengths take their shortest form",
        arguments: [
            (0, "00"), (63, "3f"), (64, "4040"), (16383, "7fff"), (16384, "80 00004000"),
            (0xffff_ffff, "80 ffffffff"), (0x1_0000_0000, "81 0000000100000000"), (.max, "81 ffffffffffffffff"),
        ] as [(UInt64, String)])
    func lengths(_ length: UInt64, _ expected: String) {
        var out = OutputBuffer(capacity: 16)
        out.append(length: length)
        #expect(out.bytes.array == hex(expected))
    }
}
