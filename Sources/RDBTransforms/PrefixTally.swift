import RDBBytes

/// How much belongs to each beginning of keys, up to a delimiter.
///
/// Memory: at most `maxCount` prefixes of at most 256 bytes each; what belongs to further ones is counted together.
public struct PrefixTally {
    public struct Row: Equatable, Sendable {
        /// With its delimiter; empty for keys that have none.
        public var prefix: [UInt8]
        public var count: UInt64 = 0
        public var byteCount: UInt64 = 0
    }

    public static let maxCount = 100_000
    static let maxPrefixByteCount = 256

    private let delimiter: [UInt8]
    private let depth: Int
    /// Row numbers by hash.
    private var numbers: [UInt64: Int] = [:]
    private var rows: [Row] = []
    /// Of prefixes that came when there were `maxCount` already.
    public private(set) var others = Row(prefix: [])

    /// - Parameters:
    ///   - delimiter: not empty.
    ///   - depth: how many parts a prefix has; a key with fewer has as many as there are.
    public init(delimiter: [UInt8], depth: Int) {
        precondition(!delimiter.isEmpty)
        self.delimiter = delimiter
        self.depth = depth
    }

    public mutating func add(_ key: RawSpan, byteCount: UInt64) {
        let prefix = key.extracting(0..<prefixByteCount(key))
        let hash = ByteHash.hash(prefix)
        let number: Int
        if let known = numbers[hash] {
            number = known
        } else if rows.count < Self.maxCount {
            number = rows.count
            numbers[hash] = number
            rows.append(Row(prefix: prefix.array))
        } else {
            others.count += 1
            others.byteCount += byteCount
            return
        }
        rows[number].count += 1
        rows[number].byteCount += byteCount
    }

    private func prefixByteCount(_ key: RawSpan) -> Int {
        var end = 0
        var found = 0
        var index = 0
        let last = min(key.byteCount, Self.maxPrefixByteCount) - delimiter.count
        while index <= last, found < depth {
            if hasDelimiter(key, index) {
                index += delimiter.count
                end = index
                found += 1
            } else {
                index += 1
            }
        }
        return end
    }

    @inline(__always)
    private func hasDelimiter(_ key: RawSpan, _ index: Int) -> Bool {
        for offset in 0..<delimiter.count where key.byte(at: index + offset) != delimiter[offset] { return false }
        return true
    }

    /// All rows, the highest counts first.
    public var sorted: [Row] {
        rows.sorted { left, right in
            left.count != right.count
                ? left.count > right.count : left.prefix.lexicographicallyPrecedes(right.prefix)
        }
    }
}
