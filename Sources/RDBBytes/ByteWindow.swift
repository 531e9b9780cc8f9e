/// Checked reads from an input of any size through a window of bounded size.
///
/// The window is a small value that holds three pointers; `@inlinable` reads compare once against `end` and load. Only
/// when bytes are missing does it call its feed, which slides what is left to the front and reads on. A window without
/// a feed is a view of bytes in memory: it ends where they end.
///
/// Why the loads are safe: `origin <= position <= end` always holds, `origin..<end` is memory of the feed (or the
/// memory a caller promised to keep), and each read takes `count` bytes only after `end - position >= count`.
@safe
public struct ByteWindow: ~Copyable {
    @usableFromInline var position: UnsafeRawPointer
    @usableFromInline var end: UnsafeRawPointer
    private var filledEnd: UnsafeRawPointer
    /// `originOffset` is the input's offset of the byte at `origin`.
    @usableFromInline var origin: UnsafeRawPointer
    @usableFromInline var originOffset: UInt64
    /// Reads stop here: the end of the value being read, as an offset.
    @usableFromInline var limit: UInt64 = .max
    @usableFromInline let feed: WindowFeed?
    /// For decompressed bytes: where in the input their compressed form begins.
    @usableFromInline let container: UInt64?
    /// Whether `LZF.slackByteCount` bytes behind what is readable may be read, whatever they hold.
    private let hasSlack: Bool
    /// Where `rewind` comes back to, as an offset. Here and not in the feed, because marks come with every entry.
    private var marked: UInt64?
    /// Whether the source was asked to be able to go back to it.
    private var isHolding = false

    /// The most bytes a read may ask for at once. Longer strings are taken in chunks.
    public static let maxContiguousByteCount = 1 << 20

    /// A window over a source, which is read from its present position on.
    public init(_ source: any ByteSource, initialByteCount: Int = 256 << 10, verifiesChecksum: Bool = false) {
        self.init(source, initialByteCount: initialByteCount, verifiesChecksum: verifiesChecksum, container: nil)
    }

    init(_ source: any ByteSource, initialByteCount: Int, verifiesChecksum: Bool, container: UInt64?) {
        let feed = WindowFeed(source, capacity: initialByteCount, verifiesChecksum: verifiesChecksum)
        unsafe position = UnsafeRawPointer(feed.base)
        unsafe end = position
        unsafe filledEnd = position
        unsafe origin = position
        originOffset = 0
        self.feed = feed
        self.container = container
        hasSlack = true
    }

