import RDBBytes
import RDBModel

/// A consumer group of a stream: how far it has come, what it delivered and to whom.
final class StreamGroup {
    struct Consumer {
        /// Unix time in milliseconds.
        var seenAt: Int64
        /// -1: it never got an entry.
        var activeAt: Int64 = -1
        /// Of the group's pending entries.
        var pendingCount = 0
    }

    struct Pending {
        /// Unix time in milliseconds.
        var deliveredAt: Int64
        var deliveryCount: UInt64
        /// Which consumer owns it; nobody after it was given back.
        var owner: ConsumerNumber?
    }

    /// Which of the group's consumers: the same as long as it exists.
    struct ConsumerNumber: Equatable {
        fileprivate var value: Int32
    }

    var lastID: StreamID
    /// nil where the server no longer knows.
    var entriesRead: UInt64?
    private(set) var pending = OrderedMap<StreamID, Pending>()

    private var numbers = ByteTable<ConsumerNumber>()
    /// By number; nil where it was deleted.
    private var consumers: [Consumer?] = []
    private var freeNumbers: [Int32] = []

    /// Of entries that nobody owns: when each was given back, as a running number.
    private var giveBacks: [StreamID: UInt64] = [:]
    private var giveBackCount: UInt64 = 0

    init(lastID: StreamID, entriesRead: UInt64?) {
        self.lastID = lastID
        self.entriesRead = entriesRead
    }

    func copy() -> StreamGroup {
        let copy = StreamGroup(lastID: lastID, entriesRead: entriesRead)
        copy.pending = pending
        copy.numbers = numbers.copy()
        copy.consumers = consumers
        copy.freeNumbers = freeNumbers
        copy.giveBacks = giveBacks
        copy.giveBackCount = giveBackCount
        return copy
    }

    // MARK: - Consumers

    var consumerCount: Int { numbers.count }

    func consumer(_ name: RawSpan) -> ConsumerNumber? { numbers.find(name).map { numbers[$0] } }

    /// The consumer of this name, made where there is none.
    func makeConsumer(_ name: RawSpan, seenAt: Int64) -> ConsumerNumber {
        if let number = consumer(name) { return number }
        let number: ConsumerNumber
        if let free = freeNumbers.popLast() {
            number = ConsumerNumber(value: free)
            consumers[Int(free)] = Consumer(seenAt: seenAt)
        } else {
            // 2^31 names take more memory than there is.
            number = ConsumerNumber(value: Int32(consumers.count))
            consumers.append(Consumer(seenAt: seenAt))
        }
        numbers.insert(name, number)
        return number
    }

    subscript(_ number: ConsumerNumber) -> Consumer {
        get { consumers[Int(number.value)] ?? Consumer(seenAt: 0) }
        set { consumers[Int(number.value)] = newValue }
    }

    /// Deletes a consumer and what it has pending.
    func deleteConsumer(_ name: RawSpan) {
        guard let number = numbers.remove(name) else { return }
        if self[number].pendingCount > 0 { pending.removeAll { $0.value.owner == number } }
        consumers[Int(number.value)] = nil
        freeNumbers.append(number.value)
    }

    // MARK: - Pending entries

    /// Notes a pending entry of a file, which says later whose it is.
    func restore(_ entry: PendingEntry) {
        let value = Pending(deliveredAt: entry.deliveredAt, deliveryCount: entry.deliveryCount, owner: nil)
        if let place = pending.find(entry.id) { pending[place] = value } else { pending.insert(entry.id, value) }
    }

    /// Says whose a pending entry of a file is. Of those that are not pending, a damaged file says so.
    func restoreOwner(of id: StreamID, _ consumer: ConsumerNumber) {
        guard let place = pending.find(id), pending[place].owner == nil else { return }
        pending[place].owner = consumer
        consumers[Int(consumer.value)]?.pendingCount += 1
    }

    /// Says that nobody owns a pending entry of a file, behind all of which that was said before.
    func restoreUnowned(_ id: StreamID) {
        guard let place = pending.find(id), pending[place].owner == nil, giveBacks[id] == nil else { return }
        giveBackCount += 1
        giveBacks[id] = giveBackCount
    }

    /// After all pending entries of a file: of which it has not said whose they are, they are nobody's.
    func endRestore() {
        let owned = consumers.reduce(0) { $0 + ($1?.pendingCount ?? 0) }
        guard owned + giveBacks.count < pending.count else { return }
        var left: [StreamID] = []
        pending.visit { if $0.value.owner == nil { left.append($0.key) } }
        for id in left { restoreUnowned(id) }
    }

    /// - Returns: whether the entry was pending.
    @discardableResult
    func acknowledge(_ id: StreamID) -> Bool {
        guard let place = pending.find(id) else { return false }
        release(id, pending[place].owner)
        pending.remove(at: place)
        return true
    }

    /// It is no longer its owner's, or no longer among those that nobody owns.
    private func release(_ id: StreamID, _ owner: ConsumerNumber?) {
        if let owner {
            consumers[Int(owner.value)]?.pendingCount -= 1
        } else {
            giveBacks[id] = nil
        }
    }

    /// Gives an entry to a consumer; it need not be pending yet.
    func assign(_ id: StreamID, to consumer: ConsumerNumber, deliveredAt: Int64, deliveryCount: UInt64) {
        let value = Pending(deliveredAt: deliveredAt, deliveryCount: deliveryCount, owner: consumer)
        if let place = pending.find(id) {
            release(id, pending[place].owner)
            pending[place] = value
        } else {
            pending.insert(id, value)
        }
        consumers[Int(consumer.value)]?.pendingCount += 1
    }

    /// Takes an entry from its owner, behind all that were given back before; it need not be pending yet.
    /// Source: formats/newest.md §10.4, XNACK.
    func giveBack(_ id: StreamID, deliveryCount: UInt64) {
        let value = Pending(deliveredAt: 0, deliveryCount: deliveryCount, owner: nil)
        if let place = pending.find(id) {
            release(id, pending[place].owner)
            pending[place] = value
        } else {
            pending.insert(id, value)
        }
        giveBackCount += 1
        giveBacks[id] = giveBackCount
    }

    /// Pending entries that nobody owns, in the order in which they were given back.
    var unowned: [StreamID] { giveBacks.sorted { $0.value < $1.value }.map(\.key) }

    /// Consumers in the order of their names' bytes, as servers keep them, each with its number.
    func forEachConsumer(_ body: (RawSpan, ConsumerNumber) -> Void) {
        numbers.forEachInOrder { body($0, $1) }
    }

    /// The IDs that each consumer owns, ascending, by its number.
    func ownedIDs() -> [[StreamID]] {
        var owned = [[StreamID]](repeating: [], count: consumers.count)
        pending.visit { element in
            if let owner = element.value.owner { owned[Int(owner.value)].append(element.key) }
        }
        return owned
    }
}

extension StreamGroup.ConsumerNumber {
    /// Where `ownedIDs` has the consumer's.
    var index: Int { Int(value) }
}

extension ByteTable {
    /// Goes through the entries in the order of their keys' bytes.
    func forEachInOrder(_ body: (RawSpan, Value) -> Void) {
        var indices: [Int] = []
        indices.reserveCapacity(count)
        var next = firstIndex
        while let index = next {
            indices.append(index)
            next = self.index(after: index)
        }
        indices.sort { key(at: $0).precedes(key(at: $1)) }
        for index in indices { body(key(at: index), self[index]) }
    }
}
