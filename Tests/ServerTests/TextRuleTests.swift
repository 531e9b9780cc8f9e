import ServerHarness
import Testing

@Suite("text rule")
struct TextRuleTests {
    @Test(
        "text stands for its own bytes, or for those in base64",
        arguments: [
            ("", []), ("plain", Bytes("plain".utf8)), ("$base64", Bytes("$base64".utf8)), ("$base64:/w==", [0xff]),
            ("$base64://8=", [0xff, 0xff]), ("$base64:////", [0xff, 0xff, 0xff]), ("$base64:7aCA", [0xed, 0xa0, 0x80]),
            ("$base64:JGJhc2U2NDo=", Bytes("$base64:".utf8)),
        ] as [(String, Bytes)])
    func reading(text: String, bytes: Bytes) throws {
        #expect(try TextRule.bytes(of: Bytes(text.utf8)) == bytes)
    }

    @Test(
        "what the rule does not allow is refused",
        arguments: [
            "$base64:", "$base64:YQ==", "$base64:/w", "$base64:/w=", "$base64:/x==", "$base64:/w==\n", "$base64:_w==",
            "$base64:/w===", "$base64:====",
        ])
    func refusing(text: String) {
        #expect(throws: TextRule.Violation.self) { try TextRule.bytes(of: Bytes(text.utf8)) }
    }
}
