import RDBBytes
import RDBFormat
import RDBModel

/// A stream as commands change it: entries by ID, counters, consumer groups, idempotent producers.
///
/// Source of all rules: redis/redis src/t_stream.c; formats/commands.md §C.12, formats/newest.md §10.4.
final class KeyspaceStream: StoredValue {
    /// None is empty. The first `firstNode` are used up.
    private var nodes: [StreamNode] = []
    private var firstNode = 0

    private(set) var length: UInt64 = 0
    private(set) var lastID = StreamID.zero
    private(set) var firstID = StreamID.zero
    private(set) var maxDeletedID = StreamID.zero
    private(set) var entriesAdded: UInt64 = 0

    /// By name.
    var groups = ByteTable<StreamGroup>()
    var idempotence = StreamIdempotence()

    init() {}

    /// A stream stays when its last entry goes.
    var isEmpty: Bool { false }

    var keyspaceValue: KeyspaceValue { .stream(self) }

    static func from(_ value: KeyspaceValue) -> KeyspaceStream? {
        if case .stream(let value) = value { value } else { nil }
    }

    func copy() -> KeyspaceStream {
        let copy = KeyspaceStream()
        copy.nodes = Array(nodes[firstNode...])
        copy.length = length
        copy.lastID = lastID
        copy.firstID = firstID
        copy.maxDeletedID = maxDeletedID
        copy.entriesAdded = entriesAdded
        copy.groups = groups.copy { $0.copy() }
        copy.idempotence = idempotence.copy()
        return copy
    }

    // MARK: - Entries

    /// Adds an entry, whose ID must be above the last one.
    /// - Returns: false where it is not; then nothing has changed.
    func append(_ id: StreamID, _ fields: borrowing StreamFields) -> Bool {
        guard id > lastID else { return false }
        put(id, fields, isNewNode: firstNode == nodes.count || !nodes[nodes.count - 1].admits(fields))
        entriesAdded &+= 1
        lastID = id
        if length == 1 { firstID = id }
        return true
    }

    /// Adds an entry of a file, whose counters come with `restoreState`.
    func restore(_ id: StreamID, _ fields: borrowing StreamFields) {
        put(id, fields, isNewNode: firstNode == nodes.count || !nodes[nodes.count - 1].takes(restored: fields))
    }

    private func put(_ id: StreamID, _ fields: borrowing StreamFields, isNewNode: Bool) {
        if isNewNode { nodes.append(StreamNode()) }
        nodes[nodes.count - 1].append(id, fields)
        length += 1
    }

    /// The ID of the last entry that is there.
    var topID: StreamID? { firstNode < nodes.count ? nodes[nodes.count - 1].lastID : nil }

    func contains(_ id: StreamID) -> Bool { place(of: id) != nil }

    /// The first entry behind an ID.
    func id(after id: StreamID) -> StreamID? {
        var low = firstNode
        var high = nodes.count
        while low < high {
            let middle = (low + high) / 2
            if nodes[middle].lastID <= id { low = middle + 1 } else { high = middle }
        }
        return low < nodes.count ? nodes[low].id(at: nodes[low].index(after: id)) : nil
    }

    private func place(of id: StreamID) -> (node: Int, index: Int)? {
        var low = firstNode
        var high = nodes.count
        while low < high {
            let middle = (low + high) / 2
            if nodes[middle].lastID < id { low = middle + 1 } else { high = middle }
        }
        guard low < nodes.count, let index = nodes[low].find(id) else { return nil }
        return (low, index)
    }

    /// Removes one entry, as XDEL does: the highest of these IDs is remembered.
    @discardableResult
    func delete(_ id: StreamID) -> Bool {
        guard let place = place(of: id) else { return false }
        nodes[place.node].remove(at: place.index)
        length -= 1
        if nodes[place.node].isEmpty { removeNode(place.node) }
        maxDeletedID = max(maxDeletedID, id)
        noteFirstID()
        return true
    }

    private func removeNode(_ index: Int) {
        guard index == firstNode else {
            nodes.remove(at: index)
            return
        }
        nodes[index] = StreamNode()
        firstNode += 1
        if firstNode == nodes.count {
            nodes.removeAll()
            firstNode = 0
        } else if firstNode >= 64, firstNode > nodes.count / 2 {
            nodes.removeFirst(firstNode)
            firstNode = 0
        }
    }

    private func noteFirstID() { firstID = firstNode < nodes.count ? nodes[firstNode].firstID : .zero }

    // MARK: - Trimming

    enum TrimLimit {
        case maxLength(UInt64)
        case minID(StreamID)
    }

    /// What becomes of the references that groups have to entries which are removed.
    enum ReferencePolicy {
        case keep
        /// They go as well.
        case delete
        /// Only entries that nobody refers to are removed.
        case acknowledged
    }

