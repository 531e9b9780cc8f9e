/// The ID of a stream entry: milliseconds and a sequence number.
public struct StreamID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var milliseconds: UInt64
    public var sequence: UInt64

    @inlinable
    public init(milliseconds: UInt64, sequence: UInt64) {
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    @inlinable
    public static func < (left: StreamID, right: StreamID) -> Bool {
        (left.milliseconds, left.sequence) < (right.milliseconds, right.sequence)
    }

    public var description: String { "\(milliseconds)-\(sequence)" }
}

/// What a stream says of itself besides its entries. Fields that the file's version lacks are nil.
public struct StreamState: Equatable, Sendable {
    /// Live entries.
    public var length: UInt64
    public var lastID: StreamID
    public var firstID: StreamID?
    public var maxDeletedID: StreamID?
    public var entriesAdded: UInt64?

    @inlinable
    public init(
        length: UInt64, lastID: StreamID, firstID: StreamID? = nil, maxDeletedID: StreamID? = nil,
        entriesAdded: UInt64? = nil
    ) {
        self.length = length
        self.lastID = lastID
        self.firstID = firstID
        self.maxDeletedID = maxDeletedID
        self.entriesAdded = entriesAdded
    }
}

/// How far a consumer group has come.
public struct GroupState: Equatable, Sendable {
    public var lastID: StreamID
    /// `.absent` in files before RDB 10; `.unknown` where the server no longer knows the number.
    public var entriesRead: EntriesRead

    public enum EntriesRead: Equatable, Sendable {
        case absent, unknown
        case count(UInt64)
    }

    @inlinable
    public init(lastID: StreamID, entriesRead: EntriesRead) {
        self.lastID = lastID
        self.entriesRead = entriesRead
    }
}

/// An entry that a group delivered and that is not acknowledged.
public struct PendingEntry: Equatable, Sendable {
    public var id: StreamID
    /// Unix time in milliseconds.
    public var deliveredAt: Int64
    public var deliveryCount: UInt64

    @inlinable
    public init(id: StreamID, deliveredAt: Int64, deliveryCount: UInt64) {
        self.id = id
        self.deliveredAt = deliveredAt
        self.deliveryCount = deliveryCount
    }
}

/// When a consumer last tried to read, and last got something. Unix time in milliseconds; -1 is never.
public struct ConsumerTimes: Equatable, Sendable {
    public var seenAt: Int64
    /// Files before RDB 11 lack it.
    public var activeAt: Int64?

    @inlinable
    public init(seenAt: Int64, activeAt: Int64?) {
        self.seenAt = seenAt
        self.activeAt = activeAt
    }
}

/// Settings and counters of idempotent producers (Redis 8.6).
public struct IdempotenceState: Equatable, Sendable {
    public var durationSeconds: UInt64
    public var maxEntries: UInt64
    public var idsAdded: UInt64
    public var idsDuplicate: UInt64

    @inlinable
    public init(durationSeconds: UInt64, maxEntries: UInt64, idsAdded: UInt64, idsDuplicate: UInt64) {
        self.durationSeconds = durationSeconds
        self.maxEntries = maxEntries
        self.idsAdded = idsAdded
        self.idsDuplicate = idsDuplicate
    }
}
