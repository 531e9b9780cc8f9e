public import AOFFormat
public import RDBBytes
public import RDBFormat
import RDBTransforms
public import RESPFormat

/// What is done with the commands of a log.
public protocol CommandConsumer: ~Copyable {
    /// A file begins.
    mutating func begin(_ part: AOFInput.Part)

    /// Reads an RDB that stands before a file's commands to its end.
    mutating func readRDB(_ reader: inout RDBReader) throws(EntryFault) -> RDBEnd

    mutating func consume(_ record: AOFRecord, _ arguments: CommandArguments)

    /// The command that comes next is irregular, though servers load it.
    mutating func irregular(_ error: DecodeError)

    /// True when nothing more is wanted: the run ends well.
    var isDone: Bool { get }
}

extension CommandConsumer where Self: ~Copyable {
    public mutating func begin(_ part: AOFInput.Part) {}
    public mutating func irregular(_ error: DecodeError) {}
    public var isDone: Bool { false }

    /// Steps over it.
    public mutating func readRDB(_ reader: inout RDBReader) throws(EntryFault) -> RDBEnd { try reader.skipToEnd() }
}

extension RDBReader {
    /// Steps over all items, the end included, and shows those that are no entries.
    mutating func skipToEnd(_ show: (RDBItem) -> Void = { _ in }) throws(EntryFault) -> RDBEnd {
        var isEntry = false
        do throws(DecodeError) {
            while true {
                isEntry = false
                let item = try next()
                switch item {
                case .entry:
                    isEntry = true
                    try skipValue()
                case .end(let end): return end
                default: show(item)
                }
            }
        } catch {
            throw EntryFault(
                error: error, database: isEntry ? header.database : nil, key: isEntry ? copyKey() : nil,
                isSkipped: false)
        }
    }
}

/// How a run over one file of a log went.
public struct AOFFileOutcome: Sendable {
    public let file: AOFInput.File
    public var isCompressed = false
    /// Why the file could not be opened; then nothing else is known of it.
    public var failure: InputError?
    /// Of the RDB before the commands: its version, and its end where that was reached.
    public var rdbVersion: RDBVersion?
    public var rdbEnd: RDBEnd?
    public var commandCount: UInt64 = 0
    public var transactionCount: UInt64 = 0
    public var irregularCount: UInt64 = 0
    /// The safe cut before the first irregular command.
    public var irregularFrom: UInt64?
    /// See `AOFReader.safeCut`; 0 where an RDB before it did not end.
    public var safeCut: UInt64 = 0
    /// Of a MULTI whose EXEC is missing.
    public var openTransactionOffset: UInt64?
    public var openCommandCount: UInt64 = 0
    /// Of the file's annotations, Unix seconds.
    public var firstTime: Int64?
    public var lastTime: Int64?
    /// What ended the reading before the file did.
    public var fault: EntryFault?
    /// How many bytes the file has; how many were read where the run was ended early.
    public var byteCount: UInt64 = 0

    public init(_ file: AOFInput.File) { self.file = file }

    /// Bytes that a cut of this file loses: all behind the last command that is safe.
    public var lostByteCount: UInt64 {
        fault != nil || openTransactionOffset != nil ? byteCount - min(byteCount, safeCut) : 0
    }
}

/// Runs over the commands of a log, file by file in the order of loading.
public struct AOFLoop {
    /// How much of large commands the consumer gets.
    public var keeping = RESPCommandReader.Keeping.everything
    /// Whether the consumer gets MULTI, EXEC and what stands between them as they come, or what a load applies.
    public var delivery = AOFReader.Delivery.all
    /// Whether files will be opened once more; see `AOFInput.open`.
    public var readsAgain = false
    /// Whether the next file is read after a fault. Commands may then be missing between two.
    public var goesOnAfterFault = false
    /// Called now and then (every few megabytes).
    public var progress: ((_ commands: UInt64, _ consumed: UInt64, _ total: UInt64?) -> Void)?
    /// Called when a file has been read.
    public var fileEnd: (AOFFileOutcome) -> Void = { _ in }

    public init() {}

