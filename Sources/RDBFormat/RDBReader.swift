public import RDBBytes
public import RDBModel

/// Reads an RDB file front to back: sections one at a time, and values piece by piece.
///
///     var reader = try RDBReader(source)
///     while true {
///         switch try reader.next() {
///         case .entry: try reader.readValue(into: &visitor)      // or skipValue()
///         case .end: return
///         default: break
///         }
///     }
///
/// File: `head { item } FF [crc64]`, where each item begins with one byte, an opcode (from 242 on) or the type of an
/// entry's value. Attributes (expiry, idle time, frequency) stand before the entry that they belong to; other items
/// may stand between them. Source: formats/rdb.md §3.
///
/// Memory: the window (256 KiB, 1 MiB where a string needs it), as much scratch, the key, the hash templates.
public struct RDBReader: ~Copyable {
    @usableFromInline var window: ByteWindow
    @usableFromInline let scratch = Scratch()
    @usableFromInline var keyBuffer = OutputBuffer(capacity: 256)

    public let version: RDBVersion
    /// Of the entry that `next` returned last.
    public internal(set) var header = EntryHeader()
    /// The layout of that entry's value.
    public internal(set) var type = RDBType.string
    /// Where the item that `next` returned last has its first byte, its type or opcode; attributes stand before it.
    public private(set) var itemOffset: UInt64 = 0

    private let verifiesChecksum: Bool
    private var database: UInt64 = 0
    private var attributes = Attributes()
    private var sectionOpcode = Opcode.end
    @usableFromInline var templates = HashTemplates()

    /// Attributes read so far of the entry to come.
    private struct Attributes {
        var expiresAt: Int64?
        var idleSeconds: UInt64?
        var lfuFrequency: UInt8?
        var startOffset: UInt64?
    }

    /// The longest key, and the most of an aux field or function library, that is kept.
    public static let maxKeyByteCount = 2 << 20
    static let maxKeptByteCount = 1 << 20

    /// Reads the head.
    /// - Parameter verifiesChecksum: false saves the CRC of all bytes; the end then says `.unverified`.
    public init(
        _ source: any ByteSource, windowByteCount: Int = 256 << 10, verifiesChecksum: Bool = true
    ) throws(DecodeError) {
        try self.init(
            ByteWindow(source, initialByteCount: windowByteCount, verifiesChecksum: verifiesChecksum),
            verifiesChecksum: verifiesChecksum)
    }

    /// Reads on in a window that stands at the head and, for a checksum, was made to compute it.
    public init(_ window: consuming ByteWindow, verifiesChecksum: Bool) throws(DecodeError) {
        self.window = window
        version = try self.window.rdbVersion()
        self.verifiesChecksum = verifiesChecksum && version.hasChecksum
        if !self.verifiesChecksum { self.window.dropChecksum() }
    }

    /// A reader that stands nowhere until an `EntryBatch` places it.
    public init(of batchesIn: RDBVersion) {
        window = unsafe ByteWindow(unsafeBytes: UnsafeRawBufferPointer(start: nil, count: 0))
        version = batchesIn
        verifiesChecksum = false
    }

    var keyByteCount: Int { keyBuffer.byteCount }

    /// The key of the entry that `next` returned last, valid until the next call.
    public var key: RawSpan {
        @_lifetime(borrow self)
        get { keyBuffer.bytes }
    }

    /// The key, for what outlives the entry.
    public func copyKey() -> [UInt8] { keyBuffer.bytes.array }

    /// Bytes read so far.
    public var offset: UInt64 { window.offset }

    /// Bytes taken from the underlying file (compressed, where it is), and its size where known.
    public var progress: (consumed: UInt64, total: UInt64?) { window.progress }

    // MARK: - Items

    /// Reads up to and including the next item. Of an entry it reads the head; its value has to be read or skipped
    /// before the next call.
    public mutating func next() throws(DecodeError) -> RDBItem { try nextIsEntry() ? .entry : try section() }

