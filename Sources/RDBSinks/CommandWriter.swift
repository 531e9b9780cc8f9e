public import RDBBytes
public import RDBFormat
public import RDBModel
import RESPFormat

/// Takes commands as they are made.
public protocol CommandSink: AnyObject {
    /// - Parameter commandCount: how many commands begin in these bytes.
    func take(_ commands: RawSpan, commandCount: Int) throws(OutputError)
}

extension OutputFile: CommandSink {
    public func take(_ commands: RawSpan, commandCount: Int) throws(OutputError) { try write(commands) }
}

public struct CommandOptions: Sendable {
    /// The oldest server that shall take the commands.
    public var target = ServerVersion.oldestCommon
    /// Whatever stands at the key goes away first.
    public var replaces = false
    /// Elements are batched into commands of at most this size; a single element may be larger.
    public var maxCommandByteCount = 1 << 20
    /// Strings beyond that size come as SET and APPENDs.
    public var splitsStrings = false
    /// SET … PXAT instead of a PEXPIREAT behind each value, where the target has it.
    public var setsExpiryWithValue = false

    public init() {}
}

/// Writes entries as the commands that rebuild them, in bounded memory and whole entries only.
///
/// An entry is staged in memory first. If it turns out larger than `stagingByteCount`, or holds a text that comes in
/// chunks, the rest of the pass only validates, and the value is read again and written straight through. A stream is
/// always read twice: its pending entries stand behind its entries, but need to be known before.
///
///     writer.begin(header, key)
///     try reader.readValue(into: &writer)
///     while writer.startAnotherPass() { try reader.rewindToValue(); try reader.readValue(into: &writer) }
///     writer.end()                                    // or discard()
///
/// Source of the commands: formats/commands.md part A.
public struct CommandWriter: PayloadTaker, ~Copyable {
    public static let stagingByteCount = 4 << 20
    static let detachedStagingByteCount = 1 << 20
    static let fullByteCount = 3 << 19
    static let flushByteCount = 128 << 10
    /// Batches end when they hold as much or as many: larger ones cost the server no less for each element.
    static let batchByteCount = 64 << 10
    static let batchElementCount = 512

    public var options: CommandOptions
    private let sink: (any CommandSink)?
    var out = OutputBuffer()
    /// Commands begun in `out`.
    public internal(set) var commandCount = 0

    public private(set) var failure: OutputError?
    /// A value this writer cannot hold; the entry must be discarded.
    public internal(set) var refusal: DecodeError?
    /// What of the present entry is not written.
    public internal(set) var losses: CommandLoss = []

    enum Pass { case staging, validating, surveying, writing }
    var pass = Pass.staging
    var writes = true
    private var entryStart = 0
    private var entryCommands = 0
    private var highWater = 0
    /// A detached writer would hold more than it may.
    private var isOverflowing = false

    var header = EntryHeader()
    /// The key as an argument.
    var keyArgument = OutputBuffer(capacity: 256)
    /// The arguments of the command being batched, behind its key.
    var batch = OutputBuffer(capacity: 4096)
    var batchArguments = 0
    var batchElements = 0
    var batchLimit = 0
    /// Commands that must follow the batch: the expiries of its fields.
    var aside = OutputBuffer(capacity: 256)
    var asideCommands = 0
    /// Where the present field (or index) begins in the batch.
    var fieldStart = 0
    var fieldEnd = 0
    var expiring = FieldExpiries()
    /// A sorted set's member, whose score comes behind it.
    var held = OutputBuffer(capacity: 256)
    /// The field of a value that came in chunks, whose expiry comes behind it.
    var largeField = OutputBuffer(capacity: 256)
    /// A score's text.
    var number = OutputBuffer(capacity: 64)

