import RDBBytes
import RDBModel

/// The pending entries and consumers of one consumer group, as far as they are held at once.
@usableFromInline
struct GroupTable {
    /// Pending entries of the present batch, ascending by ID, and the index of each one's consumer (-1: none).
    private(set) var pending: [PendingEntry] = []
    private var owners: [Int32] = []
    private var isSorted = true

    /// Pending entries of the group before this batch, and seen in this pass.
    private var batchStart = 0
    private var seen = 0

    /// The consumers' names as JSON strings, one after another; kept over all batches.
    private var names = [UInt8]()
    private var nameEnds: [Int] = []
    private var consumerTimes: [ConsumerTimes] = []
    /// The consumer that the pass is at.
    private var consumer = -1
    private var nextGuess = 0
    private var knowsConsumers = false

    var consumerCount: Int { consumerTimes.count }
    var consumersByteCount: Int { names.count + consumerTimes.count * 40 }

    mutating func removeAll() {
        if batchStart == 0, seen == 0, consumer < 0 { return }
        self = GroupTable()
    }

    mutating func addPending(_ entry: PendingEntry) {
        if seen >= batchStart, pending.count < JSONEntryWriter.pendingBatch {
            if let last = pending.last, last.id >= entry.id { isSorted = false }
            pending.append(entry)
            owners.append(-1)
        }
        seen += 1
    }

    @usableFromInline
    mutating func addConsumer(_ name: RawSpan, form: StringForm) {
        if !isSorted {
            // Only a damaged file: what follows searches by ID.
            pending.sort { $0.id < $1.id }
            isSorted = true
        }
        consumer += 1
        nextGuess = 0
        if knowsConsumers { return }
        var text = OutputBuffer(capacity: 64)
        text.appendJSON(name, form: form)
        names += text.bytes.array
        nameEnds.append(names.count)
    }

    mutating func setTimes(_ times: ConsumerTimes) {
        if !knowsConsumers { consumerTimes.append(times) }
    }

    /// The present consumer owns the entry, where that is in the batch.
    mutating func assign(_ id: StreamID) {
        // Consumers list their entries in ascending order: the next one is often the very next.
        if nextGuess < pending.count, pending[nextGuess].id == id {
            owners[nextGuess] = Int32(consumer)
            nextGuess += 1
            return
        }
        var low = 0
        var high = pending.count
        while low < high {
            let middle = (low + high) / 2
            if pending[middle].id < id { low = middle + 1 } else { high = middle }
        }
        guard low < pending.count, pending[low].id == id else { return }
        owners[low] = Int32(consumer)
        nextGuess = low + 1
    }

    /// The consumer's name as JSON.
    func appendName(_ index: Int, to out: inout OutputBuffer) {
        out.append(names.rawSpan.extracting((index == 0 ? 0 : nameEnds[index - 1])..<nameEnds[index]))
    }

    func times(_ index: Int) -> ConsumerTimes { consumerTimes[index] }

    func ownerIndex(of index: Int) -> Int? { owners[index] < 0 ? nil : Int(owners[index]) }

    /// After a batch was written: whether there are more, which another pass over the group brings.
    mutating func startNextBatch() -> Bool {
        guard batchStart + pending.count < seen else { return false }
        batchStart += pending.count
        pending.removeAll(keepingCapacity: true)
        owners.removeAll(keepingCapacity: true)
        seen = 0
        consumer = -1
        knowsConsumers = true
        return true
    }
}
