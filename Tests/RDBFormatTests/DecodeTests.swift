import RDBBytes
import RDBFormat
import RDBModel
import RDBTestSupport
import Testing

/// What every layout decodes to, against expectations worked out by hand.
@Suite("decoding")
struct DecodeTests {
    @Test("gives the events worked out by hand", arguments: Specimen.all)
    func events(_ specimen: Specimen) {
        let transcript = Transcript.of(specimen.bytes)
        #expect(transcript.error == nil)
        #expect(transcript.events == specimen.events)
    }

    @Test("skipping ends each value where decoding does", arguments: Specimen.all)
    func skip(_ specimen: Specimen) {
        func places(_ way: Transcript.Way) -> [String] {
            Transcript.of(specimen.bytes, way: way).lines.filter {
                $0.hasPrefix("ends at") || $0.hasPrefix("end ") && $0.contains("checksum") || $0.contains(" bytes ")
            }
        }
        #expect(places(.skip) == places(.decode))
    }

    @Test("the strict walk finds no fault in sound values", arguments: Specimen.all)
    func strict(_ specimen: Specimen) {
        let transcript = Transcript.of(specimen.bytes, strict: true)
        #expect(transcript.error == nil)
        #expect(transcript.events == specimen.events)
        #expect(transcript.faults == [])
    }

    @Test("the example of Redis 2.6, to the byte")
    func offsets() {
        let example = Specimen.all.first { $0.name == "example of Redis 2.6" }
        #expect(
            Transcript.of(example?.bytes ?? []).lines == [
                "select 0", "db 0 string int \"a\" bytes 11 11 14", "string 1", "ends at 16",
                "db 0 string raw \"b\" bytes 16 16 19", "string \"hello\"", "ends at 25",
                "end checksum 9cbdb52350f9cab7 at 34",
            ])
    }

    @Test("an entry begins with its first attribute")
    func startOfEntry() {
        let file = RDBBuilder.file(
            "REDIS0013",
            [
                RDB.keyMetadata([]), RDB.expireMilliseconds(1), RDB.entry(0, "ab", RDB.string("c")), RDB.idle(1),
                RDB.selectDatabase(1), RDB.entry(0, "d", RDB.string("")), RDB.entry(2, "e", [0]),
            ])
        #expect(
            Transcript.of(file).lines.filter { $0.hasPrefix("db ") } == [
                "db 0 string raw \"ab\" expires 1 bytes 9 20 24", "db 1 string raw \"d\" idle 1 bytes 26 30 33",
                "db 1 set hashtable \"e\" bytes 34 34 37",
            ])
    }

    @Test("module identifiers", arguments: Specimen.moduleNames)
    func moduleID(_ name: String, _ version: Int, _ bytes: [UInt8]) {
        let id = ModuleID(rawValue: bytes.reduce(0) { $0 << 8 | UInt64($1) })
        #expect(id.name == name)
        #expect(id.encodingVersion == version)
    }

    @Test(
        "the checksum",
        arguments: [
            (.right, nil), (.zero, nil), (.wrong, .checksumMismatch), (.missing, .truncated),
        ] as [(RDBBuilder.Checksum, DecodeError.Code?)])
    func checksum(_ checksum: RDBBuilder.Checksum, _ code: DecodeError.Code?) {
        let file = RDBBuilder.file([RDB.entry(0, "k", RDB.string("v"))], checksum: checksum)
        #expect(Transcript.of(file).error?.code == code)
    }

    @Test("files before version 5 have no checksum", arguments: ["REDIS0001", "REDIS0002", "REDIS0003", "REDIS0004"])
    func oldFile(_ magic: String) {
        let file = RDBBuilder.file(magic, [RDB.entry(0, "k", RDB.string("v"))], checksum: .missing)
        let transcript = Transcript.of(file)
        #expect(transcript.error == nil)
        #expect(transcript.lines.last == "end without checksum at 15")
    }

    @Test(
        "checksums of empty files",
        arguments: [
            ("REDIS0006", "DC B3 43 F0 5A DC F2 56"), ("REDIS0009", "9A AC 7A BC FB 0F AD 74"),
            ("REDIS0010", "A9 FD 37 FE 89 A7 7E EB"), ("REDIS0011", "C0 22 8A 8D 74 38 97 62"),
            ("REDIS0012", "10 D0 DB 41 20 BE F4 D3"), ("VALKEY080", "43 9D A4 8F C1 80 6C 23"),
        ])
    func emptyFiles(_ magic: String, _ checksum: String) {
        let file = Array(magic.utf8) + [0xff] + hex(checksum)
        #expect(RDBBuilder.file(magic, []) == file)
        #expect(Transcript.of(file).error == nil)
    }

    @Test("a checksum that is not asked for is not computed")
    func unverified() throws {
        let file = RDBBuilder.file([RDB.entry(0, "k", RDB.string("v"))], checksum: .wrong)
        var reader = try RDBReader(MemorySource(file), verifiesChecksum: false)
        #expect(try reader.next() == .entry)
        try reader.skipValue()
        guard case .end(let end) = try reader.next(), case .unverified = end.checksum else {
            Issue.record("the file should end unverified")
            return
        }
        #expect(end.byteCount == UInt64(file.count))
    }

    @Test("bytes behind the end are counted")
    func trailing() throws {
        let file = RDBBuilder.file([]) + [UInt8](repeating: 7, count: 1000)
        var reader = try RDBReader(MemorySource(file, pieceByteCount: 7), windowByteCount: 16)
        _ = try reader.next()
        #expect(try reader.countTrailingBytes() == 1000)
    }
}
