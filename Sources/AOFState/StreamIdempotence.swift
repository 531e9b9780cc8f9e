import RDBBytes
import RDBModel

/// What a stream keeps of idempotent producers (Redis 8.6): which of their own IDs became which entries.
struct StreamIdempotence: ~Copyable {
    static let durations: ClosedRange<Int64> = 1...86400
    static let counts: ClosedRange<Int64> = 1...10000

    var durationSeconds: UInt64 = 100
    var maxEntries: UInt64 = 100
    var idsAdded: UInt64 = 0
    var idsDuplicate: UInt64 = 0
    private(set) var producers = ByteTable<StreamProducer>()

    init() {}

    func copy() -> StreamIdempotence {
        var copy = StreamIdempotence()
        copy.durationSeconds = durationSeconds
        copy.maxEntries = maxEntries
        copy.idsAdded = idsAdded
        copy.idsDuplicate = idsDuplicate
        copy.producers = producers.copy { $0.copy() }
        return copy
    }

    /// Whether a file that cannot hold this loses anything.
    var isDefault: Bool {
        durationSeconds == 100 && maxEntries == 100 && idsAdded == 0 && idsDuplicate == 0 && producers.isEmpty
    }

    /// Of a file.
    mutating func restore(_ producer: RawSpan, _ producerEntry: RawSpan, _ id: StreamID) {
        let (index, _) = producers.findOrInsert(producer, StreamProducer())
        producers[index].record(producerEntry, id, maxCount: .max)
    }

    /// Of a file, behind its producers.
    mutating func restoreState(_ state: IdempotenceState) {
        durationSeconds = state.durationSeconds
        maxEntries = state.maxEntries
        idsAdded = state.idsAdded
        idsDuplicate = state.idsDuplicate
    }

    /// Notes a producer's ID of an entry. Beyond the most that a producer may have, its oldest goes.
    mutating func record(producer: RawSpan, _ producerEntry: RawSpan, _ id: StreamID) {
        let (index, _) = producers.findOrInsert(producer, StreamProducer())
        producers[index].record(producerEntry, id, maxCount: Int(clamping: maxEntries))
    }

    /// XCFGSET: what changes a setting clears what was noted.
    mutating func configure(durationSeconds: UInt64?, maxEntries: UInt64?) {
        let duration = durationSeconds ?? self.durationSeconds
        let count = maxEntries ?? self.maxEntries
        guard duration != self.durationSeconds || count != self.maxEntries else { return }
        self.durationSeconds = duration
        self.maxEntries = count
        producers.removeAll()
    }
}

/// One producer's IDs, oldest first.
final class StreamProducer {
    private(set) var entries = ByteTable<StreamID>()

    func copy() -> StreamProducer {
        let copy = StreamProducer()
        copy.entries = entries.copy()
        return copy
    }

    func record(_ producerEntry: RawSpan, _ id: StreamID, maxCount: Int) {
        entries.remove(producerEntry)
        entries.insert(producerEntry, id)
        while entries.count > maxCount, let oldest = entries.firstIndex { entries.remove(at: oldest) }
    }
}
