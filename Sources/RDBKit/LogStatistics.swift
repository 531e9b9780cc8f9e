public import AOFFormat
import RDBBytes
public import RDBTransforms
public import RESPFormat

/// What is written in a log: by command, database, prefix and time, the keys written most often, the largest commands.
///
/// Memory: fixed limits for each of them; what does not fit is counted under `others`.
public struct LogStatistics: CommandConsumer {
    public struct Tally: Equatable, Sendable {
        public var count: UInt64 = 0
        public var byteCount: UInt64 = 0

        mutating func add(_ bytes: UInt64) {
            count += 1
            byteCount += bytes
        }
    }

    /// One of the largest commands.
    public struct LargeCommand: Equatable, Sendable {
        public var fileName: String
        public var record: AOFRecord
        /// In upper case where it is a name that servers could have.
        public var name: String
        /// At most the first 256 bytes of its first key.
        public var key: [UInt8]?
        public var argumentCount: Int
    }

    private static let maxNames = 1000
    private static let maxDatabases = 1000

    private let selection: CommandSelection
    private let maxLargest: Int
    private var fileName = ""
    private var fileIndex = -1

    public private(set) var total = Tally()
    public private(set) var commands: [CommandName: Tally] = [:]
    /// Of names beyond the first thousand, or that no server could have.
    public private(set) var otherCommands = Tally()
    public private(set) var databases: [UInt64: Tally] = [:]
    public private(set) var otherDatabases = Tally()
    public private(set) var prefixes: PrefixTally
    public private(set) var keys = HeavyHitters()
    /// Commands whose keys this release does not know.
    public private(set) var unknownCount: UInt64 = 0
    public private(set) var times = TimeTally()
    public private(set) var firstTime: Int64?
    public private(set) var lastTime: Int64?
    /// The largest first.
    public private(set) var largest: [LargeCommand] = []

    /// Of the present second, until it ends.
    private var present = Tally()

    public init(_ selection: CommandSelection, delimiter: [UInt8], depth: Int, maxLargest: Int) {
        self.selection = selection
        self.maxLargest = maxLargest
        prefixes = PrefixTally(delimiter: delimiter, depth: depth)
    }

    public var isDone: Bool { total.count >= selection.limit ?? .max }

    public mutating func begin(_ part: AOFInput.Part) {
        fileIndex += 1
        fileName = part.file.name
    }

    public mutating func consume(_ record: AOFRecord, _ arguments: CommandArguments) {
        guard selection.admits(record, arguments, fileIndex: fileIndex) else { return }
        let byteCount = record.byteCount
        total.add(byteCount)
        let name = arguments.name
        if let name, commands[name] != nil || commands.count < Self.maxNames {
            commands[name, default: Tally()].add(byteCount)
        } else {
            otherCommands.add(byteCount)
        }
        if databases[record.database] != nil || databases.count < Self.maxDatabases {
            databases[record.database, default: Tally()].add(byteCount)
        } else {
            otherDatabases.add(byteCount)
        }
        addTime(record)
        let positions = CommandKeys.positions(arguments)
        if let positions { addKeys(positions, record, arguments) } else { unknownCount += 1 }
        if maxLargest > 0, largest.count < maxLargest || byteCount > largest[largest.count - 1].record.byteCount {
            addLarge(record, arguments, positions)
        }
    }

    private mutating func addKeys(_ positions: KeyPositions, _ record: AOFRecord, _ arguments: CommandArguments) {
        let count = positions.count
        if count == 0 { return }
        // The command's bytes are shared out evenly.
        let share = record.byteCount / UInt64(count)
        for number in 0..<count {
            let key = arguments[positions[number]]
            prefixes.add(key, byteCount: share)
            keys.add(key, database: record.database)
        }
    }

    private mutating func addTime(_ record: AOFRecord) {
        guard let time = record.time else { return }
        if time != lastTime {
            finishTime()
            if firstTime == nil { firstTime = time }
            lastTime = time
        }
        present.add(record.byteCount)
    }

    private mutating func finishTime() {
        guard let lastTime, present.count > 0 else { return }
        times.add(lastTime, count: present.count, byteCount: present.byteCount)
        present = Tally()
    }

    private mutating func addLarge(_ record: AOFRecord, _ arguments: CommandArguments, _ positions: KeyPositions?) {
        var key: [UInt8]?
        if let positions, positions.count > 0 {
            let bytes = arguments[positions[0]]
            key = bytes.extracting(0..<min(256, bytes.byteCount)).array
        }
        let bytes = arguments[0]
        let name =
            arguments.name?.description
            ?? String(decoding: bytes.extracting(0..<min(64, bytes.byteCount)).array, as: UTF8.self)
        let command = LargeCommand(
            fileName: fileName, record: record, name: name, key: key, argumentCount: arguments.count)
        let index = largest.firstIndex { $0.record.byteCount < record.byteCount } ?? largest.count
        largest.insert(command, at: index)
        if largest.count > maxLargest { largest.removeLast() }
    }

    /// To be called behind the last command.
    public mutating func finish() { finishTime() }
}
