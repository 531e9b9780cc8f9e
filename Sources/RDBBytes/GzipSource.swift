internal import CZlib

/// The bytes inside a gzip stream (RFC 1952), members one after another as `gzip -c a b` writes them.
///
/// Memory: 64 KiB of compressed input and zlib's own window. Cannot go back by itself: wrap it in a `RecordingSource`.
@safe
public final class GzipSource: ByteSource {
    private let base: any ByteSource
    private let input: UnsafeMutableRawBufferPointer
    private var stream = unsafe z_stream()
    private var isInMember = true
    private var hasEnded = false
    private var isDamaged = false

    public init(_ base: any ByteSource) throws(SourceError) {
        self.base = base
        unsafe input = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        // 15 bits of window, +16: a gzip header is expected and checked.
        let status = unsafe inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw .damaged(.badGzip, "zlib to start") }
    }

    deinit {
        unsafe inflateEnd(&stream)
        unsafe input.deallocate()
    }

    public var byteCount: UInt64? { base.byteCount }
    public var consumedByteCount: UInt64 { base.consumedByteCount }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SourceError) -> Int {
        // zlib counts in 32 bits; the window never asks for that much, the bound makes it certain.
        let capacity = min(buffer.count, Int(Int32.max))
        unsafe stream.next_out = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.avail_out = UInt32(capacity)
        while unsafe Int(stream.avail_out) == capacity, !hasEnded {
            if isDamaged { throw .damaged(.badGzip, "a sound gzip stream") }
            if unsafe stream.avail_in == 0 {
                let count = unsafe try base.read(into: input)
                if count == 0 {
                    if isInMember { throw .damaged(.badGzip, "the end of the gzip stream") }
                    hasEnded = true
                    break
                }
                unsafe stream.next_in = unsafe input.baseAddress?.assumingMemoryBound(to: UInt8.self)
                unsafe stream.avail_in = UInt32(count)
            }
            if !isInMember {
                // Zero bytes pad the end of tapes and block devices; anything else must be a further member.
                guard unsafe stream.next_in.pointee != 0 else {
                    unsafe stream.next_in += 1
                    unsafe stream.avail_in -= 1
                    continue
                }
                guard unsafe inflateReset(&stream) == Z_OK else { throw .damaged(.badGzip, "zlib to start again") }
                isInMember = true
            }
            switch unsafe inflate(&stream, Z_NO_FLUSH) {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END: isInMember = false
            // What came out before the fault is delivered first.
            default: isDamaged = true
            }
        }
        return unsafe capacity - Int(stream.avail_out)
    }

    public func hold(from offset: UInt64, delivered: UnsafeRawBufferPointer) throws(SourceError) {
        preconditionFailure("a gzip stream cannot go back: wrap it in a RecordingSource")
    }
    public func rewind(to offset: UInt64) throws(SourceError) {
        preconditionFailure("a gzip stream cannot go back: wrap it in a RecordingSource")
    }
    public func release() {}
}
