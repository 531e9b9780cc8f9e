public import RDBBytes
public import RDBFormat

/// Notes which keys another consumer was given.
public struct KeyFinder<Base: EntryConsumer & ~Copyable>: EntryConsumer, ~Copyable {
    public var base: Base
    public private(set) var found: Set<[UInt8]> = []
    private let wanted: Set<[UInt8]>
    private let stopsWhenAllFound: Bool

    /// - Parameter stopsWhenAllFound: true where a key cannot occur once more, that is within one database.
    public init(_ base: consuming Base, wanted: Set<[UInt8]>, stopsWhenAllFound: Bool) {
        self.base = base
        self.wanted = wanted
        self.stopsWhenAllFound = stopsWhenAllFound
    }

    public var missing: [[UInt8]] { wanted.subtracting(found).sorted { $0.lexicographicallyPrecedes($1) } }
    public var isDone: Bool { base.isDone || stopsWhenAllFound && found.count == wanted.count }

    public mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        let key = reader.key.array
        try base.consume(&reader)
        found.insert(key)
    }

    public mutating func discard() { base.discard() }
    public mutating func section(_ item: RDBItem) { base.section(item) }
}
