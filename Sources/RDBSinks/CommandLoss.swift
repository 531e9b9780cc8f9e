/// What of an entry commands for a given server cannot carry.
public struct CommandLoss: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Nothing of the entry is written: no command of the server makes such a value.
    public static let value = CommandLoss(rawValue: 1)
    public static let fieldExpiry = CommandLoss(rawValue: 2)
    /// Members of a sorted set whose score is not a number.
    public static let notANumber = CommandLoss(rawValue: 4)
    /// Pending entries that no consumer owns.
    public static let unownedPending = CommandLoss(rawValue: 8)
    /// Settings and entries of idempotent producers.
    public static let idempotence = CommandLoss(rawValue: 16)
    /// Of a stream: how many entries were added, the highest deleted ID, how many a group has read.
    public static let streamCounters = CommandLoss(rawValue: 32)
    /// When consumers were seen and active.
    public static let consumerTimes = CommandLoss(rawValue: 64)
    /// Idle time and access frequency.
    public static let evictionHints = CommandLoss(rawValue: 128)

    /// Consumers without pending entries.
    public static let idleConsumers = CommandLoss(rawValue: 256)

    /// Bookkeeping of the server that no command reads back as data; its loss is told, but the data is whole.
    public static let bookkeeping: CommandLoss = [.streamCounters, .consumerTimes, .evictionHints]

    public var isOfData: Bool { !subtracting(.bookkeeping).isEmpty }

    public static let all: [CommandLoss] = [
        .value, .fieldExpiry, .notANumber, .unownedPending, .idempotence, .idleConsumers, .streamCounters,
        .consumerTimes, .evictionHints,
    ]

    /// What is lost, for people; of a single loss.
    public var words: String {
        switch self {
        case .value: "its value"
        case .fieldExpiry: "expiry of hash fields (Redis 7.4 and Valkey 9.0 have it)"
        case .notANumber: "members whose score is not a number"
        case .unownedPending: "pending entries without a consumer (Redis 8.8 has them)"
        case .idempotence: "idempotent producers of streams (Redis 8.6 has them)"
        case .idleConsumers: "consumers without pending entries (Redis 6.2 has them)"
        case .streamCounters: "counters of streams (Redis 7.0 has them)"
        case .consumerTimes: "times of consumers (RESTORE keeps them)"
        case .evictionHints: "idle time or frequency (RESTORE keeps them)"
        default: "several things"
        }
    }
}
