/// Bytes in memory, delivered in pieces of a chosen size: for small inputs and for tests of every split.
public final class MemorySource: ByteSource {
    private let bytes: [UInt8]
    private let pieceByteCount: Int
    private var index = 0

    public init(_ bytes: [UInt8], pieceByteCount: Int = .max) {
        self.bytes = bytes
        self.pieceByteCount = max(1, pieceByteCount)
    }

    public var byteCount: UInt64? { UInt64(bytes.count) }
    public var consumedByteCount: UInt64 { UInt64(index) }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SourceError) -> Int {
        let count = min(buffer.count, bytes.count - index, pieceByteCount)
        // count is bounded by both sides on the line above.
        unsafe bytes.withUnsafeBytes { all in
            unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: all[index..<index + count]))
        }
        index += count
        return count
    }

    public func hold(from offset: UInt64, delivered: UnsafeRawBufferPointer) {}
    public func rewind(to offset: UInt64) { index = Int(offset) }
    public func release() {}
}
