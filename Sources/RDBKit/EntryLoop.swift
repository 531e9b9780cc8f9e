public import RDBBytes
public import RDBFormat
import RDBModel
public import RDBTransforms

/// What a command does with the entries of a file.
public protocol EntryConsumer: ~Copyable {
    /// Whether a value may have to be read more than once. Consumers that only skip save the bookkeeping.
    static var rereadsValues: Bool { get }

    /// Takes the entry that the reader stands at; reads or skips its value to its end.
    mutating func consume(_ reader: inout RDBReader) throws(DecodeError)

    /// The entry consumed last did not decode: nothing of it may remain.
    mutating func discard()

    /// A section between entries.
    mutating func section(_ item: RDBItem)

    /// True when nothing more is wanted (a closed pipe, all keys found): the run ends well.
    var isDone: Bool { get }
}

extension EntryConsumer where Self: ~Copyable {
    public static var rereadsValues: Bool { true }
    public mutating func discard() {}
    public mutating func section(_ item: RDBItem) {}
    public var isDone: Bool { false }
}

/// A fault and where it lies, as far as is known.
public struct EntryFault: Error, Equatable, Sendable {
    public var error: DecodeError
    public var database: UInt64?
    public var key: [UInt8]?
    /// Whether the entry's end could be found, so that the next one was read.
    public var isSkipped: Bool

    public init(error: DecodeError, database: UInt64?, key: [UInt8]?, isSkipped: Bool) {
        self.error = error
        self.database = database
        self.key = key
        self.isSkipped = isSkipped
    }
}

/// Something worth telling that ends nothing.
public enum Notice: Equatable, Sendable {
    case unknownVersion(RDBVersion)
    /// A command inside the file that is not applied to the entries before it.
    case inlineUpdate
    case skipped(EntryFault)
    case trailingBytes(UInt64, at: UInt64)
    /// The same where they begin like commands: then the RDB is only the beginning of a log, which its head does not say.
    case trailingCommands(UInt64, at: UInt64)
}

/// How a run over a file went.
public struct LoopOutcome: Sendable {
    public var selectedCount: UInt64 = 0
    public var skippedCount: UInt64 = 0
    /// nil when the run ended before the file did.
    public var end: RDBEnd?
}

/// Runs over the entries of one file: selection, faults, notices, limits and progress are the same for all commands.
public struct EntryLoop {
    public enum OnError: String, Sendable, CaseIterable {
        case stop, skip
    }

    public var selection: Selection
    public var onError = OnError.stop
    /// Whether something may follow the end of the RDB (commands, in an AOF): it is left to be read.
    public var leavesTrailingBytes = false
    public var notice: (Notice) -> Void = { _ in }
    /// Called now and then (every few thousand entries or megabytes).
    public var progress: ((_ entries: UInt64, _ consumed: UInt64, _ total: UInt64?) -> Void)?

    public init(selection: Selection) { self.selection = selection }

    /// - Throws: the fault that ended the run. Everything before it has been consumed.
    public func run<C: EntryConsumer & ~Copyable>(
        _ reader: inout RDBReader, _ consumer: inout C
    ) throws(EntryFault) -> LoopOutcome {
        var outcome = LoopOutcome()
        var meter = ProgressMeter(self)
        let limit = selection.limit ?? .max
        let takesAll = selection.isEverything
        let skipsOnly = !C.rereadsValues && !selection.needsElementCount && !selection.needsByteCount
        tellVersion(reader)

        while outcome.selectedCount < limit, !consumer.isDone {
            guard try nextIsEntry(&reader) else {
                let item = try readSection(&reader)
                tell(item, &consumer)
                guard case .end(let end) = item else { continue }
                outcome.end = end
                try tellTrailingBytes(&reader)
                return outcome
            }
            meter.step(&reader)
            do throws(DecodeError) {
                if !takesAll, !isSelected(&reader) {
                    try reader.skipValue()
                    continue
                }
                if skipsOnly {
                    try consumer.consume(&reader)
                    outcome.selectedCount += 1
                    continue
                }
            } catch {
                throw fault(error, reader, isEntry: true)
            }
            reader.holdValue()
            try consumeHeld(&reader, &consumer, &outcome)
        }
        return outcome
    }

    // MARK: - Steps, shared with the run on several threads

