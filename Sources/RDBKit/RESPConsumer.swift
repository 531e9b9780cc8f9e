public import RDBBytes
public import RDBFormat
import RDBModel
public import RDBSinks
public import RDBTransforms

/// How an entry is rebuilt.
public enum EntryForm: String, Sendable, CaseIterable {
    /// RESTORE where the target takes the value's layout, else commands.
    case auto
    /// RESTORE with the value's own bytes.
    case restore
    /// SET, RPUSH, HSET and so on.
    case commands
}

/// Entries to the commands that rebuild them.
///
///     var options = CommandOptions()
///     options.target = ServerVersion(.redis, 7, 0)
///     let file = try OutputFile(path: "commands.aof")
///     var consumer = try RESPConsumer(file, form: .auto, options: options, hasTarget: true, now: currentMilliseconds())
///     var reader = try RDBReader(Input(path: "dump.rdb").source)
///     _ = try EntryLoop(selection: Selection(now: currentMilliseconds())).run(&reader, &consumer, threads: 4)
///     consumer.writer.flush()
///     try file.finish()
///     for example in consumer.losses.examples { print(example.database, example.key, example.loss.words) }
///
/// Any `CommandSink` takes the commands. Memory: 4 MiB of an entry, a batch of elements, what the writer collects.
public struct RESPConsumer: ParallelConsumer, ~Copyable {
    public var writer: CommandWriter
    public private(set) var losses = LossTally()
    /// Entries written.
    public private(set) var entryCount: UInt64 = 0
    public private(set) var mustConsumeAlone = false
    private let form: EntryForm
    /// Whether the target is known, so that its RESTORE is.
    private let hasTarget: Bool
    private var rewriter: EntryRewriter
    private let now: Int64
    /// The database of the command written last; a worker leaves out the first SELECT, whose need it cannot know.
    private var database: UInt64?
    private var firstDatabase: UInt64?

    /// - Parameters:
    ///   - sink: nil only for one of several, whose commands another one absorbs.
    ///   - hasTarget: whether `options.target` was named by somebody; only then `.auto` restores.
    ///   - now: Unix time in milliseconds, for servers whose RESTORE takes the time that is left.
    /// - Throws: what is wrong with the pattern of a substitution.
    public init(
        _ sink: (any CommandSink)?, form: EntryForm, options: CommandOptions, hasTarget: Bool,
        changes: EntryChanges = EntryChanges(), now: Int64
    ) throws(RegexPattern.SyntaxError) {
        writer = CommandWriter(sink, options: options)
        rewriter = try EntryRewriter(changes)
        self.form = form
        self.hasTarget = hasTarget
        self.now = now
    }

    public var isDone: Bool { writer.failure != nil }

    public mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        mustConsumeAlone = false
        let header = rewriter.rewrite(reader.header)
        select(header.database)
        if restores(reader), try restore(&reader, header) { return }
        if rewriter.renames {
            writer.begin(header, key: rewriter.rename(reader.key))
        } else {
            writer.begin(header, key: reader.key)
        }
        var probe = ValueProbe()
        if writer.losses.contains(.value) {
            try reader.readValue(into: &probe)
        } else {
            try reader.readValue(into: &writer)
            if writer.isTooLarge {
                mustConsumeAlone = true
                return
            }
            while writer.startAnotherPass() {
                try reader.rewindToValue()
                try reader.readValue(into: &writer)
                if writer.isTooLarge {
                    mustConsumeAlone = true
                    return
                }
            }
            if let refusal = writer.refusal { throw refusal }
        }
        writer.end()
        entryCount += 1
        if !writer.losses.isEmpty { losses.add(writer.losses, of: probe, reader) }
    }

    mutating func select(_ number: UInt64) {
        if database == number { return }
        if database == nil, writer.isDetached { firstDatabase = number } else { writer.select(number) }
        database = number
    }

    private func restores(_ reader: borrowing RDBReader) -> Bool {
        switch form {
        case .commands: false
        case .restore: reader.type.isRestorable
        case .auto: hasTarget && writer.options.target.restores(reader.type, of: reader.version)
        }
    }

    /// - Returns: false where commands have to make the value; then the reader stands at it again.
    private mutating func restore(_ reader: inout RDBReader, _ header: EntryHeader) throws(DecodeError) -> Bool {
        // A payload has a checksum of its own: what is damaged must not be passed on as sound.
        var probe = ValueProbe()
        try reader.readValue(into: &probe)
        let byteCount = reader.payloadByteCount
        if writer.isDetached, byteCount > UInt64(ByteWindow.maxContiguousByteCount) {
            mustConsumeAlone = true
            return true
        }
        if let module = probe.module {
            if form == .auto, module.isVectorSet, !writer.options.target.hasVectorSets {
                entryCount += 1
                losses.add(.value, of: probe, reader)
                return true
            }
            if !module.isVectorSet || hasTarget && !writer.options.target.hasVectorSets { losses.need(module) }
        } else if probe.isEmptyCollection(header.type)
            || form == .auto && byteCount > payloadLimit && writer.hasCommands(for: header.type)
        {
            // Servers refuse to restore what is empty.
            try reader.rewindToValue()
            return false
        }
        if rewriter.renames {
            writer.beginRestore(header, key: rewriter.rename(reader.key), payloadByteCount: byteCount, now: now)
        } else {
            writer.beginRestore(header, key: reader.key, payloadByteCount: byteCount, now: now)
        }
        if !writer.appendPayload(of: &reader) {
            let valueByteCount = reader.offset - reader.header.valueOffset
            try reader.rewindToValue()
            try reader.readPayload(valueByteCount: valueByteCount, into: &writer)
        }
        writer.endRestore()
        entryCount += 1
        if !writer.losses.isEmpty { losses.add(writer.losses, of: probe, reader) }
        return true
    }

    /// With --max-command, no value comes as one argument that is larger.
    private var payloadLimit: UInt64 {
        let options = writer.options
        return options.splitsStrings
            ? min(options.maxPayloadByteCount, UInt64(options.maxCommandByteCount)) : options.maxPayloadByteCount
    }

    public mutating func discard() { writer.discard() }

    /// A library that the target does not take, or that is not at hand.
    mutating func tellLoss(of library: FunctionLibrary) { losses.add(library) }

    public mutating func section(_ item: RDBItem) {
        guard case .function(let library) = item else { return }
        // Values restored where nobody says need a server like the one that wrote them.
        if library.code.isCut || !writer.options.target.hasFunctions && (hasTarget || form != .restore) {
            losses.add(library)
        } else {
            writer.load(library)
        }
    }

    // MARK: - As one of several

    public func makeWorker() -> RESPConsumer {
        // The pattern was compiled before, for this consumer.
        guard
            let worker = try? RESPConsumer(
                nil, form: form, options: writer.options, hasTarget: hasTarget, changes: rewriter.changes, now: now)
        else { preconditionFailure("a pattern that compiled does so again") }
        return worker
    }

    public mutating func absorb(_ worker: inout RESPConsumer) {
        if let first = worker.firstDatabase { select(first) }
        if let last = worker.database { database = last }
        writer.absorb(&worker.writer)
        losses.absorb(&worker.losses)
        entryCount += worker.entryCount
        worker.entryCount = 0
        worker.database = nil
        worker.firstDatabase = nil
    }

    public var isFull: Bool { writer.isFull }
}
