import RDBBytes
import RDBTestSupport
import Testing

@Suite("CRC-64")
struct CRC64Tests {
    static func ours(_ bytes: [UInt8]) -> UInt64 {
        var crc = CRC64()
        crc.update(bytes.rawSpan)
        return crc.value
    }

    @Test(
        "known values",
        arguments: [("", 0), ("123456789", 0xe9c6_d914_c4b8_d9ca), ("a", 0x5fb3_5402_5b27_7b14)] as [(String, UInt64)])
    func known(_ text: String, _ value: UInt64) {
        let bytes = Array(text.utf8)
        #expect(Self.ours(bytes) == value)
        #expect(CRC64.byTable(bytes.rawSpan) == value)
        #expect(CRC64.byFolding(bytes.rawSpan).map { $0 == value } ?? true)
        #expect(crc64(bytes) == value)
    }

    @Test(
        "entries of the byte-wise table",
        arguments: [
            (0, 0), (1, 0x7ad8_70c8_3035_8979), (2, 0xf5b0_e190_606b_12f2), (128, 0x95ac_9329_ac4b_c9b5),
            (255, 0x29b7_d047_efec_8728),
        ] as [(UInt8, UInt64)])
    func table(_ byte: UInt8, _ value: UInt64) {
        #expect(Self.ours([byte]) == value)
        #expect(crc64([byte]) == value)
    }

    @Test("table, folding and bitwise agree on all lengths, from any start", arguments: [1, 2, 3] as [UInt64])
    func lengths(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for count in 0...600 {
            let bytes = random.bytes(count)
            let start = seed == 1 ? 0 : random.next()
            let expected = crc64(bytes, from: start)
            #expect(CRC64.byTable(bytes.rawSpan, from: start) == expected, "seed \(seed), \(count) bytes")
            if let folded = CRC64.byFolding(bytes.rawSpan, from: start) {
                #expect(folded == expected, "seed \(seed), \(count) bytes")
            }
            var crc = CRC64(start)
            crc.update(bytes.rawSpan)
            #expect(crc.value == expected, "seed \(seed), \(count) bytes")
        }
    }

    @Test("any split gives the same", arguments: 1...20 as ClosedRange<UInt64>)
    func splits(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let bytes = random.bytes(5000)
        let expected = crc64(bytes)
        var crc = CRC64()
        var index = 0
        while index < bytes.count {
            let end = min(bytes.count, index + Int.random(in: 0...(seed % 2 == 0 ? 40 : 700), using: &random))
            crc.update(bytes.rawSpan.extracting(index..<end))
            index = end
        }
        #expect(crc.value == expected, "seed \(seed)")
    }

    @Test("memory at any alignment gives the same")
    func alignment() {
        var random = SplitMix64(seed: 9)
        let bytes = random.bytes(400)
        for from in 0..<64 {
            #expect(
                CRC64.byFolding(bytes.rawSpan.extracting(from..<400)) ?? crc64(bytes[from...]) == crc64(bytes[from...]))
        }
    }
}