    /// A view of memory that must outlive the window.
    /// - Parameters:
    ///   - offset: the input's offset of the first byte.
    ///   - container: where in the input the bytes' compressed form begins, for errors.
    ///   - hasSlack: whether `LZF.slackByteCount` bytes behind the memory may be read as well.
    @unsafe public init(
        unsafeBytes bytes: UnsafeRawBufferPointer, offset: UInt64 = 0, container: UInt64? = nil, hasSlack: Bool = false
    ) {
        // A buffer without a base address is empty: any pointer serves as begin and end.
        unsafe position = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 16)!
        unsafe end = position + bytes.count
        unsafe filledEnd = end
        unsafe origin = position
        originOffset = offset
        feed = nil
        self.container = container
        self.hasSlack = hasSlack
    }

    /// Bytes read so far: the input's offset of the next byte.
    @inlinable public var offset: UInt64 { originOffset &+ UInt64(unsafe position - origin) }

    /// The place of the next byte, as errors name it.
    public var location: ByteLocation { location(at: offset) }

    public func location(at offset: UInt64) -> ByteLocation {
        container.map { ByteLocation(offset: $0, innerOffset: offset) } ?? ByteLocation(offset: offset)
    }

    /// Bytes at hand without reading from the source.
    @inlinable public var availableByteCount: Int { unsafe end - position }

    // MARK: - Reads

    /// Makes `count` bytes (at most `maxContiguousByteCount`) readable in one piece.
    @inlinable @inline(__always)
    public mutating func require(_ count: Int) throws(DecodeError) {
        if unsafe end - position < count { try refill(count) }
    }

    @inlinable @inline(__always)
    public mutating func byte() throws(DecodeError) -> UInt8 {
        try require(1)
        let value = unsafe position.load(as: UInt8.self)
        unsafe position += 1
        return value
    }

    /// The next byte, which stays unread.
    @inlinable @inline(__always)
    public mutating func peek() throws(DecodeError) -> UInt8 {
        try require(1)
        return unsafe position.load(as: UInt8.self)
    }

    /// The next four bytes, which stay unread, as a little-endian number; nil where fewer are at hand.
    @inlinable @inline(__always)
    public func peekWord() -> UInt32? {
        if availableByteCount < 4 { return nil }
        return unsafe UInt32(littleEndian: position.loadUnaligned(as: UInt32.self))
    }

    /// Puts a byte string shorter than 64, whose length is the next byte, in the place of all that a buffer holds.
    /// - Returns: false where it is no such string, or fewer than 65 bytes are at hand: nothing is read then.
    @inlinable @inline(__always)
    public mutating func takeShort(replacing buffer: inout OutputBuffer) -> Bool {
        guard availableByteCount > 64 else { return false }
        let count = unsafe Int(position.load(as: UInt8.self))
        guard count < 64 else { return false }
        // All 64 bytes behind the length are at hand.
        unsafe buffer.replaceAll(withFirst: count, of64: position + 1)
        unsafe position += 1 + count
        return true
    }

    /// A little-endian integer of any width.
    @inlinable @inline(__always)
    public mutating func littleEndian<T: FixedWidthInteger & BitwiseCopyable>(
        _: T.Type = T.self
    ) throws(DecodeError) -> T {
        try require(MemoryLayout<T>.size)
        let value = unsafe position.loadUnaligned(as: T.self)
        unsafe position += MemoryLayout<T>.size
        return T(littleEndian: value)
    }

    /// A big-endian integer of any width.
    @inlinable @inline(__always)
    public mutating func bigEndian<T: FixedWidthInteger & BitwiseCopyable>(
        _: T.Type = T.self
    ) throws(DecodeError) -> T {
        T(bigEndian: T(littleEndian: try littleEndian()))
    }

    /// The next `count` bytes (at most `maxContiguousByteCount`), valid until the window is used again.
    @inlinable @inline(__always)
    @_lifetime(&self)
    public mutating func take(_ count: Int) throws(DecodeError) -> RawSpan {
        try require(count)
        let span = unsafe RawSpan(_unsafeStart: position, byteCount: count)
        unsafe position += count
        return unsafe _overrideLifetime(span, mutating: &self)
    }

    /// Decompresses the LZF block of the next `count` bytes into memory of just the decompressed length, which
    /// `LZF.slackByteCount` writable bytes follow.
    @unsafe mutating func decompress(
        _ count: Int, into output: UnsafeMutableRawBufferPointer
    ) throws(DecodeError) {
        let start = location
        let hasSlack = hasSlack
        let block = try take(count)
        // A feed's memory has slack behind what it fills.
        do throws(LZF.Fault) { unsafe try LZF.decompress(block, into: output, inputHasSlack: hasSlack) } catch {
            throw error.decodeError(at: start)
        }
    }

    /// At least one and at most `limit` of the next bytes, whatever is at hand.
    @_lifetime(&self)
    public mutating func takeChunk(upTo limit: UInt64) throws(DecodeError) -> RawSpan {
        try require(1)
        let count = Int(min(UInt64(unsafe end - position), limit))
        let span = unsafe RawSpan(_unsafeStart: position, byteCount: count)
        unsafe position += count
        return unsafe _overrideLifetime(span, mutating: &self)
    }

    /// Where the bytes at hand begin, `availableByteCount` of them, valid until the window is used again.
    @inlinable @unsafe public var unsafeBytesAtHand: UnsafeRawPointer { unsafe position }

    /// What can be read without reading from the source.
    public var bytesAtHand: RawSpan {
        @_lifetime(borrow self)
        get {
            unsafe _overrideLifetime(
                RawSpan(_unsafeStart: position, byteCount: availableByteCount), borrowing: self)
        }
    }

    /// Steps over bytes at hand.
    @inlinable
    public mutating func skip(atHand count: Int) {
        precondition(count >= 0 && count <= availableByteCount)
        unsafe position += count
    }

    /// Reads on until `count` bytes (at most `maxContiguousByteCount`) are at hand or the input ends. Returns how many
    /// are, which may be fewer or more.
    public mutating func extend(to count: Int) throws(DecodeError) -> Int {
        precondition(count <= Self.maxContiguousByteCount, "a read larger than the window")
        if availableByteCount >= count { return availableByteCount }
        guard limit > offset, let feed else { return availableByteCount }
        return unsafe try fill(feed, count)
    }

    /// Appends the next `count` bytes (at most `maxContiguousByteCount`) to a buffer.
    @inlinable
    public mutating func take(_ count: Int, into buffer: inout OutputBuffer) throws(DecodeError) {
        buffer.append(try take(count))
    }

    /// Steps over bytes. The check against the input's end comes before a byte is believed.
    @inlinable @inline(__always)
    public mutating func skip(_ count: UInt64) throws(DecodeError) {
        if count <= UInt64(unsafe end - position) {
            unsafe position += Int(count)
        } else {
            try skipFar(count)
        }
    }

    @inline(never) @usableFromInline
    mutating func skipFar(_ count: UInt64) throws(DecodeError) {
        var left = count
        while left > 0 {
            if unsafe position == end { try refill(1) }
            let step = Int(min(left, UInt64(unsafe end - position)))
            unsafe position += step
            left -= UInt64(step)
        }
    }

    /// Whether the input ends here. Reads ahead if nothing is at hand.
    public mutating func isAtEnd() throws(DecodeError) -> Bool {
        if unsafe position < end { return false }
        guard limit > offset, let feed else { return true }
        return unsafe try fill(feed, 1) == 0
    }

    // MARK: - Limits

    /// Ends the window `count` bytes from here, until `widen` is called with what this returns.
    public mutating func narrow(to count: UInt64) throws(DecodeError) -> UInt64 {
        let outer = limit
        let (newLimit, overflow) = offset.addingReportingOverflow(count)
        guard !overflow, newLimit <= outer else {
            throw overrun(at: offset, expected: "a length within its value", found: .unsigned(count))
        }
        limit = newLimit
        clamp()
        return outer
    }

    /// Lifts a limit set by `narrow`.
    public mutating func widen(to outer: UInt64) {
        limit = outer
        clamp()
    }

    /// Whether all bytes up to the limit have been read.
    @inlinable public var isAtLimit: Bool { offset == limit }

    /// Bytes up to the limit of `narrow`, or to the end of a view of memory; `UInt64.max` where the end is not known.
    public var remainingByteCount: UInt64 {
        if limit != .max { return limit - offset }
        return feed == nil ? UInt64(availableByteCount) : .max
    }

    /// `end` is what is filled, or the limit if that comes first.
    private mutating func clamp() {
        unsafe end = filledEnd
        if limit != .max, limit - originOffset < UInt64(unsafe end - origin) {
            unsafe end = origin + Int(limit - originOffset)
        }
    }

    // MARK: - Going back

    /// Remembers this place: until `unmark`, `rewind` comes back to it, however far reading went on.
    public mutating func mark() {
        if feed != nil { marked = offset }
    }

    /// Appends what was read between two offsets.
    /// - Returns: false where the first of it is no longer in the window.
    public func copy(_ offsets: Range<UInt64>, to buffer: inout OutputBuffer) -> Bool {
        guard offsets.lowerBound >= originOffset else { return false }
        precondition(offsets.upperBound <= offset, "bytes that were not read")
        // Both offsets lie between those of `origin` and `position`.
        let start = unsafe origin + Int(offsets.lowerBound - originOffset)
        buffer.append(unsafe RawSpan(_unsafeStart: start, byteCount: Int(offsets.upperBound - offsets.lowerBound)))
        return true
    }

    /// Whether what was read from an offset on is still in the window.
    public func holds(from offset: UInt64) -> Bool { offset >= originOffset }

    public mutating func unmark() {
        marked = nil
        if isHolding {
            feed?.source.release()
            isHolding = false
        }
    }

    /// Back to the mark, or to a place behind it. All limits are lifted.
    public mutating func rewind(to offset: UInt64) throws(DecodeError) {
        guard let feed else {
            limit = .max
            clamp()
            unsafe position = origin + Int(offset - originOffset)
            return
        }
        guard let marked, offset >= marked else { preconditionFailure("rewind without a mark") }
        limit = .max
        if offset >= originOffset {
            clamp()
            unsafe position = origin + Int(offset - originOffset)
            return
        }
        feed.updateChecksum(consumedTo: self.offset, originOffset: originOffset)
        do { try feed.source.rewind(to: offset) } catch { throw readFailure(error) }
        feed.filledByteCount = 0
        unsafe origin = UnsafeRawPointer(feed.base)
        unsafe position = origin
        unsafe end = origin
        unsafe filledEnd = origin
        originOffset = offset
    }

    // MARK: - Checksum

    /// CRC-64 of all bytes read so far; needs `verifiesChecksum`.
    public mutating func checksum() -> CRC64 {
        guard let feed else { return CRC64() }
        feed.updateChecksum(consumedTo: offset, originOffset: originOffset)
        return feed.checksum
    }

    /// Stops computing the checksum, where the file bears none.
    public mutating func dropChecksum() { feed?.verifiesChecksum = false }

    /// Bytes taken from the underlying file and its size, for progress.
    public var progress: (consumed: UInt64, total: UInt64?) {
        guard let feed else { return (offset, nil) }
        return (feed.source.consumedByteCount, feed.source.byteCount)
    }

    // MARK: - The rare path

    @inline(never) @usableFromInline
    mutating func refill(_ count: Int) throws(DecodeError) {
        precondition(count <= Self.maxContiguousByteCount, "a read larger than the window")
        if limit != .max, limit - offset < UInt64(count) {
            throw overrun(at: limit, expected: "more bytes in the value", found: .endOfValue)
        }
        guard let feed else {
            throw overrun(
                at: offset + UInt64(availableByteCount), expected: "more bytes in the value", found: .endOfValue)
        }
        let have = unsafe try fill(feed, count)
        if have < count {
            throw overrun(at: offset + UInt64(have), expected: "more bytes", found: .endOfInput)
        }
    }

    /// Slides the unread bytes (and marked ones before them, while they are few) to the front and reads until `count` are
    /// unread or the input ends. Returns how many are.
    @unsafe private mutating func fill(_ feed: WindowFeed, _ count: Int) throws(DecodeError) -> Int {
        let consumed = unsafe position - origin
        var keptFrom = consumed
        if let marked, !isHolding, marked >= originOffset {
            let markIndex = Int(marked - originOffset)
            if consumed - markIndex <= Self.maxContiguousByteCount {
                keptFrom = markIndex
            } else {
                // The marked bytes leave the window now: the source has to be able to deliver them again.
                let delivered = unsafe UnsafeRawBufferPointer(
                    start: origin + markIndex, count: feed.filledByteCount - markIndex)
                do { unsafe try feed.source.hold(from: marked, delivered: delivered) } catch {
                    throw readFailure(error)
                }
                isHolding = true
            }
        }
        feed.updateChecksum(consumedTo: offset, originOffset: originOffset)
        let kept = consumed - keptFrom
        unsafe feed.slide(keptFrom, makingRoomFor: kept + count)
        unsafe origin = UnsafeRawPointer(feed.base)
        originOffset += UInt64(keptFrom)
        unsafe position = origin + kept
        while feed.filledByteCount < kept + count {
            do {
                if try !feed.readMore() { break }
            } catch {
                unsafe filledEnd = feed.filledEnd
                clamp()
                throw readFailure(error)
            }
        }
        unsafe filledEnd = feed.filledEnd
        clamp()
        return unsafe end - position
    }

    @inline(never)
    private func overrun(at offset: UInt64, expected: StaticString, found: DecodeError.Found) -> DecodeError {
        DecodeError(.truncated, at: location(at: offset), expected: expected, found: found)
    }

    @inline(never)
    private func readFailure(_ error: SourceError) -> DecodeError {
        // A block within another window knows the fault itself.
        if let block = feed?.source as? LZFSource, let fault = block.fault { return fault }
        switch error {
        case .system(let number):
            return DecodeError(.readFailed, at: location, expected: "a readable input", found: .number(Int64(number)))
        case .damaged(let code, let expected):
            return DecodeError(code, at: location, expected: expected, found: .described("a damaged stream"))
        case .interrupted:
            return DecodeError(.interrupted, at: location, expected: "to go on", found: .described("a request to stop"))
        }
    }
}

