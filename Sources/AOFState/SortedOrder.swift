import RDBBytes

/// The members of a sorted set by score, then by their bytes: numbers of entries of the table that holds them, in blocks.
///
/// Memory: 16 bytes a member, in blocks that are half full at least.
struct SortedOrder {
    struct Item {
        var score: Double
        var index: UInt32

        init(_ score: Double, _ index: Int) {
            // Only a damaged file has a score that is not a number; it must not break the order.
            self.score = score.isNaN ? .infinity : score
            self.index = UInt32(index)
        }
    }

    /// Where an item stands, until the order is changed; behind the last one it is `(blocks.count, 0)`.
    struct Position: Comparable {
        fileprivate var block: Int
        fileprivate var offset: Int

        static func < (left: Position, right: Position) -> Bool {
            (left.block, left.offset) < (right.block, right.offset)
        }
    }

    private static let fullCount = 256

    /// None is empty.
    private var blocks: [[Item]] = []
    private(set) var count = 0

    init(_ members: borrowing ByteTable<Double>) {
        var items: [Item] = []
        items.reserveCapacity(members.count)
        var next = members.firstIndex
        while let index = next {
            items.append(Item(members[index], index))
            next = members.index(after: index)
        }
        // Most members have a score of their own; the rest is put in order where it lies together.
        items.sort { $0.score < $1.score }
        var from = 0
        while from < items.count {
            var to = from + 1
            while to < items.count, items[to].score == items[from].score { to += 1 }
            if to - from > 1 { Self.sortByBytes(&items, from..<to, members) }
            from = to
        }
        count = items.count
        for start in stride(from: 0, to: items.count, by: Self.fullCount * 3 / 4) {
            blocks.append(Array(items[start..<min(items.count, start + Self.fullCount * 3 / 4)]))
        }
    }

    private static func sortByBytes(
        _ items: inout [Item], _ range: Range<Int>, _ members: borrowing ByteTable<Double>
    ) {
        // A closure cannot hold the table, so the merges are done here, from width to width.
        var source = Array(items[range])
        var target = source
        var width = 1
        while width < source.count {
            for start in stride(from: 0, to: source.count, by: width * 2) {
                let middle = min(start + width, source.count)
                let end = min(start + width * 2, source.count)
                var left = start
                var right = middle
                for at in start..<end {
                    let takesRight =
                        right < end
                        && (left == middle
                            || members.key(at: Int(source[right].index)).precedes(
                                members.key(at: Int(source[left].index))))
                    target[at] = source[takesRight ? right : left]
                    if takesRight { right += 1 } else { left += 1 }
                }
            }
            swap(&source, &target)
            width *= 2
        }
        items.replaceSubrange(range, with: source)
    }

    // MARK: - Finding

    var start: Position { Position(block: 0, offset: 0) }
    var end: Position { Position(block: blocks.count, offset: 0) }

    subscript(_ position: Position) -> Item { blocks[position.block][position.offset] }

    func position(after position: Position) -> Position {
        if position.offset + 1 < blocks[position.block].count {
            return Position(block: position.block, offset: position.offset + 1)
        }
        return Position(block: position.block + 1, offset: 0)
    }

    func position(before position: Position) -> Position {
        if position.offset > 0 { return Position(block: position.block, offset: position.offset - 1) }
        return Position(block: position.block - 1, offset: blocks[position.block - 1].count - 1)
    }

    /// Where the item of a rank stands; the end for `count`.
    func position(ofRank rank: Int) -> Position {
        precondition(rank >= 0 && rank <= count)
        if rank > count / 2 {
            var left = count - rank
            if left == 0 { return end }
            var block = blocks.count - 1
            while left > blocks[block].count {
                left -= blocks[block].count
                block -= 1
            }
            return Position(block: block, offset: blocks[block].count - left)
        }
        var left = rank
        var block = 0
        while block < blocks.count, left >= blocks[block].count {
            left -= blocks[block].count
            block += 1
        }
        return Position(block: block, offset: left)
    }