    /// The same in two steps, because items other than entries are rare and large.
    /// - Returns: false before a section, which `section` has to read.
    public mutating func nextIsEntry() throws(DecodeError) -> Bool {
        while true {
            let at = window.offset
            itemOffset = at
            let byte = try window.byte()
            if byte < Opcode.first {
                if byte == Opcode.enterpriseIdle || byte == Opcode.enterpriseSlot {
                    let value = try window.length()
                    if byte == Opcode.enterpriseIdle { note(at) { $0.idleSeconds = value } }
                    continue
                }
                try readEntryHead(byte, at: at)
                return true
            }
            switch byte {
            case Opcode.expireMilliseconds:
                let value = try window.littleEndian(Int64.self)
                note(at) { $0.expiresAt = Opcode.expiry(milliseconds: value) }
            case Opcode.expireSeconds:
                let value = try window.littleEndian(Int32.self)
                note(at) { $0.expiresAt = Opcode.expiry(seconds: value) }
            case Opcode.idle:
                let value = try window.length()
                note(at) { $0.idleSeconds = value }
            case Opcode.frequency:
                let value = try window.byte()
                note(at) { $0.lfuFrequency = value }
            case Opcode.keyMetadataOrSlotImport where version.family == .redis:
                note(at) { _ in }
                try skipKeyMetadata()
            default:
                sectionOpcode = byte
                return false
            }
        }
    }

    /// Reads the section before which `nextIsEntry` returned false.
    public mutating func section() throws(DecodeError) -> RDBItem { try readSection(sectionOpcode, at: itemOffset) }

    mutating func select(_ number: UInt64) { database = number }

    /// Steps over the entries to come, as far as they are plain, at hand, and begin within so many bytes.
    /// - Returns: how many they are, and what a reader that starts with them has to know.
    mutating func skipPlainEntries(
        _ entries: borrowing PlainEntries, upTo limit: Int
    ) -> (count: Int, start: EntryHeader) {
        let here = EntryHeader(database: database, startOffset: offset, typeOffset: offset)
        // Attributes that something stands behind belong to the entry after it.
        if attributes.startOffset != nil { return (0, here) }
        let found = entries.find(in: window.bytesAtHand, limit: limit)
        window.skip(atHand: found.end)
        return (found.count, here)
    }

    /// Hands over the entries to come, as far as they are plain strings and at hand. Returns how many they are.
    mutating func takePlainStrings<V: PlainStringVisitor & ~Copyable>(
        _ entries: borrowing PlainEntries, into visitor: inout V
    ) -> Int {
        if attributes.startOffset != nil { return 0 }
        let found = entries.visitStrings(in: window.bytesAtHand, database: database, &visitor)
        window.skip(atHand: found.end)
        return found.count
    }

    /// Goes on at an entry's type byte in another window, with what stood before it in the file.
    mutating func goOn(in other: consuming ByteWindow, at header: EntryHeader) {
        window = other
        database = header.database
        attributes = Attributes(
            expiresAt: header.expiresAt, idleSeconds: header.idleSeconds, lfuFrequency: header.lfuFrequency,
            startOffset: header.startOffset)
    }

    private mutating func note(_ offset: UInt64, _ change: (inout Attributes) -> Void) {
        if attributes.startOffset == nil { attributes.startOffset = offset }
        change(&attributes)
    }

    private mutating func readEntryHead(_ typeByte: UInt8, at offset: UInt64) throws(DecodeError) {
        guard let type = RDBType(byte: typeByte, version: version) else {
            let error = DecodeError(
                .unknownType, at: window.location(at: offset), expected: "a type byte this release knows",
                found: .byte(typeByte))
            // The key is worth knowing for the message, where it can be read.
            do throws(DecodeError) { try readKey() } catch { keyBuffer.truncate(to: 0) }
            throw error
        }
        header.typeByte = typeByte
        header.database = database
        header.typeOffset = offset
        header.startOffset = attributes.startOffset ?? offset
        header.expiresAt = attributes.expiresAt
        header.idleSeconds = attributes.idleSeconds
        header.lfuFrequency = attributes.lfuFrequency
        attributes = Attributes()
        self.type = type
        if !window.takeShort(replacing: &keyBuffer) { try readKey() }
        header.valueOffset = window.offset
        header.type = type.valueType
        header.encoding = type.encoding
        header.hasFieldExpiries = type.hasFieldExpiries
        if type == .string { header.encoding = Self.stringEncoding(try window.peek()) }
    }

