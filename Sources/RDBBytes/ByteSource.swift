/// Where the bytes of an input come from, front to back.
///
/// A value that has to be read twice (checked first, then written) is marked by its reader. A source that can seek
/// goes back by itself; one that cannot is wrapped in a `RecordingSource`.
public protocol ByteSource: AnyObject {
    /// Reads up to `buffer.count` bytes, at least one unless the input has ended (then 0).
    /// - Throws: `SourceError` with the errno, or with the code of a damaged compressed stream.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SourceError) -> Int

    /// Bytes of the underlying file (compressed, where it is) where that is known beforehand.
    var byteCount: UInt64? { get }

    /// How far the underlying file has been read, for progress: differs from what was delivered when compressed.
    var consumedByteCount: UInt64 { get }

    /// From now on `rewind(to:)` must be possible for every offset from `offset` on. The bytes from there that were
    /// delivered already are in `delivered`.
    func hold(from offset: UInt64, delivered: UnsafeRawBufferPointer) throws(SourceError)

    /// The next read delivers the byte at `offset`, which is held.
    func rewind(to offset: UInt64) throws(SourceError)

    /// Nothing is held any more.
    func release()
}

/// A fault of a source that is not about the layout of an RDB or AOF file.
public enum SourceError: Error, Equatable, Sendable {
    /// The system refused: errno.
    case system(Int32)
    /// A compressed stream is damaged or ends early.
    case damaged(DecodeError.Code, StaticString)

    public static func == (left: SourceError, right: SourceError) -> Bool {
        switch (left, right) {
        case (.system(let a), .system(let b)): a == b
        case (.damaged(let a, let words), .damaged(let b, let others)):
            a == b && words.description == others.description
        case (.interrupted, .interrupted): true
        default: false
        }
    }
    /// The program was asked to stop.
    case interrupted
}