    func tellVersion(_ reader: borrowing RDBReader) {
        if !reader.version.isKnown { notice(.unknownVersion(reader.version)) }
    }

    func nextIsEntry(_ reader: inout RDBReader) throws(EntryFault) -> Bool {
        do throws(DecodeError) { return try reader.nextIsEntry() } catch {
            throw fault(error, reader, isEntry: error.code == .unknownType)
        }
    }

    func readSection(_ reader: inout RDBReader) throws(EntryFault) -> RDBItem {
        do throws(DecodeError) { return try reader.section() } catch { throw fault(error, reader, isEntry: false) }
    }

    func tell<C: EntryConsumer & ~Copyable>(_ item: RDBItem, _ consumer: inout C) {
        consumer.section(item)
        if case .inlineUpdate = item { notice(.inlineUpdate) }
    }

    /// Not inlined, where a copy of the header would be made for every entry, and not borrowing the reader, of which a
    /// caller that may change it would make one.
    @inline(never)
    func isSelected(_ reader: inout RDBReader) -> Bool { selection.admits(reader.header, key: reader.key) }

    /// Consumes the entry whose value the reader holds, or recovers from its fault.
    func consumeHeld<C: EntryConsumer & ~Copyable>(
        _ reader: inout RDBReader, _ consumer: inout C, _ outcome: inout LoopOutcome
    ) throws(EntryFault) {
        do throws(DecodeError) {
            if try admitsValue(&reader) {
                try consumer.consume(&reader)
                outcome.selectedCount += 1
            }
        } catch {
            consumer.discard()
            try recover(from: error, &reader)
            outcome.skippedCount += 1
        }
        reader.releaseValue()
    }

    /// Size and element conditions: the value is walked once for them and then stood before again.
    private func admitsValue(_ reader: inout RDBReader) throws(DecodeError) -> Bool {
        guard selection.needsByteCount || selection.needsElementCount else { return true }
        var counter = CountingVisitor()
        if selection.needsElementCount { try reader.readValue(into: &counter) } else { try reader.skipValue() }
        guard selection.admits(byteCount: reader.offset - reader.header.valueOffset),
            !selection.needsElementCount || selection.admits(elementCount: counter.count)
        else { return false }
        try reader.rewindToValue()
        return true
    }

    /// With `.skip`, leads behind the value whose decoding failed, where its outer lengths are sound.
    func recover(from error: DecodeError, _ reader: inout RDBReader) throws(EntryFault) {
        var found = fault(error, reader, isEntry: true)
        guard onError == .skip, error.isAboutInput else { throw found }
        do throws(DecodeError) {
            try reader.rewindToValue()
            try reader.skipValue()
        } catch { throw found }
        found.isSkipped = true
        notice(.skipped(found))
    }

    func tellTrailingBytes(_ reader: inout RDBReader) throws(EntryFault) {
        if leavesTrailingBytes { return }
        let at = reader.offset
        do throws(DecodeError) {
            let isCommand = try reader.peekTrailingByte() == UInt8(ascii: "*")
            let count = try reader.countTrailingBytes()
            if isCommand {
                notice(.trailingCommands(count, at: at))
            } else if count > 0 {
                notice(.trailingBytes(count, at: at))
            }
        } catch { throw fault(error, reader, isEntry: false) }
    }

    func fault(_ error: DecodeError, _ reader: borrowing RDBReader, isEntry: Bool) -> EntryFault {
        EntryFault(
            error: error, database: isEntry ? reader.header.database : nil, key: isEntry ? reader.copyKey() : nil,
            isSkipped: false)
    }
}

/// Tells progress every few megabytes.
struct ProgressMeter {
    private let progress: ((_ entries: UInt64, _ consumed: UInt64, _ total: UInt64?) -> Void)?
    private var entries: UInt64 = 0
    private var nextOffset: UInt64 = 0

    init(_ loop: EntryLoop) { progress = loop.progress }

    @inline(__always)
    mutating func step(_ reader: inout RDBReader, count: Int = 1) {
        entries += UInt64(count)
        if progress != nil { tell(&reader) }
    }

    @inline(never)
    private mutating func tell(_ reader: inout RDBReader) {
        guard let progress, reader.offset >= nextOffset else { return }
        let (consumed, total) = reader.progress
        progress(entries, consumed, total)
        nextOffset = reader.offset + 4 << 20
    }
}
