/// Memory that a reader uses again and again for strings that do not lie in the input as they are.
@safe
public final class Scratch {
    /// As much as a window takes at once. Pages that no string needs are never touched and cost nothing.
    @usableFromInline let base: UnsafeMutableRawPointer

    public init() {
        unsafe base = UnsafeMutableRawPointer.allocate(
            byteCount: ByteWindow.maxContiguousByteCount + LZF.slackByteCount, alignment: 64)
    }

    deinit { unsafe base.deallocate() }

    /// Decompresses the LZF block that comes next in the window. Both counts are at most
    /// `ByteWindow.maxContiguousByteCount`, so memory follows no length of the file beyond that.
    public func decompress(
        from window: inout ByteWindow, compressedByteCount: Int, byteCount: Int
    ) throws(DecodeError) {
        precondition(byteCount <= ByteWindow.maxContiguousByteCount)
        unsafe try window.decompress(
            compressedByteCount, into: UnsafeMutableRawBufferPointer(start: base, count: byteCount))
    }

    /// The first `count` bytes of what was decompressed last, valid until the next use.
    @inlinable
    @_lifetime(borrow self)
    public func bytes(_ count: Int) -> RawSpan {
        unsafe _overrideLifetime(RawSpan(_unsafeStart: base, byteCount: count), borrowing: self)
    }

    public func append(_ count: Int, to buffer: inout OutputBuffer) { buffer.append(bytes(count)) }

    /// The same as a window. The scratch must not be used again while the window is.
    public func window(_ count: Int, container: UInt64) -> ByteWindow {
        unsafe ByteWindow(unsafeBytes: UnsafeRawBufferPointer(start: base, count: count), container: container)
    }
}
