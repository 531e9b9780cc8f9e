/// All that a file says of an entry besides its key and its value.
public struct EntryHeader: Equatable, Sendable {
    public var database: UInt64
    public var type: ValueType
    public var encoding: Encoding
    /// Whether the layout has an expiry for each hash field.
    public var hasFieldExpiries: Bool
    /// The byte that names the value's layout in the file.
    public var typeByte: UInt8
    /// Absolute, Unix time in milliseconds.
    public var expiresAt: Int64?
    /// Seconds since the last access, where the writer evicts by LRU.
    public var idleSeconds: UInt64?
    /// The logarithmic access counter, where the writer evicts by LFU.
    public var lfuFrequency: UInt8?
    /// Offsets from the start of the input: the first byte that belongs to the entry (its first attribute, else the type
    /// byte), the type byte, and the value's first byte. The value ends where the reader stands after it.
    public var startOffset: UInt64
    public var typeOffset: UInt64
    public var valueOffset: UInt64

    public init(
        database: UInt64 = 0, type: ValueType = .string, encoding: Encoding = .raw,
        hasFieldExpiries: Bool = false, typeByte: UInt8 = 0,
        expiresAt: Int64? = nil, idleSeconds: UInt64? = nil, lfuFrequency: UInt8? = nil,
        startOffset: UInt64 = 0, typeOffset: UInt64 = 0, valueOffset: UInt64 = 0
    ) {
        self.database = database
        self.type = type
        self.encoding = encoding
        self.hasFieldExpiries = hasFieldExpiries
        self.typeByte = typeByte
        self.expiresAt = expiresAt
        self.idleSeconds = idleSeconds
        self.lfuFrequency = lfuFrequency
        self.startOffset = startOffset
        self.typeOffset = typeOffset
        self.valueOffset = valueOffset
    }
}
