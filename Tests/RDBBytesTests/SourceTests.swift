import CLZ4
import CZlib
import Glibc
import RDBBytes
import RDBTestSupport
import Testing

@Suite("sources of bytes")
struct SourceTests {
    // MARK: - gzip

    static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        let status = deflateInit2_(
            &stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK)
        defer { deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: bytes.count + 1000)
        let count = input.withUnsafeMutableBufferPointer { from in
            output.withUnsafeMutableBufferPointer { to in
                stream.next_in = from.baseAddress
                stream.avail_in = UInt32(from.count)
                stream.next_out = to.baseAddress
                stream.avail_out = UInt32(to.count)
                let end = deflate(&stream, Z_FINISH)
                precondition(end == Z_STREAM_END)
                return to.count - Int(stream.avail_out)
            }
        }
        return Array(output[..<count])
    }

    static func gunzip(_ bytes: [UInt8], piece: Int = .max) throws(SourceError) -> [UInt8] {
        try readAll(GzipSource(MemorySource(bytes, pieceByteCount: piece)))
    }

    @Test("gzip members one after another, in pieces of any size", arguments: [1, 5, 1000, .max])
    func gzipMembers(piece: Int) throws {
        var random = SplitMix64(seed: 3)
        let first = random.words(70000)
        let second = random.bytes(3000)
        let all = Self.gzip(first) + Self.gzip([]) + Self.gzip(second)
        #expect(try Self.gunzip(all, piece: piece) == first + second)
        #expect(try Self.gunzip(all + [UInt8](repeating: 0, count: 600), piece: piece) == first + second)
    }

    @Test("every cut of a gzip stream is told")
    func gzipCut() {
        let all = Self.gzip(Array("hello hello hello hello".utf8))
        for count in 0..<all.count {
            #expect(throws: SourceError.damaged(.badGzip, "the end of the gzip stream")) {
                try Self.gunzip(Array(all[..<count]))
            }
        }
    }

    @Test("a wrong checksum, a wrong head and trailing garbage of a gzip stream are told")
    func gzipDamage() {
        let all = Self.gzip(Array("hello".utf8))
        var badSum = all
        badSum[all.count - 5] ^= 1
        for bad in [badSum, [0x1f, 0x8b, 0x07] + all, all + Array("garbage".utf8), Array("no gzip at all".utf8)] {
            #expect(throws: SourceError.damaged(.badGzip, "a sound gzip stream")) { try Self.gunzip(bad) }
        }
    }

    // MARK: - LZ4

    static func lz4Frame(_ bytes: [UInt8]) -> [UInt8] {
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled
        preferences.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled
        var output = [UInt8](repeating: 0, count: LZ4F_compressFrameBound(bytes.count, &preferences))
        let count = bytes.withUnsafeBytes { from in
            output.withUnsafeMutableBytes { to in
                LZ4F_compressFrame(to.baseAddress, to.count, from.baseAddress, from.count, &preferences)
            }
        }
        precondition(LZ4F_isError(count) == 0)
        return Array(output[..<count])
    }

    static let envelope = hex("56 43 53 01 01 00 01")

    static func unpack(_ bytes: [UInt8], piece: Int = .max) throws(SourceError) -> [UInt8] {
        try readAll(LZ4Source(envelopeOf: MemorySource(bytes, pieceByteCount: piece)))
    }

    @Test("Valkey's compressed envelope, in pieces of any size", arguments: [1, 5, 1000, .max])
    func lz4(piece: Int) throws {
        var random = SplitMix64(seed: 5)
        let text = random.words(300_000)
        #expect(try Self.unpack(Self.envelope + Self.lz4Frame(text), piece: piece) == text)
        // Bytes behind the frame are ignored.
        #expect(try Self.unpack(Self.envelope + Self.lz4Frame([]) + [1, 2, 3], piece: piece) == [])
    }

    @Test("every cut of the envelope is told")
    func lz4Cut() {
        let all = Self.envelope + Self.lz4Frame(Array("hello hello hello hello".utf8))
        for count in 0..<all.count {
            let expected: SourceError =
                count < 7
                ? .damaged(.truncated, "7 bytes of the compressed envelope")
                : .damaged(.badLZ4, "the end of the LZ4 frame")
            #expect(throws: expected) { try Self.unpack(Array(all[..<count])) }
        }
    }

    @Test("a damaged frame is told")
    func lz4Damage() {
        let all = Self.envelope + Self.lz4Frame(Array("hello hello hello hello".utf8))
        for index in 7..<all.count {
            var bad = all
            bad[index] ^= 0xff
            #expect(throws: SourceError.self, "byte \(index)") { try Self.unpack(bad) }
        }
    }

    /// The bytes before a fault, and the fault.
    static func readUntilFault(_ source: any ByteSource, bufferByteCount: Int) -> ([UInt8], SourceError?) {
        var bytes: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferByteCount, alignment: 16)
        defer { buffer.deallocate() }
        do throws(SourceError) {
            while true {
                let count = try source.read(into: buffer)
                if count == 0 { return (bytes, nil) }
                bytes += UnsafeRawBufferPointer(rebasing: buffer[..<count])
            }
        } catch { return (bytes, error) }
    }

    @Test("what comes before damage is delivered, however much is asked for at once", arguments: [false, true])
    func beforeDamage(isLZ4: Bool) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        let text = random.words(isLZ4 ? 400_000 : 20_000)
        let all = isLZ4 ? Self.envelope + Self.lz4Frame(text) : Self.gzip(text)
        var delivered = 0
        for _ in 0..<40 {
            var bad = all
            let place = Int.random(in: 30..<all.count, using: &random)
            bad[place] ^= UInt8.random(in: 1 ... .max, using: &random)
            func read(_ bufferByteCount: Int, piece: Int) throws(SourceError) -> ([UInt8], SourceError?) {
                let memory = MemorySource(bad, pieceByteCount: piece)
                let source: any ByteSource = isLZ4 ? try LZ4Source(envelopeOf: memory) : try GzipSource(memory)
                return Self.readUntilFault(source, bufferByteCount: bufferByteCount)
            }
            let expected = try read(1 << 20, piece: .max)
            delivered += expected.0.count
            for (count, piece) in [(1, Int.max), (100, 7), (4096, 1000), (1 << 17, .max)] {
                let found = try read(count, piece: piece)
                #expect(found.0 == expected.0, "byte \(place), \(count) at once, seed \(seed)")
                #expect(found.1 == expected.1, "byte \(place), \(count) at once, seed \(seed)")
            }
            if isLZ4 { #expect(text.starts(with: expected.0), "seed \(seed)") }
        }
        #expect(delivered > 0)
    }

    @Test(
        "envelopes of other versions, codecs and kinds",
        arguments: [
            ("56 43 53 02 01 00 01", .unsupportedVersion), ("56 43 53 01 02 00 01", .unsupportedInput),
            ("56 43 53 01 01 01 01", .unsupportedInput), ("56 43 53 01 01 00 02", .unsupportedInput),
        ] as [(String, DecodeError.Code)])
    func envelopes(_ head: String, _ code: DecodeError.Code) {
        do throws(SourceError) {
            _ = try Self.unpack(hex(head) + Self.lz4Frame([1]))
            Issue.record("should be refused")
        } catch {
            guard case .damaged(code, _) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    // MARK: - Files

    @Test("a regular file can go back, from wherever it was begun")
    func descriptor() throws {
        let folder = TemporaryFolder()
        folder.write(Array("0123456789".utf8), "f")
        let source = try DescriptorSource(path: folder.file("f"))
        #expect(source.canRewind)
        #expect(source.byteCount == 10)
        #expect(try readAll(source) == Array("0123456789".utf8))
        #expect(source.consumedByteCount == 10)
        try source.rewind(to: 7)
        #expect(try readAll(source) == Array("789".utf8))

        let descriptor = open(folder.file("f"), O_RDONLY)
        _ = lseek(descriptor, 4, SEEK_SET)
        let later = try DescriptorSource(descriptor: descriptor, closes: true)
        #expect(later.byteCount == 6)
        #expect(try readAll(later) == Array("456789".utf8))
        try later.rewind(to: 1)
        #expect(try readAll(later) == Array("56789".utf8))
    }

    @Test("files that are missing or folders")
    func unreadable() {
        let folder = TemporaryFolder()
        #expect(throws: SourceError.system(ENOENT)) { try DescriptorSource(path: folder.file("none")) }
        #expect(throws: SourceError.system(EISDIR)) { try DescriptorSource(path: folder.path) }
    }

    @Test("a pipe cannot go back")
    func pipes() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        _ = write(ends[1], "abc", 3)
        _ = close(ends[1])
        let source = try DescriptorSource(descriptor: ends[0], closes: true)
        #expect(!source.canRewind)
        #expect(source.byteCount == nil)
        #expect(try readAll(source) == Array("abc".utf8))
        #expect(throws: SourceError.system(ESPIPE)) {
            try source.hold(from: 0, delivered: UnsafeRawBufferPointer(start: nil, count: 0))
        }
    }
}
