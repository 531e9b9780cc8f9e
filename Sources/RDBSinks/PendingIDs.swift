import RDBModel

/// IDs of a stream's pending entries, over all of its groups, ascending and each once.
///
/// A server lets a consumer claim only what exists in the stream, so those that do not are put there for the time of
/// the claim. Memory: 16 bytes an ID, at most `maxCount`.
struct PendingIDs {
    static let maxCount = 4 << 20

    private(set) var ids: [StreamID] = []
    private var isSorted = true
    private var compactAt = 1 << 16
    /// More than fit.
    private(set) var isOverfull = false

    mutating func removeAll() {
        if ids.count > 1 << 16 { ids = [] } else { ids.removeAll(keepingCapacity: true) }
        isSorted = true
        compactAt = 1 << 16
        isOverfull = false
    }

    mutating func add(_ id: StreamID) {
        if let last = ids.last, last >= id {
            if last == id { return }
            isSorted = false
        }
        if isOverfull { return }
        ids.append(id)
        // Groups repeat each other's IDs.
        if ids.count >= compactAt {
            compact()
            isOverfull = ids.count > Self.maxCount
            compactAt = min(max(1 << 16, ids.count * 2), Self.maxCount + 1)
        }
    }

    /// To be called before the IDs are looked at.
    mutating func compact() {
        if isSorted { return }
        ids.sort()
        var kept = 0
        for id in ids where kept == 0 || ids[kept - 1] != id {
            ids[kept] = id
            kept += 1
        }
        ids.removeSubrange(kept...)
        isSorted = true
    }
}
