import RDBBytes
import RDBFormat
import RDBKit
import RDBModel
import RDBSinks
import RDBTestSupport
import Testing

/// Entries too large to stage are read again and written straight through: the text is that of small entries.
@Suite("large entries as JSON")
struct LargeJSONTests {
    static func file(_ type: UInt8, _ value: [UInt8], magic: String = "REDIS0012") -> [UInt8] {
        RDBBuilder.file(
            magic,
            [
                RDB.entry(0, "before", RDB.string("1")), RDB.entry(type, "k", value),
                RDB.entry(0, "after", RDB.string("2")),
            ])
    }

    /// Compares without printing megabytes.
    static func check(
        _ file: [UInt8], _ value: String, head: String, options: JSONOptions = JSONOptions(), piece: Int = 50_000
    ) throws {
        let output = try JSONOutput(
            RecordingSource(MemorySource(file, pieceByteCount: piece), memoryLimit: 100_000), options: options)
        #expect(output.fault == nil)
        let expected =
            Specimen.stringLine("before", "1") + "{\"db\":0,\"key\":\"k\",\(head)\"value\":\(value)}\n"
            + Specimen.stringLine("after", "2")
        let isSame = output.bytes == Array(expected.utf8)
        #expect(isSame, "\(firstDifference(output.bytes, Array(expected.utf8)))")
    }

    static func firstDifference(_ left: [UInt8], _ right: [UInt8]) -> String {
        let index =
            zip(left, right).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(left.count, right.count)
        func around(_ bytes: [UInt8]) -> String {
            String(decoding: bytes[max(0, index - 60)..<min(bytes.count, index + 60)], as: UTF8.self)
        }
        return "at \(index) of \(left.count) and \(right.count): …\(around(left))… is not …\(around(right))…"
    }

