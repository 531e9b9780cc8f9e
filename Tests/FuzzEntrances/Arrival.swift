import RDBKit

/// How bytes reach the decoder: the size of its window, that of the pieces, and whether the source can go back.
public struct Arrival: Sendable {
    public var windowByteCount: Int
    public var pieceByteCount: Int
    public var canRewind: Bool

    /// Everything at once.
    public static let whole = Arrival(windowByteCount: 64 << 10, pieceByteCount: .max, canRewind: true)

    private static let windows = [16, 17, 23, 64, 257, 1 << 10, 4 << 10, 64 << 10]
    private static let pieces = [1, 2, 3, 7, 16, 61, 509, Int.max]

    /// - Parameter choice: bits 0 to 2 choose the piece, 3 to 5 the window, 6 the source.
    public init(choice: UInt8) {
        self.init(
            windowByteCount: Self.windows[Int(choice >> 3 & 7)], pieceByteCount: Self.pieces[Int(choice & 7)],
            canRewind: choice & 0x40 == 0)
    }

    private init(windowByteCount: Int, pieceByteCount: Int, canRewind: Bool) {
        self.windowByteCount = windowByteCount
        self.pieceByteCount = pieceByteCount
        self.canRewind = canRewind
    }

    func source(_ bytes: [UInt8]) -> any ByteSource {
        let memory = MemorySource(bytes, pieceByteCount: pieceByteCount)
        return canRewind ? memory : RecordingSource(ForwardSource(memory))
    }
}

/// A source that cannot go back, as a pipe is.
private final class ForwardSource: ByteSource {
    private let base: MemorySource

    init(_ base: MemorySource) { self.base = base }

    var byteCount: UInt64? { nil }
    var consumedByteCount: UInt64 { base.consumedByteCount }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SourceError) -> Int { try base.read(into: buffer) }
    func hold(from offset: UInt64, delivered: UnsafeRawBufferPointer) { preconditionFailure("cannot go back") }
    func rewind(to offset: UInt64) { preconditionFailure("cannot go back") }
    func release() {}
}
