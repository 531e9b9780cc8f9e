import RDBKit

/// Folds all events of a value into one number, so that two ways of reading it can be compared. A text counts the same
/// in one piece and in chunks.
struct EventDigest: ValueVisitor {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325
    private(set) var count: UInt64 = 0

    mutating func fold(_ word: UInt64) { value = (value ^ word) &* 0x100_0000_01b3 ^ value >> 29 }

    private mutating func event(_ number: UInt64, _ words: UInt64...) {
        count += 1
        fold(number)
        for word in words { fold(word) }
    }

    private mutating func fold(_ id: StreamID) {
        fold(id.milliseconds)
        fold(id.sequence)
    }

    private mutating func fold(_ bytes: RawSpan) {
        for index in 0..<bytes.byteCount { fold(UInt64(bytes.byte(at: index))) }
    }

    private mutating func fold(_ role: TextRole) { fold(UInt64(role.number)) }

    mutating func elements(_ count: UInt64?) { event(1, count ?? .max) }
    mutating func text(_ bytes: RawSpan, as role: TextRole) {
        event(2)
        fold(role)
        fold(bytes)
    }
    mutating func integer(_ value: Int64, as role: TextRole) {
        event(3, UInt64(bitPattern: value))
        fold(role)
    }
    mutating func beginLargeText(byteCount: UInt64, as role: TextRole) {
        event(2)
        fold(role)
    }
    mutating func largeTextChunk(_ bytes: RawSpan) { fold(bytes) }
    mutating func score(_ value: Double) { event(4, value.bitPattern) }
    mutating func fieldExpiry(_ expiresAt: Int64?) { event(5, UInt64(bitPattern: expiresAt ?? -1)) }
    mutating func unsigned(_ value: UInt64) { event(6, value) }
    mutating func streamEntry(_ id: StreamID) {
        event(7)
        fold(id)
    }
    mutating func endStreamEntry() { event(8) }
    mutating func streamState(_ state: StreamState) {
        event(9, state.length)
        fold(state.lastID)
    }
    mutating func group(_ state: GroupState) {
        event(10)
        fold(state.lastID)
    }
    mutating func pendingEntry(_ entry: PendingEntry) {
        event(11, UInt64(bitPattern: entry.deliveredAt), entry.deliveryCount)
        fold(entry.id)
    }
    mutating func consumer(_ times: ConsumerTimes) {
        event(12, UInt64(bitPattern: times.seenAt), UInt64(bitPattern: times.activeAt ?? -1))
    }
    mutating func consumerPending(_ id: StreamID) {
        event(13)
        fold(id)
    }
    mutating func negativelyAcknowledged(_ id: StreamID) {
        event(14)
        fold(id)
    }
    mutating func endGroup() -> Bool {
        event(15)
        return false
    }
    mutating func producerEntry(_ id: StreamID) {
        event(16)
        fold(id)
    }
    mutating func idempotence(_ state: IdempotenceState) {
        event(17, state.durationSeconds, state.maxEntries, state.idsAdded, state.idsDuplicate)
    }
    mutating func arrayInsertIndex(_ index: UInt64) { event(18, index) }
    mutating func arrayIndex(_ index: UInt64) { event(19, index) }
    mutating func module(_ id: ModuleID) { event(20, id.rawValue) }
    mutating func moduleSigned(_ value: Int64) { event(21, UInt64(bitPattern: value)) }
    mutating func moduleUnsigned(_ value: UInt64) { event(22, value) }
    mutating func moduleFloat(_ value: Float) { event(23, UInt64(value.bitPattern)) }
    mutating func moduleDouble(_ value: Double) { event(24, value.bitPattern) }
    mutating func endModule() { event(25) }
}

extension TextRole {
    /// The same number for the same case in every run.
    fileprivate var number: Int {
        switch self {
        case .string: 0
        case .element: 1
        case .member: 2
        case .field: 3
        case .fieldValue: 4
        case .streamField: 5
        case .streamValue: 6
        case .groupName: 7
        case .consumerName: 8
        case .producerID: 9
        case .producerEntryID: 10
        case .arrayElement: 11
        case .path: 12
        case .modulePart: 13
        }
    }
}
