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
    /// Values whose payload is larger are not restored but made by commands, if there are any: as servers have it by
    /// default, no argument may be larger.
    public var maxPayloadByteCount: UInt64 = 512 << 20
    /// SET … PXAT instead of a PEXPIREAT behind each value, where the target has it.
    public var setsExpiryWithValue = false

    /// What is staged of an entry before it is validated first and then written straight through.
    package var stagingByteCount = 4 << 20
    /// How many of a stream's pending entries are claimed at a time.
    package var pendingCount = 512 << 10

    public init() {}
}

/// Writes entries as the commands that rebuild them, in bounded memory and whole entries only.
///
/// An entry is staged in memory first. If it turns out larger than 4 MiB, or holds a text that comes in
/// chunks, the rest of the pass only validates, and the value is read again and written straight through. A stream is
/// read at least twice: its pending entries stand behind its entries, but need to be known before
/// (`CommandWriter+Stream.swift`).
///
///     writer.begin(header, key)
///     try reader.readValue(into: &writer)
///     while writer.startAnotherPass() { try reader.rewindToValue(); try reader.readValue(into: &writer) }
///     writer.end()                                    // or discard()
///
/// Source of the commands: formats/commands.md part A.
public struct CommandWriter: PayloadTaker, ~Copyable {
    static let detachedStagingByteCount = 1 << 20
    static let fullByteCount = 3 << 19
    static let flushByteCount = 128 << 10
    /// Batches end when they hold as much or as many: larger ones cost the server no less for each element.
    static let batchByteCount = 64 << 10
    static let batchElementCount = 512
    /// The most that a batched command has besides its key and its batch.
    static let commandHeadByteCount = 96

    public var options: CommandOptions
    let sink: (any CommandSink)?
    var out = OutputBuffer()
    /// Commands begun in `out`.
    public internal(set) var commandCount = 0
    /// Where the key stands in the commands, of the RESTORE begun last.
    public internal(set) var restoreKeyStart = 0

    public private(set) var failure: OutputError?
    /// A value this writer cannot hold; the entry must be discarded.
    public internal(set) var refusal: DecodeError?
    /// What of the present entry is not written.
    public internal(set) var losses: CommandLoss = []

    enum Pass {
        case staging, validating, writing
        /// Of a hash, behind `writing`: only expiries of fields that come in chunks.
        case expiringLargeFields
        /// Of a stream, before `writing`.
        case surveying, matching, claiming
    }
    var pass = Pass.staging
    var writes = true
    /// Whether an earlier pass has written commands of the entry.
    private var hasWritten = false
    var entryStart = 0
    var entryCommands = 0
    var highWater = 0
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
    /// Found by the pass before, of members and fields that come in chunks: their scores, their expiries.
    var largeScores: [Double] = []
    var largeExpiries: [Int64?] = []
    /// Of members or fields that come in chunks: the next one.
    var largeIndex = 0
    /// The score or the expiry to come belongs to one.
    var isOfLarge = false

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

    /// Appends the commands held to a buffer.
    public func copyCommands(to buffer: inout OutputBuffer) { buffer.append(out, 0..<out.byteCount) }

    /// Forgets the commands held.
    public mutating func removeAll() {
        out.truncate(to: 0)
        out.shrink(to: 2 << 20)
        commandCount = 0
        entryStart = 0
        entryCommands = 0
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
        // With the command's name and its key. Where the key alone is too large, small batches would only repeat it.
        let room = options.maxCommandByteCount - keyArgument.byteCount - Self.commandHeadByteCount
        batchLimit = room > 0 ? max(256, room) : Self.batchByteCount
        if !largeScores.isEmpty { largeScores.removeAll(keepingCapacity: true) }
        if !largeExpiries.isEmpty { largeExpiries.removeAll(keepingCapacity: true) }
        isOverflowing = false
        hasWritten = false
        pass = header.type == .stream ? .surveying : .staging
        if header.type == .stream { stream.begin(options) }
        if !hasCommands(for: header.type) { losses.insert(.value) }
        startPass()
    }

    /// Whether any command of the target makes a value of this type.
    public func hasCommands(for type: ValueType) -> Bool {
        switch type {
        case .string, .list, .set, .zset, .hash, .hll: true
        case .stream: options.target.hasStreams
        case .array: options.target.hasArrays
        case .module, .pathHash, .gcra, .cron: false
        }
    }

    private mutating func startPass() {
        switch pass {
        case .staging:
            writes = true
            highWater = entryStart + (isDetached ? Self.detachedStagingByteCount : options.stagingByteCount)
        case .writing, .claiming:
            writes = true
            highWater = isDetached ? entryStart + Self.detachedStagingByteCount : Self.flushByteCount
        case .validating, .surveying, .matching, .expiringLargeFields:
            writes = false
        }
        if losses.contains(.value) { writes = false }
        clearBatch()
        isDirect = false
        isValueDirect = false
        isSplitting = false
        largeIndex = 0
        isOfLarge = false
        insertIndex = nil
        if writes, !hasWritten {
            hasWritten = true
            if options.replaces { beginCommand("DEL", 1) }
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

    /// An entry that a detached writer cannot take: its commands are too large to be kept in memory.
    public var isTooLarge: Bool { isDetached && (pass == .validating || isOverflowing) }

    /// After a pass over the value: whether it must be read once more.
    public mutating func startAnotherPass() -> Bool {
        if losses.contains(.value) || failure != nil || refusal != nil { return false }
        switch pass {
        case .staging, .expiringLargeFields: return false
        case .validating:
            hasWritten = false
            pass = .writing
        case .surveying: pass = stream.endSurvey()
        case .matching: pass = stream.endMatching()
        case .claiming: pass = endClaiming()
        case .writing:
            guard largeExpiries.contains(where: { $0 != nil }) else { return false }
            flushBatch()
            pass = .expiringLargeFields
        }
        startPass()
        return true
    }

    /// Completes the entry.
    public mutating func end() {
        if writes || pass == .expiringLargeFields {
            // All of the value was read: what is left, at most a batch, need not be staged elsewhere.
            if pass == .staging || isDetached { highWater = .max }
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

    // Inlined: a call would be given a copy of the writer.
    @inline(__always)
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
        case .hash: hashCommand
        default: "ARMSET"
        }
    }

    var hashCommand: StaticString { options.target.hasSeveralPairsInHSET ? "HSET" : "HMSET" }

    /// How many stream IDs go into one command.
    var idsPerCommand: Int { min(512, max(1, batchLimit / 64)) }

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
        if pass == .staging {
            stopStaging()
        } else if isDetached {
            isOverflowing = true
            writes = false
            isDirect = false
            discard()
        } else {
            flush()
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
