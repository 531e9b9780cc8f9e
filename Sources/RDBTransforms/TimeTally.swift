/// How much happened when, in at most `maxCount` spans of equal length: they grow as the time that is covered does.
public struct TimeTally {
    public struct Row: Equatable, Sendable {
        /// Unix seconds.
        public var start: Int64
        public var count: UInt64 = 0
        public var byteCount: UInt64 = 0
    }

    public static let maxCount = 100
    private static let lengths: [Int64] = [
        1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172_800, 604_800, 1_209_600,
        2_592_000, 7_776_000, 31_536_000, 157_680_000, 315_360_000, 3_153_600_000,
    ]
    /// Up to the year 9999; others are not looked at.
    private static let times: ClosedRange<Int64> = 0...253_402_300_799

    private var lengthIndex = 0
    /// By start over length.
    private var spans: [Int64: Row] = [:]
    private var bounds: ClosedRange<Int64>?

    public init() {}

    /// How long each span is, in seconds.
    public var length: Int64 { Self.lengths[lengthIndex] }

    public mutating func add(_ time: Int64, count: UInt64, byteCount: UInt64) {
        guard Self.times.contains(time) else { return }
        let bounds = self.bounds.map { min($0.lowerBound, time)...max($0.upperBound, time) } ?? time...time
        self.bounds = bounds
        while bounds.upperBound / length - bounds.lowerBound / length >= Int64(Self.maxCount) { lengthen() }
        add(Row(start: time, count: count, byteCount: byteCount))
    }

    private mutating func add(_ row: Row) {
        let number = row.start / length
        var span = spans[number] ?? Row(start: number * length)
        span.count += row.count
        span.byteCount += row.byteCount
        spans[number] = span
    }

    private mutating func lengthen() {
        lengthIndex += 1
        let old = spans.values
        spans = [:]
        for row in old { add(row) }
    }

    /// Spans in which something happened, in the order of time.
    public var rows: [Row] { spans.values.sorted { $0.start < $1.start } }
}
