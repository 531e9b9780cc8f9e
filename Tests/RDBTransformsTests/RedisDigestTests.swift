import RDBBytes
import RDBModel
import RDBTransforms
import Testing

/// What servers answered to DEBUG DIGEST-VALUE, value by value; Tests/ServerTests asks them anew.
@Suite("DEBUG DIGEST by its rules")
struct RedisDigestTests {
    static let redis8 = RedisDigest.Rules(writesShortScores: true, marksFieldExpiries: true)

    static func digest(
        _ type: ValueType, _ rules: RedisDigest.Rules = redis8, hasFieldExpiries: Bool = false,
        _ events: (inout RedisDigest) -> Void
    ) -> String {
        var digest = RedisDigest(rules, .value)
        digest.begin(EntryHeader(type: type, hasFieldExpiries: hasFieldExpiries), key: "any".utf8Span.span.bytes)
        events(&digest)
        let value = digest.finish()
        return digest.refusal == nil ? value.description : "refused"
    }

    static func text(_ text: String, _ role: TextRole, _ digest: inout RedisDigest) {
        text.withRawSpan { digest.text($0, as: role) }
    }

    @Test(
        "scores as Redis 8.2.3 tells them apart",
        arguments: [
            (0, "669bd9943b43e6b31f3ab60847ee6a38dd154aba"), (0.1, "7e1bae26d61f35a2675e4748edc8fe0bff072cee"),
            (1e300, "d5a03a0b01f6552aef60764c5ddb6ce623ff5718"), (1, "55b22a2d85d3adfd2cac2b794dd8556ba8529cbb"),
            (2.5, "1fa0674574329a9a45c9a0fc83c1df1155a94cd7"), (1e21, "6b238106cfb6fb2bae612230c6dc79153408fc91"),
            (1e22, "b5793083e31fb4b908347aaf362bc1349dd83264"), (-3.25, "732edbfb7f6d9e0550b23cc65d894e3c37cad016"),
            (1e-7, "d8fb3b79e0660adc9c4d845c640d221d3c25f635"), (3e-5, "54479afda8df4f938048f91e13063bef5757d506"),
            (123_456_789_012_345_680, "27353e3c88bd44a34ab7a89eee757c71576f989a"),
        ] as [(Double, String)])
    func scores(_ score: Double, _ expected: String) {
        #expect(
            Self.digest(.zset) {
                Self.text("m", .member, &$0)
                $0.score(score)
            } == expected)
    }

    @Test("vector sets as Redis 8.2.3 tells them")
    func vectors() {
        // VADD w VALUES 2 1 2 x NOQUANT
        let vector: [UInt8] = [0x2e, 0xf9, 0xe4, 0x3e, 0x2e, 0xf9, 0x64, 0x3f]
        func w(_ digest: inout RedisDigest, _ counts: [UInt64] = [2, 1, 4096, 0], last: [UInt64] = [0, 0]) {
            for number in counts { digest.moduleUnsigned(number) }
            Self.text("x", .modulePart, &digest)
            digest.text(vector.rawSpan, as: .modulePart)
            digest.moduleUnsigned(2)
            for number in last { digest.moduleUnsigned(number) }
            digest.endModule()
        }
        let id = ModuleID(rawValue: 0xbde7_2da2_bb1e_b400)
        #expect(id.description == "vectorset 0")
        #expect(
            Self.digest(.module) {
                $0.module(id)
                w(&$0)
            } == "39f5dcbbd9103eead7a3a9f2b92da8ce679349e7")
        // Other modules, later forms, and what ends too early are not guessed at.
        for (id, counts, last) in [
            (ModuleID(rawValue: id.rawValue + 1), [2, 1, 4096, 0], [0, 0]), (id, [2, 1, 4096, 4], [0, 0]),
            (id, [2, 1, 4096, 0], [0]), (id, [2, 1, 4096], [0, 0]), (id, [2, 1, 4096, 0], [0, 0, 0]),
        ] as [(ModuleID, [UInt64], [UInt64])] {
            #expect(
                Self.digest(.module) {
                    $0.module(id)
                    w(&$0, counts, last: last)
                } == "refused")
        }
        #expect(
            Self.digest(.module) {
                $0.module(id)
                $0.moduleSigned(1)
                w(&$0)
            } == "refused")
    }

    @Test("types that no covered server has are refused", arguments: [ValueType.array, .pathHash, .gcra, .hll, .cron])
    func others(_ type: ValueType) {
        #expect(Self.digest(type) { _ in } == "refused")
    }

    @Test("the next entry is not refused for the one before")
    func recovers() {
        var digest = RedisDigest(Self.redis8)
        digest.begin(EntryHeader(type: .array), key: "a".utf8Span.span.bytes)
        #expect(digest.refusal != nil)
        digest.begin(EntryHeader(type: .string), key: "a".utf8Span.span.bytes)
        #expect(digest.refusal == nil)
    }

    @Test(
        "which rules a server has",
        arguments: [
            ("redis-2.8", false, false), ("redis-6.2.14", false, false), ("redis-7.0", false, false),
            ("redis-7.2", true, false), ("redis-7.4", true, true), ("redis-8.2", true, true), ("redis-10", true, true),
            ("valkey-7.2", true, false), ("valkey-9.1", true, false),
        ])
    func rules(_ name: String, _ shortScores: Bool, _ fieldExpiries: Bool) {
        #expect(
            RedisDigest.Rules(server: name)
                == RedisDigest.Rules(writesShortScores: shortScores, marksFieldExpiries: fieldExpiries))
    }

    @Test(
        "what is no server",
        arguments: ["", "redis", "redis-", "7.0", "keydb-6.3", "redis-x", "redis-7.", "redis-7.0.1.2"])
    func noRules(_ name: String) {
        #expect(RedisDigest.Rules(server: name) == nil)
    }
}