    /// The first item that is not before something; those that are stand before all others.
    @inline(__always)
    func firstPosition(notBefore isBefore: (Item) -> Bool) -> Position {
        var low = 0
        var high = blocks.count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(blocks[middle][blocks[middle].count - 1]) { low = middle + 1 } else { high = middle }
        }
        if low == blocks.count { return end }
        var first = 0
        var last = blocks[low].count - 1
        while first < last {
            let middle = (first + last) / 2
            if isBefore(blocks[low][middle]) { first = middle + 1 } else { last = middle }
        }
        return Position(block: low, offset: first)
    }

    /// The same by members, all having the same score.
    func firstPosition(in members: borrowing ByteTable<Double>, notBefore isBefore: (RawSpan) -> Bool) -> Position {
        var low = 0
        var high = blocks.count
        while low < high {
            let middle = (low + high) / 2
            let item = blocks[middle][blocks[middle].count - 1]
            if isBefore(members.key(at: Int(item.index))) { low = middle + 1 } else { high = middle }
        }
        if low == blocks.count { return end }
        var first = 0
        var last = blocks[low].count - 1
        while first < last {
            let middle = (first + last) / 2
            if isBefore(members.key(at: Int(blocks[low][middle].index))) { first = middle + 1 } else { last = middle }
        }
        return Position(block: low, offset: first)
    }

    /// Where a member with this score and these bytes stands, or would.
    private func position(_ score: Double, _ member: RawSpan, _ members: borrowing ByteTable<Double>) -> Position {
        var low = 0
        var high = blocks.count
        while low < high {
            let middle = (low + high) / 2
            let item = blocks[middle][blocks[middle].count - 1]
            if Self.isBefore(item, score, member, members) { low = middle + 1 } else { high = middle }
        }
        if low == blocks.count { return end }
        var first = 0
        var last = blocks[low].count - 1
        while first < last {
            let middle = (first + last) / 2
            if Self.isBefore(blocks[low][middle], score, member, members) { first = middle + 1 } else { last = middle }
        }
        return Position(block: low, offset: first)
    }

    @inline(__always)
    private static func isBefore(
        _ item: Item, _ score: Double, _ member: RawSpan, _ members: borrowing ByteTable<Double>
    ) -> Bool {
        if item.score != score { return item.score < score }
        return members.key(at: Int(item.index)).precedes(member)
    }

    // MARK: - Changing

    /// Puts in an entry of the table that is not in the order yet.
    mutating func insert(_ index: Int, _ members: borrowing ByteTable<Double>) {
        let item = Item(members[index], index)
        count += 1
        if blocks.isEmpty { return blocks.append([item]) }
        var position = position(item.score, members.key(at: index), members)
        if position == end { position = Position(block: blocks.count - 1, offset: blocks[blocks.count - 1].count) }
        blocks[position.block].insert(item, at: position.offset)
        let inBlock = blocks[position.block].count
        if inBlock > Self.fullCount {
            // What grows at one end leaves full blocks behind.
            let isAtEnd = position.block == blocks.count - 1 && position.offset == inBlock - 1
            let half = isAtEnd ? inBlock - 1 : inBlock / 2
            let rest = Array(blocks[position.block][half...])
            blocks[position.block].removeSubrange(half...)
            blocks.insert(rest, at: position.block + 1)
        }
    }

    /// Takes out an entry of the table, which still is what it was when it was put in.
    mutating func remove(_ index: Int, _ members: borrowing ByteTable<Double>) {
        let position = position(Item(members[index], index).score, members.key(at: index), members)
        precondition(position < end && self[position].index == UInt32(index), "an entry that is not in the order")
        blocks[position.block].remove(at: position.offset)
        count -= 1
        joinBlock(position.block)
    }

    /// Takes out a range.
    /// - Returns: the table's entries that it held.
    mutating func remove(_ range: Range<Position>) -> [Int] {
        var removed: [Int] = []
        var block = range.lowerBound.block
        var from = range.lowerBound.offset
        var emptied: Range<Int>?
        while block < blocks.count, Position(block: block, offset: from) < range.upperBound {
            let to = block == range.upperBound.block ? range.upperBound.offset : blocks[block].count
            for item in blocks[block][from..<to] { removed.append(Int(item.index)) }
            blocks[block].removeSubrange(from..<to)
            if blocks[block].isEmpty { emptied = (emptied?.lowerBound ?? block)..<block + 1 }
            block += 1
            from = 0
        }
        count -= removed.count
        if let emptied { blocks.removeSubrange(emptied) }
        joinBlock(range.lowerBound.block)
        return removed
    }

    /// Keeps blocks from growing many and small.
    private mutating func joinBlock(_ block: Int) {
        guard block < blocks.count else { return }
        if blocks[block].isEmpty {
            blocks.remove(at: block)
        } else if block + 1 < blocks.count, blocks[block].count + blocks[block + 1].count <= Self.fullCount / 2 {
            let next = blocks.remove(at: block + 1)
            blocks[block] += next
        }
    }

    /// After the table has given its entries other indices: they kept their order, so the new index of each is the number
    /// of those before it.
    mutating func renumber() {
        var last: UInt32 = 0
        for block in blocks { for item in block { last = max(last, item.index) } }
        var isUsed = [UInt64](repeating: 0, count: Int(last) / 64 + 1)
        for block in blocks { for item in block { isUsed[Int(item.index) / 64] |= 1 << UInt64(item.index % 64) } }
        var before: [UInt32] = []
        before.reserveCapacity(isUsed.count)
        var sum: UInt32 = 0
        for word in isUsed {
            before.append(sum)
            sum += UInt32(word.nonzeroBitCount)
        }
        for block in blocks.indices {
            for at in blocks[block].indices {
                let old = Int(blocks[block][at].index)
                let lower = isUsed[old / 64] & (1 << UInt64(old % 64) - 1)
                blocks[block][at].index = before[old / 64] + UInt32(lower.nonzeroBitCount)
            }
        }
    }
}
