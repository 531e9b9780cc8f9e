public import AOFFormat
public import RDBBytes
public import RDBFormat
import RDBModel
import RDBTransforms
public import RESPFormat

/// Validates a log: the framing of its commands, its groups, and an RDB before them to the last byte of each value.
public struct AOFCheckConsumer: CommandConsumer {
    private let threads: Int
    private let report: (EntryFault, AOFInput.File) -> Void
    private let notice: (Notice, AOFInput.File) -> Void
    /// Irregularities told so far; the rest is counted.
    private var toldCount = 0
    public private(set) var faultCount: UInt64 = 0
    /// Entries of the RDB before the commands, for each file.
    public private(set) var rdbEntryCounts: [String: UInt64] = [:]
    private var file: AOFInput.File?

    /// Irregular commands that are told one by one: a file written with other line ends has nothing else.
    public static let maxIrregularitiesTold = 20

    /// - Parameters:
    ///   - report: called with each fault that does not end the reading of its file.
    ///   - notice: called with what else the RDB's reader tells.
    public init(
        threads: Int, report: @escaping (EntryFault, AOFInput.File) -> Void,
        notice: @escaping (Notice, AOFInput.File) -> Void
    ) {
        self.threads = threads
        self.report = report
        self.notice = notice
    }

    public mutating func begin(_ part: AOFInput.Part) { begin(part.file) }

    public mutating func begin(_ file: AOFInput.File) {
        self.file = file
        toldCount = 0
    }

    public mutating func consume(_ record: AOFRecord, _ arguments: CommandArguments) {}

    public mutating func irregular(_ error: DecodeError) {
        faultCount += 1
        toldCount += 1
        guard toldCount <= Self.maxIrregularitiesTold, let file else { return }
        report(EntryFault(error: error, database: nil, key: nil, isSkipped: true), file)
    }

    public mutating func readRDB(_ reader: inout RDBReader) throws(EntryFault) -> RDBEnd {
        guard let file else { preconditionFailure("no file has begun") }
        let (report, notice) = (report, notice)
        var consumer = CheckConsumer(version: reader.version, findsDuplicateKeys: false) { report($0, file) }
        // The loop has `consumer` to itself while notices come.
        let faults = consumer.faults
        var loop = EntryLoop(selection: Selection(now: 0))
        loop.onError = .skip
        loop.leavesTrailingBytes = true
        loop.notice = { told in
            if case .skipped(let fault) = told { faults.tell(fault) } else { notice(told, file) }
        }
        defer {
            faultCount += consumer.faultCount
            rdbEntryCounts[file.name] = consumer.entryCount
        }
        let outcome = try loop.run(&reader, &consumer, threads: threads)
        guard let end = outcome.end else { preconditionFailure("a check is never done early") }
        return end
    }
}

/// What a server does with a log when it starts.
public enum AOFLoad: String, Sendable {
    /// All of it is loaded.
    case whole
    /// Unless `aof-load-truncated` is off, the tail of the last file is cut off and the rest loaded.
    case truncated
    /// The server does not start.
    case refused

    public init(_ outcomes: [AOFFileOutcome]) {
        self = .whole
        for (index, outcome) in outcomes.enumerated() {
            let isLast = index == outcomes.count - 1
            if outcome.failure != nil {
                self = .refused
            } else if let fault = outcome.fault {
                let isCut = fault.error.code == .truncated && (outcome.rdbVersion == nil || outcome.rdbEnd != nil)
                self = isLast && isCut && self == .whole ? .truncated : .refused
            } else if outcome.openTransactionOffset != nil {
                self = isLast && self == .whole ? .truncated : .refused
            }
        }
    }
}
