import RDBBytes
import RDBTestSupport
import Testing

@Suite("recording what a pipe delivers")
struct RecordingSourceTests {
    /// Random reads, holds, rewinds and releases through a window, against the array that the bytes come from.
    @Test("any order of holding and going back", arguments: 1...60 as ClosedRange<UInt64>)
    func anyOrder(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let bytes = random.bytes(6000)
        // The smallest memory makes everything go through the file.
        let source = RecordingSource(
            FailingSource(bytes, seed: seed), memoryLimit: [0, 50, 1 << 20][Int(seed % 3)])
        var window = ByteWindow(source, initialByteCount: Int.random(in: 16...300, using: &random))
        var mark: UInt64?
        for step in 0..<400 {
            let at = Int(window.offset)
            switch Int.random(in: 0..<10, using: &random) {
            case 0 where mark == nil:
                window.mark()
                mark = window.offset
            case 1:
                if let place = mark {
                    let back = UInt64.random(in: place...window.offset, using: &random)
                    try window.rewind(to: back)
                    #expect(window.offset == back, "seed \(seed), step \(step)")
                }
            case 2 where mark != nil:
                window.unmark()
                mark = nil
            default:
                let count = min(Int.random(in: 0...80, using: &random), bytes.count - at)
                if count == 0 { continue }
                let got = try window.take(count).array
                #expect(got == Array(bytes[at..<at + count]), "seed \(seed), step \(step)")
                if got != Array(bytes[at..<at + count]) { return }
            }
        }
    }

    @Test("more than the memory goes to a file, and comes back", arguments: [0, 1000, 1 << 30])
    func large(memoryLimit: Int) throws {
        var random = SplitMix64(seed: 8)
        let bytes = random.bytes(300_000)
        var window = ByteWindow(
            RecordingSource(MemorySource(bytes, pieceByteCount: 999), memoryLimit: memoryLimit), initialByteCount: 512)
        try window.skip(10)
        window.mark()
        try window.skip(200_000)
        for _ in 0..<3 {
            try window.rewind(to: 10)
            try window.skip(100_000)
            #expect(try window.take(100).array == Array(bytes[100_010..<100_110]))
        }
        try window.rewind(to: 10)
        window.unmark()
        // What is still to be replayed stays, then the source goes on.
        try window.skip(299_980)
        #expect(try window.take(10).array == Array(bytes[299_990...]))
        #expect(try window.isAtEnd())
    }
}
