import RDBModel

/// IDs of a stream's pending entries, over all of its groups, ascending and each once.
///
/// A server lets a consumer claim only what exists in the stream, so entries that were deleted since are put there for
/// the time of the claim. Where there are more IDs than fit, the lowest come first, and the stream is read once more for
/// the next of them. Memory: 16 bytes for each of twice `maxCount` IDs.
struct PendingIDs {
    private var maxCount = 0
    private(set) var ids: [StreamID] = []
    /// There are more, above the last one.
    private(set) var isCut = false
    /// Those up to here are done with.
    private var floor: StreamID?
    private var isSorted = true
    private var compactAt = 0

    mutating func removeAll(maxCount: Int) {
        self.maxCount = maxCount
        floor = nil
        empty()
    }

    /// Makes room for those above the last one.
    mutating func startNext() {
        floor = ids.last
        empty()
    }

    private mutating func empty() {
        if ids.count > 64 << 10 { ids = [] } else { ids.removeAll(keepingCapacity: true) }
        isCut = false
        isSorted = true
        compactAt = min(64 << 10, maxCount * 2)
    }

    mutating func add(_ id: StreamID) {
        // 0-0 is no ID that an entry can have.
        guard id > floor ?? StreamID(milliseconds: 0, sequence: 0) else { return }
        if let last = ids.last, last >= id {
            if last == id { return }
            isSorted = false
        }
        ids.append(id)
        if ids.count >= compactAt { compact() }
    }

    /// To be called before the IDs are looked at.
    mutating func compact() {
        if !isSorted {
            ids.sort()
            // Groups repeat each other's IDs.
            var kept = 0
            for id in ids where kept == 0 || ids[kept - 1] != id {
                ids[kept] = id
                kept += 1
            }
            ids.removeSubrange(kept...)
            isSorted = true
        }
        if ids.count > maxCount {
            ids.removeSubrange(maxCount...)
            isCut = true
        }
        compactAt = min(max(64 << 10, ids.count * 2), maxCount * 2)
    }

    /// Whether an ID is among these, of which there may be more.
    func covers(_ id: StreamID) -> Bool {
        guard let last = ids.last else { return false }
        return id <= last && id > floor ?? StreamID(milliseconds: 0, sequence: 0)
    }
}
