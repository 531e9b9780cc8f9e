internal import CRDBKernels

/// Growing memory that text is written into. The owner decides when to hand it on and empty it.
///
/// Why the stores are safe: each store happens below `limit`, after `reserve` has made sure of the room it needs.
@safe
public struct OutputBuffer: ~Copyable {
    @usableFromInline var base: UnsafeMutableRawPointer
    @usableFromInline var position: UnsafeMutableRawPointer
    @usableFromInline var limit: UnsafeMutableRawPointer

    public init(capacity: Int = 256 << 10) {
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
        unsafe position = base
        unsafe limit = base + capacity
    }

    deinit { unsafe base.deallocate() }

    @inlinable public var byteCount: Int { unsafe position - base }

    /// A window over a part of what was written, which must not change while the window is used.
    /// - Parameter offset: the input's offset of the part's first byte.
    public func window(over range: Range<Int>, offset: UInt64) -> ByteWindow {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount)
        return unsafe ByteWindow(
            unsafeBytes: UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count), offset: offset,
            hasSlack: unsafe limit - base >= range.upperBound + LZF.slackByteCount)
    }

    /// What was written, valid until the next change.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { unsafe _overrideLifetime(RawSpan(_unsafeStart: base, byteCount: byteCount), borrowing: self) }
    }

    /// Copies what was written from `index` on, as far as `target` takes it; returns how many bytes that were.
    public func copy(from index: Int, to target: UnsafeMutableRawBufferPointer) -> Int {
        precondition(index >= 0 && index <= byteCount)
        let count = min(target.count, byteCount - index)
        // count is bounded by both sides on the line above.
        unsafe target.copyMemory(from: UnsafeRawBufferPointer(start: base + index, count: count))
        return count
    }

    /// Makes room for `count` more bytes.
    @inlinable @inline(__always)
    public mutating func reserve(_ count: Int) {
        if unsafe limit - position < count { grow(count) }
    }

    @inline(never) @usableFromInline
    mutating func grow(_ count: Int) {
        var capacity = unsafe limit - base
        while capacity - byteCount < count { capacity *= 2 }
        move(to: capacity)
    }

    /// Into memory of its own that holds `capacity` bytes, which are no fewer than were written.
    @inline(never) @usableFromInline
    mutating func move(to capacity: Int) {
        let used = byteCount
        let newBase = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
        unsafe newBase.copyMemory(from: base, byteCount: used)
        unsafe base.deallocate()
        unsafe base = newBase
        unsafe position = base + used
        unsafe limit = base + capacity
    }

    /// Forgets all bytes behind the first `count`.
    @inlinable
    public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= byteCount)
        unsafe position = base + count
    }

    /// Drops the first `count` bytes.
    public mutating func removeFirst(_ count: Int) {
        let kept = byteCount - count
        precondition(kept >= 0)
        if kept > 0 { unsafe base.copyMemory(from: base + count, byteCount: kept) }
        unsafe position = base + kept
    }

    /// Gives large memory back, so that one large entry does not cost for the rest of the run.
    @inlinable
    public mutating func shrink(to capacity: Int) {
        if unsafe limit - base > capacity, byteCount <= capacity { move(to: capacity) }
    }

    /// Puts bytes in the place of all that was written. As many as 64 are copied, whatever counts of them, which is faster
    /// than to look how many.
    @unsafe @inlinable @inline(__always)
    mutating func replaceAll(withFirst count: Int, of64 bytes: UnsafeRawPointer) {
        unsafe position = base
        reserve(64)
        unsafe base.storeBytes(of: bytes.loadUnaligned(as: SIMD64<UInt8>.self), as: SIMD64<UInt8>.self)
        unsafe position = base + count
    }

    /// Puts a byte in the place of one that was written.
    mutating func replace(at index: Int, with byte: UInt8) {
        precondition(index >= 0 && index < byteCount)
        unsafe base.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
    }

    // MARK: - Appending

    @inlinable @inline(__always)
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe position.storeBytes(of: byte, as: UInt8.self)
        unsafe position += 1
    }

    /// A literal of the program, at most 64 bytes.
    @inlinable @inline(__always)
    public mutating func append(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        reserve(count)
        unsafe position.copyMemory(from: text.utf8Start, byteCount: count)
        unsafe position += count
    }

    public mutating func append(_ span: RawSpan) {
        let count = span.byteCount
        reserve(count)
        // rdb_copy copies exactly count bytes.
        unsafe span.withUnsafeBytes {
            unsafe rdb_copy(
                position.assumingMemoryBound(to: UInt8.self), $0.baseAddress?.assumingMemoryBound(to: UInt8.self), count
            )
        }
        unsafe position += count
    }

    /// At most eight bytes of a word, the lowest first.
    @inlinable @inline(__always)
    public mutating func append(lowBytesOf word: UInt64, _ count: Int) {
        precondition(count >= 0 && count <= MemoryLayout<UInt64>.size)
        reserve(MemoryLayout<UInt64>.size)
        // All eight are stored; those that do not count are overwritten by what comes next.
        unsafe position.storeBytes(of: word.littleEndian, as: UInt64.self)
        unsafe position += count
    }

    /// The same, then bytes, then two more of a word: what frames short bytes costs no calls of its own.
    public mutating func append(lowBytesOf head: UInt64, _ headByteCount: Int, _ span: RawSpan, tail: UInt16) {
        precondition(headByteCount >= 0 && headByteCount <= MemoryLayout<UInt64>.size)
        let count = span.byteCount
        reserve(MemoryLayout<UInt64>.size + count + MemoryLayout<UInt16>.size)
        unsafe position.storeBytes(of: head.littleEndian, as: UInt64.self)
        let at = unsafe position + headByteCount
        // rdb_copy copies exactly count bytes.
        unsafe span.withUnsafeBytes {
            unsafe rdb_copy(
                at.assumingMemoryBound(to: UInt8.self), $0.baseAddress?.assumingMemoryBound(to: UInt8.self), count)
        }
        unsafe (at + count).storeBytes(of: tail.littleEndian, as: UInt16.self)
        unsafe position = at + count + MemoryLayout<UInt16>.size
    }

    /// A part of another buffer.
    public mutating func append(_ other: borrowing OutputBuffer, _ range: Range<Int>) {
        append(other.bytes.extracting(range))
    }

    public mutating func append(_ bytes: [UInt8]) { append(bytes.rawSpan) }

    // Disfavoured: a literal is appended as `StaticString`, and nothing is made or released for it.
    @_disfavoredOverload
    public mutating func append(_ text: String) {
        text.withRawSpan { append($0) }
    }

    /// Decimal digits.
    public mutating func append(decimal value: Int64) {
        reserve(Digits.maxByteCount + 1)
        if value < 0 {
            unsafe position.storeBytes(of: UInt8(ascii: "-"), as: UInt8.self)
            unsafe position += 1
        }
        appendDigits(value.magnitude)
    }

    public mutating func append(decimal value: UInt64) {
        reserve(Digits.maxByteCount)
        appendDigits(value)
    }

    /// The bytes of an integer, lowest first.
    public mutating func append<T: FixedWidthInteger & BitwiseCopyable>(littleEndian value: T) {
        reserve(MemoryLayout<T>.size)
        unsafe position.storeBytes(of: value.littleEndian, as: T.self)
        unsafe position += MemoryLayout<T>.size
    }

    @inline(__always)
    private mutating func appendDigits(_ value: UInt64) {
        if value < 10 {
            unsafe position.storeBytes(of: UInt8(truncatingIfNeeded: value) + 0x30, as: UInt8.self)
            unsafe position += 1
            return
        }
        // Room for maxByteCount was reserved by both callers, and no value has more digits.
        let count = Digits.count(value)
        unsafe Digits.write(value, endingAt: (position + count).assumingMemoryBound(to: UInt8.self))
        unsafe position += count
    }

    /// The last `digits` hexadecimal digits of a number.
    public mutating func append(hex value: UInt64, digits: Int) {
        for index in (0..<digits).reversed() {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(index * 4)) & 15
            append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
    }

    /// Lets `body` write up to `count` bytes in place; it returns how many it wrote.
    @inlinable @inline(__always)
    @unsafe public mutating func appendInPlace(
        upTo count: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Int
    ) {
        reserve(count)
        let written = unsafe body(position.assumingMemoryBound(to: UInt8.self))
        unsafe position += written
    }
}
