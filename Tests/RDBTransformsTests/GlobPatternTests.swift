import RDBBytes
import RDBTestSupport
import RDBTransforms
import Testing

@Suite("glob patterns")
struct GlobPatternTests {
    static func matches(_ pattern: String, _ text: String) -> Bool {
        GlobPattern(pattern).matches(Array(text.utf8).rawSpan)
    }

    @Test(
        "as the servers' stringmatchlen answers",
        arguments: [
            ("*", "", true), ("*", "anything", true), ("", "", true), ("", "a", false), ("a", "", false),
            ("**", "a", true), ("a*", "a", true), ("a*", "abc", true), ("*a", "a", true), ("*a", "ba", true),
            ("*a", "ab", false), ("a*c", "abc", true), ("a*c", "ac", true), ("a*c", "acb", false),
            ("a*b*c*d", "a1b2c3d", true), ("a*b*c*d", "a1c2b3d", false), ("*a*a*a*", "banana", true),
            ("*a*a*a*a*", "banana", false), ("h?llo", "hello", true), ("h?llo", "hllo", false), ("?", "", false),
            ("h[ae]llo", "hallo", true), ("h[ae]llo", "hillo", false), ("h[^e]llo", "hallo", true),
            ("h[^e]llo", "hello", false), ("h[a-b]llo", "hbllo", true), ("h[a-b]llo", "hcllo", false),
            ("h[b-a]llo", "hbllo", true), ("h[b-a]llo", "hallo", true), ("[a-]", "-", false), ("[a-]", "_", true),
            ("[a-]", "a", true),
            ("[a-]", "b", false), ("[-a]", "-", true), ("[]", "a", false), ("[^]", "a", true), ("[]a]", "]", false),
            ("[\\]]", "]", true), ("[\\]", "\\", false), ("[\\a-c]", "-", true), ("[\\a-c]", "b", false),
            ("[a", "a", true), ("[a", "b", false), ("[a-", "-", true), ("[^a", "b", true), ("[", "a", false),
            ("[^", "a", true), ("\\*", "*", true), ("\\*", "a", false), ("\\a", "a", true), ("\\", "\\", true),
            ("a\\", "a\\", true), ("a\\", "a", false), ("\\\\", "\\", true), ("\\[a]", "[a]", true),
            ("[*?]", "*", true), ("[*?]", "a", false), ("a**b", "ab", true), ("a***", "a", true), ("ab", "a", false),
            ("é", "é", true), ("??", "é", true), ("?", "é", false), ("*\\?", "a?", true), ("a*\\", "ab\\", true),
        ])
    func table(_ pattern: String, _ text: String, _ expected: Bool) {
        #expect(Self.matches(pattern, text) == expected)
    }

    @Test("bytes that are no text")
    func rawBytes() {
        func matches(_ pattern: String, _ bytes: [UInt8]) -> Bool { GlobPattern(pattern).matches(bytes.rawSpan) }
        #expect(matches("a?b", [0x61, 0xff, 0x62]))
        #expect(matches("a[^x]b", [0x61, 0x00, 0x62]))
        #expect(!matches("a[^x]b", [0x61, 0x78, 0x62]))
    }

    @Test("many stars take no time")
    func manyStars() {
        let pattern = String(repeating: "a*", count: 200) + "b"
        #expect(!Self.matches(pattern, String(repeating: "a", count: 5000)))
        #expect(Self.matches(pattern, String(repeating: "a", count: 5000) + "b"))
    }

    /// `KEYS` of a server itself, over keys and patterns of a small alphabet.
    @Test("differential with a server", .enabled(if: RedisServer.isInstalled), arguments: [1, 2, 3] as [UInt64])
    func differential(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let alphabet = Array("ab*?[]^-\\".utf8)
        func word(_ lengths: ClosedRange<Int>, _ letters: [UInt8]) -> String {
            let bytes = (0..<Int.random(in: lengths, using: &random)).map { _ in
                letters.randomElement(using: &random) ?? 0
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        var keys: Set<String> = [""]
        while keys.count < 200 { keys.insert(word(1...6, alphabet)) }
        let server = try RedisServer()
        let sorted = keys.sorted()
        #expect(try server.call(["MSET"] + sorted.flatMap { [$0, "1"] }) == ["OK"])
        for _ in 0..<1500 {
            let pattern = word(1...9, alphabet)
            let theirs = try Set(server.call(["KEYS", pattern]))
            let ours = keys.filter { Self.matches(pattern, $0) }
            #expect(ours == theirs, "seed \(seed), pattern \(pattern)")
        }
    }
}
