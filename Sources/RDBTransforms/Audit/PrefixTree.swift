import RDBBytes

/// What keys take by the parts they begin with: a tree whose nodes are prefixes, in memory of a fixed size.
///
/// A node's sum holds all keys that begin with its parts. Each level of the tree has at most `2 * capacity` prefixes; when
/// one more comes, the `capacity` prefixes with the most bytes stay (the Space-Saving method, done for many at once). Those
/// that go are added up, with all that is below them, in a group beside them named `*`, so that names which come in great
/// numbers (`user:anna:`, `user:ben:`) end up as one (`user:*:`). Groups and what is below them have room of their own, as
/// much again; of those that go, what they held stays counted in the prefix above.
///
/// The level's floor is the most bytes that a prefix may have had that went. One that comes later may have been among
/// them, so it bears the floor as its error: there may be so many bytes more of it, counted in the group. Floors stay
/// at or below `total / (capacity + 1)`, and a prefix that takes more bytes than its level's floor is in the tree. While no
/// level was ever full, all is exact.
/// Source: Metwally, Agrawal, El Abbadi: Efficient computation of frequent and top-k elements in data streams (2005).
/// Why the bound holds for many at once: let s be the sum of the capacity + 1 largest of (bytes + error) of a level's
/// prefixes, none taken as less than the floor. New bytes raise s by no more than their number; prefixes that go
/// do not raise it, and then the floor is one of the numbers in it. So (capacity + 1) × floor ≤ s ≤ total.
public struct PrefixTree: Sendable {
    /// A prefix, as reports show it.
    public struct Row: Equatable, Sendable {
        public var prefix: [UInt8]
        public var level: Int
        /// Its keys have further parts.
        public var hasMore: Bool
        /// Its keys were put together because there were too many of their kind.
        public var isGroup: Bool
        public var sum: AuditSum
        /// So many bytes more may belong to it.
        public var error: UInt64
        /// The row of the prefix that it continues; -1 for none.
        public var parent: Int
    }

    private struct Node {
        var hash: UInt64
        var parent: Int32
        var firstChild: Int32 = -1
        var previousSibling: Int32 = -1
        var nextSibling: Int32 = -1
        var level: UInt8
        /// A group, or below one.
        var isGroup: Bool
        var part: [UInt8]
        var sum = AuditSum()
        var error: UInt64 = 0

        var upper: UInt64 { sum.bytes.addingWithoutOverflow(error) }
    }

    /// The prefixes of a level, or its groups.
    private struct Room {
        var count = 0
        var floor: UInt64 = 0
    }

    /// Prefixes of a level that stay when it is full, and as many groups.
    public let capacity: Int
    /// Of all keys.
    public private(set) var total = AuditSum()
    private var nodes: [Node]
    private var free: [Int32] = []
    private var numbers: [UInt64: Int32] = [:]
    /// By level, prefixes and groups in turn.
    private var rooms = [Room](repeating: Room(), count: (KeyParts.maxCount + 1) * 2)
    private let hasher = DuplicateFinder()

    public init(capacity: Int = 4096) {
        self.capacity = max(2, capacity)
        nodes = [Node(hash: 0, parent: -1, level: 0, isGroup: false, part: [])]
    }

    /// The most bytes that any row may lack.
    public var maxError: UInt64 { rooms.map(\.floor).max() ?? 0 }

    mutating func add(_ tally: PatternTally) {
        for pattern in tally.patterns {
            total += pattern.sum
            var node: Int32 = 0
            var start = pattern.start
            for index in pattern.endsStart..<pattern.endsStart + pattern.partCount {
                let end = pattern.start + tally.ends[index]
                node = child(of: node, tally.bytes[start..<end])
                nodes[Int(node)].sum += pattern.sum
                start = end
            }
            // Between patterns, so that no path is changed while it is walked.
            for room in rooms.indices where rooms[room].count > 2 * capacity { prune(room) }
        }
    }

    private static func room(_ level: UInt8, isGroup: Bool) -> Int { Int(level) * 2 + (isGroup ? 1 : 0) }
    private func room(of node: Int32) -> Int {
        Self.room(nodes[Int(node)].level, isGroup: nodes[Int(node)].isGroup)
    }

    // MARK: - Nodes

    private func hash(_ parent: Int32, _ part: ArraySlice<UInt8>) -> UInt64 {
        let own = hasher.hash(unsafe part.span.bytes)
        let product = (nodes[Int(parent)].hash ^ own).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return (product.high ^ product.low) &+ own
    }

    private mutating func child(of parent: Int32, _ part: ArraySlice<UInt8>) -> Int32 {
        let hash = hash(parent, part)
        if let number = numbers[hash] { return number }
        let level = nodes[Int(parent)].level + 1
        let isGroup = nodes[Int(parent)].isGroup
        var node = Node(hash: hash, parent: parent, level: level, isGroup: isGroup, part: Array(part))
        let room = Self.room(level, isGroup: isGroup)
        node.error = rooms[room].floor
        rooms[room].count += 1
        let next = nodes[Int(parent)].firstChild
        node.nextSibling = next
        let number: Int32
        if let reused = free.popLast() {
            number = reused
            nodes[Int(number)] = node
        } else {
            number = Int32(nodes.count)
            nodes.append(node)
        }
        if next >= 0 { nodes[Int(next)].previousSibling = number }
        nodes[Int(parent)].firstChild = number
        numbers[hash] = number
        return number
    }