/// The memory behind a window and what happens when it runs dry. Owned by one window.
@safe @usableFromInline
final class WindowFeed {
    let source: any ByteSource
    /// `capacity` bytes, and `LZF.slackByteCount` more that are never filled but may be read.
    private(set) var base: UnsafeMutableRawPointer
    private var capacity: Int
    var filledByteCount = 0

    var verifiesChecksum: Bool
    private(set) var checksum = CRC64()
    /// The checksum covers all bytes before this offset; bytes read a second time do not count again.
    private var checksumOffset: UInt64 = 0

    init(_ source: any ByteSource, capacity: Int, verifiesChecksum: Bool) {
        self.source = source
        self.capacity = max(16, capacity)
        self.verifiesChecksum = verifiesChecksum
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: self.capacity + LZF.slackByteCount, alignment: 64)
    }

    deinit { unsafe base.deallocate() }

    var filledEnd: UnsafeRawPointer { unsafe UnsafeRawPointer(base + filledByteCount) }

    /// - Parameter originOffset: the offset of the byte at `base`.
    func updateChecksum(consumedTo offset: UInt64, originOffset: UInt64) {
        guard verifiesChecksum, offset > checksumOffset else { return }
        let from = Int(max(checksumOffset, originOffset) - originOffset)
        let to = Int(offset - originOffset)
        // from <= to <= filledByteCount: both are offsets of bytes in the window.
        checksum.update(unsafe RawSpan(_unsafeStart: base + from, byteCount: to - from))
        checksumOffset = offset
    }

    /// Drops `consumed` bytes at the front; afterwards at least `count` bytes fit.
    @unsafe func slide(_ consumed: Int, makingRoomFor count: Int) {
        let kept = filledByteCount - consumed
        if count > capacity {
            var newCapacity = capacity
            while newCapacity < count { newCapacity *= 2 }
            let newBase = UnsafeMutableRawPointer.allocate(
                byteCount: newCapacity + LZF.slackByteCount, alignment: 64)
            unsafe newBase.copyMemory(from: base + consumed, byteCount: kept)
            unsafe base.deallocate()
            unsafe base = newBase
            capacity = newCapacity
        } else if consumed > 0, kept > 0 {
            // copyMemory allows overlap, and kept bytes lie within the filled part.
            unsafe base.copyMemory(from: base + consumed, byteCount: kept)
        }
        filledByteCount = kept
    }

    /// False at the end of the input.
    func readMore() throws(SourceError) -> Bool {
        // More is wanted than is filled, and all that is wanted fits, so there is room. Pieces stay small enough to be
        // decoded while they are in the cache, also in a window that had to grow.
        let room = unsafe UnsafeMutableRawBufferPointer(
            start: base + filledByteCount, count: min(capacity - filledByteCount, 256 << 10))
        let count = unsafe try source.read(into: room)
        filledByteCount += count
        return count > 0
    }
}
