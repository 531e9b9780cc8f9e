/// How many keys, and what they take, by the power of two that a number of theirs lies below.
public struct LogHistogram: Equatable, Sendable {
    public struct Row: Equatable, Sendable {
        /// The lowest and the highest number that count here.
        public var lower: UInt64
        public var upper: UInt64
        public var sum: AuditSum
    }

    /// By the number of binary digits: 0, 1, 2...3, 4...7 and so on.
    private var buckets = InlineArray<65, AuditSum>(repeating: AuditSum())
    private var usedFrom = 65
    private var usedTo = -1

    public init() {}

    public var isEmpty: Bool { usedTo < 0 }

    @inlinable @inline(__always)
    static func bucket(_ number: UInt64) -> Int { 64 - number.leadingZeroBitCount }

    public mutating func add(_ number: UInt64, _ sum: AuditSum) {
        let index = Self.bucket(number)
        buckets[index] += sum
        usedFrom = min(usedFrom, index)
        usedTo = max(usedTo, index)
    }

    public mutating func add(_ other: LogHistogram) {
        if other.isEmpty { return }
        for index in other.usedFrom...other.usedTo { buckets[index] += other.buckets[index] }
        usedFrom = min(usedFrom, other.usedFrom)
        usedTo = max(usedTo, other.usedTo)
    }

    public mutating func removeAll() {
        if isEmpty { return }
        for index in usedFrom...usedTo { buckets[index] = AuditSum() }
        usedFrom = 65
        usedTo = -1
    }

    public static func == (left: LogHistogram, right: LogHistogram) -> Bool { left.rows == right.rows }

    /// From the lowest with anything in it to the highest, empty ones between them included.
    public var rows: [Row] {
        if isEmpty { return [] }
        return (usedFrom...usedTo).map { index in
            let lower: UInt64 = index == 0 ? 0 : 1 << UInt64(index - 1)
            let upper: UInt64 = index == 0 ? 0 : index == 64 ? .max : (1 << UInt64(index)) - 1
            return Row(lower: lower, upper: upper, sum: buckets[index])
        }
    }
}