    /// The text that comes in chunks goes straight into the command under way.
    var isDirect = false
    /// And its value does too.
    var isValueDirect = false
    var isSplitting = false
    var splitLeft = 0
    var splitRest: UInt64 = 0
    /// Found by the pass before: scores of members that come in chunks, and how many texts the stream entries have that
    /// hold such.
    var largeScores: [Double] = []
    var largeScoreIndex = 0
    var isScoreOfLarge = false

    var stream = StreamCommands()
    var insertIndex: UInt64?

    /// - Parameter sink: nil keeps the commands in memory until they are absorbed or taken.
    public init(_ sink: (any CommandSink)?, options: CommandOptions = CommandOptions()) {
        self.sink = sink
        self.options = options
    }

    public var isDetached: Bool { sink == nil }
    public var isFull: Bool { isDetached && out.byteCount > Self.fullByteCount }
    /// What a detached writer holds.
    public var byteCount: Int { out.byteCount }

    /// The commands held, valid until the next change.
    public var commands: RawSpan {
        @_lifetime(borrow self)
        get { out.bytes }
    }

    /// Forgets the commands held.
    public mutating func removeAll() {
        out.truncate(to: 0)
        out.shrink(to: 2 << 20)
        commandCount = 0
        entryStart = 0
    }

    /// Takes over the commands of a detached writer, which is empty afterwards.
    public mutating func absorb(_ other: inout CommandWriter) {
        flush()
        if let sink, failure == nil {
            do throws(OutputError) { try sink.take(other.out.bytes, commandCount: other.commandCount) } catch {
                failure = error
            }
        }
        other.removeAll()
    }

    // MARK: - Entries

    /// Begins an entry: its key, expiry and database as they shall be at the target.
    public mutating func begin(_ header: EntryHeader, key: RawSpan) {
        self.header = header
        entryStart = out.byteCount
        entryCommands = commandCount
        refusal = nil
        losses = header.idleSeconds != nil || header.lfuFrequency != nil ? .evictionHints : []
        keyArgument.truncate(to: 0)
        keyArgument.appendArgument(key)
        batchLimit = max(256, options.maxCommandByteCount - keyArgument.byteCount - 64)
        largeScores.removeAll(keepingCapacity: true)
        isOverflowing = false
        pass = header.type == .stream ? .surveying : .staging
        stream.beginSurvey()
        if !hasCommands { losses.insert(.value) }
        startPass()
    }

    /// Whether any command of the target makes a value of this type.
    private var hasCommands: Bool {
        switch header.type {
        case .string, .list, .set, .zset, .hash, .hll: true
        case .stream: options.target.hasStreams
        case .array: options.target.hasArrays
        default: false
        }
    }

    private mutating func startPass() {
        writes = (pass == .staging || pass == .writing) && !losses.contains(.value)
        clearBatch()
        isDirect = false
        isValueDirect = false
        isSplitting = false
        largeScoreIndex = 0
        isScoreOfLarge = false
        insertIndex = nil
        highWater =
            entryStart + (isDetached ? Self.detachedStagingByteCount : pass == .writing ? 0 : Self.stagingByteCount)
        if pass == .writing, !isDetached { highWater = Self.flushByteCount }
        if writes, options.replaces {
            beginCommand("DEL", 1)
        }
    }

    private mutating func clearBatch() {
        batch.truncate(to: 0)
        batch.shrink(to: 2 << 20)
        batchArguments = 0
        batchElements = 0
        aside.truncate(to: 0)
        aside.shrink(to: 2 << 20)
        asideCommands = 0
        expiring.removeAll()
        held.truncate(to: 0)
        held.shrink(to: 2 << 20)
        largeField.truncate(to: 0)
        largeField.shrink(to: 2 << 20)
    }

    /// Whether the value has to be read again; a detached writer cannot hold what the pass would write.
    public var needsAnotherPass: Bool {
        (pass == .validating || pass == .surveying) && !losses.contains(.value) && failure == nil && refusal == nil
    }

    /// An entry that a detached writer cannot take: its commands are too large to be kept in memory.
    public var isTooLarge: Bool { isDetached && (pass == .validating || isOverflowing) }

