import RDBBytes

/// What keys take by the parts they begin with: a tree whose nodes are prefixes, in memory of a fixed size.
///
/// A node's sum holds all keys that begin with its parts. Each level of the tree is a table of its own, with room for
/// `2 * capacity` prefixes, and for as many that have a `*` in them. When one more comes, the `capacity` with the most bytes
/// stay (the Space-Saving method, done for many at once). Prefixes that go are added up in one with a `*` in the place of
/// what makes them many, so that names which come in great numbers (`user:anna:`, `user:ben:`) end up as one group
/// (`user:*:`), and what is below them too (`user:*:cart`). A prefix with a `*` that goes is added to the one with a `*` for
/// each name behind it; where it is that one, what it held stays counted in the prefix that it continues.
///
/// A room's floor is the most bytes that a prefix may have had that went. One that comes later may have been among them,
/// so it bears the floor as its error: there may be so many bytes more of it. Floors stay at or below
/// `total / (capacity + 1)`, those of prefixes with a `*`, whose bytes may come there twice, at or below twice as much; and
/// a prefix that takes more bytes than its room's floor is in the tree. While no room was ever full, all is exact.
/// Source: Metwally, Agrawal, El Abbadi: Efficient computation of frequent and top-k elements in data streams (2005).
/// Why the bound holds for many at once: let s be the sum of the capacity + 1 largest of (bytes + error) of a room, none
/// taken as less than the floor. New bytes raise s by no more than their number, also where they begin a prefix, and what
/// goes does not raise it; then the floor is one of the numbers in it. So (capacity + 1) × floor ≤ s ≤ total.
public struct PrefixTree: Sendable {
    /// A prefix, as reports show it.
    public struct Row: Equatable, Sendable {
        public var prefix: [UInt8]
        public var level: Int
        /// Its keys have further parts.
        public var hasMore: Bool
        /// Names were put together in it because there were too many of their kind.
        public var isGroup: Bool
        public var sum: AuditSum
        /// So many bytes more may belong to it.
        public var error: UInt64
        /// The row of the prefix that it continues; -1 for none.
        public var parent: Int
    }

    private struct Node {
        var room: Int
        var level: Int
        var prefix: [UInt8]
        /// Where the prefix's parts end, and the hashes of the prefixes up to there.
        var ends: InlineArray<8, UInt16>
        var hashes: InlineArray<8, UInt64>
        var isGroup = false
        var hasMore = false
        var sum = AuditSum()
        var error: UInt64

        var upper: UInt64 { sum.bytes.addingWithoutOverflow(error) }
        var hash: UInt64 { hashes[level - 1] }
    }

    /// The prefixes of a level, or those of them with a `*`.
    private struct Room {
        var count = 0
        var floor: UInt64 = 0
    }

    /// Prefixes of a room that stay when it is full.
    public let capacity: Int
    /// Of all keys.
    public private(set) var total = AuditSum()
    /// A free one has the room -1.
    private var nodes: [Node] = []
    private var free: [Int] = []
    /// By the hash of the prefix's parts.
    private var numbers = HashNumbers()
    /// By level, plain ones and those with a `*` in turn.
    private var rooms = [Room](repeating: Room(), count: (KeyParts.maxCount + 1) * 2)

    public init(capacity: Int = 4096) { self.capacity = max(2, capacity) }

    /// The most bytes that any row may lack.
    public var maxError: UInt64 { rooms.map(\.floor).max() ?? 0 }

    mutating func add(_ tally: PatternTally) {
        for pattern in tally.patterns {
            total += pattern.sum
            var hashes = InlineArray<8, UInt64>(repeating: 0)
            var ends = InlineArray<8, UInt16>(repeating: 0)
            var start = pattern.start
            var hasStar = false
            for index in 0..<pattern.partCount {
                let end = pattern.start + tally.ends[pattern.endsStart + index]
                let part = tally.bytes[start..<end]
                let hash = self.hash(index == 0 ? 0 : hashes[index - 1], part)
                hashes[index] = hash
                ends[index] = UInt16(truncatingIfNeeded: end - pattern.start)
                hasStar = hasStar || part.contains(KeyParts.star)
                let number =
                    numbers[hash]
                    ?? make(Array(tally.bytes[pattern.start..<end]), index + 1, ends, hashes, hasStar: hasStar)
                nodes[number].sum += pattern.sum
                if index + 1 < pattern.partCount { nodes[number].hasMore = true }
                start = end
            }
            // Upper levels first: what is below a name that went is put together with it.
            for room in rooms.indices where rooms[room].count > 2 * capacity { prune(room) }
        }
    }

    // MARK: - Nodes

    private func hash(_ before: UInt64, _ part: ArraySlice<UInt8>) -> UInt64 {
        let own = ByteHash.hash(unsafe part.span.bytes)
        let product = (before ^ own).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return (product.high ^ product.low) &+ own
    }

    private static func start(_ node: Node, _ index: Int) -> Int { index == 0 ? 0 : Int(node.ends[index - 1]) }

    private static func part(_ node: Node, _ index: Int) -> ArraySlice<UInt8> {
        node.prefix[start(node, index)..<Int(node.ends[index])]
    }

    private mutating func make(
        _ prefix: [UInt8], _ level: Int, _ ends: InlineArray<8, UInt16>, _ hashes: InlineArray<8, UInt64>, hasStar: Bool
    ) -> Int {
        let room = level * 2 + (hasStar ? 1 : 0)
        let node = Node(
            room: room, level: level, prefix: prefix, ends: ends, hashes: hashes, error: rooms[room].floor)
        rooms[room].count += 1
        let number: Int
        if let reused = free.popLast() {
            number = reused
            nodes[number] = node
        } else {
            number = nodes.count
            nodes.append(node)
        }
        numbers.insert(node.hash, number)
        return number
    }

