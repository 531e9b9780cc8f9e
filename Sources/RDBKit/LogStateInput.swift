public import AOFFormat
public import AOFState
public import RDBBytes
import RDBFormat
import RESPFormat

/// The state behind a log, as an RDB that is made while it is read: so that everything that reads files reads it as well.
///
///     let input = try AOFInput(path: "appendonlydir")
///     let state = LogStateInput(input).read()
///     if let source = state.source { var reader = try RDBReader(source) … }
///     for outcome in state.outcomes { … }                         // faults, per file
///
/// The log is gone through twice where an RDB stands before its commands: first for the keys that they name, so that no
/// others are kept in memory; then the commands are applied, to what of the RDB they touch. A fault ends it where it is:
/// what was whole before is the state.
///
/// Memory: keys and values that commands name, a few bytes for the name of each, and the windows of readers.
public struct LogStateInput {
    private let input: AOFInput
    /// What relative times count from, in logs that bear no times: Unix time in milliseconds.
    private let now: Int64
    /// Where the log ends, if that is before its end; see `AOFCutFinder`.
    public var cut: AOFCut?
    /// Called now and then.
    public var progress: ((_ commands: UInt64, _ consumed: UInt64, _ total: UInt64?) -> Void)?
    /// Called with each command that could not be run: its file, place and name.
    public var notRun: (AOFInput.File, AOFRecord, [UInt8], LogState.NotRun) -> Void = { _, _, _, _ in }

    /// What came of a log.
    public struct Result {
        /// An RDB of the state; nil where a file could not be opened that it begins with.
        public fileprivate(set) var source: (any ByteSource)?
        /// How the reading of each file went.
        public fileprivate(set) var outcomes: [AOFFileOutcome] = []
        public fileprivate(set) var report = LogState.Report()
        public fileprivate(set) var doubtfulKeys = DoubtfulKeys()
        /// Keys left out because no file can hold them beside the others.
        public fileprivate(set) var leftOutCount: UInt64 = 0
        /// Places of the RDB that the log begins with, by those in `source`; and its file.
        public fileprivate(set) var places: StreamPlaces?
        public fileprivate(set) var base: AOFInput.File?
    }

    public init(_ input: AOFInput, now: Int64) {
        self.input = input
        self.now = now
    }

    public func read() -> Result {
        var result = Result()
        var touched: TouchedKeys?
        if beginsWithRDB {
            var finder = TouchConsumer(cut)
            _ = run(&finder, delivery: .committed, again: true)
            touched = finder.touched
        }
        var applier = StateConsumer(input, cut, touched, LogState(now: now), notRun)
        result.outcomes = run(&applier, delivery: .committed, again: beginsWithRDB)
        dropFaultsBehindCut(&result.outcomes)
        result.report = applier.state.report
        result.base = applier.base
        let writesBase = applier.base != nil
        let isValkey = applier.isValkey
        let version = applier.state.version(base: applier.baseVersion, isValkey: isValkey)
        result.leftOutCount = applier.state.settle(version)
        result.doubtfulKeys = applier.state.doubtfulKeys
        let places = StreamPlaces()
        var base: BaseCopier?
        if writesBase, let touched, let file = applier.base {
            do throws(InputError) {
                let part = try input.open(file)
                do throws(DecodeError) {
                    base = BaseCopier(
                        try RDBReader(part.source, verifiesChecksum: false), touched, limit: applier.baseLimit)
                } catch {
                    // It was read before; now its head is another.
                    throw InputError(path: file.path, cause: .damaged(error.code, error.expected))
                }
            } catch {
                var outcome = AOFFileOutcome(file)
                outcome.failure = error
                result.outcomes.append(outcome)
                return result
            }
            result.places = places
        }
        let producer = StateProducer(applier.state, base: base, places: places)
        result.source = RecordingSource(WrittenSource(producer, version: version))
        return result
    }

    private var beginsWithRDB: Bool {
        guard let first = input.files.first else { return false }
        if let content = input.singleContent { return content == .rdb }
        do throws(InputError) { return try input.open(first, again: true).beginsWithRDB } catch { return false }
    }

