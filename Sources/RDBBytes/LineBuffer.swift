/// Lines on their way to a file, gathered in memory and handed on in pieces. Without a file they are kept until another
/// buffer absorbs them.
///
/// The owner appends to `text` and calls `relieve` behind whole lines.
public struct LineBuffer: ~Copyable {
    @usableFromInline static var flushByteCount: Int { 128 << 10 }
    /// Twice what a batch of entries usually makes.
    private static let fullByteCount = 3 << 19

    private let file: OutputFile?
    /// What is not handed on yet.
    public var text = OutputBuffer()
    /// Why output stopped.
    public private(set) var failure: OutputError?

    public init(_ file: OutputFile?) { self.file = file }

    /// Whether lines that are kept should be absorbed before more come.
    public var isFull: Bool { file == nil && text.byteCount > Self.fullByteCount }

    /// Hands the lines on if they are enough to be worth a call.
    @inlinable @inline(__always)
    public mutating func relieve() {
        if text.byteCount >= Self.flushByteCount { flush() }
    }

    public mutating func flush() { file?.drain(&text, failure: &failure) }

    /// Writes the lines that another one kept, which is empty afterwards. This one has a file.
    public mutating func absorb(_ other: inout LineBuffer) {
        flush()
        file?.drain(&other.text, keeping: 2 << 20, failure: &failure)
    }
}

extension OutputFile {
    /// Writes what a buffer holds and empties it. After a failure it only empties it: the run ends at the next look at
    /// `failure`, and until then nothing piles up.
    /// - Parameter capacity: how much of the buffer's memory may stay for what comes next, in bytes.
    public func drain(_ buffer: inout OutputBuffer, keeping capacity: Int = 1 << 20, failure: inout OutputError?) {
        if failure == nil, buffer.byteCount > 0 {
            do throws(OutputError) { try write(buffer.bytes) } catch { failure = error }
        }
        buffer.truncate(to: 0)
        buffer.shrink(to: capacity)
    }
}
