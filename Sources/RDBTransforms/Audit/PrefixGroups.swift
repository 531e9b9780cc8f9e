/// Groups of keys for people: prefixes that overlap nowhere and together hold all keys.
public struct PrefixGroups: Sendable {
    public struct Group: Equatable, Sendable {
        public var prefix: [UInt8]
        /// There is more behind the prefix.
        public var isOpen: Bool
        /// Of the prefix only what no other group has.
        public var isRest: Bool
        /// Put together because there were too many of a kind.
        public var isGroup: Bool
        public var sum: AuditSum
        public var error: UInt64

        fileprivate var row: Int
    }

    /// The largest first.
    public private(set) var groups: [Group] = []

    /// - Parameters:
    ///   - maxCount: about so many groups. The largest ones are divided for as long as there is room.
    ///   - isLiteral: groups are the prefixes themselves, whatever their number; the largest are kept.
    public init(_ tree: PrefixTree, maxCount: Int, isLiteral: Bool) {
        let rows = tree.rows()
        if isLiteral {
            addAll(rows, tree.total)
        } else {
            divide(rows, tree.total, maxCount: maxCount)
        }
        finish(maxCount)
    }

    private static func all(_ sum: AuditSum) -> Group {
        Group(prefix: [], isOpen: true, isRest: false, isGroup: false, sum: sum, error: 0, row: -1)
    }

    private static func group(_ rows: [PrefixTree.Row], _ index: Int, _ sum: AuditSum) -> Group {
        let row = rows[index]
        return Group(
            prefix: row.prefix, isOpen: row.hasMore, isRest: false, isGroup: row.isGroup, sum: sum, error: row.error,
            row: index)
    }

    // A prefix that was made anew holds less than the ones that continue it: those take no more than it has, and what they
    // lack is in the group that it had become.

    /// Each prefix with the keys that no longer one has.
    private mutating func addAll(_ rows: [PrefixTree.Row], _ total: AuditSum) {
        var rest = rows.map { _ in AuditSum() }
        var ofAll = total
        for (index, row) in rows.enumerated() {
            rest[index] = row.parent < 0 ? ofAll.take(row.sum) : rest[row.parent].take(row.sum)
        }
        for index in rows.indices { add(Self.group(rows, index, rest[index])) }
        var group = Self.all(ofAll)
        group.isRest = !rows.isEmpty
        add(group)
    }

    /// Brings groups into order, the rest of all last.
    private mutating func finish(_ maxCount: Int) {
        var rest = Group(prefix: [], isOpen: true, isRest: true, isGroup: false, sum: AuditSum(), error: 0, row: -1)
        groups.removeAll { group in
            if group.prefix.isEmpty, group.isRest { rest.sum += group.sum }
            return group.prefix.isEmpty && group.isRest
        }
        groups.sort { left, right in
            if left.sum.bytes != right.sum.bytes { return left.sum.bytes > right.sum.bytes }
            if left.prefix != right.prefix { return left.prefix.lexicographicallyPrecedes(right.prefix) }
            return !left.isRest && right.isRest
        }
        let kept = groups.count > maxCount || groups.count == maxCount && rest.sum.keys > 0 ? maxCount - 1 : maxCount
        for group in groups.dropFirst(kept) { rest.sum += group.sum }
        groups = Array(groups.prefix(kept))
        add(rest)
    }

    private mutating func add(_ group: Group) { if group.sum.keys > 0 { groups.append(group) } }

    /// Divides the largest group that can be divided, again and again.
    private mutating func divide(_ rows: [PrefixTree.Row], _ total: AuditSum, maxCount: Int) {
        var children: [[Int]] = Array(repeating: [], count: rows.count)
        var roots: [Int] = []
        for (index, row) in rows.enumerated() {
            if row.parent >= 0 { children[row.parent].append(index) } else { roots.append(index) }
        }
        var whole = [Self.all(total)]
        while !whole.isEmpty {
            // The lists are short: some tens of groups.
            let largest = whole.indices.max { whole[$0].sum.bytes < whole[$1].sum.bytes } ?? 0
            var present = whole.remove(at: largest)
            let below = present.row < 0 ? roots : children[present.row]
            // What is small within its prefix stays with it.
            let least = present.row < 0 ? 0 : present.sum.bytes / 20
            let chosen = below.filter { rows[$0].sum.bytes >= least && rows[$0].sum.keys > 0 }
            // More than are kept: the largest parts of them are.
            let room = maxCount * 2 - groups.count - whole.count
            if chosen.isEmpty || chosen.count > 1 && present.row >= 0 && chosen.count > room {
                add(present)
                continue
            }
            for index in chosen.prefix(max(1, room - 1)) {
                let part = present.sum.take(rows[index].sum)
                if part.keys > 0 { whole.append(Self.group(rows, index, part)) }
            }
            present.isRest = true
            add(present)
        }
    }
}