    private func children(of node: Int32) -> [Int32] {
        var list: [Int32] = []
        var child = nodes[Int(node)].firstChild
        while child >= 0 {
            list.append(child)
            child = nodes[Int(child)].nextSibling
        }
        return list
    }

    private mutating func remove(_ number: Int32) {
        for child in children(of: number) { remove(child) }
        rooms[room(of: number)].count -= 1
        let node = nodes[Int(number)]
        if node.previousSibling < 0 {
            nodes[Int(node.parent)].firstChild = node.nextSibling
        } else {
            nodes[Int(node.previousSibling)].nextSibling = node.nextSibling
        }
        if node.nextSibling >= 0 { nodes[Int(node.nextSibling)].previousSibling = node.previousSibling }
        numbers[node.hash] = nil
        nodes[Int(number)] = Node(hash: 0, parent: -1, level: 0, isGroup: false, part: [])
        free.append(number)
    }

    // MARK: - Pruning

    private mutating func prune(_ room: Int) {
        let isGroup = room % 2 == 1
        // Nodes are made in the order of the file, so of equal ones the same stay in every run.
        let all = nodes.indices.filter { nodes[$0].parent >= 0 && self.room(of: Int32($0)) == room }
            .sorted { nodes[$0].upper != nodes[$1].upper ? nodes[$0].upper > nodes[$1].upper : $0 < $1 }
        rooms[room].floor = max(rooms[room].floor, nodes[all[capacity]].upper)
        for number in all[capacity...].sorted() {
            // What was below a group may have gone with it, and a prefix may have become the group.
            guard nodes[number].parent >= 0, self.room(of: Int32(number)) == room else { continue }
            if isGroup { remove(Int32(number)) } else { fold(Int32(number)) }
        }
    }

    /// Adds a prefix and what is below it to the group beside it.
    private mutating func fold(_ number: Int32) {
        let node = nodes[Int(number)]
        let name = Self.groupName(node.part)
        let isNew = numbers[hash(node.parent, name[...])] == nil
        let group = child(of: node.parent, name[...])
        if !nodes[Int(group)].isGroup { makeGroup(group) }
        // It lacks only what groups before it held.
        if isNew { nodes[Int(group)].error = rooms[room(of: group)].floor }
        if group != number { merge(number, into: group) }
    }

    private mutating func makeGroup(_ number: Int32) {
        rooms[room(of: number)].count -= 1
        nodes[Int(number)].isGroup = true
        rooms[room(of: number)].count += 1
        for child in children(of: number) where !nodes[Int(child)].isGroup { makeGroup(child) }
    }

    /// `*:` for `anna:`.
    private static func groupName(_ part: [UInt8]) -> [UInt8] {
        var end = part.count
        while end > 0, isMark(part[end - 1]) { end -= 1 }
        return [KeyParts.star] + part[end...]
    }

    private static func isMark(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "|"), UInt8(ascii: "."), UInt8(ascii: "-"),
            UInt8(ascii: "_"), UInt8(ascii: "#"), UInt8(ascii: ","), UInt8(ascii: ";"):
            true
        default: false
        }
    }

    private mutating func merge(_ number: Int32, into target: Int32) {
        nodes[Int(target)].sum += nodes[Int(number)].sum
        for below in children(of: number) { merge(below, into: child(of: target, nodes[Int(below)].part[...])) }
        remove(number)
    }

    // MARK: - Rows

    /// All prefixes, each behind the one that it continues; of those that continue the same one, the largest first.
    /// - Parameter minBytes: smaller ones are left out, with all below them.
    public func rows(minBytes: UInt64 = 0) -> [Row] {
        var rows: [Row] = []
        var waiting: [(node: Int32, parent: Int, prefix: [UInt8])] = []
        func expand(_ node: Int32, _ parent: Int, _ prefix: [UInt8]) {
            let below = children(of: node).filter { nodes[Int($0)].sum.bytes >= minBytes }.sorted { left, right in
                let (left, right) = (nodes[Int(left)], nodes[Int(right)])
                if left.sum.bytes != right.sum.bytes { return left.sum.bytes > right.sum.bytes }
                return left.part.lexicographicallyPrecedes(right.part)
            }
            for child in below.reversed() { waiting.append((child, parent, prefix + nodes[Int(child)].part)) }
        }
        expand(0, -1, [])
        while let (number, parent, prefix) = waiting.popLast() {
            let node = nodes[Int(number)]
            rows.append(
                Row(
                    prefix: prefix, level: Int(node.level), hasMore: node.firstChild >= 0, isGroup: node.isGroup,
                    sum: node.sum, error: node.error, parent: parent))
            expand(number, rows.count - 1, prefix)
        }
        return rows
    }
}
