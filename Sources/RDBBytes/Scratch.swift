/// Memory that a reader uses again and again for strings that do not lie in the input as they are.
@safe
public final class Scratch {
    @usableFromInline private(set) var base: UnsafeMutableRawPointer
    private var capacity: Int

    public init() {
        capacity = 4096
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: capacity + LZF.slackByteCount, alignment: 64)
    }

    deinit { unsafe base.deallocate() }

    private func reserve(_ count: Int) {
        if count <= capacity { return }
        unsafe base.deallocate()
        while capacity < count { capacity *= 2 }
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: capacity + LZF.slackByteCount, alignment: 64)
    }

    /// Decompresses the LZF block that comes next in the window. Both counts are at most
    /// `ByteWindow.maxContiguousByteCount`, so memory follows no length of the file beyond that.
    public func decompress(
        from window: inout ByteWindow, compressedByteCount: Int, byteCount: Int
    ) throws(DecodeError) {
        precondition(byteCount <= ByteWindow.maxContiguousByteCount)
        let start = window.location
        let block = try window.take(compressedByteCount)
        reserve(byteCount)
        // base holds byteCount bytes and the slack behind them.
        do {
            unsafe try LZF.decompress(block, into: UnsafeMutableRawBufferPointer(start: base, count: byteCount))
        } catch {
            throw error.decodeError(at: start)
        }
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
