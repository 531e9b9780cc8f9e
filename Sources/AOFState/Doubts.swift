import AOFFormat
import RDBBytes
import RESPFormat

/// Keys whose values may not be what a server has: a command that named them could not be run.
struct Doubts {
    /// Keys by database, of the numbers that databases have now.
    private(set) var keys: [UInt64: Set<[UInt8]>] = [:]

    var isEmpty: Bool { keys.isEmpty }

    func contains(_ database: UInt64, _ key: RawSpan) -> Bool { keys[database]?.contains(key.array) ?? false }

    mutating func insert(_ database: UInt64, _ key: RawSpan) { keys[database, default: []].insert(key.array) }

    mutating func remove(_ database: UInt64, _ key: RawSpan) {
        guard keys[database]?.remove(key.array) != nil else { return }
        if keys[database]?.isEmpty == true { keys[database] = nil }
    }

    /// Doubts about all keys of a command.
    mutating func insert(_ database: UInt64, keysOf arguments: CommandArguments) {
        guard let positions = CommandKeys.positions(arguments) else { return }
        for number in 0..<positions.count { insert(database, arguments[positions[number]]) }
    }

    /// What becomes of doubts when a command has been applied. Only called while there are any.
    mutating func follow(_ command: WriteCommand, _ database: UInt64, _ arguments: CommandArguments) {
        switch command {
        case .key(let command): follow(command, database, arguments)
        case .string(.set):
            // With a condition, the old value decides; an expiry that is kept is the old one's. So it is certain only
            // where nothing follows the value but a time.
            if arguments.count == 3 || arguments.count == 5 && arguments.isExpiry(3) {
                return remove(database, arguments[1])
            }
            spread(database, arguments)
        case .string(.setex), .string(.psetex): remove(database, arguments[1])
        case .string(.mset):
            for index in stride(from: 1, to: arguments.count, by: 2) { remove(database, arguments[index]) }
        case .bit(.bitop), .set(.sinterstore), .set(.sunionstore), .set(.sdiffstore), .sortedSet(.zunionstore),
            .sortedSet(.zinterstore), .sortedSet(.zdiffstore), .sortedSet(.zrangestore), .geo(.geosearchstore):
            store(database, arguments, destination: command == .bit(.bitop) ? 2 : 1)
        case .function: break
        case .sort:
            // Its patterns may name any key.
            insert(database, keysOf: arguments)
        default: spread(database, arguments)
        }
    }

    private mutating func follow(_ command: KeyCommand, _ database: UInt64, _ arguments: CommandArguments) {
        switch command {
        case .del, .unlink:
            for index in 1..<arguments.count { remove(database, arguments[index]) }
        case .rename:
            let isDoubtful = contains(database, arguments[1])
            remove(database, arguments[1])
            if isDoubtful { insert(database, arguments[2]) } else { remove(database, arguments[2]) }
        case .restore, .restoreAsking:
            for index in 4..<max(4, arguments.count) where arguments.matches(index, "replace") {
                return remove(database, arguments[1])
            }
            spread(database, arguments)
        case .move:
            let target = arguments.integer(2).map { UInt64(clamping: $0) } ?? database
            if contains(database, arguments[1]) || contains(target, arguments[1]) {
                insert(database, arguments[1])
                insert(target, arguments[1])
            }
        case .copy:
            var target = database
            for index in 3..<max(3, arguments.count) where arguments.matches(index, "db") {
                target = arguments.integer(index + 1).map { UInt64(clamping: $0) } ?? database
            }
            if contains(database, arguments[1]) || contains(target, arguments[2]) { insert(target, arguments[2]) }
        case .swapdb:
            guard let first = arguments.integer(1), let second = arguments.integer(2) else { return }
            let old = keys[UInt64(clamping: first)]
            keys[UInt64(clamping: first)] = keys[UInt64(clamping: second)]
            keys[UInt64(clamping: second)] = old
        case .flushdb: keys[database] = nil
        case .flushall: keys = [:]
        default: spread(database, arguments)
        }
    }

    /// The result is doubtful if a source is.
    private mutating func store(_ database: UInt64, _ arguments: CommandArguments, destination: Int) {
        guard let positions = CommandKeys.positions(arguments) else { return }
        var isDoubtful = false
        for number in 0..<positions.count where positions[number] != destination {
            if contains(database, arguments[positions[number]]) { isDoubtful = true }
        }
        if isDoubtful { insert(database, arguments[destination]) } else { remove(database, arguments[destination]) }
    }

    /// If one of a command's keys is doubtful, all are.
    mutating func spread(_ database: UInt64, _ arguments: CommandArguments) {
        guard let positions = CommandKeys.positions(arguments) else { return }
        for number in 0..<positions.count where contains(database, arguments[positions[number]]) {
            return insert(database, keysOf: arguments)
        }
    }
}
