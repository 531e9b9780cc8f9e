import RDBBytes
import RDBModel

/// Builds a stream from the events of an RDB's entry.
struct StreamLoader: ValueLoader {
    var joined: [UInt8] = []
    private let loading = Loading()

    var value: KeyspaceValue { .stream(loading.stream) }

    /// What is built, and what is needed until the next event.
    private final class Loading {
        let stream = KeyspaceStream()
        var fields = StreamFields()
        var entryID = StreamID.zero
        var group = StreamGroup(lastID: .zero, entriesRead: nil)
        var consumer: StreamGroup.ConsumerNumber?
        var name: [UInt8] = []
        var producer: [UInt8] = []
        var isTooLarge = false
    }

    /// Whether an entry was left out that no server takes.
    var isTooLarge: Bool { loading.isTooLarge }

    mutating func text(_ bytes: RawSpan, as role: TextRole) {
        switch role {
        case .streamField: loading.fields.append(name: bytes)
        case .streamValue: loading.fields.append(value: bytes)
        case .producerID: loading.producer = bytes.array
        default: loading.name = bytes.array
        }
    }

    mutating func streamEntry(_ id: StreamID) {
        loading.entryID = id
        loading.fields.begin()
    }

    mutating func endStreamEntry() {
        if loading.fields.byteCount > StreamFields.maxByteCount {
            loading.isTooLarge = true
        } else {
            loading.stream.restore(loading.entryID, loading.fields)
        }
    }

    mutating func streamState(_ state: StreamState) { loading.stream.restoreState(state) }

    mutating func group(_ state: GroupState) {
        let entriesRead: UInt64? =
            switch state.entriesRead {
            case .count(let count): count
            case .unknown: nil
            case .absent: loading.stream.countAdded(upTo: state.lastID)
            }
        loading.group = StreamGroup(lastID: state.lastID, entriesRead: entriesRead)
        let name = loading.name
        loading.stream.groups.set(name.rawSpan, loading.group)
    }

    mutating func pendingEntry(_ entry: PendingEntry) { loading.group.restore(entry) }

    mutating func consumer(_ times: ConsumerTimes) {
        let group = loading.group
        let name = loading.name
        let number = group.makeConsumer(name.rawSpan, seenAt: times.seenAt)
        // A server that loads an old file takes the one time for the other.
        group[number].activeAt = times.activeAt ?? times.seenAt
        loading.consumer = number
    }

    mutating func consumerPending(_ id: StreamID) {
        if let consumer = loading.consumer { loading.group.restoreOwner(of: id, consumer) }
    }

    mutating func negativelyAcknowledged(_ id: StreamID) { loading.group.restoreUnowned(id) }

    mutating func endGroup() -> Bool {
        loading.group.endRestore()
        loading.consumer = nil
        return false
    }

    mutating func producerEntry(_ id: StreamID) {
        let producer = loading.producer
        let name = loading.name
        loading.stream.idempotence.restore(producer.rawSpan, name.rawSpan, id)
    }

    mutating func idempotence(_ state: IdempotenceState) { loading.stream.idempotence.restoreState(state) }
}
