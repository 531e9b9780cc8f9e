public import RDBModel

/// Adds up what an entry takes in memory while its value is read:
///
///     var visitor = MemoryVisitor(model)
///     visitor.begin(reader.header, key: reader.key)
///     try reader.readValue(into: &visitor)
///     let memory = visitor.finish()
///
/// Memory: a fixed number of counters, whatever the value's size.
public struct MemoryVisitor: ValueVisitor, Sendable {
    public let model: MemoryModel
    private var memory = EntryMemory()

    public init(_ model: MemoryModel) { self.model = model }

    /// Begins an entry, whatever became of the one before.
    public mutating func begin(_ header: EntryHeader, key: RawSpan) {
        memory = EntryMemory()
        memory.type = header.type
    }

    /// What the entry takes whose value was read.
    public mutating func finish() -> EntryMemory { memory }

    public mutating func text(_ bytes: RawSpan, as role: TextRole) { memory.bytes += UInt64(bytes.byteCount) }
    public mutating func integer(_ value: Int64, as role: TextRole) { memory.bytes += 8 }
}
