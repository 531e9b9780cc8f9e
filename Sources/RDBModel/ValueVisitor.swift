public import RDBBytes

/// What a text event is within its value.
public enum TextRole: Sendable {
    /// The whole value of a string, or of a type that is one byte string.
    case string
    case element, member
    /// A hash field; its value follows, then (where the layout has them) its expiry.
    case field, fieldValue
    /// A stream entry's field name and its value.
    case streamField, streamValue
    case groupName, consumerName
    case producerID, producerEntryID
    /// An element of an array; its index came before.
    case arrayElement
    /// A path of a path hash; its field count and fields follow.
    case path
    case modulePart
}

/// Receives a value piece by piece, in the order of the file. Static dispatch, nothing allocated, nothing owned:
/// every span is valid during its call only.
///
/// A byte string comes as one `text`, as an `integer` (stored as a number, meaning its decimal text), or, when it is
/// longer than `ByteWindow.maxContiguousByteCount`, as chunks between `beginLargeText` and `endLargeText`.
///
/// Events by type:
///
/// | type | events |
/// | --- | --- |
/// | string | text(.string) |
/// | list, set | elements(count), then text(.element / .member) each |
/// | zset | elements, then text(.member), score |
/// | hash | elements, then text(.field), text(.fieldValue), fieldExpiry where the layout has them |
/// | stream | streamEntry, text(.streamField), text(.streamValue)…, endStreamEntry; streamState; groups; idempotence |
/// | array | elements, arrayInsertIndex where set, then arrayIndex, text(.arrayElement) |
/// | path hash | elements (paths), then text(.path), elements (fields), text(.field), text(.fieldValue) |
/// | module | module, then moduleSigned/Unsigned/Float/Double or text(.modulePart), endModule |
/// | gcra | unsigned |
/// | cron | elements, then as a module's parts: script, start, interval, keys and arguments |
public protocol ValueVisitor: ~Copyable {
    /// Whether redundant facts (back-lengths, counts, order) are checked and told by `fault`.
    static var verifiesStructure: Bool { get }

    /// How many elements, members, fields or paths follow; nil where only walking tells.
    mutating func elements(_ count: UInt64?)

    /// What follows is packed into one ziplist or listpack of so many bytes: a whole value, or a node of a list or stream.
    mutating func packed(byteCount: UInt64)
    /// The next element is a node of a list by itself.
    mutating func plainNode()

    mutating func text(_ bytes: RawSpan, as role: TextRole)
    mutating func integer(_ value: Int64, as role: TextRole)
    mutating func beginLargeText(byteCount: UInt64, as role: TextRole)
    mutating func largeTextChunk(_ bytes: RawSpan)
    mutating func endLargeText(as role: TextRole)

    mutating func score(_ value: Double)
    /// Of the field just given; Unix time in milliseconds, nil for none.
    mutating func fieldExpiry(_ expiresAt: Int64?)
    mutating func unsigned(_ value: UInt64)

    mutating func streamEntry(_ id: StreamID)
    mutating func endStreamEntry()
    mutating func streamState(_ state: StreamState)
    /// After text(.groupName). The group's pending entries follow, then its consumers, then what nobody owns.
    mutating func group(_ state: GroupState)
    mutating func pendingEntry(_ entry: PendingEntry)
    /// After text(.consumerName). The IDs of the consumer's pending entries follow.
    mutating func consumer(_ times: ConsumerTimes)
    mutating func consumerPending(_ id: StreamID)
    mutating func negativelyAcknowledged(_ id: StreamID)
    /// - Returns: true to have the same group read once more, from its pending entries on.
    mutating func endGroup() -> Bool
    /// After text(.producerID): text(.producerEntryID) and this, for each.
    mutating func producerEntry(_ id: StreamID)
    mutating func idempotence(_ state: IdempotenceState)

    mutating func arrayInsertIndex(_ index: UInt64)
    mutating func arrayIndex(_ index: UInt64)

