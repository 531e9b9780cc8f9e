public import AOFFormat
import RDBBytes
public import RDBTransforms
public import RESPFormat

/// A place in a log: an offset in one of its files, by default in the last.
public struct AOFPlace: Equatable, Sendable {
    public var fileName: String?
    public var offset: UInt64

    public init(fileName: String? = nil, offset: UInt64) {
        self.fileName = fileName
        self.offset = offset
    }

    /// `1234` or `appendonly.aof.1.incr.aof:1234`.
    public init?(_ text: String) {
        if let offset = UInt64(text) {
            self.init(offset: offset)
            return
        }
        guard let colon = text.lastIndex(of: ":"), colon > text.startIndex,
            let offset = UInt64(text[text.index(after: colon)...])
        else { return nil }
        self.init(fileName: String(text[..<colon]), offset: offset)
    }

    /// Where the place lies: the index among the input's files; nil if no file has that name.
    public func fileIndex(in input: AOFInput) -> Int? {
        guard let fileName else { return input.files.indices.last }
        return input.files.firstIndex { $0.name == fileName || $0.path == fileName }
    }
}

/// Which commands of a log are taken. All conditions hold; of a repeated one, any value does.
public struct CommandSelection {
    /// A place among the files, in the order of loading.
    public struct Position: Equatable, Sendable {
        public var fileIndex: Int
        public var offset: UInt64

        public init(fileIndex: Int, offset: UInt64) {
            self.fileIndex = fileIndex
            self.offset = offset
        }

        static func precedes(_ left: Position, _ right: Position) -> Bool {
            left.fileIndex == right.fileIndex ? left.offset < right.offset : left.fileIndex < right.fileIndex
        }
    }

    public var names: Set<CommandName> = []
    /// Of any of the command's keys.
    public var globs: [GlobPattern] = []
    public var databases: [ClosedRange<UInt64>] = []
    /// Unix time in milliseconds, both ends excluded. Commands without a time are not taken then.
    public var after: Int64?
    public var before: Int64?
    /// Both ends excluded.
    public var afterPosition: Position?
    public var beforePosition: Position?
    public var limit: UInt64?

    public init() {}

    public func admits(_ record: AOFRecord, _ arguments: CommandArguments, fileIndex: Int) -> Bool {
        if !databases.isEmpty, !databases.contains(where: { $0.contains(record.database) }) { return false }
        if after != nil || before != nil, !admitsTime(record.time) { return false }
        let position = Position(fileIndex: fileIndex, offset: record.offset)
        if let afterPosition, !Position.precedes(afterPosition, position) { return false }
        if let beforePosition, !Position.precedes(position, beforePosition) { return false }
        if !names.isEmpty {
            guard let name = arguments.name, names.contains(name) else { return false }
        }
        return globs.isEmpty || admitsKeys(arguments)
    }

    private func admitsTime(_ seconds: Int64?) -> Bool {
        guard let seconds else { return false }
        // An annotation may hold any 64 bits.
        let (time, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let milliseconds = overflow ? (seconds < 0 ? Int64.min : .max) : time
        if let after, milliseconds <= after { return false }
        if let before, milliseconds >= before { return false }
        return true
    }

    private func admitsKeys(_ arguments: CommandArguments) -> Bool {
        guard let positions = CommandKeys.positions(arguments) else { return false }
        for number in 0..<positions.count {
            let key = arguments[positions[number]]
            for glob in globs where glob.matches(key) { return true }
        }
        return false
    }

    /// Whether all that is wanted lies before this place.
    func isPast(_ record: AOFRecord, fileIndex: Int) -> Bool {
        guard let beforePosition else { return false }
        return !Position.precedes(Position(fileIndex: fileIndex, offset: record.offset), beforePosition)
    }
}
