public import RDBBytes
public import RDBModel

/// What a comparison keeps of a key: 128 bits of its name, 128 of what it holds, and what the counts want to know.
///
/// In words: key (2), value (2), database and type (1); where expiries are compared as numbers, also the expiry (1) and
/// half a digest of the expiries of fields (1).
public struct KeyRecord: Equatable, Sendable {
    public var key: Digest128
    public var value: Digest128
    public var database: UInt64
    public var type: ValueType
    /// Unix time in milliseconds; kept only where expiries are compared as numbers.
    public var expiresAt: Int64?
    /// Tells two values apart whose fields expire at other times; kept like the expiry.
    public var fieldExpiries: UInt64

    /// The largest database number that fits beside the type.
    public static let maxDatabase: UInt64 = .max >> 8

    static let plainWordCount = 5
    static let timedWordCount = 7

    /// No expiry; no time that a file can hold means anything near it.
    private static let noExpiry = Int64.min

    public init(
        key: Digest128, value: Digest128, database: UInt64, type: ValueType, expiresAt: Int64? = nil,
        fieldExpiries: UInt64 = 0
    ) {
        self.key = key
        self.value = value
        self.database = database
        self.type = type
        self.expiresAt = expiresAt
        self.fieldExpiries = fieldExpiries
    }

    func append(to words: inout [UInt64], wordCount: Int) {
        words.append(key.high)
        words.append(key.low)
        words.append(value.high)
        words.append(value.low)
        words.append(database << 8 | EntryDigest.number(of: type))
        guard wordCount == Self.timedWordCount else { return }
        words.append(UInt64(bitPattern: expiresAt ?? Self.noExpiry))
        words.append(fieldExpiries)
    }

    /// - Parameter index: of the word behind the key's two.
    init(key: Digest128, _ words: [UInt64], at index: Int, wordCount: Int) {
        self.key = key
        value = Digest128(high: words[index], low: words[index + 1])
        database = words[index + 2] >> 8
        type = Self.types[Int(words[index + 2] & 0xff)]
        guard wordCount == Self.timedWordCount else {
            fieldExpiries = 0
            return
        }
        let expiry = Int64(bitPattern: words[index + 3])
        expiresAt = expiry == Self.noExpiry ? nil : expiry
        fieldExpiries = words[index + 4]
    }

    /// By their numbers in digests.
    private static let types: [ValueType] = {
        let types = ValueType.allCases.sorted { EntryDigest.number(of: $0) < EntryDigest.number(of: $1) }
        return [types[0]] + types
    }()
}

/// Records in the order in which they were made, on their way to a `KeyTable`.
public struct KeyRecords: Sendable {
    fileprivate(set) var words: [UInt64] = []
    let wordCount: Int

    /// - Parameter isTimed: whether expiries are kept as numbers.
    public init(isTimed: Bool) { wordCount = isTimed ? KeyRecord.timedWordCount : KeyRecord.plainWordCount }

    public var count: Int { words.count / wordCount }

    public mutating func append(_ record: KeyRecord) { record.append(to: &words, wordCount: wordCount) }

    public mutating func removeAll() { words.removeAll(keepingCapacity: true) }
}
