import RDBBytes
import RDBTestSupport
import Testing

@Suite("SHA-1")
struct SHA1Tests {
    /// FIPS 180's examples, and the empty message.
    @Test(
        "known digests",
        arguments: [
            ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
            ),
            (String(repeating: "a", count: 1_000_000), "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
        ])
    func known(_ text: String, _ digest: String) {
        #expect(SHA1.of(Array(text.utf8).rawSpan).description == digest)
    }

    @Test("any pieces give the same", arguments: 1...20 as ClosedRange<UInt64>)
    func pieces(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let bytes = random.bytes(Int.random(in: 0...400, using: &random))
        let whole = SHA1.of(bytes.rawSpan)
        var hash = SHA1()
        var index = 0
        while index < bytes.count {
            let end = min(bytes.count, index + Int.random(in: 0...130, using: &random))
            hash.append(bytes.rawSpan.extracting(index..<end))
            index = end
        }
        #expect(hash.finish() == whole, "seed \(seed)")
    }

    @Test("numbers are their texts")
    func numbers() {
        func ofText(_ text: String) -> Digest160 { SHA1.of(Array(text.utf8).rawSpan) }
        for value in [0, 7, -1, .min, .max] as [Int64] {
            var hash = SHA1()
            hash.append(decimal: value)
            #expect(hash.finish() == ofText(String(value)))
        }
        var hash = SHA1()
        hash.append(decimal: UInt64.max)
        hash.append(byte: UInt8(ascii: "."))
        hash.append(decimal: UInt64(0))
        #expect(hash.finish() == ofText("18446744073709551615.0"))
        // printf's own examples of %.17g.
        for (value, text) in [
            (0.1, "0.10000000000000001"), (1e300, "1.0000000000000001e+300"), (-0.0, "-0"), (3, "3"),
            (.infinity, "inf"), (-1.7976931348623157e308, "-1.7976931348623157e+308"),
        ] as [(Double, String)] {
            var hash = SHA1()
            hash.append(digits17: value)
            #expect(hash.finish() == ofText(text), "\(text)")
        }
        #expect(SHA1.of(bigEndian: 0x6162_6364) == ofText("abcd"))
    }

    @Test("xor and hash of a digest")
    func combining() {
        var digest = SHA1.of([1].rawSpan)
        digest ^= SHA1.of([2].rawSpan)
        digest ^= SHA1.of([1].rawSpan)
        #expect(digest == SHA1.of([2].rawSpan))
        #expect(digest.hashed == SHA1.of(hex(digest.description).rawSpan))
        #expect(Digest160().description == String(repeating: "0", count: 40))
    }
}