    private mutating func remove(_ number: Int) {
        numbers.remove(nodes[number].hash)
        rooms[nodes[number].room].count -= 1
        nodes[number].room = -1
        nodes[number].prefix = []
        free.append(number)
    }

    // MARK: - Pruning

    private mutating func prune(_ room: Int) {
        var all: [(upper: UInt64, number: Int)] = []
        all.reserveCapacity(rooms[room].count)
        for number in nodes.indices where nodes[number].room == room { all.append((nodes[number].upper, number)) }
        // Nodes are made in the order of the file, so of equal ones the same stay in every run.
        all.sort { $0.upper != $1.upper ? $0.upper > $1.upper : $0.number < $1.number }
        rooms[room].floor = max(rooms[room].floor, all[capacity].upper)
        let gone = all[capacity...].map(\.number).sorted()
        for number in gone { fold(number) }
        for number in gone { remove(number) }
    }

    /// Adds a prefix to the one that has a `*` where its names are too many: in the place of names that are not here any
    /// more, else of the last one. In a prefix that has a `*` already, all names behind it are too many.
    private mutating func fold(_ number: Int) {
        let node = nodes[number]
        let last = node.level - 1
        let isPlain = node.room % 2 == 0
        var prefix: [UInt8] = []
        prefix.reserveCapacity(node.prefix.count)
        var ends = node.ends
        var hashes = node.hashes
        var hasStar = false
        var isChanged = false
        for index in 0...last {
            let start = prefix.count
            let part = Self.part(node, index)
            let isMany: Bool
            if isPlain {
                isMany = index < last ? numbers[node.hashes[index]] == nil : !hasStar
            } else {
                let isStar = part.contains(KeyParts.star)
                isMany = hasStar && !isStar
                hasStar = hasStar || isStar
            }
            if isMany { Self.appendGroupName(part, to: &prefix) } else { prefix += part }
            if isMany || isChanged {
                hasStar = true
                isChanged = true
                hashes[index] = hash(index == 0 ? 0 : hashes[index - 1], prefix[start...])
                ends[index] = UInt16(truncatingIfNeeded: prefix.count)
            }
        }
        if !isChanged { return }
        let group = numbers[hashes[last]] ?? make(prefix, node.level, ends, hashes, hasStar: true)
        nodes[group].isGroup = true
        nodes[group].sum += node.sum
        if node.hasMore { nodes[group].hasMore = true }
    }

    /// `*:` for `anna:`.
    private static func appendGroupName(_ part: ArraySlice<UInt8>, to prefix: inout [UInt8]) {
        var end = part.endIndex
        while end > part.startIndex, isMark(part[end - 1]) { end -= 1 }
        prefix.append(KeyParts.star)
        prefix += part[end...]
    }

    private static func groupName(_ part: ArraySlice<UInt8>) -> [UInt8] {
        var name: [UInt8] = []
        appendGroupName(part, to: &name)
        return name
    }

    private static func isMark(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "|"), UInt8(ascii: "."), UInt8(ascii: "-"),
            UInt8(ascii: "_"), UInt8(ascii: "#"), UInt8(ascii: ","), UInt8(ascii: ";"):
            true
        default: false
        }
    }

    // MARK: - Rows

    /// All prefixes, each behind the one that it continues; of those that continue the same one, the largest first.
    /// - Parameter minBytes: smaller ones are left out.
    public func rows(minBytes: UInt64 = 0) -> [Row] {
        let chosen = nodes.indices.filter { nodes[$0].room >= 0 && nodes[$0].sum.bytes >= minBytes }
            .sorted { left, right in
                let (left, right) = (nodes[left], nodes[right])
                if left.sum.bytes != right.sum.bytes { return left.sum.bytes > right.sum.bytes }
                if left.prefix != right.prefix { return left.prefix.lexicographicallyPrecedes(right.prefix) }
                return left.level < right.level
            }
        let isChosen = Set(chosen)
        var children: [Int: [Int]] = [:]
        for number in chosen { children[parent(of: number, isChosen), default: []].append(number) }
        var rows: [Row] = []
        var waiting = (children[-1] ?? []).reversed().map { (node: $0, parent: -1) }
        while let (number, parent) = waiting.popLast() {
            let node = nodes[number]
            rows.append(
                Row(
                    prefix: node.prefix, level: node.level, hasMore: node.hasMore, isGroup: node.isGroup, sum: node.sum,
                    error: node.error, parent: parent))
            waiting += (children[number] ?? []).reversed().map { (node: $0, parent: rows.count - 1) }
        }
        return rows
    }

    /// The longest prefix here that a node continues, by its name or by the group of such names; -1 for none.
    private func parent(of number: Int, _ isChosen: Set<Int>) -> Int {
        let node = nodes[number]
        var literal: UInt64 = 0
        var grouped: UInt64 = 0
        var found = -1
        for index in 0..<node.level - 1 {
            let part = Self.part(node, index)
            let own = hash(literal, part)
            // Where the name itself is not here, the group that it became is.
            let candidates = [own, hash(grouped, part), hash(grouped, Self.groupName(part)[...])]
            literal = own
            grouped = candidates[1]
            for hash in candidates {
                guard let other = numbers[hash], isChosen.contains(other) else { continue }
                found = other
                grouped = hash
                break
            }
        }
        return found
    }
}
