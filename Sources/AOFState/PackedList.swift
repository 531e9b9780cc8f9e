import RDBBytes

/// Byte strings in order, in blocks: fast at both ends, and in the middle as fast as the blocks before it can be
/// counted over.
///
/// Memory: 2 bytes an element above its own (18 from 254 bytes on), and up to twice what the blocks at the ends hold.
struct PackedList {
    /// Those before `first` are empty: room for more at the front.
    private var blocks: [ListBlock] = []
    private var first = 0
    private(set) var count = 0

    /// Where an element stands, until the list is changed.
    struct Position {
        fileprivate var block: Int
        fileprivate var offset: Int
    }

    // MARK: - Walking

    func position(of index: Int) -> Position? {
        guard index >= 0, index < count else { return nil }
        if index > count / 2 {
            var left = count - index
            var block = blocks.count - 1
            while left > blocks[block].count {
                left -= blocks[block].count
                block -= 1
            }
            return Position(block: block, offset: blocks[block].offset(of: blocks[block].count - left))
        }
        var left = index
        var block = first
        while left >= blocks[block].count {
            left -= blocks[block].count
            block += 1
        }
        return Position(block: block, offset: blocks[block].offset(of: left))
    }

    /// The first element that `matches`.
    func firstPosition(where matches: (RawSpan) -> Bool) -> Position? {
        for block in first..<blocks.count {
            var offset = blocks[block].start
            while offset < blocks[block].end {
                if blocks[block].withElement(at: offset, matches) { return Position(block: block, offset: offset) }
                offset = blocks[block].offset(after: offset)
            }
        }
        return nil
    }

    func withElement<R>(at position: Position, _ body: (RawSpan) -> R) -> R {
        blocks[position.block].withElement(at: position.offset, body)
    }

    func visit(_ body: (RawSpan) -> Void) {
        for block in first..<blocks.count {
            var offset = blocks[block].start
            while offset < blocks[block].end {
                blocks[block].withElement(at: offset, body)
                offset = blocks[block].offset(after: offset)
            }
        }
    }

    // MARK: - At the ends

    mutating func append(_ element: RawSpan) {
        count += 1
        let last = blocks.count - 1
        if last >= first, blocks[last].takes(ListBlock.byteCount(element)) { return blocks[last].append(element) }
        blocks.append(ListBlock())
        blocks[blocks.count - 1].append(element)
    }

    mutating func prepend(_ element: RawSpan) {
        count += 1
        if first < blocks.count, blocks[first].takes(ListBlock.byteCount(element)) {
            return blocks[first].prepend(element)
        }
        if first == 0 {
            first = max(1, blocks.count)
            blocks.insert(contentsOf: repeatElement(ListBlock(), count: first), at: 0)
        }
        first -= 1
        blocks[first].prepend(element)
    }

    /// At most as many as there are.
    mutating func removeFirst(_ wanted: Int) {
        precondition(wanted <= count)
        var left = wanted
        count -= wanted
        while left > 0 {
            let inBlock = blocks[first].count
            if left < inBlock { return blocks[first].removeFirst(left) }
            left -= inBlock
            dropFirstBlock()
        }
    }

    mutating func removeLast(_ wanted: Int) {
        precondition(wanted <= count)
        var left = wanted
        count -= wanted
        while left > 0 {
            let last = blocks.count - 1
            let inBlock = blocks[last].count
            if left < inBlock { return blocks[last].removeLast(left) }
            left -= inBlock
            blocks.removeLast()
        }
        if count == 0 { self = PackedList() }
    }

    private mutating func dropFirstBlock() {
        blocks[first] = ListBlock()
        first += 1
        if first == blocks.count {
            blocks = []
            first = 0
        } else if first > 16, first > blocks.count / 2 {
            blocks.removeSubrange(0..<first)
            first = 0
        }
    }

    // MARK: - In the middle

    mutating func insert(_ element: RawSpan, before position: Position) {
        insert(element, block: position.block, offset: position.offset)
    }

    mutating func insert(_ element: RawSpan, after position: Position) {
        insert(element, block: position.block, offset: blocks[position.block].offset(after: position.offset))
    }

    private mutating func insert(_ element: RawSpan, block: Int, offset: Int) {
        count += 1
        if blocks[block].takes(ListBlock.byteCount(element)) { return blocks[block].insert(element, at: offset) }
        var new = ListBlock()
        new.append(element)
        if offset == blocks[block].start { return blocks.insert(new, at: block) }
        if offset < blocks[block].end {
            let rest = blocks[block].split(at: offset)
            blocks.insert(rest, at: block + 1)
        }
        blocks.insert(new, at: block + 1)
    }

    mutating func replace(at position: Position, with element: RawSpan) {
        blocks[position.block].replace(at: position.offset, with: element)
    }

    /// Removes up to `limit` of the elements that `matches`, leaving out the first `skip` of those.
    mutating func removeAll(skip: Int = 0, limit: Int = .max, where matches: (RawSpan) -> Bool) {
        var skipped = 0
        var removed = 0
        for block in first..<blocks.count where removed < limit {
            let before = blocks[block].count
            blocks[block].filter { element in
                guard removed < limit, matches(element) else { return true }
                if skipped < skip {
                    skipped += 1
                    return true
                }
                removed += 1
                return false
            }
            count -= before - blocks[block].count
        }
        if removed == 0 { return }
        blocks.removeAll { $0.count == 0 }
        first = 0
    }
}
