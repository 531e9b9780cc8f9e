import RDBBytes
import RDBFormat
import RDBTestSupport
import Testing

/// Values beyond what a window takes at once: the same events, whatever the size.
@Suite("large values")
struct LargeValueTests {
    static let mega = 1 << 20

    @Test("strings around one megabyte, raw", arguments: [mega - 1, mega, mega + 1, 3 * mega])
    func raw(count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        let bytes = random.bytes(count)
        let file = RDBBuilder.file([RDB.entry(1, "k", [3] + RDB.string(bytes) + RDB.string("x") + RDB.string(bytes))])
        for way in [Transcript.Way.decode, .rewind] {
            let transcript = Transcript.of(file, windowByteCount: 100, pieceByteCount: 70_000, way: way)
            #expect(transcript.error == nil)
            if count > Self.mega {
                #expect(
                    transcript.events == [
                        "db 0 list linkedlist \"k\"", "elements 3", "element large \(count)", "element \"x\"",
                        "element large \(count)",
                    ])
                let isSame = transcript.large == [bytes, bytes]
                #expect(isSame)
            } else {
                let isSame = transcript.events[2] == "element " + EventLog<Plain>.quoted(bytes)
                #expect(isSame)
            }
        }
    }

    @Test("strings of more than a megabyte, compressed", arguments: [1, 2, 3] as [UInt64])
    func compressed(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        // Text, bytes that hardly compress, and runs of one byte.
        var bytes = seed == 1 ? random.words(1_300_000) : [UInt8](repeating: 7, count: 1_300_000)
        if seed == 2 { bytes.replaceSubrange(1000..<900_000, with: random.bytes(899_000)) }
        let block = try #require(LZF.compress(bytes, maxByteCount: bytes.count * 2))
        let file = RDBBuilder.file([RDB.entry(0, "k", RDB.lzf(block: block, count: bytes.count))])
        for piece in [9999, .max] {
            let transcript = Transcript.of(file, windowByteCount: 64, pieceByteCount: piece)
            #expect(transcript.error == nil)
            #expect(transcript.events == ["db 0 string lzf \"k\"", "string large \(bytes.count)"])
            let isSame = transcript.large == [bytes]
            #expect(isSame, "seed \(seed)")
        }
        // A block that says one byte more or less than it makes.
        for lie in [-1, 1] {
            let file = RDBBuilder.file([RDB.entry(0, "k", RDB.lzf(block: block, count: bytes.count + lie))])
            let error = Transcript.of(file).error
            #expect(error?.code == .badLZF)
            // The block begins behind the type, the key, C3 and the two lengths.
            #expect(error?.offset == UInt64(12 + 1 + RDB.length(block.count).count + 5))
        }
    }

    @Test("a listpack of three megabytes, raw and compressed", arguments: [false, true])
    func listpack(isCompressed: Bool) throws {
        let words = RDB.ListpackEntry.string12([UInt8](repeating: 0x61, count: 3000)).bytes
        let numbers = RDB.listpack([.uint7(5), .int64(1 << 40), .string6("z")]).dropFirst(6).dropLast()
        var body: [UInt8] = []
        var events: [String] = []
        for _ in 0..<1000 {
            body += words + numbers
            events += [
                "element \"\(Specimen.text(3000, "a"))\"", "element 5", "element 1099511627776", "element \"z\"",
            ]
        }
        let packed = RDB.listpack(bytes: body, count: 4000)
        let string =
            isCompressed
            ? RDB.lzf(block: try #require(LZF.compress(packed, maxByteCount: packed.count)), count: packed.count)
            : RDB.string(packed)
        let file = RDBBuilder.file([RDB.entry(18, "k", RDB.quicklist2([(2, string), (1, RDB.string("end"))]))])
        let transcript = Transcript.of(file, windowByteCount: 512, pieceByteCount: 50_000, strict: true)
        #expect(transcript.error == nil)
        #expect(transcript.faults == [])
        let isSame =
            transcript.events == ["db 0 list quicklist2 \"k\"", "elements ?"] + events + ["element \"end\""]
        #expect(isSame)
    }

    @Test(
        "back-lengths of an entry of 2097151 bytes, old and new",
        arguments: ["00 ff ff ff", "7f ff ff"], [false, true])
    func backLength(_ back: String, isCompressed: Bool) throws {
        let text = [UInt8](repeating: 0x62, count: 2_097_151 - 5)
        let packed = RDB.listpack(
            bytes: [0xf0] + RDB.littleEndian(UInt32(text.count)) + text + hex(back) + hex("07 01"), count: 2)
        let string =
            isCompressed
            ? RDB.lzf(block: try #require(LZF.compress(packed, maxByteCount: packed.count)), count: packed.count)
            : RDB.string(packed)
        let transcript = Transcript.of(
            RDBBuilder.file([RDB.entry(20, "k", string)]), windowByteCount: 64, pieceByteCount: 100_000, strict: true)
        #expect(transcript.error == nil)
        #expect(transcript.faults == [])
        #expect(transcript.events == ["db 0 set listpack \"k\"", "elements 2", "member large 2097146", "member 7"])
        let isSame = transcript.large == [text]
        #expect(isSame)
    }

    @Test("a group read again gives the same events")
    func groupAgain() throws {
        var log = EventLog<Plain>(extraGroupPasses: 2)
        let value = Specimen.streamExample
        let file = RDBBuilder.file([RDB.entry(21, "k", value)])
        var reader = try RDBReader(MemorySource(file, pieceByteCount: 11), windowByteCount: 16)
        _ = try reader.next()
        reader.holdValue()
        try reader.readValue(into: &log)
        let members = Array(Specimen.streamExampleEvents.suffix(5))
        #expect(log.lines == Specimen.streamExampleEvents + members + members)
        #expect(try reader.next() != .entry)
    }
}
