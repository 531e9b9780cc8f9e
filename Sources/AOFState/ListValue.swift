import RDBBytes
import RDBFormat
import RDBModel

/// A list.
final class ListValue: StoredValue {
    var elements = PackedList()

    init() {}

    var isEmpty: Bool { elements.count == 0 }
    var count: Int { elements.count }

    func copy() -> ListValue {
        let copy = ListValue()
        copy.elements = elements
        return copy
    }

    enum Side {
        case left, right
    }

    func push(_ element: RawSpan, _ side: Side) {
        switch side {
        case .left: elements.prepend(element)
        case .right: elements.append(element)
        }
    }

    /// Removes up to `wanted` elements from one side.
    func remove(_ wanted: Int, _ side: Side) {
        let wanted = min(wanted, count)
        switch side {
        case .left: elements.removeFirst(wanted)
        case .right: elements.removeLast(wanted)
        }
    }

    /// The element at one side of a list that has one.
    func end(_ side: Side) -> [UInt8] {
        guard let position = elements.position(of: side == .left ? 0 : count - 1) else { return [] }
        return elements.withElement(at: position) { $0.array }
    }

    /// Keeps the elements from one index to another, both included, from the end where negative.
    func trim(_ first: Int64, _ last: Int64) {
        guard let kept = IndexRange(first, last, count: count) else {
            elements = PackedList()
            return
        }
        elements.removeLast(count - 1 - kept.last)
        elements.removeFirst(kept.first)
    }

    /// LREM: removes `wanted` elements that equal `element`, from the end where negative, all where 0.
    func remove(_ element: RawSpan, count wanted: Int64) {
        if wanted >= 0 {
            let limit = wanted == 0 ? Int.max : Int(wanted)
            return elements.removeAll(limit: limit) { $0.isEqual(to: element) }
        }
        var found = 0
        elements.visit { if $0.isEqual(to: element) { found += 1 } }
        let skip = UInt64(found) > wanted.magnitude ? found - Int(wanted.magnitude) : 0
        elements.removeAll(skip: skip) { $0.isEqual(to: element) }
    }

    // MARK: - In an RDB

    /// Elements larger than a node of a server's default size stand by themselves.
    private static let nodeByteCount = 8192

    func layout(_ family: RDBFamily) -> RDBType { .listQuicklist2 }

    func append(to out: inout OutputBuffer, as layout: RDBType) {
        // No length of an entry that is not portable is put into a listpack, so any version will do.
        var node = ListpackWriter(for: RDBVersion(number: 11, family: .redis))
        var nodes = OutputBuffer(capacity: 4096)
        var nodeCount: UInt64 = 0
        func flush() {
            guard node.count > 0 else { return }
            nodes.append(length: 2)
            node.handOver(to: &nodes)
            nodeCount += 1
        }
        elements.visit { element in
            let isLarge =
                element.byteCount > Self.nodeByteCount
                || !ListpackWriter.isPortable(textByteCount: element.byteCount)
            if isLarge || node.byteCount + element.byteCount > Self.nodeByteCount { flush() }
            if isLarge {
                nodes.append(length: 1)
                nodes.append(text: element)
                nodeCount += 1
            } else {
                node.append(element)
            }
        }
        flush()
        out.append(length: nodeCount)
        out.append(nodes.bytes)
    }

    var keyspaceValue: KeyspaceValue { .list(self) }

    static func from(_ value: KeyspaceValue) -> ListValue? {
        if case .list(let value) = value { value } else { nil }
    }
}

/// A range of indices as commands give it: both ends included, negative ones counted from the end.
struct IndexRange {
    let first: Int
    let last: Int

    /// nil where nothing of what there is lies within.
    init?(_ first: Int64, _ last: Int64, count: Int) {
        let total = Int64(count)
        var first = first
        var last = last
        if first < 0 { first = max(0, first &+ total) }
        if last < 0 { last = last &+ total }
        guard last >= 0, first <= last, first < total else { return nil }
        self.first = Int(first)
        self.last = Int(min(last, total - 1))
    }
}

struct ListLoader: ValueLoader {
    var joined: [UInt8] = []
    private let loaded = ListValue()

    var value: KeyspaceValue { .list(loaded) }

    mutating func text(_ bytes: RawSpan, as role: TextRole) { loaded.elements.append(bytes) }
}