    /// Returns how it went with each file that was begun.
    public func run<C: CommandConsumer & ~Copyable>(_ input: AOFInput, _ consumer: inout C) -> [AOFFileOutcome] {
        var outcomes: [AOFFileOutcome] = []
        var context = AOFContext()
        for file in input.files where !consumer.isDone {
            var outcome = AOFFileOutcome(file)
            do throws(InputError) {
                let part = try input.open(file, again: readsAgain)
                outcome.isCompressed = part.isCompressed
                consumer.begin(part)
                if consumer.isDone { break }
                do throws(EntryFault) { try run(part, &consumer, &outcome, &context) } catch { outcome.fault = error }
            } catch { outcome.failure = error }
            outcomes.append(outcome)
            fileEnd(outcome)
            let hasFailed = outcome.failure != nil || outcome.fault != nil
            if hasFailed, !goesOnAfterFault || outcome.fault?.error.isAboutInput == false { break }
        }
        return outcomes
    }

    private func run<C: CommandConsumer & ~Copyable>(
        _ part: AOFInput.Part, _ consumer: inout C, _ outcome: inout AOFFileOutcome, _ context: inout AOFContext
    ) throws(EntryFault) {
        var reader = try begin(part, &consumer, &outcome, context)
        defer { context = reader.context }
        try run(&reader, &consumer, &outcome)
    }

    /// Runs over what a reader has before it, and completes the outcome of its file.
    public func run<C: CommandConsumer & ~Copyable>(
        _ reader: inout AOFReader, _ consumer: inout C, _ outcome: inout AOFFileOutcome
    ) throws(EntryFault) {
        let countBefore = reader.context.transactionCount
        defer {
            outcome.transactionCount = reader.context.transactionCount - countBefore
            outcome.safeCut = reader.safeCut
            outcome.openTransactionOffset = reader.openTransactionOffset
            outcome.openCommandCount = reader.openCommandCount
            outcome.byteCount = reader.offset
        }
        do throws(DecodeError) {
            try consume(&reader, &consumer, &outcome)
        } catch {
            // The rest is read for its length; if that fails as well, the first fault is the one to tell.
            if error.isAboutInput { do throws(DecodeError) { _ = try reader.readToEnd() } catch {} }
            throw EntryFault(error: error, database: nil, key: nil, isSkipped: false)
        }
    }

    /// A reader of the part's commands, behind the RDB before them.
    private func begin<C: CommandConsumer & ~Copyable>(
        _ part: AOFInput.Part, _ consumer: inout C, _ outcome: inout AOFFileOutcome, _ context: AOFContext
    ) throws(EntryFault) -> AOFReader {
        guard part.beginsWithRDB else {
            return AOFReader(
                ByteWindow(part.source), context: context, delivery: delivery, keeping: keeping)
        }
        var rdb: RDBReader
        do throws(DecodeError) { rdb = try RDBReader(part.source) } catch {
            throw EntryFault(error: error, database: nil, key: nil, isSkipped: false)
        }
        outcome.rdbVersion = rdb.version
        do throws(EntryFault) { outcome.rdbEnd = try consumer.readRDB(&rdb) } catch {
            outcome.byteCount = rdb.offset
            if error.error.isAboutInput {
                do throws(DecodeError) { outcome.byteCount += try rdb.countTrailingBytes() } catch {}
            }
            throw error
        }
        return AOFReader(behind: rdb, context: context, delivery: delivery, keeping: keeping)
    }

    private func consume<C: CommandConsumer & ~Copyable>(
        _ reader: inout AOFReader, _ consumer: inout C, _ outcome: inout AOFFileOutcome
    ) throws(DecodeError) {
        var count: UInt64 = 0
        var nextOffset: UInt64 = 0
        var time: Int64?
        var safeCut = reader.safeCut
        defer {
            outcome.commandCount = count
            outcome.lastTime = time
            // A base of an empty data set has an annotation and nothing else.
            if count == 0, reader.annotationOffset != nil {
                outcome.firstTime = reader.context.time
                outcome.lastTime = reader.context.time
            }
        }
        while let record = try reader.next() {
            count += 1
            if record.time != time {
                // A time carried over from the file before is not this file's.
                if reader.annotationOffset != nil {
                    time = record.time
                    if outcome.firstTime == nil { outcome.firstTime = time }
                }
            }
            if reader.isIrregular, let error = reader.irregularity {
                outcome.irregularCount += 1
                if outcome.irregularFrom == nil { outcome.irregularFrom = safeCut }
                consumer.irregular(error)
            }
            safeCut = reader.safeCut
            consumer.consume(record, reader.arguments)
            if consumer.isDone { return }
            if let progress, reader.offset >= nextOffset {
                let (consumed, total) = reader.progress
                progress(count, consumed, total)
                nextOffset = reader.offset + 4 << 20
            }
        }
    }
}
