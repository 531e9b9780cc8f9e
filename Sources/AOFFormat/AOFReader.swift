public import RDBBytes
public import RDBFormat
public import RESPFormat

/// Reads the commands of one file of an append-only log.
///
///     var reader = AOFReader(ByteWindow(source))          // or AOFReader(behind: rdbReader)
///     while let record = try reader.next() { use(record, reader.arguments) }
///
/// File: commands as `RESPCommandReader` reads them, `#` lines between them, groups from MULTI to EXEC.
/// The rules are those of the servers' loader: a MULTI within a group and an EXEC outside of one have no effect (and are
/// told by `irregularity`), so has a SELECT of what is no number. Source: formats/aof.md §2.
///
/// Memory: the window (256 KiB; 1 MiB where a command needs it), a longer command as a whole, and with
/// `Delivery.committed` the commands of one group.
public struct AOFReader: ~Copyable {
    public enum Delivery: Sendable {
        /// Every command as it stands, MULTI and EXEC included.
        case all
        /// What a load applies: commands of a group come when its EXEC has been read, and without their MULTI and EXEC.
        /// A group without EXEC never comes.
        case committed
    }

    private var commands: RESPCommandReader
    private let delivery: Delivery
    private let maxTransactionByteCount: Int

    /// To go on in the next file with.
    public private(set) var context: AOFContext
    /// The database selected by what was read so far.
    public private(set) var database: UInt64 = 0

    /// The offset behind the last whole command that is not within an open group: where the file can be cut without
    /// losing anything whole. Annotations by themselves do not move it.
    public private(set) var safeCut: UInt64
    /// Of the MULTI whose EXEC has not been read yet.
    public private(set) var openTransactionOffset: UInt64?
    /// Commands read since that MULTI.
    public private(set) var openCommandCount: UInt64 = 0

    /// Of the last annotation that bears a time.
    public private(set) var annotationOffset: UInt64?

    private var transaction: UInt64?
    /// Whether the last command was a MULTI or EXEC without effect, and what is wrong with it.
    private var isMisplaced = false
    private var misplacement: DecodeError?

    // Groups that are whole, until they have been delivered.
    private var queue = CommandQueue()
    private var queuedRecords: [AOFRecord] = []
    private var deliveredCount = 0
    private var isDeliveringQueue = false

    /// - Parameters:
    ///   - window: stands before the file's first command.
    ///   - context: that of the reader of the file before.
    ///   - maxTransactionByteCount: with `.committed`, a group that needs more memory is a fault.
    public init(
        _ window: consuming ByteWindow, context: AOFContext = AOFContext(), delivery: Delivery = .all,
        keeping: RESPCommandReader.Keeping = .everything, limits: RESPCommandReader.Limits = .init(),
        maxTransactionByteCount: Int = 4 << 30
    ) {
        safeCut = window.offset
        commands = RESPCommandReader(window, acceptsAnnotations: true, keeping: keeping, limits: limits)
        self.context = context
        self.delivery = delivery
        self.maxTransactionByteCount = maxTransactionByteCount
    }

    /// Reads what follows an RDB preamble, whose reader has returned its end.
    public init(
        behind preamble: consuming RDBReader, context: AOFContext = AOFContext(), delivery: Delivery = .all,
        keeping: RESPCommandReader.Keeping = .everything, limits: RESPCommandReader.Limits = .init(),
        maxTransactionByteCount: Int = 4 << 30
    ) {
        self.init(
            preamble.intoWindow(), context: context, delivery: delivery, keeping: keeping, limits: limits,
            maxTransactionByteCount: maxTransactionByteCount)
    }

    /// Bytes read so far.
    public var offset: UInt64 { commands.offset }

    /// Bytes taken from the underlying file (compressed, where it is), and its size where known.
    public var progress: (consumed: UInt64, total: UInt64?) { commands.progress }

    /// Of the command that `next` returned last, valid until the reader is used again.
    public var arguments: CommandArguments {
        @_lifetime(borrow self)
        get {
            // Both belong to self.
            if isDeliveringQueue { return queue[deliveredCount - 1] }
            return commands.arguments
        }
    }

    /// Whether `arguments` are all of the command's, whole; see `RESPCommandReader.Keeping`.
    public var isWhole: Bool { commands.isWhole }

    /// Whether there is an `irregularity`.
    public var isIrregular: Bool { commands.isIrregular || isMisplaced }

    /// What is wrong with the command that was read last, though servers load it.
    public var irregularity: DecodeError? { commands.irregularity ?? (isMisplaced ? misplacement : nil) }

    /// Reads to the end of the file, faults or not, and returns how many bytes the file has.
    public mutating func readToEnd() throws(DecodeError) -> UInt64 { try commands.readToEnd() }