    private func run<C: CommandConsumer & ~Copyable>(
        _ consumer: inout C, delivery: AOFReader.Delivery, again: Bool
    ) -> [AOFFileOutcome] {
        var loop = AOFLoop()
        loop.delivery = delivery
        loop.readsAgain = again
        loop.progress = progress
        return loop.run(input, &consumer)
    }

    /// What lies behind the cut is no matter.
    private func dropFaultsBehindCut(_ outcomes: inout [AOFFileOutcome]) {
        guard let cut, outcomes.count > cut.fileIndex, cut.fileIndex >= 0 else { return }
        if let fault = outcomes[cut.fileIndex].fault, fault.error.isAboutInput, fault.error.offset >= cut.offset {
            outcomes[cut.fileIndex].fault = nil
        }
        if outcomes[cut.fileIndex].openTransactionOffset.map({ $0 >= cut.offset }) ?? false {
            outcomes[cut.fileIndex].openTransactionOffset = nil
        }
    }
}

/// Where commands are to be read up to.
private struct CutMeter {
    let cut: AOFCut?
    private(set) var fileIndex = -1
    private(set) var isDone = false

    init(_ cut: AOFCut?) { self.cut = cut }

    mutating func begin() {
        fileIndex += 1
        if let cut, fileIndex > cut.fileIndex { isDone = true }
    }

    /// Whether a command stands before the cut.
    mutating func admits(_ record: AOFRecord) -> Bool {
        guard let cut, fileIndex == cut.fileIndex, record.offset >= cut.offset else { return true }
        isDone = true
        return false
    }
}

/// Notes which keys the commands name.
private struct TouchConsumer: CommandConsumer {
    private var meter: CutMeter
    private(set) var touched = TouchedKeys()

    init(_ cut: AOFCut?) { meter = CutMeter(cut) }

    var isDone: Bool { meter.isDone }

    mutating func begin(_ part: AOFInput.Part) { meter.begin() }

    mutating func consume(_ record: AOFRecord, _ arguments: CommandArguments) {
        guard meter.admits(record) else { return }
        touched.note(record, arguments)
    }
}

/// Applies the commands.
private struct StateConsumer: CommandConsumer {
    private let input: AOFInput
    private let touched: TouchedKeys?
    private var meter: CutMeter
    private let notRun: (AOFInput.File, AOFRecord, [UInt8], LogState.NotRun) -> Void
    private(set) var file: AOFInput.File
    var state: LogState

    /// The file whose RDB the log begins with.
    private(set) var base: AOFInput.File?
    private(set) var baseVersion: RDBVersion?
    private(set) var isValkey = false
    /// Where the item begins in it that is damaged.
    private(set) var baseLimit = UInt64.max

    init(
        _ input: AOFInput, _ cut: AOFCut?, _ touched: TouchedKeys?, _ state: LogState,
        _ notRun: @escaping (AOFInput.File, AOFRecord, [UInt8], LogState.NotRun) -> Void
    ) {
        self.input = input
        self.touched = touched
        self.state = state
        self.notRun = notRun
        meter = CutMeter(cut)
        file = AOFInput.File(role: .single, name: input.path, path: input.path)
    }

    var isDone: Bool { meter.isDone }

    mutating func begin(_ part: AOFInput.Part) {
        meter.begin()
        file = part.file
    }

    mutating func readRDB(_ reader: inout RDBReader) throws(EntryFault) -> RDBEnd {
        let isBase = meter.fileIndex == 0 && touched != nil
        if isBase {
            base = file
            baseVersion = reader.version
        }
        do throws(DecodeError) {
            var isValkey = false
            defer { self.isValkey = self.isValkey || isValkey }
            return try state.load(&reader, isBase ? touched : nil) { field in
                if field.name.text == "valkey-ver" { isValkey = true }
            }
        } catch {
            let isEntry = reader.itemOffset == reader.header.typeOffset
            if isBase { baseLimit = isEntry ? reader.header.startOffset : reader.itemOffset }
            throw EntryFault(
                error: error, database: isEntry ? reader.header.database : nil,
                key: isEntry ? reader.copyKey() : nil, isSkipped: false)
        }
    }

    mutating func consume(_ record: AOFRecord, _ arguments: CommandArguments) {
        guard meter.admits(record) else { return }
        if let reason = state.apply(record, arguments) { notRun(file, record, arguments[0].array, reason) }
    }
}
