import RDBBytes
import RDBFormat
import RDBModel

/// A sorted set. The order of its members is made when it is first asked for, and kept from then on.
///
/// Memory: the members as in `ByteTable` and 8 bytes for each score; the order as in `SortedOrder`.
final class SortedSetValue: StoredValue {
    private(set) var members = ByteTable<Double>()
    private var order: SortedOrder?

    init() {}

    var isEmpty: Bool { members.isEmpty }
    var count: Int { members.count }

    func copy() -> SortedSetValue {
        let copy = SortedSetValue()
        copy.members = members.copy()
        return copy
    }

    // MARK: - Members

    func score(of member: RawSpan) -> Double? {
        guard let index = members.find(member) else { return nil }
        return members[index]
    }

    /// Gives a member a score; it may be a new one. Zeros of either sign are the same score.
    func set(_ member: RawSpan, _ score: Double) {
        let renumberings = members.renumberingCount
        let (index, isNew) = members.findOrInsert(member, score)
        if members.renumberingCount != renumberings { order?.renumber() }
        if !isNew {
            if members[index] == score { return }
            order?.remove(index, members)
            members[index] = score
        }
        order?.insert(index, members)
    }

    /// - Returns: whether it was there.
    @discardableResult
    func remove(_ member: RawSpan) -> Bool {
        guard let index = members.find(member) else { return false }
        order?.remove(index, members)
        let renumberings = members.renumberingCount
        members.remove(at: index)
        if members.renumberingCount != renumberings { order?.renumber() }
        return true
    }

    /// In the order in which they came.
    func visit(_ body: (_ member: RawSpan, _ score: Double) -> Void) {
        var next = members.firstIndex
        while let index = next {
            body(members.key(at: index), members[index])
            next = members.index(after: index)
        }
    }

    // MARK: - In order

    /// Where the order stands; made if it is not there.
    private func ordered() -> SortedOrder {
        if let order { return order }
        let order = SortedOrder(members)
        self.order = order
        return order
    }

    /// Positions of members, in order, until the sorted set is changed.
    typealias Positions = Range<SortedOrder.Position>

    /// From one rank to another, both included, from the end where negative.
    func positions(ranks first: Int64, _ last: Int64) -> Positions? {
        guard let ranks = IndexRange(first, last, count: count) else { return nil }
        let order = ordered()
        return order.position(ofRank: ranks.first)..<order.position(ofRank: ranks.last + 1)
    }

    func positions(_ range: ScoreRange) -> Positions? {
        let order = ordered()
        let first = order.firstPosition { range.isBelow($0.score) }
        let end = order.firstPosition { !range.isAbove($0.score) }
        return first < end ? first..<end : nil
    }

    func positions(_ range: MemberRange) -> Positions? {
        let order = ordered()
        let first = order.firstPosition(in: members) { range.isBelow($0) }
        let end = order.firstPosition(in: members) { !range.isAbove($0) }
        return first < end ? first..<end : nil
    }

    /// Calls `body` with the members of a range in order, or backwards, until it returns false.
    func visit(
        in positions: Positions, isReverse: Bool = false, _ body: (_ member: RawSpan, _ score: Double) -> Bool
    ) {
        let order = ordered()
        var position = isReverse ? positions.upperBound : positions.lowerBound
        while isReverse ? position > positions.lowerBound : position < positions.upperBound {
            if isReverse { position = order.position(before: position) }
            let item = order[position]
            if !body(members.key(at: Int(item.index)), item.score) { return }
            if !isReverse { position = order.position(after: position) }
        }
    }

    func remove(_ positions: Positions) {
        _ = ordered()
        guard let removed = order?.remove(positions) else { return }
        if removed.count == count { order = nil }
        let renumberings = members.renumberingCount
        members.remove(atAll: removed)
        if members.renumberingCount != renumberings { order?.renumber() }
    }

    // MARK: - In an RDB

    func layout(_ family: RDBFamily) -> RDBType {
        guard count <= CompactLimits.sortedSetCount else { return .zset2 }
        var isSmall = true
        visit { member, _ in if member.byteCount > CompactLimits.byteCount { isSmall = false } }
        return isSmall ? .zsetListpack : .zset2
    }

    func append(to out: inout OutputBuffer, as layout: RDBType) {
        if layout == .zsetListpack {
            var listpack = ListpackWriter(for: RDBVersion(number: 11, family: .redis))
            if let all = positions(ranks: 0, -1) {
                visit(in: all) { member, score in
                    listpack.append(member)
                    // As servers do: an integer has no minus zero.
                    listpack.append(score: score == 0 ? 0 : score)
                    return true
                }
            }
            return listpack.handOver(to: &out)
        }
        out.append(length: UInt64(count))
        guard let all = positions(ranks: 0, -1) else { return }
        // The highest first, as servers write it: so each that is read goes to the front.
        visit(in: all, isReverse: true) { member, score in
            out.append(string: member)
            out.append(littleEndian: score.bitPattern)
            return true
        }
    }

    var keyspaceValue: KeyspaceValue { .sortedSet(self) }

    static func from(_ value: KeyspaceValue) -> SortedSetValue? {
        if case .sortedSet(let value) = value { value } else { nil }
    }
}

struct SortedSetLoader: ValueLoader {
    var joined: [UInt8] = []
    private let loaded = SortedSetValue()
    /// Whose score comes next.
    private var member: [UInt8] = []

    var value: KeyspaceValue { .sortedSet(loaded) }

    mutating func text(_ bytes: RawSpan, as role: TextRole) { member = bytes.array }

    mutating func score(_ value: Double) { loaded.set(member.rawSpan, value) }
}
