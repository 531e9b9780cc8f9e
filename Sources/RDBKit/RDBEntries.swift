public import RDBBytes
public import RDBFormat
public import RDBModel
public import RDBTransforms

/// The entries of a file, one after another, each owning its bytes.
///
///     let entries = try RDBEntries(path: "dump.rdb")
///     while let entry = try entries.next() { print(entry.header.type, entry.key.count) }
///
/// Memory: one entry at a time, up to `maxEntryByteCount`. Where values may be larger, or speed counts, implement
/// `ValueVisitor` and run an `EntryLoop`.
public final class RDBEntries {
    private var reader: RDBReader
    private let selection: Selection?
    public let maxEntryByteCount: Int

    /// Sections met so far: aux fields, function libraries and so on, up to 1000 of them.
    public private(set) var sections: [RDBItem] = []
    /// How the file ended, once it has.
    public private(set) var end: RDBEnd?

    public var version: RDBVersion { reader.version }

    /// - Parameters:
    ///   - selection: which entries to deliver; its size and element conditions are not looked at.
    ///   - maxEntryByteCount: an entry whose texts are larger in all is a fault.
    public convenience init(
        path: String, selection: Selection? = nil, maxEntryByteCount: Int = 512 << 20
    ) throws {
        try self.init(try Input(path: path).source, selection: selection, maxEntryByteCount: maxEntryByteCount)
    }

    public init(
        _ source: any ByteSource, selection: Selection? = nil, maxEntryByteCount: Int = 512 << 20
    ) throws(DecodeError) {
        reader = try RDBReader(source)
        self.selection = selection
        self.maxEntryByteCount = maxEntryByteCount
    }

    /// The next entry, nil after the last.
    /// - Throws: the fault that ends the file, with the key where it lies in an entry.
    public func next() throws(EntryFault) -> Entry? {
        var isEntry = false
        do throws(DecodeError) {
            while end == nil {
                isEntry = false
                let item = try reader.next()
                switch item {
                case .entry:
                    isEntry = true
                    if let selection, !selection.admits(reader.header, key: reader.key) {
                        try reader.skipValue()
                        continue
                    }
                    return try readEntry()
                case .end(let found): end = found
                default: if sections.count < 1000 { sections.append(item) }
                }
            }
            return nil
        } catch {
            var fault = EntryFault(error: error, database: nil, key: nil, isSkipped: false)
            if isEntry {
                fault.database = reader.header.database
                fault.key = reader.copyKey()
            }
            throw fault
        }
    }

    private func readEntry() throws(DecodeError) -> Entry {
        let header = reader.header
        let key = reader.copyKey()
        var builder = ValueBuilder(maxByteCount: maxEntryByteCount)
        try reader.readValue(into: &builder)
        if builder.isTooLarge {
            throw DecodeError(
                .limitExceeded, at: ByteLocation(offset: header.valueOffset),
                expected: "an entry within the limit of this stream", found: .described("a larger one"))
        }
        return Entry(header: header, key: key, value: builder.value(header.type))
    }
}
