public import RDBBytes

/// Which keys are wanted of a side.
public typealias KeyFilter = (_ database: UInt64, _ key: RawSpan) -> Bool

/// One of two inputs that are compared. Whatever can be read as an RDB can be a side: a file, what a log leads to, a
/// server.
public protocol SnapshotSide: AnyObject {
    /// As messages name it: a path, or an address without its password.
    var name: String { get }

    /// Whether the data may change between one stream and the next.
    var isLive: Bool { get }

    /// Whether another stream of the same data costs nothing but reading it.
    var canReadAgain: Bool { get }

    /// A new stream of the side's data: an RDB from its first byte on, which can go back (`hold` and `rewind`).
    ///
    /// A comparison opens a side once for each pass over it, one pass after another; the stream before is no longer used.
    ///
    /// - Parameters:
    ///   - wants: where given, only entries whose keys it admits are needed: a side that fetches values one by one can
    ///     leave out the others. What is delivered besides is passed over. The filter may be called from one thread at a
    ///     time, as long as the stream is read.
    ///   - isLast: whether the side will not be opened again, so that nothing has to be kept for that.
    /// - Throws: `InputError`, or an error of the side's own layer.
    func open(wanting wants: KeyFilter?, isLast: Bool) throws -> any ByteSource

    /// What really ended the stream opened last, where a source's own errors cannot say it.
    var failure: (any Error)? { get }
}

extension SnapshotSide {
    public var isLive: Bool { false }
    public var canReadAgain: Bool { false }
    public var failure: (any Error)? { nil }
}