    public mutating func startAnotherPass() -> Bool {
        guard needsAnotherPass else { return false }
        if pass == .surveying { stream.endSurvey() }
        pass = .writing
        startPass()
        return true
    }

    /// Completes the entry.
    public mutating func end() {
        if writes {
            flushBatch()
            switch header.type {
            case .stream: endStream()
            case .array: endArray()
            default: break
            }
            if let expiresAt = header.expiresAt, !(isString && setsExpiryWithValue) {
                beginCommand("PEXPIREAT", 2)
                out.appendArgument(decimal: expiresAt)
            }
        }
        if losses.contains(.value) { discard() }
        entryStart = out.byteCount
        entryCommands = commandCount
        clearBatch()
        if sink != nil, out.byteCount >= Self.flushByteCount { flush() }
    }

    var isString: Bool { header.type == .string || header.type == .hll }

    var setsExpiryWithValue: Bool {
        options.setsExpiryWithValue && options.target.hasExpiryAtInSet && !isSplitting
    }

    /// Writes nothing of the entry begun last.
    public mutating func discard() {
        if out.byteCount >= entryStart {
            out.truncate(to: entryStart)
            commandCount = entryCommands
        }
        clearBatch()
    }

    public mutating func flush() {
        guard let sink, out.byteCount > 0 else { return }
        if failure == nil {
            do throws(OutputError) { try sink.take(out.bytes, commandCount: commandCount) } catch { failure = error }
        }
        // A closed pipe or a full disk ends the run at the next look at `failure`; until then nothing piles up.
        removeAll()
    }

    mutating func refuse(_ error: DecodeError) {
        if refusal == nil { refusal = error }
        writes = false
    }

    // MARK: - Commands besides values

    /// SELECT; the entries that follow are in this database.
    public mutating func select(_ database: UInt64) {
        out.beginCommand(2)
        out.appendArgument("SELECT")
        out.appendArgument(String(database))
        commandCount += 1
    }

    /// FUNCTION LOAD.
    public mutating func load(_ library: FunctionLibrary) {
        out.beginCommand(options.replaces ? 4 : 3)
        out.appendArgument("FUNCTION")
        out.appendArgument("LOAD")
        if options.replaces { out.appendArgument("REPLACE") }
        out.appendArgument(library.source.rawSpan)
        commandCount += 1
    }

    // MARK: - RESTORE

    /// The head of a RESTORE of the entry, up to and including its payload's length. The payload, CRLF and
    /// `endRestore` follow.
    public mutating func beginRestore(
        _ header: EntryHeader, key: RawSpan, payloadByteCount: UInt64, now: Int64
    ) {
        self.header = header
        entryStart = out.byteCount
        entryCommands = commandCount
        losses = []
        pass = .writing
        highWater = isDetached ? .max : Self.flushByteCount
        out.beginCommand(4 + restoreOptionCount)
        out.appendArgument("RESTORE")
        out.appendArgument(key)
        switch header.expiresAt {
        case nil: out.appendArgument("0")
        case let expiry? where options.target.hasRestoreOptions: out.appendArgument(decimal: max(1, expiry))
        // Zero would mean none.
        case let expiry?: out.appendArgument(decimal: max(1, expiry.subtractingReportingOverflow(now).partialValue))
        }
        out.beginArgument(byteCount: payloadByteCount)
        commandCount += 1
    }

    /// Arguments of a RESTORE of the present entry beyond key, TTL and payload.
    public var restoreOptionCount: Int {
        var count = options.replaces ? 1 : 0
        guard options.target.hasRestoreOptions else { return count }
        if header.expiresAt != nil { count += 1 }
        if header.lfuFrequency != nil || header.idleSeconds != nil { count += 2 }
        return count
    }

    /// Where the payload is appended to.
    public mutating func appendPayload(_ piece: RawSpan) {
        // Pieces are as large as a window; what is written to is flushed between them.
        out.append(piece)
        relieve()
    }

