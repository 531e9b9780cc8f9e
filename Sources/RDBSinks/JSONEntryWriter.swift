public import RDBBytes
public import RDBModel

/// What of an entry is written as JSON.
public struct JSONOptions: Sendable {
    public enum Parts: Sendable {
        case everything
        /// All but `value`.
        case withoutValues
        /// `db` and `key`.
        case keysOnly
    }

    public var parts = Parts.everything
    public var strings = StringForm.auto
    /// Adds `serialized_bytes`, `elements` and `slot`.
    public var meta = false
    /// One array instead of lines.
    public var array = false
    /// Entries that get `"doubtful":true`.
    public var doubtfulKeys = DoubtfulKeys()
    /// Members that stand before an entry's own, with a comma behind each.
    package var leadingMembers = ""

    public init() {}
}

/// Writes entries as JSON Lines (or one array), in bounded memory and whole lines only.
///
/// An entry is staged in memory first. If it turns out larger than `stagingByteCount`, or holds a text that comes in
/// chunks, the rest of the pass only validates; the value is then read again and written straight through, once for the
/// fields' expiries and once for the value where both are wanted. So nothing of an entry is written before all of it
/// decoded, and memory does not follow its size:
///
///     writer.begin(header, key)
///     try reader.readValue(into: &writer)
///     while writer.startAnotherPass() { try reader.rewindToValue(); try reader.readValue(into: &writer) }
///     writer.end(…)                                   // or discard()
public struct JSONEntryWriter: ~Copyable {
    public static let stagingByteCount = 4 << 20
    /// Writers that are one of several stage less: together they stay within what one may take.
    static let detachedStagingByteCount = 1 << 20
    /// And are absorbed when they hold more than this: twice what a batch of entries usually makes.
    static let fullByteCount = 3 << 19
    static let flushByteCount = 128 << 10
    static let maxNamesByteCount = 8 << 20

    public var options: JSONOptions
    /// nil where the lines stay in memory until they are absorbed.
    private let file: OutputFile?
    @usableFromInline var out = OutputBuffer()
    /// Values of a hash whose expiries are written first.
    @usableFromInline var aside = OutputBuffer(capacity: 4096)
    @usableFromInline let form: StringForm

    /// Why output stopped.
    public private(set) var failure: OutputError?
    /// A value this writer cannot hold; the entry must be discarded.
    public private(set) var refusal: DecodeError?
    public private(set) var writtenEntries: UInt64 = 0

    enum Pass { case staging, validating, expiries, values }
    var pass = Pass.staging
    /// Whether events become text: false in a validating pass, and for parts that the pass leaves out.
    @usableFromInline var writes = true
    /// Where the entry begins in `out`, and where its head ends: everything before the first part of the value.
    private var entryStart = 0
    private var headEnd = 0
    /// `out` and `aside` are relieved when they hold more.
    @usableFromInline var highWater = 0
    /// Fields go to `aside`, so that their expiries can be written first.
    @usableFromInline var isExpiring = false
    @usableFromInline var writesFieldValues = true
    @usableFromInline var isSortedSet = false

    var header = EntryHeader()
    @usableFromInline var needsComma = false
    @usableFromInline var needsInnerComma = false
    /// Where the field's text begins and ends in `aside`, to be repeated before its expiry.
    @usableFromInline var fieldStart = 0
    @usableFromInline var fieldEnd = 0
    var hasExpiries = false
    @usableFromInline var elementCount: UInt64 = 0
    @usableFromInline var isInPath = false
    /// Idempotent producers of a stream: their list is open; their section was written.
    @usableFromInline var isInProducers = false
    var hasProducers = false
    var insertIndex: UInt64?

    /// Of texts that came in chunks, in order: whether they are UTF-8.
    var largeTexts: [Bool] = []
    var largeTextIndex = 0
    var validator = UTF8Validator()
    /// Bytes of a chunk that base64 cannot write before it has three.
    var carry: [UInt8] = []
    var largeForm = StringForm.auto
    /// The first bytes of a text in chunks: it may begin with the mark of base64.
    var firstBytes: [UInt8] = []

