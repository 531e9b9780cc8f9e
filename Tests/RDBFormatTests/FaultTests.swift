import RDBBytes
import RDBTestSupport
import Testing

/// What is told of a fault: its code, where it lies, what was expected and what was found, each worked out by hand.
struct Fault: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]
    var code: DecodeError.Code
    var offset: UInt64
    var innerOffset: UInt64?
    var expected: String
    var found: String
    /// Told as a fault of structure, without an end of decoding.
    var isStrict = false

    var testDescription: String { name }

    init(
        _ name: String, bytes: [UInt8], _ code: DecodeError.Code, at offset: UInt64, inner: UInt64? = nil,
        _ expected: String, _ found: String, isStrict: Bool = false
    ) {
        self.name = name
        self.bytes = bytes
        self.code = code
        self.offset = offset
        innerOffset = inner
        self.expected = expected
        self.found = found
        self.isStrict = isStrict
    }

    /// The fault of one value: its key is `k`, so it begins at byte 12.
    init(
        _ name: String, type: UInt8, _ value: [UInt8], magic: String = "REDIS0015", _ code: DecodeError.Code,
        at offset: UInt64, inner: UInt64? = nil, _ expected: String, _ found: String, isStrict: Bool = false
    ) {
        self.init(
            name, bytes: RDBBuilder.file(magic, [RDB.entry(type, "k", value)]), code, at: offset, inner: inner,
            expected, found, isStrict: isStrict)
    }

    static let huge = hex("81 ff ff ff ff ff ff ff ff")

    static let files: [Fault] = [
        Fault("nothing", bytes: [], .truncated, at: 0, "more bytes", "the end of the input"),
        Fault("half a head", bytes: Array("REDIS".utf8), .truncated, at: 5, "more bytes", "the end of the input"),
        Fault(
            "another magic", bytes: Array("RADIS0011".utf8), .badMagic, at: 0, "REDIS or VALKEY and a version",
            "0x5241444953303031"),
        Fault(
            "a version that is no number", bytes: Array("REDIS00x1".utf8), .badMagic, at: 0, "a version in digits",
            "0x78"),
        Fault(
            "version 0", bytes: Array("REDIS0000".utf8), .unsupportedVersion, at: 0, "version 1 or later", "0"),
        Fault(
            "no end", bytes: Array("REDIS0011".utf8), .truncated, at: 9, "more bytes", "the end of the input"),
        Fault(
            "half a checksum", bytes: Array("REDIS0011".utf8) + [0xff, 1, 2, 3], .truncated, at: 13, "more bytes",
            "the end of the input"),
        Fault(
            "a wrong checksum", bytes: Array("REDIS0011".utf8) + hex("ff 01 02 03 04 05 06 07 08"),
            .checksumMismatch, at: 10, "the CRC-64 of the bytes before", "0x0807060504030201"),
        Fault("type 8", type: 8, [], .unknownType, at: 9, "a type byte this release knows", "0x08"),
        Fault("type 6", type: 6, [], .unknownType, at: 9, "a type byte this release knows", "0x06"),
        Fault("type 200", type: 200, [], .unknownType, at: 9, "a type byte this release knows", "0xc8"),
        Fault(
            "a type of Redis in Valkey", type: 24, [], magic: "VALKEY080", .unknownType, at: 9,
            "a type byte this release knows", "0x18"),
        Fault(
            "a key beyond all bounds", bytes: RDBBuilder.file([hex("00 80 40 00 00 00")]), .limitExceeded, at: 10,
            "a key of at most 2 MiB", "1073741824"),
        Fault(
            "a key past the end", bytes: RDBBuilder.file([hex("00 40 64 'abc'")]), .truncated, at: 24, "more bytes",
            "the end of the input"),
        Fault(
            "nine classes of key metadata", bytes: RDBBuilder.file("REDIS0013", [hex("f3 09")]), .badModule, at: 10,
            "at most 7 classes of key metadata", "9"),
        Fault(
            "a module's data without its time", bytes: RDBBuilder.file([hex("f7") + Specimen.vectorset + [5, 0]]),
            .badModule, at: 19, "opcode 2 before the time of loading", "5"),
        Fault(
            "an update that is no command", bytes: RDBBuilder.file("VALKEY081", [hex("f2 '+OK'")]), .unknownOpcode,
            at: 10, "a command of an inline update", "0x2b"),
        Fault(
            "a template without fields", bytes: RDBBuilder.file("REDIS0015", [hex("f2 07 00")]), .badHashTemplate,
            at: 10, "at least one field", "0"),
        Fault(
            "a template out of order", bytes: RDBBuilder.file("REDIS0015", [RDB.hashTemplate(7, ["bb", "a"])]),
            .badHashTemplate, at: 11, "field names ascending by length, then bytes", "another order"),
        Fault(
            "a template with a field twice", bytes: RDBBuilder.file("REDIS0015", [RDB.hashTemplate(7, ["a", "a"])]),
            .badHashTemplate, at: 11, "field names ascending by length, then bytes", "another order"),
    ]

    static let strings: [Fault] = [
        Fault(
            "a string past the end", type: 0, hex("14 'abc'"), .truncated, at: 25, "more bytes",
            "the end of the input"),
        Fault("a string of 2^64 - 1 bytes", type: 0, huge, .truncated, at: 30, "more bytes", "the end of the input"),
        Fault(
            "a length byte 0x82", type: 2, hex("82"), .badLength, at: 12, "a length (first byte 0x00 to 0x81)", "0x82"),
        Fault(
            "a special length where a plain one is due", type: 2, hex("c0 01"), .badLength, at: 12,
            "a length (first byte 0x00 to 0x81)", "0xc0"),
        Fault(
            "a string byte 0xc4", type: 0, hex("c4"), .badString, at: 12,
            "a string (first byte 0x00 to 0x81 or 0xc0 to 0xc3)", "0xc4"),
        Fault(
            "a string byte 0xbf", type: 0, hex("bf"), .badLength, at: 12, "a length (first byte 0x00 to 0x81)", "0xbf"),
        Fault(
            "a decompressed length that cannot be", type: 0, hex("c3 02 42bc 00 61"), .badLZF, at: 12,
            "a decompressed length that LZF can make of the compressed one", "700"),
        Fault(
            "a compressed length that cannot be", type: 0, hex("c3 81ffffffffffffffff 01"), .badLZF, at: 12,
            "a decompressed length that LZF can make of the compressed one", "1"),
        Fault(
            "both lengths 2^64 - 1", type: 0, [0xc3] + huge + huge, .truncated, at: 31, "a length within its value",
            "18446744073709551615"),
        Fault(
            "both lengths a terabyte", type: 0, hex("c3 81 0000010000000000 81 0000010000000000 00 61"), .truncated,
            at: 42, "more bytes", "the end of the input"),
        Fault(
            "a decompressed length too large by one", type: 0, hex("c3 02 02 00 61"), .badLZF, at: 15,
            "the stated decompressed length", "1"),
        Fault(
            "a decompressed length too small by one", type: 0, hex("c3 03 01 01 61 62"), .badLZF, at: 15,
            "the stated decompressed length", "more"),
        Fault(
            "a match before the beginning", type: 0, hex("c3 04 04 00 61 20 01"), .badLZF, at: 15,
            "a match within what is decompressed", "2"),
        Fault(
            "an instruction without its end", type: 0, hex("c3 02 04 05 61"), .badLZF, at: 15, "whole instructions",
            "the end of the value"),
        Fault(
            "a set of 2^64 - 1 members", type: 2, huge + hex("01 61 c4"), .badString, at: 23,
            "a string (first byte 0x00 to 0x81 or 0xc0 to 0xc3)", "0xc4"),
        Fault(
            "an old score that is no number", type: 3, hex("01 01 61 03 '1x2'"), .badScore, at: 15,
            "the text of a number", "something else"),
    ]
}

@Suite("faults")
struct FaultTests {
    @Test("faults of files", arguments: Fault.files)
    func files(_ fault: Fault) { check(fault) }

    @Test("faults of strings", arguments: Fault.strings)
    func strings(_ fault: Fault) { check(fault) }

    @Test("faults of packed values", arguments: Fault.packed)
    func packed(_ fault: Fault) { check(fault) }

    @Test("faults of values", arguments: Fault.values)
    func values(_ fault: Fault) { check(fault) }

    func check(_ fault: Fault) {
        for window in [16, 4096] {
            let strict = Transcript.of(fault.bytes, windowByteCount: window, strict: true)
            let error = fault.isStrict ? strict.faults.first : Transcript.of(fault.bytes, windowByteCount: window).error
            if fault.isStrict {
                // A file as such is sound, and its decoding goes on.
                #expect(strict.error == nil)
                #expect(strict.faults.count == 1)
            }
            guard let error else {
                Issue.record("no fault was told")
                return
            }
            #expect(error.code == fault.code)
            #expect(error.offset == fault.offset)
            #expect(error.innerOffset == fault.innerOffset)
            #expect(error.expected.description == fault.expected)
            #expect(error.found.text == fault.found)
        }
    }
}