    /// The same, from a reader that has just stepped over the value.
    public mutating func appendPayload(of reader: inout RDBReader) -> Bool { reader.appendPayload(to: &out) }

    public mutating func endRestore() {
        out.append("\r\n")
        if options.replaces { out.appendArgument("REPLACE") }
        if options.target.hasRestoreOptions {
            if header.expiresAt != nil { out.appendArgument("ABSTTL") }
            if let frequency = header.lfuFrequency {
                out.appendArgument("FREQ")
                out.appendArgument(decimal: Int64(frequency))
            } else if let idle = header.idleSeconds {
                out.appendArgument("IDLETIME")
                out.appendArgument(decimal: Int64(clamping: idle))
            }
        } else if header.lfuFrequency != nil || header.idleSeconds != nil {
            losses.insert(.evictionHints)
        }
        entryStart = out.byteCount
        entryCommands = commandCount
        if sink != nil, out.byteCount >= Self.flushByteCount { flush() }
    }

    // MARK: - Batches and bounded memory

    /// A command of the present key, whose further `argumentCount - 1` arguments the caller appends.
    mutating func beginCommand(_ name: StaticString, _ argumentCount: Int) {
        out.beginCommand(1 + argumentCount)
        out.appendArgument(name)
        out.append(keyArgument, 0..<keyArgument.byteCount)
        commandCount += 1
    }

    private var batchCommand: StaticString {
        switch header.type {
        case .list: "RPUSH"
        case .set: "SADD"
        case .zset: "ZADD"
        case .hash: "HSET"
        default: "ARMSET"
        }
    }

    /// Before an element of `count` more bytes is batched: ends the batch where it would grow too large.
    @inline(__always)
    mutating func makeRoom(_ count: Int) {
        let size = batch.byteCount + aside.byteCount
        if batchElements >= Self.batchElementCount || size >= Self.batchByteCount || size + count > batchLimit {
            flushBatch()
        }
    }

    /// Writes the batch as one command, and what has to follow it.
    @inline(never)
    mutating func flushBatch() { flushBatch(upTo: batch.byteCount, keptArguments: 0) }

    /// - Parameter end: what is behind it stays for the next batch.
    mutating func flushBatch(upTo end: Int, keptArguments: Int) {
        guard writes, batchArguments > keptArguments else { return }
        beginCommand(batchCommand, 1 + batchArguments - keptArguments)
        out.append(batch, 0..<end)
        if end == batch.byteCount { batch.truncate(to: 0) } else { batch.removeFirst(end) }
        batchArguments = keptArguments
        batchElements = 0
        flushExpiries()
        relieve()
    }

    /// HPEXPIREAT of the fields that were just set.
    mutating func flushExpiries() {
        closeExpiryGroup()
        guard asideCommands > 0 else { return }
        out.append(aside, 0..<aside.byteCount)
        commandCount += asideCommands
        aside.truncate(to: 0)
        asideCommands = 0
    }

    /// Called where a command ends: keeps what is staged, or not yet flushed, within its bound.
    @inline(__always)
    mutating func relieve() {
        if isAboveHighWater { relieveNow() }
    }

    var isAboveHighWater: Bool { out.byteCount > highWater }

    @inline(never)
    mutating func relieveNow() {
        switch pass {
        case .staging: stopStaging()
        case .writing where isDetached:
            isOverflowing = true
            writes = false
            discard()
        default: flush()
        }
    }

    /// From here on the pass validates only.
    mutating func stopStaging() {
        guard pass == .staging else { return }
        pass = .validating
        writes = false
        discard()
    }
}

/// Fields of the batch with the same expiry, one after another.
struct FieldExpiries: ~Copyable {
    var expiresAt: Int64 = 0
    var count = 0
    var fields = OutputBuffer(capacity: 256)

    mutating func removeAll() {
        count = 0
        fields.truncate(to: 0)
        fields.shrink(to: 2 << 20)
    }
}
