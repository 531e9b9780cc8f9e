public import RDBModel

/// A condition that makes a check fail: `bytes>100MB`, `hash.elements>=10000`, `no_expiry_share>5%`.
///
///     condition = [ type "." ] metric operator value
///     operator  = ">" | ">=" | "<" | "<=" | "=" | "!="
///     value     = number [ unit ]      units: B KB MB GB TB KiB MiB GiB TiB; s m h d w; %
///
/// A metric of keys holds for each key, of the whole data set for its sums. A type belongs to a metric of keys.
public struct AuditCondition: Equatable, Sendable {
    public enum Metric: String, Sendable, CaseIterable {
        // Of each key.
        case bytes
        case serializedBytes = "serialized_bytes"
        case elements
        case elementBytes = "element_bytes"
        case keyBytes = "key_bytes"
        case ttlSeconds = "ttl_seconds"
        case idleSeconds = "idle_seconds"
        // Of the data set.
        case keys
        case totalBytes = "total_bytes"
        case serverBytes = "server_bytes"
        case noExpiryKeys = "no_expiry_keys"
        case noExpiryShare = "no_expiry_share"
        case expiredKeys = "expired_keys"
        case expiredShare = "expired_share"

        public var isOfKeys: Bool {
            switch self {
            case .bytes, .serializedBytes, .elements, .elementBytes, .keyBytes, .ttlSeconds, .idleSeconds: true
            default: false
            }
        }

        var unit: Unit {
            switch self {
            case .bytes, .serializedBytes, .elementBytes, .keyBytes, .totalBytes, .serverBytes: .bytes
            case .ttlSeconds, .idleSeconds: .seconds
            case .noExpiryShare, .expiredShare: .share
            default: .count
            }
        }
    }

    public enum Unit: Sendable { case bytes, seconds, share, count }

    public enum Comparison: String, Sendable, CaseIterable {
        case notLess = ">="
        case notGreater = "<="
        case notEqual = "!="
        case greater = ">"
        case less = "<"
        case equal = "="

        func holds(_ left: Double, _ right: Double) -> Bool {
            switch self {
            case .notLess: left >= right
            case .notGreater: left <= right
            case .notEqual: left != right
            case .greater: left > right
            case .less: left < right
            case .equal: left == right
            }
        }
    }

    /// As it was given.
    public let text: String
    public let type: ValueType?
    public let metric: Metric
    public let comparison: Comparison
    /// In bytes, seconds, keys or elements; 0...1 for shares.
    public let value: Double

    /// nil where the text is no condition.
    public init?(_ text: String) {
        self.text = text
        let bare = text.filter { $0 != " " }
        guard let start = bare.firstIndex(where: { "<>=!".contains($0) }),
            let comparison = Comparison.allCases.first(where: { bare[start...].hasPrefix($0.rawValue) })
        else { return nil }
        let words = bare[..<start].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = words.last, let metric = Metric(rawValue: String(name)) else { return nil }
        if words.count == 2 {
            guard metric.isOfKeys, let type = ValueType(rawValue: String(words[0])) else { return nil }
            self.type = type
        } else {
            type = nil
        }
        guard
            let value = Self.number(
                bare[bare.index(start, offsetBy: comparison.rawValue.count)...].lowercased(), metric.unit)
        else { return nil }
        self.metric = metric
        self.comparison = comparison
        self.value = value
    }

    private static func number(_ text: String, _ unit: Unit) -> Double? {
        let suffixes: [(String, Double)] =
            switch unit {
            case .bytes:
                [
                    ("kib", 1024), ("mib", 1_048_576), ("gib", 1_073_741_824), ("tib", 1_099_511_627_776), ("kb", 1e3),
                    ("mb", 1e6), ("gb", 1e9), ("tb", 1e12), ("b", 1), ("", 1),
                ]
            case .seconds: [("s", 1), ("m", 60), ("h", 3600), ("d", 86400), ("w", 604_800), ("", 1)]
            case .share: [("%", 0.01), ("", 1)]
            case .count: [("", 1)]
            }
        guard let (suffix, factor) = suffixes.first(where: { text.hasSuffix($0.0) }),
            let number = Double(text.dropLast(suffix.count)), number.isFinite, number >= 0
        else { return nil }
        let value = number * factor
        return unit == .share && value > 1 ? nil : value
    }

    /// The metric of a key, nil where the key has none of the kind.
    func figure(
        _ header: EntryHeader, keyByteCount: Int, _ memory: EntryMemory, serializedBytes: UInt64, now: Int64
    ) -> UInt64? {
        if let type, type != header.type { return nil }
        switch metric {
        case .bytes: return memory.bytes
        case .serializedBytes: return serializedBytes
        case .elements: return memory.elements
        case .elementBytes: return memory.largestElementBytes
        case .keyBytes: return UInt64(keyByteCount)
        case .ttlSeconds:
            guard let expiresAt = header.expiresAt else { return nil }
            return timeToLive(expiresAt, now: now) / 1000
        case .idleSeconds: return header.idleSeconds
        default: return nil
        }
    }

    public func holds(_ figure: Double) -> Bool { comparison.holds(figure, value) }

    /// Those farthest on the wrong side come first.
    func rank(_ figure: UInt64) -> UInt64 {
        switch comparison {
        case .less, .notGreater: .max - figure
        default: figure
        }
    }
}

/// Milliseconds left, 0 for what is over.
func timeToLive(_ expiresAt: Int64, now: Int64) -> UInt64 {
    expiresAt <= now ? 0 : UInt64(bitPattern: expiresAt &- now)
}

/// The keys for which a condition holds.
public struct ConditionTally: Sendable {
    public static let maxNamed = 20

    public let condition: AuditCondition
    public private(set) var count: UInt64 = 0
    public private(set) var offenders = TopEntries(capacity: Self.maxNamed)

    init(_ condition: AuditCondition) { self.condition = condition }

    /// Returns the rank of a key that is worth to be named.
    mutating func add(_ figure: UInt64) -> UInt64? {
        guard condition.holds(Double(figure)) else { return nil }
        count &+= 1
        let rank = condition.rank(figure)
        return offenders.admits(rank) ? rank : nil
    }

    mutating func keep(_ entry: AuditEntry, rank: UInt64) { offenders.add(entry, rank: rank) }

    mutating func absorb(_ other: inout ConditionTally, input: Int) {
        count &+= other.count
        other.count = 0
        offenders.absorb(&other.offenders, input: input)
    }
}