    @Test("a list of more than four megabytes")
    func list() throws {
        let count = 9000
        let filler = Specimen.text(500)
        let elements = (0..<count).map { "element \($0) of the \"list\", é \(filler)" }
        let value = RDB.length(count) + elements.flatMap { RDB.string($0) }
        let json = (0..<count).map { #""element \#($0) of the \"list\", é \#(filler)""# }
        try Self.check(
            Self.file(1, value), "[" + json.joined(separator: ",") + "]",
            head: #""type":"list","encoding":"linkedlist","#)
    }

    @Test("a hash with expiries of more than four megabytes")
    func expiringHash() throws {
        let count = 9000
        let filler = Specimen.text(480)
        var value = RDB.length(count)
        var expiries: [String] = []
        var fields: [String] = []
        for index in 0..<count {
            let field = "field:\(index)"
            value += RDB.string(field) + RDB.string("value of \(index) \(filler)")
            value += RDB.littleEndian(index % 3 == 0 ? Int64(-1) : 2_000_000_000_000 + Int64(index))
            if index % 3 != 0 { expiries.append("\"\(field)\":\(2_000_000_000_000 + index)") }
            fields.append("\"\(field)\":\"value of \(index) \(filler)\"")
        }
        let head =
            #""type":"hash","encoding":"hashtable","field_expires_at_ms":{"# + expiries.joined(separator: ",") + "},"
        try Self.check(
            Self.file(22, value, magic: "VALKEY080"), "{" + fields.joined(separator: ",") + "}", head: head)

        var options = JSONOptions()
        options.parts = .withoutValues
        let output = try JSONOutput(Self.file(22, value, magic: "VALKEY080"), options: options)
        let expected = "{\"db\":0,\"key\":\"k\"," + head.dropLast() + "}"
        let lines = output.text.split(separator: "\n")
        #expect(lines.count == 3)
        let isSame = lines[1] == expected
        #expect(isSame)
    }

    @Test("texts of more than a megabyte, raw and compressed", arguments: [false, true])
    func texts(isCompressed: Bool) throws {
        let part = "the \"first\" line\nand the second, with é and 😀, again and again and again "
        let count = 1_200_000 / part.utf8.count
        let text = Array(String(repeating: part, count: count).utf8)
        let block = try #require(LZF.compress(text, maxByteCount: text.count))
        let value = isCompressed ? RDB.lzf(block: block, count: text.count) : RDB.string(text)
        let escaped = #"the \"first\" line\nand the second, with é and 😀, again and again and again "#
        try Self.check(
            Self.file(0, value), "\"" + String(repeating: escaped, count: count) + "\"",
            head: #""type":"string","encoding":"\#(isCompressed ? "lzf" : "raw")","#)
    }

    @Test(
        "bytes of more than a megabyte in base64, whatever the last three are",
        arguments: [("", ""), ("ff", "/w=="), ("00 ff", "AP8="), ("00 00 ff", "AAD/")])
    func base64Text(_ tail: String, _ base64: String) throws {
        // ff 78 79 is "/3h5".
        let count = 400_000
        let bytes = Array([[UInt8]](repeating: [0xff, 0x78, 0x79], count: count).joined()) + hex(tail)
        try Self.check(
            Self.file(0, RDB.string(bytes)), "\"$base64:" + String(repeating: "/3h5", count: count) + base64 + "\"",
            head: #""type":"string","encoding":"raw","#, piece: 9999)
    }

    @Test("a large text that begins like base64")
    func base64Mark() throws {
        let count = 400_000
        let bytes = Array("$base64:x".utf8) + Array(String(repeating: "abc", count: count).utf8)
        try Self.check(
            Self.file(0, RDB.string(bytes)),
            "\"$base64:JGJhc2U2NDp4" + String(repeating: "YWJj", count: count) + "\"",
            head: #""type":"string","encoding":"raw","#)
    }

    @Test(
        "large texts in other forms",
        arguments: [
            (.base64, "$base64:AOl/", "6enp", "$base64:"), (.hex, "00e97f", "e9e9e9", ""),
            (.latin1, "\\u0000é\u{7f}", "ééé", ""),
        ] as [(StringForm, String, String, String)])
    func otherForms(_ form: StringForm, _ head: String, _ part: String, _ key: String) throws {
        let bytes: [UInt8] = [0x00, 0xe9, 0x7f] + [UInt8](repeating: 0xe9, count: 1_200_000)
        var options = JSONOptions()
        options.strings = form
        let output = try JSONOutput(RDBBuilder.file([[0, 0] + RDB.string(bytes)]), options: options)
        let line =
            "{\"db\":0,\"key\":\"\(key)\",\"type\":\"string\",\"encoding\":\"raw\",\"value\":\"\(head)"
            + String(repeating: part, count: 400_000) + "\"}\n"
        let isSame = output.bytes == Array(line.utf8)
        #expect(isSame, "\(Self.firstDifference(output.bytes, Array(line.utf8)))")
    }

    @Test("a large value among the others of a hash with expiries")
    func largeFieldValue() throws {
        let text = [UInt8](repeating: 0x78, count: 1_500_000)
        let value =
            RDB.length(2) + RDB.string("a") + RDB.string(text) + RDB.littleEndian(Int64(7)) + RDB.string("b")
            + RDB.string("c") + RDB.littleEndian(Int64(8))
        try Self.check(
            Self.file(22, value, magic: "VALKEY080"),
            "{\"a\":\"" + String(decoding: text, as: UTF8.self) + "\",\"b\":\"c\"}",
            head: #""type":"hash","encoding":"hashtable","field_expires_at_ms":{"a":7,"b":8},"#)
    }

    @Test("parts that leave a large value out", arguments: [JSONOptions.Parts.withoutValues, .keysOnly])
    func leftOut(_ parts: JSONOptions.Parts) throws {
        var options = JSONOptions()
        options.parts = parts
        options.meta = true
        let text = [UInt8](repeating: 0x78, count: 1_500_000)
        let output = try JSONOutput(Self.file(1, RDB.length(2) + RDB.string(text) + RDB.string(text)), options: options)
        let lines = output.text.split(separator: "\n")
        let words = parts == .keysOnly ? "" : #","type":"list","encoding":"linkedlist""#
        #expect(lines.count == 3)
        try #require(lines[1].utf8.count < 200)
        #expect(
            lines[1] == #"{"db":0,"key":"k"\#(words),"serialized_bytes":3000011,"elements":2,"slot":7629}"#)
    }

    @Test("a group with more pending entries than one batch holds")
    func manyPending() throws {
        let count = PendingTable.batchCount + 1000
        let consumers = ["one", "two", "none", "three"]
        var group = RDB.Group("g", lastID: RDB.ID(9, 9), entriesRead: .max, pending: [], consumers: [])
        var owned: [[RDB.ID]] = [[], [], [], []]
        var json: [String] = []
        group.pending.reserveCapacity(count)
        json.reserveCapacity(count)
        for index in 0..<count {
            let id = RDB.ID(UInt64(index / 10), UInt64(index % 10))
            // Every seventh belongs to nobody.
            let owner = index % 7 == 6 ? nil : [0, 1, 3][index % 3]
            if let owner { owned[owner].append(id) }
            group.pending.append(RDB.Pending(id, time: Int64(index), count: 1))
            let name = owner.map { "\"\(consumers[$0])\"" } ?? "null"
            json.append(
                "{\"id\":\"\(id.milliseconds)-\(id.sequence)\",\"consumer\":\(name),\"delivered_at_ms\":\(index),"
                    + "\"deliveries\":1}")
        }
        group.consumers = zip(consumers, owned).map { RDB.Consumer($0.0, seen: 1, active: 2, ids: $0.1) }
        group.unowned = group.pending.enumerated().filter { $0.offset % 7 == 6 }.map(\.element.id)
        var stream = RDB.Stream()
        stream.groups = [group, RDB.Group("h", lastID: RDB.ID(0, 0), entriesRead: 0, pending: [], consumers: [])]
        let consumersJSON = consumers.map { "{\"name\":\"\($0)\",\"seen_at_ms\":1,\"active_at_ms\":2}" }
        try Self.check(
            Self.file(27, RDB.stream(stream, generation: 5), magic: "REDIS0014"),
            #"{"entries":[],"length":0,"last_id":"0-0","first_id":"0-0","max_deleted_id":"0-0","entries_added":0,"#
                + #""groups":[{"name":"g","last_id":"9-9","entries_read":null,"pending":["#
                + json.joined(separator: ",") + "],\"consumers\":[" + consumersJSON.joined(separator: ",")
                + #"]},{"name":"h","last_id":"0-0","entries_read":0,"pending":[],"consumers":[]}]"#
                + Specimen.idempotenceJSON,
            head: #""type":"stream","encoding":"stream","#, piece: 1 << 20)
    }
}