    /// How a string is encoded, by its first byte. That is as good as random: a choice of values, not of ways.
    @inline(__always)
    static func stringEncoding(_ first: UInt8) -> Encoding {
        let packed = first == 0xc3 ? Encoding.lzf : .int
        return first < 0xc0 ? .raw : packed
    }

    private mutating func readKey() throws(DecodeError) {
        keyBuffer.truncate(to: 0)
        let start = window.location
        switch try window.stringForm() {
        case .plain(let count) where count < 0x4000:
            try window.take(Int(count), into: &keyBuffer)
        case .plain(let count):
            try checkKeyLength(count, start)
            var left = count
            while left > 0 {
                let count = Int(min(left, 64 << 10))
                try window.take(count, into: &keyBuffer)
                left -= UInt64(count)
            }
        case .integer(let value):
            keyBuffer.append(decimal: value)
        case .compressed(let compressed, let count)
        where LZF.isSmall(compressedByteCount: compressed, byteCount: count):
            try scratch.decompress(from: &window, compressedByteCount: Int(compressed), byteCount: Int(count))
            scratch.append(Int(count), to: &keyBuffer)
        case .compressed(let compressed, let count):
            try checkKeyLength(count, start)
            var keeper = TextKeeper(limit: Self.maxKeyByteCount)
            var decoder = TextDecoder(role: .string)
            try readCompressedLarge(compressed, count, with: &decoder, into: &keeper)
            keyBuffer.append(keeper.bytes.rawSpan)
        }
    }

    private func checkKeyLength(_ count: UInt64, _ at: ByteLocation) throws(DecodeError) {
        if count > UInt64(Self.maxKeyByteCount) {
            throw DecodeError(.limitExceeded, at: at, expected: "a key of at most 2 MiB", found: .unsigned(count))
        }
    }

    // MARK: - Going back to a value

    /// Remembers where the value begins, so that it can be read more than once. Until `releaseValue` the source keeps
    /// what it needs for that.
    public mutating func holdValue() { window.mark() }

    /// Back to the value's first byte.
    public mutating func rewindToValue() throws(DecodeError) { try window.rewind(to: header.valueOffset) }

    public mutating func releaseValue() { window.unmark() }

    // MARK: - End

    /// What follows the end of the file in the same input: its first byte, which stays unread; nil if nothing does.
    public mutating func peekTrailingByte() throws(DecodeError) -> UInt8? {
        try window.isAtEnd() ? nil : try window.peek()
    }

    /// The window, which stands behind the last item that was read: for what follows an RDB in the same input.
    public consuming func intoWindow() -> ByteWindow {
        window.dropChecksum()
        window.unmark()
        return window
    }

    /// The end of the file: checks the checksum.
    mutating func readEnd() throws(DecodeError) -> RDBEnd {
        guard version.hasChecksum else { return RDBEnd(checksum: .absent, byteCount: window.offset) }
        let computed = verifiesChecksum ? window.checksum().value : 0
        let at = window.location
        let stored = try window.littleEndian(UInt64.self)
        let state: RDBEnd.Checksum
        if stored == 0 {
            state = .absent
        } else if !verifiesChecksum {
            state = .unverified(stored)
        } else if stored == computed {
            state = .matches(stored)
        } else {
            throw DecodeError(
                .checksumMismatch, at: at, expected: "the CRC-64 of the bytes before", found: .hex(stored))
        }
        return RDBEnd(checksum: state, byteCount: window.offset)
    }

    /// Bytes behind the end of the file, counted by reading them.
    public mutating func countTrailingBytes() throws(DecodeError) -> UInt64 {
        let from = window.offset
        while try !window.isAtEnd() { try window.skip(UInt64(window.availableByteCount)) }
        return window.offset - from
    }
}
