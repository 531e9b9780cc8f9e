import RDBBytes
import Testing

@testable import AOFState

@Suite("hash of keys in memory")
struct ByteHashTests {
    @Test("is the same for the same bytes, and another for others")
    func equality() {
        func hash(_ bytes: [UInt8]) -> UInt64 { ByteHash.hash(bytes.rawSpan) }
        #expect(hash([1, 2, 3]) == hash([1, 2, 3]))
        #expect(hash([1, 2, 3]) != hash([1, 2]))
    }
}