    // MARK: - Commands

    /// The next command, nil at the end of the file.
    /// - Throws: `truncated` where the file ends within a command or annotation, `badCommand`, `limitExceeded`. All
    ///   that stood whole before has been delivered; `safeCut` tells where the file could be cut.
    public mutating func next() throws(DecodeError) -> AOFRecord? {
        if delivery == .all { return try read() }
        while true {
            if deliveredCount < queuedRecords.count {
                deliveredCount += 1
                isDeliveringQueue = true
                return queuedRecords[deliveredCount - 1]
            }
            if deliveredCount > 0 {
                queue.removeAll()
                queuedRecords.removeAll(keepingCapacity: true)
                deliveredCount = 0
                isDeliveringQueue = false
            }
            guard let record = try read() else { return nil }
            if record.transaction == nil {
                if !isMisplaced { return record }
            } else {
                try readTransaction()
            }
        }
    }

    /// Queues the commands of a group whose MULTI was just read. Of a group without EXEC nothing stays.
    private mutating func readTransaction() throws(DecodeError) {
        do throws(DecodeError) {
            while let record = try read() {
                if openTransactionOffset == nil { return }
                if isMisplaced { continue }
                commands.copyCommand(to: &queue)
                queuedRecords.append(record)
                if queue.byteCount > maxTransactionByteCount {
                    throw DecodeError(
                        .limitExceeded, at: ByteLocation(offset: record.offset), expected: "a smaller transaction",
                        found: .unsigned(UInt64(queue.byteCount)))
                }
            }
            queue.removeAll()
            queuedRecords.removeAll()
        } catch {
            queue.removeAll()
            queuedRecords.removeAll()
            throw error
        }
    }

    /// The next command as it stands.
    private mutating func read() throws(DecodeError) -> AOFRecord? {
        isMisplaced = false
        while true {
            switch try commands.next() {
            case .command:
                var record = AOFRecord(
                    offset: commands.commandOffset, byteCount: commands.commandByteCount, database: database,
                    time: context.time, transaction: transaction)
                note(Word(commands.arguments), &record)
                if transaction == nil { safeCut = commands.offset } else { openCommandCount += 1 }
                return record
            case .annotation(let isWhole):
                if !isWhole { throw cutAnnotation() }
                noteAnnotation()
            case .end: return nil
            }
        }
    }

    @inline(never)
    private func cutAnnotation() -> DecodeError {
        DecodeError(
            .truncated, at: ByteLocation(offset: commands.offset), expected: "the end of an annotation's line",
            found: .endOfInput)
    }

    /// The words that change the reader's state.
    private enum Word {
        case other, multi, exec
        case select(UInt64)

        init(_ arguments: CommandArguments) {
            self = .other
            switch arguments[0].byteCount {
            case 4 where arguments.matches(0, "exec"): self = .exec
            case 5 where arguments.matches(0, "multi"): self = .multi
            case 6 where arguments.matches(0, "select"):
                // Servers count databases in 32 bits.
                if arguments.count == 2, let number = arguments.integer(1), 0...Int64(Int32.max) ~= number {
                    self = .select(UInt64(number))
                }
            default: break
            }
        }
    }

    private mutating func note(_ word: Word, _ record: inout AOFRecord) {
        switch word {
        case .other: break
        case .select(let number):
            database = number
            record.database = number
        case .multi:
            guard transaction == nil else { return noteMisplaced(record, "no MULTI before the EXEC") }
            context.transactionCount += 1
            transaction = context.transactionCount
            record.transaction = transaction
            openTransactionOffset = record.offset
        case .exec:
            guard transaction != nil else { return noteMisplaced(record, "EXEC only behind a MULTI") }
            transaction = nil
            openTransactionOffset = nil
            openCommandCount = 0
        }
    }

    private mutating func noteMisplaced(_ record: AOFRecord, _ expected: StaticString) {
        isMisplaced = true
        misplacement = DecodeError(
            .badTransaction, at: ByteLocation(offset: record.offset), expected: expected,
            found: .described("one that has no effect"))
    }

    /// `#TS:` and Unix seconds. Lines of other kinds are for others.
    private mutating func noteAnnotation() {
        guard let time = Self.time(ofAnnotation: commands.annotation) else { return }
        context.time = time
        annotationOffset = commands.commandOffset
    }

    private static func time(ofAnnotation line: RawSpan) -> Int64? {
        let mark: [UInt8] = Array("#TS:".utf8)
        guard line.byteCount > mark.count else { return nil }
        for index in mark.indices where line.byte(at: index) != mark[index] { return nil }
        return Digits.parse(line.extracting(mark.count..<line.byteCount))
    }
}