    mutating func module(_ id: ModuleID)
    mutating func moduleSigned(_ value: Int64)
    mutating func moduleUnsigned(_ value: UInt64)
    mutating func moduleFloat(_ value: Float)
    mutating func moduleDouble(_ value: Double)
    mutating func endModule()

    /// A fault that does not keep the rest of the value from being read. Only when `verifiesStructure`.
    mutating func fault(_ error: DecodeError)
}

extension ValueVisitor where Self: ~Copyable {
    @inlinable public static var verifiesStructure: Bool { false }
    @inlinable public mutating func elements(_ count: UInt64?) {}
    @inlinable public mutating func packed(byteCount: UInt64) {}
    @inlinable public mutating func plainNode() {}
    @inlinable public mutating func beginLargeText(byteCount: UInt64, as role: TextRole) {}
    @inlinable public mutating func largeTextChunk(_ bytes: RawSpan) {}
    @inlinable public mutating func endLargeText(as role: TextRole) {}
    @inlinable public mutating func score(_ value: Double) {}
    @inlinable public mutating func fieldExpiry(_ expiresAt: Int64?) {}
    @inlinable public mutating func unsigned(_ value: UInt64) {}
    @inlinable public mutating func streamEntry(_ id: StreamID) {}
    @inlinable public mutating func endStreamEntry() {}
    @inlinable public mutating func streamState(_ state: StreamState) {}
    @inlinable public mutating func group(_ state: GroupState) {}
    @inlinable public mutating func pendingEntry(_ entry: PendingEntry) {}
    @inlinable public mutating func consumer(_ times: ConsumerTimes) {}
    @inlinable public mutating func consumerPending(_ id: StreamID) {}
    @inlinable public mutating func negativelyAcknowledged(_ id: StreamID) {}
    @inlinable public mutating func endGroup() -> Bool { false }
    @inlinable public mutating func producerEntry(_ id: StreamID) {}
    @inlinable public mutating func idempotence(_ state: IdempotenceState) {}
    @inlinable public mutating func arrayInsertIndex(_ index: UInt64) {}
    @inlinable public mutating func arrayIndex(_ index: UInt64) {}
    @inlinable public mutating func module(_ id: ModuleID) {}
    @inlinable public mutating func moduleSigned(_ value: Int64) {}
    @inlinable public mutating func moduleUnsigned(_ value: UInt64) {}
    @inlinable public mutating func moduleFloat(_ value: Float) {}
    @inlinable public mutating func moduleDouble(_ value: Double) {}
    @inlinable public mutating func endModule() {}
    @inlinable public mutating func fault(_ error: DecodeError) {}
}

/// Takes everything and keeps nothing: decodes a value only to see that it decodes.
public struct NullVisitor: ValueVisitor {
    @inlinable public init() {}
    @inlinable public mutating func text(_ bytes: RawSpan, as role: TextRole) {}
    @inlinable public mutating func integer(_ value: Int64, as role: TextRole) {}
}

/// Counts what a user calls elements: 1 for a string, else elements, members, fields, entries, paths or parts.
public struct CountingVisitor: ValueVisitor {
    public private(set) var count: UInt64 = 0

    @inlinable public init() {}

    @usableFromInline mutating func add(_ role: TextRole) {
        switch role {
        case .string, .element, .member, .field, .arrayElement, .modulePart: count += 1
        default: break
        }
    }

    @inlinable public mutating func text(_ bytes: RawSpan, as role: TextRole) { add(role) }
    @inlinable public mutating func integer(_ value: Int64, as role: TextRole) { add(role) }
    @inlinable public mutating func beginLargeText(byteCount: UInt64, as role: TextRole) { add(role) }
    public mutating func unsigned(_ value: UInt64) { count += 1 }
    public mutating func streamEntry(_ id: StreamID) { count += 1 }
    public mutating func moduleSigned(_ value: Int64) { count += 1 }
    public mutating func moduleUnsigned(_ value: UInt64) { count += 1 }
    public mutating func moduleFloat(_ value: Float) { count += 1 }
    public mutating func moduleDouble(_ value: Double) { count += 1 }
}
