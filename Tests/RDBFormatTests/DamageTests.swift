import RDBBytes
import RDBTestSupport
import Testing

/// Bytes from outside end in a result or an error. A trap would end the test run.
@Suite("damaged files")
struct DamageTests {
    @Test("every prefix is an error inside the prefix", arguments: Specimen.all)
    func prefixes(_ specimen: Specimen) {
        for count in specimen.bytes.sampledIndices {
            let prefix = Array(specimen.bytes[..<count])
            for walk in [Walk.skip, .check] {
                let error = walk.run(prefix)
                #expect(error != nil, "\(count) bytes, \(walk)")
                #expect((error?.offset ?? 0) <= UInt64(count), "\(count) bytes, \(walk)")
            }
            let plain = Transcript.of(prefix).error
            #expect(plain?.code == .truncated || plain?.code == .badLZF, "\(count) bytes: \(plain as Any)")
            #expect(plain == Transcript.of(prefix, windowByteCount: 16, pieceByteCount: 3).error, "\(count) bytes")
        }
    }

    @Test("every flipped byte ends in a result or an error", arguments: Specimen.all, [0xff, 0x01, 0x80] as [UInt8])
    func flips(_ specimen: Specimen, _ mask: UInt8) {
        for index in specimen.bytes.sampledIndices {
            var bytes = specimen.bytes
            bytes[index] ^= mask
            for walk in mask == 0xff ? [Walk.check, .jsonSkippingFaults, .keys, .redisDigest] : [.check, .digest] {
                if let error = walk.run(bytes) {
                    #expect(error.offset <= UInt64(bytes.count), "byte \(index), \(walk): \(error)")
                }
            }
            guard mask == 0x01 else { continue }
            let whole = Transcript.of(bytes)
            #expect(whole == Transcript.of(bytes, windowByteCount: 16, pieceByteCount: 5), "byte \(index)")
        }
    }

    @Test("every flipped byte with a checksum that agrees", arguments: Specimen.all)
    func consistentFlips(_ specimen: Specimen) {
        // Without the checksum's protection more damage reaches the decoders' ends.
        for index in specimen.bytes.dropLast(9).indices where specimen.bytes.count < 400 {
            for value in [0x00, 0x7f, 0xfe] as [UInt8] {
                var bytes = Array(specimen.bytes.dropLast(8))
                bytes[index] = value
                bytes += [UInt8](repeating: 0, count: 8)
                for walk in [Walk.check, .digest, .redisDigest] { _ = walk.run(bytes) }
            }
        }
    }

    @Test("random bytes behind a head", arguments: 1...20 as ClosedRange<UInt64>)
    func soup(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for magic in ["REDIS0011", "REDIS0015", "VALKEY081"] {
            for type in (0...34).map({ UInt8($0) }) + [64] {
                // Small numbers make plausible lengths.
                var bytes = random.bytes(60).map { $0 % 4 == 0 ? $0 : $0 % 8 }
                bytes = Array(magic.utf8) + [type, 1, 0x6b] + bytes
                for walk in Walk.allCases { _ = walk.run(bytes) }
            }
        }
    }
}
