public import RDBBytes
public import RDBModel

/// Whole entries copied out of a file, so that another thread can decode them while the file is read on.
///
/// One thread at a time uses a batch: it is filled, handed over, read, and given back.
public struct EntryBatch: ~Copyable {
    private struct Record {
        var header: EntryHeader
        var type: RDBType
        /// In `bytes`: the key, and the value behind it.
        var keyStart: Int
        var valueStart: Int
        var valueEnd: Int
    }

    private var bytes = OutputBuffer(capacity: 64 << 10)
    private var records: [Record] = []
    /// Those that any entry so far refers to; an ID is defined once in a file.
    private var templates = HashTemplates()

    /// Longer keys are rare, and each thread's lines would have to hold one.
    private static let maxKeyByteCount = 64 << 10

    public init() {}

    public var count: Int { records.count }
    public var byteCount: Int { bytes.byteCount }

    public mutating func removeAll() {
        bytes.truncate(to: 0)
        bytes.shrink(to: 1 << 20)
        records.removeAll(keepingCapacity: true)
    }

    /// Copies the entry that the reader stands at and leads the reader behind it.
    /// - Returns: false where the entry is too large to copy; then the reader stands at the value again, held.
    /// - Throws: when the value's end cannot be found; `rewindToValue` and reading it tell why.
    public mutating func append(_ reader: inout RDBReader) throws(DecodeError) -> Bool {
        reader.holdValue()
        if reader.keyByteCount > Self.maxKeyByteCount { return false }
        try reader.skipValue()
        let keyStart = bytes.byteCount
        guard reader.copyKeyAndValue(to: &bytes) else {
            try reader.rewindToValue()
            return false
        }
        reader.releaseValue()
        let valueStart = keyStart + reader.keyByteCount
        records.append(
            Record(
                header: reader.header, type: reader.type, keyStart: keyStart, valueStart: valueStart,
                valueEnd: bytes.byteCount))
        if reader.type.refersToTemplate { templates = reader.templates }
        return true
    }

    /// Adds an entry that stands in no file: a payload's, for example.
    public mutating func append(_ header: EntryHeader, _ type: RDBType, key: RawSpan, value: RawSpan) {
        let keyStart = bytes.byteCount
        bytes.append(key)
        let valueStart = bytes.byteCount
        bytes.append(value)
        let valueEnd = bytes.byteCount
        bytes.reserve(LZF.slackByteCount)
        var header = header
        header.type = type.valueType
        header.hasFieldExpiries = type.hasFieldExpiries
        records.append(
            Record(
                header: header, type: type, keyStart: keyStart, valueStart: valueStart, valueEnd: valueEnd))
    }

    /// The length of the value appended last.
    public func lastValueByteCount() -> UInt64 {
        records.last.map { UInt64($0.valueEnd - $0.valueStart) } ?? 0
    }

    /// Takes back the entry appended last.
    public mutating func removeLast() {
        if let last = records.popLast() { bytes.truncate(to: last.keyStart) }
    }

    /// Gives a reader what the batch's entries refer to. To be called before `place`.
    public func prepare(_ reader: inout RDBReader) { reader.templates = templates }

    /// Makes a reader stand at an entry, as if it had come to it in the file. The batch must outlive the reader's use.
    public func place(_ reader: inout RDBReader, at index: Int) {
        let record = records[index]
        reader.stand(
            at: record.header, record.type, bytes, key: record.keyStart..<record.valueStart,
            value: record.valueStart..<record.valueEnd)
    }
}

extension RDBReader {
    /// False where the value is no longer in the window as a whole, or longer than a window takes at once.
    fileprivate func copyKeyAndValue(to buffer: inout OutputBuffer) -> Bool {
        guard let count = window.markedByteCount, count <= ByteWindow.maxContiguousByteCount else { return false }
        buffer.append(keyBuffer, 0..<keyBuffer.byteCount)
        window.copyLast(count, to: &buffer)
        // Lets decompression read in whole words.
        buffer.reserve(LZF.slackByteCount)
        return true
    }

    fileprivate mutating func stand(
        at header: EntryHeader, _ type: RDBType, _ bytes: borrowing OutputBuffer, key: Range<Int>, value: Range<Int>
    ) {
        self.header = header
        self.type = type
        keyBuffer.truncate(to: 0)
        keyBuffer.append(bytes, key)
        // The batch keeps the bytes until its next `removeAll`, which its user calls when done with the reader.
        window = bytes.window(over: value, offset: header.valueOffset)
    }
}