    /// - Parameter isApproximate: only nodes that go as a whole are removed, and that only where references are kept, as
    ///   servers do it.
    /// - Returns: whether anything was removed.
    @discardableResult
    func trim(to limit: TrimLimit, isApproximate: Bool, _ policy: ReferencePolicy) -> Bool {
        let before = length
        var node = firstNode
        while node < nodes.count {
            let isWhole: Bool
            switch limit {
            case .maxLength(let most):
                if length <= most { node = nodes.count }
                isWhole = node < nodes.count && length - UInt64(nodes[node].count) >= most
            case .minID(let id): isWhole = nodes[node].lastID < id
            }
            if node == nodes.count || isApproximate && !(isWhole && policy == .keep) { break }
            if isWhole, policy == .keep {
                length -= UInt64(nodes[node].count)
                node = remove(wholeNode: node)
                continue
            }
            let isDone = trim(node: node, to: limit, policy)
            let isEmpty = nodes[node].isEmpty
            if isEmpty { node = remove(wholeNode: node) }
            if isDone { break }
            if !isEmpty { node += 1 }
        }
        guard length < before else { return false }
        noteFirstID()
        return true
    }

    /// - Returns: the node that now follows.
    private func remove(wholeNode node: Int) -> Int {
        let isFirst = node == firstNode
        removeNode(node)
        return isFirst ? firstNode : node
    }

    /// Removes entries of one node.
    /// - Returns: whether the limit was reached.
    private func trim(node: Int, to limit: TrimLimit, _ policy: ReferencePolicy) -> Bool {
        if policy == .keep {
            // The limit lies within the node.
            let count: Int
            switch limit {
            case .maxLength(let most): count = Int(length - most)
            case .minID(let id): count = nodes[node].index(ofFirstFrom: id)
            }
            nodes[node].removeFirst(count)
            length -= UInt64(count)
            return true
        }
        var index = 0
        while index < nodes[node].count {
            let id = nodes[node].id(at: index)
            switch limit {
            case .maxLength(let most): if length <= most { return true }
            case .minID(let least): if id >= least { return true }
            }
            if policy == .acknowledged, isReferenced(id) {
                index += 1
                continue
            }
            if policy == .delete { removeReferences(to: id) }
            nodes[node].remove(at: index)
            length -= 1
        }
        return false
    }

    // MARK: - References

    /// Whether some group has the entry pending, or has not come to it yet.
    func isReferenced(_ id: StreamID) -> Bool {
        var next = groups.firstIndex
        while let index = next {
            if groups[index].lastID < id || groups[index].pending.find(id) != nil { return true }
            next = groups.index(after: index)
        }
        return false
    }

    func removeReferences(to id: StreamID) {
        var next = groups.firstIndex
        while let index = next {
            groups[index].acknowledge(id)
            next = groups.index(after: index)
        }
    }

    // MARK: - Counters

    /// Of a file.
    func restoreState(_ state: StreamState) {
        lastID = state.lastID
        noteFirstID()
        if let id = state.firstID { firstID = id }
        maxDeletedID = state.maxDeletedID ?? .zero
        // What older files do not say is taken as servers take it: nothing was ever deleted.
        entriesAdded = state.entriesAdded ?? length
    }

    /// XSETID, whose arguments have been checked.
    func set(lastID: StreamID, entriesAdded: UInt64?, maxDeletedID: StreamID?) {
        self.lastID = lastID
        if let entriesAdded { self.entriesAdded = entriesAdded }
        if let maxDeletedID { self.maxDeletedID = maxDeletedID }
    }

    /// Whether entries may be missing at or behind an ID that is below the last one.
    private func hasGap(from id: StreamID) -> Bool { length > 0 && maxDeletedID != .zero && id <= maxDeletedID }

    /// How many entries a group has read that reads the next one.
    /// - Parameters:
    ///   - id: of the next one.
    ///   - isFromGroup: servers since Redis 8.0 and Valkey 8.1. Before, a gap between what was read last and the next
    ///     entry did not count.
    func countRead(_ read: UInt64?, of group: StreamID, with id: StreamID, isFromGroup: Bool) -> UInt64? {
        let isWhole =
            isFromGroup ? group >= firstID && !hasGap(from: group) : firstID > maxDeletedID || !hasGap(from: id)
        if let read, isWhole { return read &+ 1 }
        return entriesAdded > 0 ? countAdded(upTo: id, isFromGroup: isFromGroup) : read
    }

    /// How many entries had ever been added when the one with this ID had; nil where that cannot be told.
    /// Source: redis/redis src/t_stream.c, streamEstimateDistanceFromFirstEverEntry.
    func countAdded(upTo id: StreamID, isFromGroup: Bool = true) -> UInt64? {
        if entriesAdded == 0 { return 0 }
        if length == 0, id <= lastID { return entriesAdded }
        if isFromGroup, id != .zero, id < maxDeletedID { return nil }
        if id == lastID { return entriesAdded }
        if id > lastID { return nil }
        if maxDeletedID == .zero || maxDeletedID < firstID {
            if id < firstID { return entriesAdded &- length }
            if id == firstID { return entriesAdded &- length &+ 1 }
        }
        return nil
    }

    // MARK: - Walking

    func forEachNode(_ body: (StreamNode) -> Void) {
        for index in firstNode..<nodes.count { body(nodes[index]) }
    }

    var nodeCount: Int { nodes.count - firstNode }
}

extension StreamID {
    static let zero = StreamID(milliseconds: 0, sequence: 0)
    static let greatest = StreamID(milliseconds: .max, sequence: .max)

    /// The least ID above it.
    var next: StreamID? {
        if sequence < .max { return StreamID(milliseconds: milliseconds, sequence: sequence + 1) }
        return milliseconds < .max ? StreamID(milliseconds: milliseconds + 1, sequence: 0) : nil
    }
}
