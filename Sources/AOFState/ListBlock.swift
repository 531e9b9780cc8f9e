import RDBBytes

/// A few kilobytes of a list's elements, packed so that they can be walked from both ends:
///
///     room | length bytes length | length bytes length | …
///
///     length before an element:  0…253, or FE and 8 bytes, little endian
///     length behind an element:  the same, its bytes in the opposite order
struct ListBlock {
    /// Elements are put into a block up to this size; a larger one has a block of its own.
    static var fullByteCount: Int { 4096 }
    private static var longMark: UInt8 { 0xfe }

    private(set) var bytes: [UInt8] = []
    /// Where the first element begins: what stands before it is room for more.
    private(set) var start = 0
    private(set) var count = 0

    init() {}

    var end: Int { bytes.count }
    private var usedByteCount: Int { bytes.count - start }

    /// What an element takes.
    static func byteCount(_ element: RawSpan) -> Int {
        element.byteCount + (element.byteCount < Int(longMark) ? 2 : 18)
    }

    /// Whether one more element belongs here.
    func takes(_ byteCount: Int) -> Bool { usedByteCount + byteCount <= Self.fullByteCount || count == 0 }

    // MARK: - Walking

    /// Where the bytes of the element lie that begins at an offset.
    func element(at offset: Int) -> Range<Int> {
        let first = bytes[offset]
        if first < Self.longMark { return offset + 1..<offset + 1 + Int(first) }
        var length: UInt64 = 0
        for index in 0..<8 { length |= UInt64(bytes[offset + 1 + index]) << UInt64(8 * index) }
        return offset + 9..<offset + 9 + Int(length)
    }

    /// Where the element behind one begins.
    func offset(after offset: Int) -> Int {
        let first = bytes[offset]
        if first < Self.longMark { return offset + 2 + Int(first) }
        return element(at: offset).upperBound + 9
    }

    /// Where the element begins that ends before an offset.
    func offset(before offset: Int) -> Int {
        let last = bytes[offset - 1]
        if last < Self.longMark { return offset - 2 - Int(last) }
        var length: UInt64 = 0
        for index in 0..<8 { length |= UInt64(bytes[offset - 2 - index]) << UInt64(8 * index) }
        return offset - 18 - Int(length)
    }

    /// Where an element begins, by its number in the block.
    func offset(of index: Int) -> Int {
        if index > count / 2 {
            var offset = end
            for _ in index..<count { offset = self.offset(before: offset) }
            return offset
        }
        var offset = start
        for _ in 0..<index { offset = self.offset(after: offset) }
        return offset
    }

    /// The element that begins at an offset.
    func withElement<R>(at offset: Int, _ body: (RawSpan) -> R) -> R {
        body(bytes.rawSpan.extracting(element(at: offset)))
    }

    // MARK: - Changing

    mutating func append(_ element: RawSpan) {
        let needed = Self.byteCount(element)
        // What was taken from the front makes room before the block grows beyond its size.
        if start > 0, bytes.count + needed > Self.fullByteCount, start >= bytes.count / 2 {
            bytes.removeSubrange(0..<start)
            start = 0
        }
        if element.byteCount < Int(Self.longMark) {
            let length = UInt8(element.byteCount)
            bytes.append(length)
            unsafe element.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
            bytes.append(length)
        } else {
            bytes += Self.packed(element)
        }
        count += 1
    }

    mutating func prepend(_ element: RawSpan) {
        let packed = Self.packed(element)
        if start < packed.count {
            // Room for as much again, so that each byte is moved a few times at most.
            let room = max(packed.count, min(Self.fullByteCount, usedByteCount * 2 + packed.count))
            var moved = [UInt8](repeating: 0, count: room)
            moved.reserveCapacity(room + usedByteCount)
            moved += bytes[start...]
            bytes = moved
            start = room
        }
        start -= packed.count
        bytes.replaceSubrange(start..<start + packed.count, with: packed)
        count += 1
    }

    /// Puts an element before the one that begins at an offset, or at the end.
    mutating func insert(_ element: RawSpan, at offset: Int) {
        if offset == end { return append(element) }
        if offset == start { return prepend(element) }
        bytes.insert(contentsOf: Self.packed(element), at: offset)
        count += 1
    }

    mutating func replace(at offset: Int, with element: RawSpan) {
        bytes.replaceSubrange(offset..<self.offset(after: offset), with: Self.packed(element))
    }

    mutating func remove(at offset: Int) {
        let next = self.offset(after: offset)
        if offset == start { start = next } else { bytes.removeSubrange(offset..<next) }
        count -= 1
    }

    mutating func removeFirst(_ count: Int) {
        start = offset(of: count)
        self.count -= count
    }

    mutating func removeLast(_ count: Int) {
        bytes.removeSubrange(offset(of: self.count - count)...)
        self.count -= count
    }

    /// Moves the elements from an offset on to a new block.
    mutating func split(at offset: Int) -> ListBlock {
        var rest = ListBlock()
        rest.bytes = Array(bytes[offset...])
        var at = offset
        while at < end {
            rest.count += 1
            at = self.offset(after: at)
        }
        bytes.removeSubrange(offset...)
        count -= rest.count
        return rest
    }

    /// Keeps the elements for which `isKept` is true.
    mutating func filter(_ isKept: (RawSpan) -> Bool) {
        var kept: [UInt8] = []
        var keptCount = 0
        /// From here on, nothing was dropped yet.
        var runStart = start
        var at = start
        while at < end {
            let next = offset(after: at)
            if withElement(at: at, isKept) {
                keptCount += 1
            } else {
                kept += bytes[runStart..<at]
                runStart = next
            }
            at = next
        }
        if keptCount == count { return }
        kept += bytes[runStart..<end]
        bytes = kept
        start = 0
        count = keptCount
    }

    private static func packed(_ element: RawSpan) -> [UInt8] {
        let byteCount = element.byteCount
        var packed: [UInt8] = []
        packed.reserveCapacity(Self.byteCount(element))
        if byteCount < Int(longMark) {
            packed.append(UInt8(byteCount))
            unsafe element.withUnsafeBytes { unsafe packed.append(contentsOf: $0) }
            packed.append(UInt8(byteCount))
            return packed
        }
        packed.append(longMark)
        for index in 0..<8 { packed.append(UInt8(truncatingIfNeeded: byteCount >> (8 * index))) }
        unsafe element.withUnsafeBytes { unsafe packed.append(contentsOf: $0) }
        for index in (0..<8).reversed() { packed.append(UInt8(truncatingIfNeeded: byteCount >> (8 * index))) }
        packed.append(longMark)
        return packed
    }
}
