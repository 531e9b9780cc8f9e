public import AOFFormat
import RDBBytes
public import RDBFormat
public import RESPFormat

/// What is kept of a log: all files before one, and the beginning of that one.
public struct AOFCut: Equatable, Sendable {
    public var fileIndex: Int
    public var offset: UInt64

    public init(fileIndex: Int, offset: UInt64) {
        self.fileIndex = fileIndex
        self.offset = offset
    }
}

/// Finds where a log is to be cut for a moment: behind the last whole command or transaction before it.
public struct AOFCutFinder: CommandConsumer {
    public enum Moment: Equatable, Sendable {
        /// Unix seconds: before the first annotation with a later time.
        case time(Int64)
        case position(CommandSelection.Position)
    }

    private let moment: Moment
    /// Behind the last command that is kept.
    public private(set) var cut = AOFCut(fileIndex: -1, offset: 0)
    /// Commands that are kept.
    public private(set) var keptCount: UInt64 = 0
    /// Of the group that is open: they are kept if it ends.
    private var openCount: UInt64 = 0
    public private(set) var isDone = false
    /// Whether any command bore a time.
    public private(set) var hasTimes = false
    /// When the RDB before the commands was written, Unix seconds.
    public private(set) var rdbTime: Int64?

    public init(_ moment: Moment) { self.moment = moment }

    public mutating func begin(_ part: AOFInput.Part) {
        if case .position(let position) = moment, position.fileIndex <= cut.fileIndex {
            isDone = true
            return
        }
        cut = AOFCut(fileIndex: cut.fileIndex + 1, offset: 0)
        openCount = 0
    }

    public mutating func readRDB(_ reader: inout RDBReader) throws(EntryFault) -> RDBEnd {
        var time: Int64?
        let end = try reader.skipToEnd { item in
            if case .aux(let field) = item, field.name.text == "ctime" { time = Int64(field.value.text) }
        }
        rdbTime = time
        cut.offset = end.byteCount
        if isBeyond(offset: 0, time: nil) { isDone = true }
        return end
    }

    public mutating func consume(_ record: AOFRecord, _ arguments: CommandArguments) {
        if record.time != nil { hasTimes = true }
        let end = record.offset + record.byteCount
        if isBeyond(offset: end, time: record.time) {
            isDone = true
            return
        }
        openCount += 1
        if record.transaction == nil || arguments.matches(0, "exec") {
            keptCount += openCount
            openCount = 0
            cut.offset = end
        }
    }

    private func isBeyond(offset: UInt64, time: Int64?) -> Bool {
        switch moment {
        case .time(let wanted): time.map { $0 > wanted } ?? false
        case .position(let position):
            cut.fileIndex > position.fileIndex || cut.fileIndex == position.fileIndex && offset > position.offset
        }
    }
}
