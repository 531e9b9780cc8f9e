import Glibc
import RDBBytes
import RDBTestSupport
import Testing

/// Nothing depends on how the bytes arrive.
@Suite("arrival of bytes")
struct ArrivalTests {
    static let windows = [1, 2, 3, 7, 64, 4096]
    static let pieces = [1, 5, 1000]

    @Test("same events however the bytes arrive", arguments: Specimen.all)
    func split(_ specimen: Specimen) {
        let whole = Transcript.of(specimen.bytes, windowByteCount: specimen.bytes.count)
        for window in Self.windows {
            for piece in Self.pieces {
                let parts = Transcript.of(specimen.bytes, windowByteCount: window, pieceByteCount: piece)
                #expect(parts == whole, "window \(window), pieces of \(piece)")
            }
        }
    }

    @Test("short reads of random sizes", arguments: Specimen.all)
    func shortReads(_ specimen: Specimen) {
        let whole = Transcript.of(specimen.bytes)
        for seed in 1...5 as ClosedRange<UInt64> {
            let parts = Transcript.of(FailingSource(specimen.bytes, seed: seed), windowByteCount: 20)
            #expect(parts == whole, "seed \(seed)")
        }
    }

    @Test("a value read twice gives the same events", arguments: Specimen.all)
    func rewind(_ specimen: Specimen) {
        let once = Transcript.of(specimen.bytes)
        for window in Self.windows {
            #expect(Transcript.of(specimen.bytes, windowByteCount: window, way: .rewind) == once, "window \(window)")
            // A pipe: in memory, and through the temporary file.
            for memoryLimit in [1 << 20, 10] {
                let source = RecordingSource(
                    FailingSource(specimen.bytes, seed: UInt64(window)), memoryLimit: memoryLimit)
                #expect(
                    Transcript.of(source, windowByteCount: window, way: .rewind) == once,
                    "window \(window), memory \(memoryLimit)")
            }
        }
    }

    @Test("a source that fails at any byte is told with its errno", arguments: Specimen.all)
    func failure(_ specimen: Specimen) {
        for place in specimen.bytes.sampledIndices {
            let source = FailingSource(specimen.bytes, failsAt: place, seed: UInt64(place))
            let error = Transcript.of(source, windowByteCount: 64).error
            #expect(error?.code == .readFailed, "byte \(place)")
            #expect(error?.found == .number(Int64(EIO)), "byte \(place)")
            #expect(error.map { $0.offset <= UInt64(place) } ?? false, "byte \(place)")
        }
    }
}
