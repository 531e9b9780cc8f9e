import Glibc
import RDBBytes
import RDBTestSupport
import Testing

@Suite("windows over a source")
struct ByteWindowTests {
    @Test("reads of all kinds, through windows and pieces of any size", arguments: [16, 17, 64, 4096], [1, 3, 1000])
    func reads(window: Int, piece: Int) throws {
        let bytes = hex("01 0203 04050607 08090a0b0c0d0e0f ff fe") + Array("texttexttexttexttext".utf8)
        var window = ByteWindow(MemorySource(bytes, pieceByteCount: piece), initialByteCount: window)
        #expect(try window.peek() == 1)
        #expect(try window.byte() == 1)
        #expect(try window.littleEndian(UInt16.self) == 0x0302)
        #expect(try window.bigEndian(UInt32.self) == 0x0405_0607)
        #expect(try window.littleEndian(UInt64.self) == 0x0f0e_0d0c_0b0a_0908)
        #expect(try window.littleEndian(Int16.self) == -257)
        #expect(window.offset == 17)
        #expect(try window.take(5).array == Array("textt".utf8))
        try window.skip(11)
        #expect(try window.take(4).array == Array("text".utf8))
        #expect(try window.isAtEnd())
        #expect(throws: DecodeError.self) { try window.byte() }
    }

    @Test("limits nest, and nothing is read beyond them")
    func limits() throws {
        var window = ByteWindow(MemorySource(Array(0..<100), pieceByteCount: 7), initialByteCount: 16)
        try window.skip(3)
        let outer = try window.narrow(to: 50)
        let inner = try window.narrow(to: 4)
        #expect(window.remainingByteCount == 4)
        #expect(
            throws: DecodeError(
                .truncated, at: ByteLocation(offset: 7), expected: "more bytes in the value", found: .endOfValue)
        ) {
            try window.littleEndian(UInt64.self)
        }
        #expect(try window.take(4).array == [3, 4, 5, 6])
        #expect(window.isAtLimit == true)
        #expect(try window.isAtEnd())
        window.widen(to: inner)
        #expect(window.remainingByteCount == 46)
        #expect(throws: DecodeError.self) { try window.narrow(to: 47) }
        #expect(throws: DecodeError.self) { try window.narrow(to: .max) }
        try window.skip(46)
        #expect(window.isAtLimit == true)
        window.widen(to: outer)
        #expect(try window.byte() == 53)
    }

    @Test("a skip past the end tells where the end is")
    func farSkip() {
        var window = ByteWindow(MemorySource([UInt8](repeating: 0, count: 5000)), initialByteCount: 64)
        #expect(
            throws: DecodeError(.truncated, at: ByteLocation(offset: 5000), expected: "more bytes", found: .endOfInput)
        ) {
            try window.skip(.max)
        }
    }

    @Test("the checksum counts bytes once that are read twice")
    func checksum() throws {
        var random = SplitMix64(seed: 21)
        let bytes = random.bytes(3000)
        for initial in [16, 100, 5000] {
            var window = ByteWindow(
                MemorySource(bytes, pieceByteCount: 33), initialByteCount: initial, verifiesChecksum: true)
            try window.skip(100)
            window.mark()
            try window.skip(1500)
            try window.rewind(to: 100)
            try window.skip(700)
            try window.rewind(to: 300)
            window.unmark()
            try window.skip(2000)
            #expect(window.checksum().value == crc64(bytes[..<2300]))
            try window.skip(700)
            #expect(window.checksum().value == crc64(bytes))
        }
    }

    @Test("chunks join to the whole")
    func chunks() throws {
        var random = SplitMix64(seed: 22)
        let bytes = random.bytes(10000)
        var window = ByteWindow(MemorySource(bytes, pieceByteCount: 77), initialByteCount: 100)
        var all: [UInt8] = []
        while all.count < 9000 { all += try window.takeChunk(upTo: UInt64(9000 - all.count)).array }
        #expect(all == Array(bytes[..<9000]))
        #expect(window.offset == 9000)
    }

    @Test("a source that fails is told with its errno and place", arguments: [0, 1, 8, 9, 100])
    func failure(at place: Int) {
        var window = ByteWindow(
            FailingSource([UInt8](repeating: 1, count: 200), failsAt: place, seed: 1), initialByteCount: 32)
        do throws(DecodeError) {
            while true { _ = try window.byte() }
        } catch {
            #expect(error.code == .readFailed)
            #expect(error.found == .number(Int64(EIO)))
            #expect(error.offset == UInt64(place))
        }
    }

    @Test("a request to stop and a damaged stream keep their codes")
    func otherFailures() {
        for (cause, code) in [(.interrupted, .interrupted), (.damaged(.badGzip, "x"), .badGzip)]
            as [(SourceError, DecodeError.Code)]
        {
            var window = ByteWindow(FailingSource([1], failsAt: 1, error: cause))
            #expect(throws: Never.self) { try window.byte() }
            do throws(DecodeError) {
                _ = try window.byte()
                Issue.record("should fail")
            } catch {
                #expect(error.code == code)
                #expect(error.offset == 1)
            }
        }
    }
}
