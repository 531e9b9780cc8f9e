import RDBBytes
import RDBTestSupport
import RDBTransforms
import Testing

@Suite("Parts of keys")
struct KeyPartsTests {
    private func parts(_ key: [UInt8], _ division: KeyDivision = .found) -> [String] {
        var parts = KeyParts(division)
        key.withUnsafeBufferPointer { parts.divide($0.span.bytes) }
        var start = 0
        return parts.ends.map { end in
            defer { start = end }
            return String(decoding: parts.bytes[start..<end], as: UTF8.self)
        }
    }

    private func parts(_ key: String, _ division: KeyDivision = .found) -> [String] {
        parts(Array(key.utf8), division)
    }

    @Test(
        "what tells one from the next is folded",
        arguments: [
            ("user:123:cart", "user: *: cart"), ("user:456:cart", "user: *: cart"), ("user:1", "user: *"),
            ("session:9f86d081884c7d65", "session: *"), ("SESSION:9F86D081884C7D65", "SESSION: *"),
            ("sess:550e8400-e29b-41d4-a716-446655440000", "sess: *"),
            ("sess:550E8400-E29B-41D4-A716-446655440000:data", "sess: *: data"),
            ("order:01ARZ3NDEKTSV4RRFFQ69G5FAV", "order: *"), ("short:a7Bx9Kq2", "short: *"),
            ("img/2024-01-31/thumb_17.png", "img/ */ thumb_*.png"), ("log:2024-01-31T12", "log: *"),
            ("log:10.0.0.17:errors", "log: *: errors"), ("{user:77}.followers", "{user: *}.followers"),
            ("v1:item42", "v1: item*"), ("s3:bucket7", "s3: bucket*"), ("a::b", "a:: b"), ("plain", "plain"),
            ("app.users.42", "app. users. *"), ("user_profile_7", "user_ profile_ *"), ("12345", "*"),
            ("cache|page|7", "cache| page| *"), ("deadbeef", "deadbeef"), ("facade01", "*"),
            ("grüße:öl", "grüße: öl"), ("user:anna", "user: anna"), ("", ""),
            ("a:b:c:d:e:f:g:h:i:j", "a: b: c: d: e: f: g: h:i:j"),
        ])
    func folding(_ key: String, _ expected: String) {
        #expect(parts(key) == (expected.isEmpty ? [] : expected.split(separator: " ").map { String($0) }))
    }

    @Test("bytes that are no text are folded")
    func binary() {
        #expect(parts(Array("bin:".utf8) + [0xff, 0xfe, 0x41]) == ["bin:", "*"])
        #expect(parts(Array("bin:".utf8) + [0, 1, 2]) == ["bin:", "*"])
        #expect(parts(Array("cut:".utf8) + [0xc3]) == ["cut:", "*"])
    }

    @Test("parts up to a delimiter are taken as they are")
    func literal() {
        #expect(parts("user:123:cart", .literal(delimiter: [0x3a], depth: 1)) == ["user:"])
        #expect(parts("user:123:cart", .literal(delimiter: [0x3a], depth: 2)) == ["user:", "123:"])
        #expect(parts("user:123:cart", .literal(delimiter: [0x3a], depth: 3)) == ["user:", "123:"])
        #expect(parts("plain", .literal(delimiter: [0x3a], depth: 1)) == [])
        #expect(parts("a::b::c", .literal(delimiter: Array("::".utf8), depth: 2)) == ["a::", "b::"])
    }

    @Test("any bytes are divided, never beyond the limits", arguments: [1, 2, 3] as [UInt64])
    func anyBytes(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<3000 {
            var key =
                random.next() % 2 == 0 ? random.bytes(Int(random.next() % 600)) : random.words(Int(random.next() % 300))
            if random.next() % 4 == 0 { key += Array("550e8400-e29b-41d4-a716-446655440000".utf8) }
            var parts = KeyParts(.found)
            key.withUnsafeBufferPointer { parts.divide($0.span.bytes) }
            #expect(parts.ends.count <= KeyParts.maxCount, "seed \(seed)")
            #expect(parts.bytes.count <= KeyParts.maxByteCount + 1, "seed \(seed)")
            #expect(parts.ends == parts.ends.sorted() && (parts.ends.last ?? 0) == parts.bytes.count, "seed \(seed)")
        }
    }
}
