public import RDBModel

/// Values that just missed their type's compact form, and what they would take in it.
public struct EncodingMisses: Equatable, Sendable {
    public enum Cause: Int, Sendable, CaseIterable {
        /// More elements than the limit, up to twice as many.
        case entries
        /// An element longer than the limit, up to twice as long.
        case value
        /// Both.
        case both
    }

    public struct Row: Equatable, Sendable {
        public var type: ValueType
        public var cause: Cause
        public var keys: UInt64 = 0
        public var bytes: UInt64 = 0
        /// In the compact form.
        public var compactBytes: UInt64 = 0
        /// What the limits would have to be for all of them.
        public var neededEntries: UInt64 = 0
        public var neededValue: UInt64 = 0

        public var savedBytes: UInt64 { bytes.subtractingWithoutOverflow(compactBytes) }
    }

    static let types: [ValueType] = [.hash, .set, .zset]

    private var slots: [Row?] = Array(repeating: nil, count: 9)
    private var isEmpty = true

    public init() {}

    public mutating func add(_ memory: EntryMemory, _ limits: EncodingLimits) {
        guard let compact = memory.compactBytes, let typeIndex = Self.types.firstIndex(of: memory.type),
            let limit = limits.compactForm(of: memory.type)
        else { return }
        let (elements, longest) = (memory.elements, memory.largestElementBytes)
        guard elements <= limit.entries.addingWithoutOverflow(limit.entries),
            longest <= limit.value.addingWithoutOverflow(limit.value)
        else { return }
        let cause: Cause
        switch (elements > limit.entries, longest > limit.value) {
        case (true, false): cause = .entries
        case (false, true): cause = .value
        case (true, true): cause = .both
        case (false, false): return
        }
        var row = Row(type: memory.type, cause: cause)
        row.keys = 1
        row.bytes = memory.bytes
        row.compactBytes = compact
        row.neededEntries = elements
        row.neededValue = longest
        add(row, typeIndex)
    }

    private mutating func add(_ row: Row, _ typeIndex: Int) {
        isEmpty = false
        let index = typeIndex * 3 + row.cause.rawValue
        guard var sum = slots[index] else {
            slots[index] = row
            return
        }
        sum.keys &+= row.keys
        sum.bytes = sum.bytes.addingWithoutOverflow(row.bytes)
        sum.compactBytes = sum.compactBytes.addingWithoutOverflow(row.compactBytes)
        sum.neededEntries = max(sum.neededEntries, row.neededEntries)
        sum.neededValue = max(sum.neededValue, row.neededValue)
        slots[index] = sum
    }

    public mutating func add(_ other: EncodingMisses) {
        if other.isEmpty { return }
        for (index, row) in other.slots.enumerated() { if let row { add(row, index / 3) } }
    }

    mutating func removeAll() {
        if isEmpty { return }
        self = EncodingMisses()
    }

    /// The largest saving first.
    public var rows: [Row] { slots.compactMap { $0 }.sorted { $0.savedBytes > $1.savedBytes } }
}
