import RDBBytes
import RDBTestSupport
import Testing

@Suite("LZF")
struct LZFTests {
    /// Decompresses into memory with a guard behind the granted slack.
    static func decompress(_ block: [UInt8], _ count: Int) -> Result<[UInt8], LZF.Fault> {
        let total = count + LZF.slackByteCount
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: total + 64, alignment: 16)
        defer { memory.deallocate() }
        for index in total..<total + 64 { memory[index] = 0xa5 }
        let output = UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
        defer {
            for index in total..<total + 64 where memory[index] != 0xa5 {
                Issue.record("written behind the slack: \(block.count) to \(count)")
                break
            }
        }
        func result(_ body: () throws(LZF.Fault) -> Void) -> Result<[UInt8], LZF.Fault> {
            do throws(LZF.Fault) {
                try body()
                return .success(Array(output))
            } catch {
                return .failure(error)
            }
        }
        let plain = result { () throws(LZF.Fault) in try LZF.decompress(block.rawSpan, into: output) }
        // The same with bytes behind the input that may be read and must not matter.
        let slack = block + [UInt8](repeating: 0x5a, count: LZF.slackByteCount)
        let loose = result { () throws(LZF.Fault) in
            try LZF.decompress(slack.rawSpan.extracting(0..<block.count), into: output, inputHasSlack: true)
        }
        #expect(plain == loose)
        return plain
    }

    @Test("ours equals liblzf on what liblzf compressed", arguments: 1...60 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let count = seed < 40 ? Int.random(in: 1...600, using: &random) : Int.random(in: 5000...40000, using: &random)
        var text = random.words(count)
        if seed % 3 == 0 {
            for _ in 0..<count / 10 {
                text[Int.random(in: 0..<count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
            }
        }
        guard let block = LZF.compress(text, maxByteCount: count * 2 + 64) else { return }
        #expect(Self.decompress(block, count) == .success(text), "seed \(seed)")
        #expect(LZF.decompressByLibrary(block, byteCount: count) == text, "seed \(seed)")
    }

    @Test("what does not shrink is not compressed")
    func incompressible() {
        var random = SplitMix64(seed: 4)
        #expect(LZF.compress(random.bytes(100), maxByteCount: 96) == nil)
        #expect(LZF.compress([], maxByteCount: 10) == nil)
    }

    @Test("matches of every length at every distance up to forty")
    func overlaps() {
        for distance in 1...40 {
            let start = (0..<distance).map { UInt8($0 + 1) }
            for length in [3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 40, 63, 64, 65, 100, 263, 264] {
                var block: [UInt8] = []
                for from in stride(from: 0, to: distance, by: 32) {
                    let run = start[from..<min(from + 32, distance)]
                    block += [UInt8(run.count - 1)] + run
                }
                if length <= 8 {
                    block += [UInt8(length - 2) << 5, UInt8(distance - 1)]
                } else {
                    block += [0xe0, UInt8(length - 9), UInt8(distance - 1)]
                }
                block += [0, 0xee]
                var expected = start
                for _ in 0..<length { expected.append(expected[expected.count - distance]) }
                expected.append(0xee)
                #expect(
                    Self.decompress(block, expected.count) == .success(expected), "distance \(distance), \(length)")
            }
        }
    }

    @Test("the farthest match")
    func farthest() {
        var random = SplitMix64(seed: 12)
        let start = random.bytes(8192)
        var block: [UInt8] = []
        for from in stride(from: 0, to: 8192, by: 32) { block += [31] + start[from..<from + 32] }
        #expect(Self.decompress(block + [0x3f, 0xff], 8195) == .success(start + start[..<3]))
        #expect(Self.decompress(block + [0xff, 0xff, 0xff], 8192 + 264) == .success(start + start[..<264]))
        #expect(Self.decompress(Array(block.dropLast(33)) + [0x3f, 0xff], 8163) == .failure(.distanceTooFar(8192)))
    }

    @Test(
        "faults",
        arguments: [
            ([0x05, 0x61], 6, .inputEndsInside), ([0x00], 1, .inputEndsInside), ([0, 0x61, 0x20], 4, .inputEndsInside),
            ([0, 0x61, 0xe0, 0x01], 11, .inputEndsInside), ([0, 0x61, 0xe0], 11, .inputEndsInside),
            ([0x20, 0x00], 3, .distanceTooFar(1)), ([0, 0x61, 0x20, 0x01], 4, .distanceTooFar(2)),
            ([0, 0x61, 0x3f, 0xff], 4, .distanceTooFar(8192)), ([1, 0x61, 0x61], 1, .outputTooLong),
            ([0, 0x61, 0x20, 0x00], 3, .outputTooLong), ([0, 0x61], 2, .outputTooShort(1)), ([], 1, .outputTooShort(0)),
        ] as [([UInt8], Int, LZF.Fault)])
    func faults(_ block: [UInt8], _ count: Int, _ fault: LZF.Fault) {
        #expect(Self.decompress(block, count) == .failure(fault))
        #expect(LZF.decompressByLibrary(block, byteCount: count) == nil)
    }

    @Test(
        "damaged blocks never write out of bounds, and succeed only where liblzf does",
        arguments: 1...40 as ClosedRange<UInt64>)
    func damaged(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let text = random.words(Int.random(in: 20...300, using: &random))
        guard let block = LZF.compress(text, maxByteCount: 400) else { return }
        for _ in 0..<100 {
            var bad = block
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bad[Int.random(in: 0..<bad.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
            }
            let count = max(1, text.count + Int.random(in: -3...3, using: &random))
            let library = LZF.decompressByLibrary(bad, byteCount: count)
            switch Self.decompress(bad, count) {
            case .success(let bytes): #expect(library == bytes, "seed \(seed)")
            case .failure: #expect(library == nil, "seed \(seed)")
            }
        }
    }
}
