import RDBKit

/// Entries of a stream put into nodes, each as the two strings of an RDB: the node's ID and its listpack.
///
/// `StreamNodeDecoder` shows the layout. Every entry has its fields with it: none share those of the master entry.
///
/// Memory: the entries of a node, and what is not taken from `out`.
struct StreamNodes: ~Copyable {
    private(set) var nodeCount: UInt64 = 0
    private(set) var entryCount: UInt64 = 0
    private(set) var lastID: StreamID?
    var out = OutputBuffer(capacity: 4 << 10)
    /// Of the node that is being filled.
    private var held: [(id: StreamID, texts: [RESPReply])] = []
    private var heldByteCount = 0
    private var listpack: ListpackWriter

    private static let maxNodeEntryCount = 100
    private static let maxNodeByteCount = 32 << 10

    init(_ version: RDBVersion) { listpack = ListpackWriter(for: version) }

    /// - Parameter entry: an ID, and fields and values in turn.
    /// - Returns: false where it is none, or not behind the one before.
    mutating func append(_ entry: RESPReply) -> Bool {
        guard let parts = entry.array, parts.count == 2, let id = StreamID(parts[0]), let texts = parts[1].array,
            texts.count.isMultiple(of: 2), lastID.map({ $0 < id }) ?? true
        else { return false }
        for text in texts {
            guard case .bulk(let bytes) = text else { return false }
            heldByteCount += bytes.count + 16
        }
        held.append((id, texts))
        entryCount += 1
        lastID = id
        if held.count == Self.maxNodeEntryCount || heldByteCount >= Self.maxNodeByteCount { closeNode() }
        return true
    }

    /// Writes what the last node holds.
    mutating func closeNode() {
        guard let first = held.first?.id else { return }
        out.append(length: 16)
        out.appendRaw(first)
        listpack.append(Int64(held.count))
        // Deleted entries, field names, the end of the master entry.
        for _ in 0..<3 { listpack.append(0) }
        for (id, texts) in held {
            listpack.append(0)
            listpack.append(Int64(bitPattern: id.milliseconds &- first.milliseconds))
            listpack.append(Int64(bitPattern: id.sequence &- first.sequence))
            listpack.append(Int64(texts.count / 2))
            for text in texts {
                if case .bulk(let bytes) = text { listpack.append(bytes.rawSpan) }
            }
            listpack.append(Int64(texts.count + 4))
        }
        listpack.handOver(to: &out)
        nodeCount += 1
        held.removeAll(keepingCapacity: true)
        heldByteCount = 0
    }
}
