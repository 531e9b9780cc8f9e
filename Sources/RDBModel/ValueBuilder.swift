import RDBBytes

/// Puts a value together from its events.
public struct ValueBuilder: ValueVisitor {
    /// The most bytes of texts a value may have; beyond that `isTooLarge` is set and nothing more is kept.
    public let maxByteCount: Int
    public private(set) var isTooLarge = false

    private var byteCount = 0
    private var texts: [[UInt8]] = []
    private var members: [ScoredMember] = []
    private var fields: [HashField] = []
    private var paths: [PathFields] = []
    private var stream = StreamValue()
    private var array = ArrayValue()
    private var moduleID: ModuleID?
    private var parts: [ModulePart] = []
    private var number: UInt64?
    private var large: [UInt8] = []
    private var arrayIndex: UInt64 = 0
    private var name: [UInt8] = []

    public init(maxByteCount: Int) { self.maxByteCount = maxByteCount }

    /// The value, after its events.
    public func value(_ type: ValueType) -> Value {
        switch type {
        case .string, .hll: .string(texts.first ?? [])
        case .list: .list(texts)
        case .set: .set(texts)
        case .zset: .sortedSet(members)
        case .hash: .hash(fields)
        case .stream: .stream(stream)
        case .array: .array(array)
        case .pathHash: .pathHash(paths)
        case .module: .module(moduleID ?? ModuleID(rawValue: 0), parts)
        case .gcra: .gcra(number ?? 0)
        case .cron: .cron(parts)
        }
    }

    // MARK: - Texts

    public mutating func text(_ bytes: RawSpan, as role: TextRole) {
        guard admits(bytes.byteCount) else { return }
        take(bytes.array, role)
    }

    public mutating func integer(_ value: Int64, as role: TextRole) {
        guard admits(Digits.maxByteCount) else { return }
        take(Array(String(value).utf8), role)
    }

    public mutating func beginLargeText(byteCount: UInt64, as role: TextRole) { large = [] }

    public mutating func largeTextChunk(_ bytes: RawSpan) {
        if admits(bytes.byteCount) { large += bytes.array }
    }

    public mutating func endLargeText(as role: TextRole) {
        let text = large
        large = []
        if !isTooLarge { take(text, role) }
    }

    /// Counts a text and what its array costs.
    private mutating func admits(_ count: Int) -> Bool {
        if isTooLarge { return false }
        byteCount += count + 32
        isTooLarge = byteCount > maxByteCount
        return !isTooLarge
    }

    private mutating func take(_ text: [UInt8], _ role: TextRole) {
        switch role {
        case .string, .element: texts.append(text)
        case .member:
            // Of a set, or of a sorted set whose score comes next.
            texts.append(text)
        case .field:
            if paths.isEmpty {
                fields.append(HashField(field: text, value: []))
            } else {
                paths[paths.count - 1].fields.append(HashField(field: text, value: []))
            }
        case .fieldValue:
            if paths.isEmpty {
                fields[fields.count - 1].value = text
            } else {
                paths[paths.count - 1].fields[paths[paths.count - 1].fields.count - 1].value = text
            }
        case .streamField, .groupName, .consumerName, .producerEntryID: name = text
        case .streamValue:
            stream.entries[stream.entries.count - 1].fields.append(StreamValue.Field(name: name, value: text))
        case .producerID: stream.producers.append(StreamValue.Producer(id: text))
        case .arrayElement: array.elements.append((arrayIndex, text))
        case .path: paths.append(PathFields(path: text, fields: []))
        case .modulePart: parts.append(.string(text))
        }
    }

    public mutating func score(_ value: Double) {
        guard !isTooLarge, let member = texts.popLast() else { return }
        members.append(ScoredMember(member: member, score: value))
    }

    public mutating func fieldExpiry(_ expiresAt: Int64?) {
        if !isTooLarge { fields[fields.count - 1].expiresAt = expiresAt }
    }

    public mutating func unsigned(_ value: UInt64) { number = value }

    // MARK: - Streams

    public mutating func streamEntry(_ id: StreamID) {
        if admits(32) { stream.entries.append(StreamValue.StreamEntry(id: id)) }
    }

    public mutating func streamState(_ state: StreamState) { stream.state = state }

    public mutating func group(_ state: GroupState) {
        if !isTooLarge { stream.groups.append(StreamValue.Group(name: name, state: state)) }
    }

    public mutating func pendingEntry(_ entry: PendingEntry) {
        if admits(0) { stream.groups[stream.groups.count - 1].pending.append(entry) }
    }

    public mutating func consumer(_ times: ConsumerTimes) {
        if isTooLarge { return }
        stream.groups[stream.groups.count - 1].consumers.append(StreamValue.Consumer(name: name, times: times))
    }

    public mutating func consumerPending(_ id: StreamID) {
        guard admits(0) else { return }
        let group = stream.groups.count - 1
        stream.groups[group].consumers[stream.groups[group].consumers.count - 1].pending.append(id)
    }

    public mutating func negativelyAcknowledged(_ id: StreamID) {
        if admits(0) { stream.groups[stream.groups.count - 1].unowned.append(id) }
    }

    public mutating func producerEntry(_ id: StreamID) {
        if isTooLarge { return }
        stream.producers[stream.producers.count - 1].records.append(
            StreamValue.Producer.Record(id: name, entry: id))
    }

    public mutating func idempotence(_ state: IdempotenceState) { stream.idempotence = state }

    // MARK: - Arrays and modules

    public mutating func arrayInsertIndex(_ index: UInt64) { array.insertIndex = index }
    public mutating func arrayIndex(_ index: UInt64) { arrayIndex = index }

    public mutating func module(_ id: ModuleID) { moduleID = id }
    public mutating func moduleSigned(_ value: Int64) { add(.signed(value)) }
    public mutating func moduleUnsigned(_ value: UInt64) { add(.unsigned(value)) }
    public mutating func moduleFloat(_ value: Float) { add(.float(value)) }
    public mutating func moduleDouble(_ value: Double) { add(.double(value)) }

    private mutating func add(_ part: ModulePart) {
        if admits(8) { parts.append(part) }
    }
}
