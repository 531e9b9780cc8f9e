import Glibc
import RDBBytes
import RDBTestSupport
import Testing

/// Files that servers wrote, damaged in samples: they are too large to try every byte.
@Suite("files of servers, damaged")
struct FixtureTests {
    static let folder =
        String(#filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/"))
        + "/testdata"

    /// Every dump below testdata, by its path there.
    static let names: [String] = names(in: "")

    static func names(in folder: String) -> [String] {
        guard let stream = opendir("\(Self.folder)/\(folder)") else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasPrefix(".") { continue }
            if entry.pointee.d_type == UInt8(DT_DIR) { names += Self.names(in: "\(folder)\(name)/") }
            if name.hasSuffix(".rdb") { names.append(folder + name) }
        }
        return names.sorted()
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        try readAll(DescriptorSource(path: "\(folder)/\(name)"), pieceByteCount: 1 << 20)
    }

    @Test("same events however the bytes arrive, and no fault", arguments: names)
    func arrival(_ name: String) throws {
        let bytes = try Self.bytes(name)
        let whole = Transcript.of(bytes, windowByteCount: bytes.count, strict: true)
        #expect(whole.error == nil)
        #expect(whole.faults == [])
        for (window, piece) in [(16, 1000), (100, 17), (4096, 4096)] {
            let isSame = Transcript.of(bytes, windowByteCount: window, pieceByteCount: piece, strict: true) == whole
            #expect(isSame, "window \(window), pieces of \(piece)")
        }
        let skipped = Transcript.of(bytes, way: .skip).lines.filter { $0.hasPrefix("ends at") }
        #expect(skipped == whole.lines.filter { $0.hasPrefix("ends at") })
        let isSame =
            Transcript.of(RecordingSource(FailingSource(bytes, seed: 5), memoryLimit: 500), way: .rewind).lines
            == whole.lines
        #expect(isSame)
    }

    @Test("prefixes and flipped bytes end in a result or an error", arguments: names)
    func damage(_ name: String) throws {
        let bytes = try Self.bytes(name)
        var random = SplitMix64(seed: 1)
        for _ in 0..<12 {
            let count = Int.random(in: 0..<bytes.count, using: &random)
            let prefix = Array(bytes[..<count])
            let error = try #require(Walk.check.run(prefix, windowByteCount: 4096), "\(count) bytes")
            #expect(error.offset <= UInt64(count), "\(count) bytes")
            var flipped = bytes
            flipped[count] ^= [0xff, 0x01, 0x80][count % 3]
            for walk in [Walk.check, .jsonSkippingFaults] { _ = walk.run(flipped, windowByteCount: 4096) }
        }
    }
}