    var pending = PendingTable()
    @usableFromInline var consumers = ConsumerNames()
    /// Beginnings of lines that many entries share, made when first needed, and where each lies.
    private var heads = OutputBuffer(capacity: 4096)
    private var typeHeads: [Range<Int>] = Array(repeating: 0..<0, count: 1024)
    private var databaseHead = 0..<0
    private var headDatabase: UInt64?

    public init(_ file: OutputFile, options: JSONOptions = JSONOptions()) {
        self.file = file
        self.options = options
        form = options.strings
        if options.array { out.append("[") }
        entryStart = out.byteCount
    }

    /// A writer that keeps its lines until another one absorbs them.
    public init(detachedWith options: JSONOptions) {
        file = nil
        self.options = options
        form = options.strings
    }

    public var isDetached: Bool { file == nil }

    /// Whether a detached writer should be absorbed before more is written.
    public var isFull: Bool { isDetached && out.byteCount > Self.fullByteCount }

    /// Takes over the lines of a detached writer, which is empty afterwards.
    public mutating func absorb(_ other: inout JSONEntryWriter) {
        flush()
        file?.drain(&other.out, keeping: 2 << 20, failure: &failure)
        writtenEntries += other.writtenEntries
        other.writtenEntries = 0
    }

    /// Whether the value has to be decoded for this entry, or may be skipped.
    public func needsValue(_ header: EntryHeader) -> Bool {
        switch options.parts {
        case .everything: true
        case .withoutValues: header.hasFieldExpiries || options.meta
        case .keysOnly: options.meta
        }
    }

    // MARK: - Entries

    public mutating func begin(_ header: EntryHeader, key: RawSpan) {
        self.header = header
        entryStart = out.byteCount
        refusal = nil
        pass = .staging
        largeTexts.removeAll(keepingCapacity: true)
        isSortedSet = header.type == .zset
        startPass()
        defer {
            headEnd = out.byteCount
            highWater = headEnd + (isDetached ? Self.detachedStagingByteCount : Self.stagingByteCount)
        }

        if options.array, writtenEntries > 0 { out.append(",\n") } else if options.array { out.append("\n") }
        if headDatabase != header.database {
            databaseHead = makeHead("{\(options.leadingMembers)\"db\":\(header.database),\"key\":")
            headDatabase = header.database
        }
        out.append(heads, databaseHead)
        out.appendJSON(key, form: form)
        let isDoubtful =
            !options.doubtfulKeys.isEmpty && options.doubtfulKeys.contains(database: header.database, key: key)
        if options.parts == .keysOnly {
            if isDoubtful { out.append(",\"doubtful\":true") }
            writes = false
            return
        }
        appendTypeAndEncoding()
        if let expiry = header.expiresAt {
            out.append(",\"expires_at_ms\":")
            out.append(decimal: expiry)
        }
        if let idle = header.idleSeconds {
            out.append(",\"idle_seconds\":")
            out.append(decimal: idle)
        }
        if let frequency = header.lfuFrequency {
            out.append(",\"lfu_freq\":")
            out.append(decimal: UInt64(frequency))
        }
        if isDoubtful { out.append(",\"doubtful\":true") }
        if options.parts == .withoutValues {
            writes = writesValue
        } else if !header.hasFieldExpiries {
            out.append(",\"value\":")
        }
    }

    /// `,"type":"hash","encoding":"listpack"`, made once for each pair.
    private mutating func appendTypeAndEncoding() {
        var index = Int(header.typeByte) << 2
        switch header.encoding {
        case .lzf: index |= 1
        case .int: index |= 2
        // Byte 23 is another type in Redis; one writer may serve files of both.
        default: if header.type == .pathHash { index |= 3 }
        }
        if typeHeads[index].isEmpty {
            typeHeads[index] = makeHead(
                ",\"type\":\"\(header.type.name)\",\"encoding\":\"\(header.encoding.name)\"")
        }
        out.append(heads, typeHeads[index])
    }

