import ServerHarness
import Testing

@Suite("reading JSON Lines")
struct JSONLinesTests {
    private func value(_ text: String) throws -> JSONValue {
        try JSONValue(parsing: Bytes(text.utf8))
    }

    @Test("escapes become bytes")
    func escapes() throws {
        let bytes = Bytes("a\"\\/\u{8}\u{c}\n\r\t\0é😀".utf8)
        #expect(try value(#""a\"\\\/\b\f\n\r\t\u0000\u00e9\ud83d\ude00""#) == .string(bytes))
    }

    @Test("numbers keep their text", arguments: ["0", "-0", "18446744073709551615", "5e-324", "-1.5E+10"])
    func numbers(text: String) throws {
        #expect(try value(text) == .number(text))
    }

    @Test(
        "what is no JSON is refused",
        arguments: [
            "", "01", "1.", ".5", "+1", "1e", "nan", "tru", "[1,]", "[1", "1 2",
            "{\"a\":1,}", "{\"a\" 1}", "{\"a\":1,\"a\":2}", "\"a",
            "\"\u{1}\"", "\"\\x\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
        ])
    func refused(text: String) {
        #expect(throws: HarnessError.self) { try JSONValue(parsing: Bytes(text.utf8)) }
    }

    @Test("bytes that are not UTF-8 are refused")
    func notUTF8() {
        #expect(throws: HarnessError.self) { try JSONValue(parsing: [0x22, 0xff, 0x22]) }
    }

    @Test(
        "a finite score is read to the last bit",
        arguments: [.leastNonzeroMagnitude, 0.1, .greatestFiniteMagnitude, -0.0, 1e23])
    func scores(score: Double) throws {
        let line =
            #"{"db":0,"key":"k","type":"zset","encoding":"skiplist","value":[{"member":"m","score":\#(score)}]}"# + "\n"
        let entry = try #require(try JSONLines.parse(Bytes(line.utf8), as: .program).first)
        guard case .sortedSet(let members) = entry.value else { throw HarnessError("no sorted set") }
        #expect(members.map(\.score.bitPattern) == [score.bitPattern])
    }

    @Test(
        "lines that do not keep to the schema are refused",
        arguments: [
            #"{"db":0,"key":"k","type":"string","value":"v"}"#,
            #"{"db":0,"key":"k","encoding":"raw","type":"string","value":"v"}"#,
            #"{"db":0,"type":"string","encoding":"raw","value":"v"}"#,
            #"{"db":0,"key":"k","type":"string","encoding":"raw"}"#,
            #"{"db":"0","key":"k","type":"string","encoding":"raw","value":"v"}"#,
            #"{"db":0,"key":"k","type":"string","encoding":"raw","expires_at_ms":null,"value":"v"}"#,
            #"{"db":0,"key":"k","type":"string","encoding":"raw","expires_at_ms":1e3,"value":"v"}"#,
            #"{"db":0,"key":"k","type":"string","encoding":"raw","value":["v"]}"#,
            #"{"db":0,"key":"k","type":"set","encoding":"listpack","value":["v","v"]}"#,
            #"{"db":0,"key":"k","type":"zset","encoding":"listpack","value":[{"member":"m","score":"1"}]}"#,
        ])
    func schema(line: String) throws {
        #expect(throws: HarnessError.self) { try JSONLines.parse(Bytes((line + "\n").utf8), as: .program) }
    }

    @Test("a last line without its end is refused")
    func cutLine() {
        let line = #"{"db":0,"key":"k","type":"string","encoding":"raw","value":"v"}"#
        #expect(throws: HarnessError.self) { try JSONLines.parse(Bytes(line.utf8), as: .program) }
    }
}
