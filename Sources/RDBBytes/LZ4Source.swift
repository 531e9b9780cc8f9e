internal import CLZ4

/// The RDB inside Valkey 9.2's compressed envelope: `VCS`, version 1, codec 1 (LZ4), 0, kind 1 (RDB), then one LZ4 frame.
///
/// Memory: 64 KiB of compressed input and the frame's own blocks. Cannot go back by itself: wrap it in a
/// `RecordingSource`. Source: formats/newest.md §5.5.
@safe
public final class LZ4Source: ByteSource {
    private let base: any ByteSource
    private let input: UnsafeMutableRawBufferPointer
    private var inputRange = 0..<0
    private var context: OpaquePointer?
    private var hasEnded = false
    /// What liblz4 wants next: the rest of a block and the next one's head. It gets no more at a time, because of several
    /// blocks it would give none if one of them is damaged.
    private var wantedByteCount = 7

    /// - Parameter base: delivers from the first byte of the envelope.
    public init(envelopeOf base: any ByteSource) throws(SourceError) {
        self.base = base
        unsafe input = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        guard unsafe LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0 else {
            throw .damaged(.badLZ4, "liblz4 to start")
        }
        try readEnvelope()
    }

    deinit {
        unsafe LZ4F_freeDecompressionContext(context)
        unsafe input.deallocate()
    }

    public var byteCount: UInt64? { base.byteCount }
    public var consumedByteCount: UInt64 { base.consumedByteCount }

    private func readEnvelope() throws(SourceError) {
        while inputRange.count < 7 {
            let count = unsafe try base.read(into: UnsafeMutableRawBufferPointer(rebasing: input[inputRange.count...]))
            if count == 0 { throw .damaged(.truncated, "7 bytes of the compressed envelope") }
            inputRange = 0..<inputRange.count + count
        }
        guard unsafe input[3] == 1 else { throw .damaged(.unsupportedVersion, "version 1 of the compressed envelope") }
        guard unsafe input[4] == 1 else {
            throw .damaged(.unsupportedInput, "codec 1 (LZ4) in the compressed envelope")
        }
        guard unsafe input[5] == 0, unsafe input[6] == 1 else {
            throw .damaged(.unsupportedInput, "an RDB in the compressed envelope")
        }
        inputRange = 7..<inputRange.upperBound
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SourceError) -> Int {
        var written = 0
        while written == 0, !hasEnded {
            if inputRange.isEmpty {
                let count = unsafe try base.read(into: input)
                if count == 0 { throw .damaged(.badLZ4, "the end of the LZ4 frame") }
                inputRange = 0..<count
            }
            var outCount = buffer.count
            var inCount = min(inputRange.count, wantedByteCount)
            // Both counts are those of the memory handed over; liblz4 lowers them to what it used.
            let hint = unsafe LZ4F_decompress(
                context, buffer.baseAddress, &outCount, input.baseAddress! + inputRange.lowerBound, &inCount, nil)
            if LZ4F_isError(hint) != 0 { throw .damaged(.badLZ4, "a sound LZ4 frame") }
            inputRange = inputRange.lowerBound + inCount..<inputRange.upperBound
            written = outCount
            hasEnded = hint == 0
            wantedByteCount = hint
        }
        return written
    }

    public func hold(from offset: UInt64, delivered: UnsafeRawBufferPointer) throws(SourceError) {
        preconditionFailure("an LZ4 frame cannot go back: wrap it in a RecordingSource")
    }
    public func rewind(to offset: UInt64) throws(SourceError) {
        preconditionFailure("an LZ4 frame cannot go back: wrap it in a RecordingSource")
    }
    public func release() {}
}