    private mutating func makeHead(_ text: String) -> Range<Int> {
        // A file that changes its database at each entry must not make this grow.
        if heads.byteCount > 64 << 10 {
            heads.truncate(to: 0)
            headDatabase = nil
            for index in typeHeads.indices { typeHeads[index] = 0..<0 }
        }
        let start = heads.byteCount
        heads.append(text)
        return start..<heads.byteCount
    }

    private mutating func startPass() {
        writes = pass != .validating
        isExpiring = header.hasFieldExpiries && pass != .values
        writesFieldValues = pass != .expiries && options.parts == .everything
        needsComma = false
        needsInnerComma = false
        hasExpiries = false
        elementCount = 0
        isInPath = false
        isInProducers = false
        hasProducers = false
        insertIndex = nil
        largeTextIndex = 0
        aside.truncate(to: 0)
        if header.type == .stream {
            pending.removeAll()
            consumers.removeAll()
        }
        if pass == .expiries || pass == .values { highWater = Self.flushByteCount }
    }

    /// Whether anything of the value is written. If not, one pass counts its elements.
    var writesValue: Bool {
        switch options.parts {
        case .everything: true
        case .withoutValues: header.hasFieldExpiries
        case .keysOnly: false
        }
    }

    /// Whether the value was too large to stage, so that it has to be read again.
    public var needsAnotherPass: Bool { pass == .validating && writesValue && failure == nil && refusal == nil }

    /// After a pass over the value: whether it must be read once more, because it was too large to stage.
    public mutating func startAnotherPass() -> Bool {
        if failure != nil || refusal != nil || !writesValue { return false }
        switch pass {
        case .staging, .values: return false
        case .validating:
            // The head of the entry is still in `out`; values stream from now on.
            pass = header.hasFieldExpiries ? .expiries : .values
            startPass()
        case .expiries:
            if hasExpiries { out.append("}") }
            if options.parts == .withoutValues { return false }
            pass = .values
            startPass()
            out.append(",\"value\":")
        }
        return true
    }

    /// Completes the entry's line.
    /// - Parameters:
    ///   - valueByteCount: the value's length in the file; for `meta`.
    ///   - slot: the key's hash slot; for `meta`.
    public mutating func end(valueByteCount: UInt64, slot: Int?) {
        endValue()
        if options.meta {
            out.append(",\"serialized_bytes\":")
            out.append(decimal: valueByteCount)
            out.append(",\"elements\":")
            out.append(decimal: elementCount)
            if let slot {
                out.append(",\"slot\":")
                out.append(decimal: Int64(slot))
            }
        }
        out.append(UInt8(ascii: "}"))
        if !options.array { out.append(UInt8(ascii: "\n")) }
        writtenEntries += 1
        // What is discarded next may never have begun.
        entryStart = out.byteCount
        if out.byteCount >= Self.flushByteCount { flush() }
    }

    /// Writes nothing of the entry begun last.
    public mutating func discard() {
        out.truncate(to: min(entryStart, out.byteCount))
        aside.truncate(to: 0)
        aside.shrink(to: 1 << 20)
    }

    /// Writes what is left and closes the array.
    public mutating func finish() {
        if options.array { out.append(writtenEntries > 0 ? "\n]\n" : "]\n") }
        flush()
    }

    public mutating func flush() {
        guard let file, out.byteCount > 0 else { return }
        file.drain(&out, failure: &failure)
        entryStart = 0
    }

    mutating func refuse(_ error: DecodeError) {
        if refusal == nil { refusal = error }
        writes = false
    }

    // MARK: - Bounded memory

    /// Called where an event ends: keeps what is staged, or not yet flushed, within its bound.
    @inlinable @inline(__always)
    mutating func relieve() {
        if out.byteCount + aside.byteCount > highWater { relieveNow() }
    }

    @inline(never) @usableFromInline
    mutating func relieveNow() {
        if pass == .staging { stopStaging() } else { flush() }
    }

    /// From here on the pass validates only; the entry's head stays.
    mutating func stopStaging() {
        guard pass == .staging else { return }
        pass = .validating
        writes = false
        out.truncate(to: headEnd)
        aside.truncate(to: 0)
        aside.shrink(to: 1 << 20)
        pending.removeAll()
    }
}
