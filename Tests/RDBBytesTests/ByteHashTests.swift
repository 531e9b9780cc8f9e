import RDBBytes
import Testing

@Suite("hash of keys in memory")
struct ByteHashTests {
    @Test("is the same for the same bytes, and another for others")
    func equality() {
        func hash(_ bytes: [UInt8]) -> UInt64 { ByteHash.hash(bytes.rawSpan) }
        #expect(hash([1, 2, 3]) == hash([1, 2, 3]))
        #expect(hash([1, 2, 3]) != hash([1, 2]))
    }

    /// Of so few, two have the same hash by chance in one of some 40 million runs.
    @Test("has no collisions among texts that look alike")
    func alike() {
        var texts = (0..<200_000).flatMap { ["\($0)", "\($0):", "user:\($0)", "\($0 % 10)\($0)\($0)"] }
        for count in 0..<100 {
            for byte in 0..<64 as Range<UInt8> {
                texts.append(String(repeating: Character(UnicodeScalar(byte)), count: count))
                texts.append(String(repeating: "1", count: count) + String(UnicodeScalar(byte)) + "1:")
            }
        }
        let all = Set(texts)
        #expect(Set(all.map { $0.withRawSpan { ByteHash.hash($0) } }).count == all.count)
    }
}
