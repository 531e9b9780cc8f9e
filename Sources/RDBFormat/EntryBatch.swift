public import RDBBytes
import RDBModel

/// Entries copied out of a file as they stand there, so that another thread can read them while the file is read on.
///
/// Filled from one reader:
///
///     batch.hold(&reader)                     // before each `next`
///     guard try reader.nextIsEntry() else { try batch.close(&reader) ... }
///     try reader.skipValue()
///     if !batch.append(&reader) { ... }       // too large
///
/// and read by another: `start`, then `next` until it returns false. One thread at a time uses a batch.
///
/// Entries that follow each other, with nothing but their attributes between them, are one run, which is copied in large
/// pieces: of small entries, any work on each of them costs as much as decoding it.
public struct EntryBatch: ~Copyable {
    private struct Run {
        /// Of the first entry: its database, and those of its attributes that do not stand in `bytes`.
        var header: EntryHeader
        var start: Int
    }

    private var bytes = OutputBuffer(capacity: 64 << 10)
    private var runs: [Run] = []
    /// Those that any entry so far refers to; an ID is defined once in a file.
    private var templates = HashTemplates()

    /// Whether the next entry continues the last run, which goes from the file's offset `copied` on to `end` in the window
    /// of the reader that fills the batch.
    private var isOpen = false
    private var copied: UInt64 = 0
    private var end: UInt64 = 0

    private var nextRun = 0
    private let plain = PlainEntries()

    /// Longer keys are rare, and each thread's lines would have to hold one.
    private static let maxKeyByteCount = 64 << 10
    /// Few enough to leave the window most of its room.
    private static let pieceByteCount: UInt64 = 32 << 10

    public init() {}

    public var isEmpty: Bool { runs.isEmpty }

    /// The memory that the entries take.
    public var byteCount: Int {
        bytes.byteCount + (isOpen ? Int(end - copied) : 0) + runs.count * MemoryLayout<Run>.stride
    }

    public mutating func removeAll() {
        bytes.truncate(to: 0)
        bytes.shrink(to: 1 << 20)
        runs.removeAll(keepingCapacity: true)
        isOpen = false
    }

    // MARK: - Filling

    /// Before the next item is read: has the reader keep what an entry will have to be copied from.
    public func hold(_ reader: inout RDBReader) {
        if !isOpen { reader.holdItem() }
    }

    /// Adds the entries that the reader comes to next, as long as they are plain ones: where all are wanted, this is the
    /// fast way to fill a batch.
    /// - Returns: how many. Their batch may be a little longer than the limit then.
    public mutating func appendPlainEntries(_ reader: inout RDBReader, upTo byteCount: Int) -> Int {
        let (count, start) = reader.skipPlainEntries(plain, upTo: byteCount - self.byteCount)
        if count == 0 { return 0 }
        begin(at: start)
        end = reader.offset
        copy(&reader)
        return count
    }

    private mutating func begin(at header: EntryHeader) {
        if isOpen { return }
        runs.append(Run(header: header, start: bytes.byteCount))
        isOpen = true
        copied = header.typeOffset
    }

    /// Copies the rest of the run, which ends where the reader stands.
    private mutating func copy(_ reader: inout RDBReader) {
        // `append` takes nothing that has left the window, and nothing was read since.
        let isAtHand = reader.window.copy(copied..<end, to: &bytes)
        precondition(isAtHand)
        copied = end
        reader.holdItem()
    }

    /// Adds the entry whose value the reader has just stepped over.
    /// - Returns: false where it is too large.
    public mutating func append(_ reader: inout RDBReader) -> Bool {
        let start = isOpen ? copied : reader.header.typeOffset
        let newEnd = reader.offset
        guard reader.keyByteCount <= Self.maxKeyByteCount, reader.window.holds(from: start),
            newEnd - start <= UInt64(ByteWindow.maxContiguousByteCount)
        else { return false }
        begin(at: reader.header)
        end = newEnd
        if reader.type.refersToTemplate { templates = reader.templates }
        if end - copied >= Self.pieceByteCount { copy(&reader) }
        return true
    }

    /// Ends the run before what the reader read last, and copies what is left of it.
    public mutating func close(_ reader: inout RDBReader) throws(DecodeError) {
        guard isOpen else { return }
        isOpen = false
        try reader.copyHeld(copied..<end, to: &bytes)
    }

    // MARK: - Reading

    /// Before the first entry is read. The batch must outlive the reader's use.
    public mutating func start(_ reader: inout RDBReader) {
        // Lets decompression read in whole words.
        bytes.reserve(LZF.slackByteCount)
        reader.templates = templates
        reader.window = bytes.window(over: 0..<0, offset: 0)
        nextRun = 0
    }

    /// Leads a reader to the next entry, as if it had come to it in the file; false where there is none.
    /// - Throws: never, where the same bytes could be read once.
    public mutating func next(_ reader: inout RDBReader) throws(DecodeError) -> Bool {
        if reader.window.availableByteCount == 0, !enterNextRun(&reader) { return false }
        return try reader.nextIsEntry()
    }

    @inline(never)
    private mutating func enterNextRun(_ reader: inout RDBReader) -> Bool {
        guard nextRun < runs.count else { return false }
        let run = runs[nextRun]
        nextRun += 1
        let end = nextRun < runs.count ? runs[nextRun].start : bytes.byteCount
        // The batch keeps the bytes until its next `removeAll`, which its user calls when done with the reader.
        reader.goOn(in: bytes.window(over: run.start..<end, offset: run.header.typeOffset), at: run.header)
        return true
    }

    /// Instead of `next`, for who only wants what strings hold: hands over entries as long as they are plain strings, and
    /// leads the reader behind them. Returns how many they are.
    public func takePlainStrings<V: PlainStringVisitor & ~Copyable>(
        _ reader: inout RDBReader, into visitor: inout V
    ) -> Int {
        reader.takePlainStrings(plain, into: &visitor)
    }
}
