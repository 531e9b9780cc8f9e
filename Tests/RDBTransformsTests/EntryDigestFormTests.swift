import RDBBytes
import RDBModel
import RDBTransforms
import Testing

/// The messages that are hashed, spelled out: digests are compared between releases, so none may change.
@Suite("form of digests")
struct EntryDigestFormTests {
    static func message(_ kind: UInt64, key: Digest128 = EntryDigest.publicKey) -> SipHash {
        var message = SipHash(key: key)
        message.append(word: kind)
        return message
    }

    static func text(_ text: String, to message: inout SipHash) { text.withRawSpan { message.append(text: $0) } }

    @Test("the public key is the characters rdbkit digest v1")
    func key() {
        var digits = OutputBuffer(capacity: 64)
        for byte in "rdbkit digest v1".utf8.reversed() { digits.append(hex: UInt64(byte), digits: 2) }
        #expect(EntryDigest.publicKey.description == String(decoding: digits.bytes.array, as: UTF8.self))
    }

    @Test("a string: kind 1, type 1 with a database and an expiry, both, the key, the value")
    func string() {
        var digest = EntryDigest()
        digest.begin(EntryHeader(database: 7, expiresAt: -5), key: "name".utf8Span.span.bytes)
        digest.text("a value".utf8Span.span.bytes, as: .string)
        var message = Self.message(1)
        message.append(word: 1 | 1 << 8 | 1 << 9)
        message.append(word: 7)
        message.append(word: UInt64(bitPattern: -5))
        Self.text("name", to: &message)
        Self.text("a value", to: &message)
        #expect(digest.finish() == message.finish())
    }

    @Test("a hash: kind 3 for each field, value and expiry; their sum and count in the entry")
    func hash() {
        var digest = EntryDigest([.fieldExpiry])
        digest.begin(EntryHeader(database: 7, type: .hash, hasFieldExpiries: true, expiresAt: 1), key: RawSpan())
        var sum = DigestSum()
        for (field, expiry) in [("a", 9), ("b", nil)] as [(String, Int64?)] {
            field.withRawSpan { digest.text($0, as: .field) }
            digest.integer(12, as: .fieldValue)
            digest.fieldExpiry(expiry)
            var message = Self.message(3)
            Self.text(field, to: &message)
            Self.text("12", to: &message)
            if let expiry { message.append(word: UInt64(expiry)) }
            sum.add(message.finish())
        }
        var message = Self.message(1)
        message.append(word: 5)
        Self.text("", to: &message)
        message.append(sum)
        #expect(digest.finish() == message.finish())
    }

    @Test("a key of one's own makes other digests of the same data")
    func otherKey() {
        let key = Digest128(high: 1, low: 2)
        var digest = EntryDigest([], key: key)
        digest.begin(EntryHeader(), key: RawSpan())
        digest.integer(1, as: .string)
        var message = Self.message(1, key: key)
        message.append(word: 1)
        Self.text("", to: &message)
        Self.text("1", to: &message)
        let entry = digest.finish()
        #expect(entry == message.finish())
        var sum = DigestSum()
        sum.add(entry)
        #expect(digest.combine(sum) != EntryDigest().combine(sum))
    }
}
