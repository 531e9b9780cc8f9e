public import RDBKit

/// An entry that the target did not take.
public struct RestoreFailure: Equatable, Sendable {
    public enum Reason: String, Sendable {
        /// The key exists there.
        case exists
        /// The server said no.
        case refused
        /// The target has no way to hold it.
        case lost
        /// Read back, it is not the same.
        case differs
    }

    /// As it would be at the target.
    public var database: UInt64
    public var key: [UInt8]
    /// nil for a library of functions, whose name stands for the key.
    public var type: ValueType?
    /// Of the entry in the input.
    public var offset: UInt64
    public var reason: Reason
    /// The server's own words, where it said any.
    public var message: String
}

/// What became of the entries.
public struct RestoreSummary: Sendable {
    public struct Counts: Equatable, Sendable {
        public var applied: UInt64 = 0
        /// Left alone because the key exists.
        public var skipped: UInt64 = 0
        public var failed: UInt64 = 0
    }

    public internal(set) var byType: [ValueType: Counts] = [:]
    /// How entries went: MSET and SET, RESTORE, other commands.
    public internal(set) var byForm: [RestoreForm: UInt64] = [:]
    /// Left out because their time was over.
    public internal(set) var expired: UInt64 = 0
    /// Known from a checkpoint to be there.
    public internal(set) var resumed: UInt64 = 0
    /// Not applied, or not as a whole, by earlier runs with the same checkpoint.
    public internal(set) var failedBefore: UInt64 = 0
    public internal(set) var functions = Counts()
    /// Commands and payloads, without what was sent again.
    public internal(set) var byteCount: UInt64 = 0
    public internal(set) var reconnections: UInt64 = 0
    public internal(set) var milliseconds: Int64 = 0
    public internal(set) var losses = LossTally()
    /// Compared with what the target holds, and found the same.
    public internal(set) var verified: UInt64 = 0
    public internal(set) var differing: UInt64 = 0
    /// Of those that are the same: elements longer than 16 MiB, and large values of modules, that are known to be there
    /// and were not compared.
    public internal(set) var uncompared: UInt64 = 0

    public init() {}

    public var total: Counts {
        byType.values.reduce(into: Counts()) {
            $0.applied += $1.applied
            $0.skipped += $1.skipped
            $0.failed += $1.failed
        }
    }

    /// Whether the target has everything that it was to have.
    public var isWhole: Bool {
        total.failed == 0 && failedBefore == 0 && functions.failed == 0 && differing == 0 && !losses.isOfData
    }
}

/// How an entry is sent.
public enum RestoreForm: String, Sendable, CaseIterable {
    /// One of many in an MSET or MSETNX.
    case batched
    /// SET with an expiry, or one that must not replace.
    case set
    case restore
    case commands
    /// Commands, a slice at a time, under a name of its own until it is whole.
    case sliced
}
