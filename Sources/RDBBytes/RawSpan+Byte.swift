import Glibc

extension RawSpan {
    /// The byte at `index`, checked against the span's end.
    @inlinable @inline(__always)
    public func byte(at index: Int) -> UInt8 {
        // Any bits are a byte; unsafeLoad checks the offset.
        unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self)
    }

    /// A copy, for what has to outlive the span.
    public var array: [UInt8] {
        unsafe withUnsafeBytes { unsafe Array($0) }
    }

    /// Whether both have the same bytes.
    public func isEqual(to other: RawSpan) -> Bool {
        byteCount == other.byteCount && compare(other) == 0
    }

    /// Whether this comes before the other; see `compare`.
    public func precedes(_ other: RawSpan) -> Bool { compare(other) < 0 }

    /// Less than, equal to or greater than 0, as this comes before, is, or comes behind the other: byte by byte, what is
    /// shorter first.
    public func compare(_ other: RawSpan) -> Int {
        let count = min(byteCount, other.byteCount)
        if count > 0 {
            let order = unsafe withUnsafeBytes { left in
                unsafe other.withUnsafeBytes { right in
                    // Neither is empty, and both have count bytes.
                    unsafe memcmp(left.baseAddress.unsafelyUnwrapped, right.baseAddress.unsafelyUnwrapped, count)
                }
            }
            if order != 0 { return Int(order) }
        }
        return byteCount - other.byteCount
    }
}

extension [UInt8] {
    /// The array's bytes, in place.
    @inlinable
    public var rawSpan: RawSpan {
        @_lifetime(borrow self)
        get {
            // Bytes have no padding.
            unsafe span.bytes
        }
    }
}

extension String {
    /// Calls `body` with the UTF-8 bytes, in place where the string is stored so.
    @inlinable
    public func withRawSpan<R>(_ body: (RawSpan) -> R) -> R {
        var copy = self
        return copy.withUTF8 { unsafe body(UnsafeRawBufferPointer($0).bytes) }
    }
}
