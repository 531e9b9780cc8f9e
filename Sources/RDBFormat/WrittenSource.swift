public import RDBBytes

/// Makes an RDB piece by piece.
public protocol RDBProducer: ~Copyable {
    /// Appends the next few entries, or ends the file. Not called again after that.
    mutating func produce(_ writer: inout RDBWriter) throws(SourceError)
}

/// An RDB that is made while it is read, so that everything that reads files reads it as well. It is there once:
/// `RecordingSource` gives it the means to go back.
///
/// Memory: what the producer appends at once.
public final class WrittenSource<P: RDBProducer & ~Copyable>: ByteSource {
    private var producer: P
    private var writer: RDBWriter
    private var deliveredCount: UInt64 = 0
    /// What was handed over and not delivered yet.
    private var pending = OutputBuffer(capacity: 64 << 10)
    private var pendingFrom = 0

    public init(_ producer: consuming P, version: RDBVersion) {
        self.producer = producer
        writer = RDBWriter(version)
    }

    public var byteCount: UInt64? { nil }
    public var consumedByteCount: UInt64 { deliveredCount }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SourceError) -> Int {
        while pendingFrom == pending.byteCount {
            pending.truncate(to: 0)
            pending.shrink(to: 1 << 20)
            pendingFrom = 0
            // Enough at once to be worth the call.
            while !writer.isEnded, writer.out.byteCount < 64 << 10 { try producer.produce(&writer) }
            if writer.out.byteCount == 0 { return 0 }
            writer.handOver(to: &pending)
        }
        let count = unsafe pending.copy(from: pendingFrom, to: buffer)
        pendingFrom += count
        deliveredCount += UInt64(count)
        return count
    }

    public func hold(from offset: UInt64, delivered: UnsafeRawBufferPointer) throws(SourceError) {
        preconditionFailure("a source that is there once cannot go back")
    }

    public func rewind(to offset: UInt64) throws(SourceError) {
        preconditionFailure("a source that is there once cannot go back")
    }

    public func release() {}
}
