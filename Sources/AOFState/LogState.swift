public import AOFFormat
public import RDBBytes
public import RDBFormat
public import RDBModel
public import RESPFormat

/// The state that a server would have after loading a log.
///
///     var state = LogState(now: milliseconds)
///     try state.load(&rdbReader, touched)             // where an RDB comes first
///     while let record = try logReader.next() { state.apply(record, logReader.arguments) }
///     let producer = StateProducer(state, base: …)
///
/// Memory: the keys and values that commands named; of the RDB only those.
public struct LogState {
    let keyspace = Keyspace()
    var runner: CommandRunner
    private let start: Int64
    var doubts = Doubts()
    /// Whether the functions in the keyspace stand for those of the RDB.
    private(set) var ownsFunctions = false

    public private(set) var report = Report()
    /// Where the item begins in the RDB, its attributes included, that was read last.
    public private(set) var itemStart: UInt64 = 0

    /// What was done with the log's commands.
    public struct Report: Sendable {
        public var appliedCount: UInt64 = 0
        /// Commands that a server answers with an error: they have no effect.
        public var refusedCount: UInt64 = 0
        public var notRunCount: UInt64 = 0
        /// Of those, how many name no keys by which it could be told what is doubtful.
        public var unknownKeysCount: UInt64 = 0

        public init() {}
    }

    /// Why a command was not run.
    public enum NotRun: Sendable {
        case unknown, script, module, wrongArgumentCount, tooLarge
        /// What comes of it depends on more than the log tells.
        case undetermined
    }

    /// - Parameters:
    ///   - now: what times of commands without a time of their own count from: Unix time in milliseconds.
    ///   - maxGrowth: bytes that values may get though the input has none for them, all in all: zeros that a SETRANGE far
    ///     out asks for, names that hashes share in a file. A command that wants more is not run.
    public init(now: Int64, maxGrowth: Int64 = GrowthAllowance.maxGrowth) {
        start = now
        runner = CommandRunner(keyspace, now: now)
        runner.allowance.limit = maxGrowth
    }

    // MARK: - The RDB

    /// Reads an RDB to its end and keeps what commands will touch.
    /// - Parameter touched: nil keeps all.
    /// - Throws: the fault of a value or of the file; what came before is loaded.
    public mutating func load(
        _ reader: inout RDBReader, _ touched: TouchedKeys?, aux: (AuxField) -> Void = { _ in }
    ) throws(DecodeError) -> RDBEnd {
        if touched?.changesFunctions ?? true { ownsFunctions = true }
        while true {
            itemStart = reader.offset
            switch try reader.next() {
            case .entry:
                let header = reader.header
                guard let touched else {
                    try load(&reader, header.database)
                    continue
                }
                if touched.contains(database: header.database, key: reader.key) {
                    try load(&reader, header.database)
                } else {
                    try reader.skipValue()
                }
            case .function(let library):
                if ownsFunctions { keyspace.functions.set(Array(library.name.utf8).rawSpan, library.source) }
            case .aux(let field):
                noteWriter(field)
                aux(field)
            case .end(let end): return end
            default: break
            }
        }
    }

    /// Which server's rules hold, where versions differ: those of the one that wrote the RDB.
    private mutating func noteWriter(_ field: AuxField) {
        let family = field.name.text == "redis-ver" ? "redis" : field.name.text == "valkey-ver" ? "valkey" : nil
        guard let family, let server = ServerVersion("\(family)-\(field.value.text)") else { return }
        runner.server = server
    }

    private mutating func load(_ reader: inout RDBReader, _ database: UInt64) throws(DecodeError) {
        let value = try KeyspaceValue(&reader)
        // Of a template the file has the names once, and each hash that is made of it has them here.
        if case .hash(let hash) = value, !reader.type.isRestorable,
            !runner.allowance.admits(0, growth: Int64(hash.fieldByteCount))
        {
            throw DecodeError(
                .limitExceeded, at: ByteLocation(offset: reader.header.valueOffset),
                expected: "hashes of templates whose names take at most 4 GiB", found: .described("more"))
        }
        keyspace.database(database).entries.set(
            reader.key, KeyspaceEntry(value: value, expiresAt: reader.header.expiresAt ?? KeyspaceEntry.never))
    }

    // MARK: - Commands

    /// Applies a command as a load does; commands of a group come when its EXEC was read.
    /// - Returns: why it was not run.
    public mutating func apply(_ record: AOFRecord, _ arguments: CommandArguments) -> NotRun? {
        if record.database != runner.databaseNumber { runner.select(record.database) }
        if let time = record.time {
            // Whatever happened within that second is not in the future.
            let (product, overflow) = time.multipliedReportingOverflow(by: 1000)
            runner.now = overflow || time < 0 || product > .max - 999 ? start : product + 999
        }
        guard let command = CommandTable.command(arguments) else { return applyOther(record, arguments) }
        let outcome = runner.run(command, arguments)
        if outcome == .applied {
            report.appliedCount += 1
            if !doubts.isEmpty { doubts.follow(command, record.database, arguments) }
            return nil
        }
        return note(outcome, record, arguments)
    }

    @inline(never)
    private mutating func note(
        _ outcome: CommandOutcome, _ record: AOFRecord, _ arguments: CommandArguments
    ) -> NotRun? {
        switch outcome {
        case .applied: return nil
        case .refused:
            report.refusedCount += 1
            if !doubts.isEmpty { doubts.spread(record.database, arguments) }
            return nil
        case .wrongArgumentCount: return noteNotRun(.wrongArgumentCount, record, arguments)
        case .cannotRun: return noteNotRun(.undetermined, record, arguments)
        case .tooLarge: return noteNotRun(.tooLarge, record, arguments)
        }
    }

    @inline(never)
    private mutating func applyOther(_ record: AOFRecord, _ arguments: CommandArguments) -> NotRun? {
        if ReadCommands.contains(arguments) {
            report.appliedCount += 1
            return nil
        }
        let isScript =
            arguments.matches(0, "eval") || arguments.matches(0, "evalsha") || arguments.matches(0, "fcall")
        let name = arguments[0]
        var isModule = false
        for index in 0..<name.byteCount where name.byte(at: index) == UInt8(ascii: ".") { isModule = true }
        return noteNotRun(isScript ? .script : isModule ? .module : .unknown, record, arguments)
    }

    private mutating func noteNotRun(
        _ reason: NotRun, _ record: AOFRecord, _ arguments: CommandArguments
    ) -> NotRun {
        report.notRunCount += 1
        let positions = CommandKeys.positions(arguments)
        if (positions?.count ?? 0) == 0 { report.unknownKeysCount += 1 }
        doubts.insert(record.database, keysOf: arguments)
        return reason
    }

    // MARK: - What came of it

    /// Keys whose values may not be what a server has.
    public var doubtfulKeys: DoubtfulKeys { DoubtfulKeys(doubts.keys) }
}
