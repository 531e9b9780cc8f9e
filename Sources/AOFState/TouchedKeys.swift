public import AOFFormat
import RDBBytes
import RDBModel
public import RESPFormat

/// Which keys of an RDB the commands of the log behind it can change or read: those have to be in memory when the commands
/// are applied, the others need not.
///
/// Keys are kept as 64-bit hashes. Two that agree only make one more key come into memory.
///
/// Memory: 11 to 21 bytes for each key that the log names.
public struct TouchedKeys {
    private var hashes = HashSet64()
    /// Keys that SORT names by pattern.
    private var patterns: Set<KeyPattern> = []
    /// More than can be held against every key.
    private var hasTooManyPatterns = false
    private static let maxPatternCount = 64
    private var slots = SlotRanges()
    private var databases = BaseDatabases()
    /// Whether commands change the libraries of functions.
    public private(set) var changesFunctions = false

    public init() {}

    /// Notes the keys of the log's next command.
    public mutating func note(_ record: AOFRecord, _ arguments: CommandArguments) {
        guard let name = arguments.name else { return }
        let command = WriteCommand(name)
        switch command {
        case .key(let command):
            switch command {
            case .flushall, .flushdb:
                // One that is refused leaves all as it is.
                guard arguments.isFlush else { return }
                if command == .flushdb { return databases.remove(record.database) }
                databases.removeAll()
                // Of the RDB nothing is left to be known.
                hashes = HashSet64()
                patterns = []
                hasTooManyPatterns = false
                slots = SlotRanges()
                return
            case .swapdb:
                if let (first, second) = arguments.swappedDatabases { databases.swap(first, second) }
                return
            case .trimslots, .sflush, .cluster:
                if let ranges = SlotRanges(arguments, command), !ranges.isEmpty { slots.formUnion(ranges) }
                return
            case .move, .copy: noteOtherDatabase(arguments, command)
            default: break
            }
        case .function: changesFunctions = true
        case .sort: notePatterns(record, arguments)
        default: break
        }
        guard let database = databases.origin(of: record.database),
            let positions = CommandKeys.positions(arguments)
        else { return }
        for number in 0..<positions.count {
            hashes.insert(ByteHash.hash(database: database, key: arguments[positions[number]]))
        }
    }

    /// Where MOVE and COPY put a key into.
    private mutating func noteOtherDatabase(_ arguments: CommandArguments, _ command: KeyCommand) {
        func note(_ number: Int64?, _ key: Int) {
            guard let number, number >= 0, key < arguments.count,
                let database = databases.origin(of: UInt64(number))
            else { return }
            hashes.insert(ByteHash.hash(database: database, key: arguments[key]))
        }
        if command == .move { return note(arguments.integer(2), 1) }
        for index in 3..<max(3, arguments.count) where arguments.matches(index, "db") {
            note(arguments.integer(index + 1), 2)
        }
    }

    private mutating func notePatterns(_ record: AOFRecord, _ arguments: CommandArguments) {
        guard let database = databases.origin(of: record.database) else { return }
        for index in 2..<max(2, arguments.count - 1)
        where arguments.matches(index, "by") || arguments.matches(index, "get") {
            if hasTooManyPatterns { return }
            if let pattern = KeyPattern(arguments[index + 1], database) { patterns.insert(pattern) }
            hasTooManyPatterns = patterns.count > Self.maxPatternCount
        }
    }

    /// Whether an entry of the RDB is to be in memory.
    public func contains(database: UInt64, key: RawSpan) -> Bool {
        if hashes.contains(ByteHash.hash(database: database, key: key)) { return true }
        if !slots.isEmpty, slots.contains(HashSlot.of(key)) { return true }
        if hasTooManyPatterns { return true }
        for pattern in patterns where pattern.database == database && pattern.matches(key) { return true }
        return false
    }

    /// The database in which the entries of one of the RDB's are in the end; nil where they are gone.
    public func destination(of database: UInt64) -> UInt64? { databases.destination(of: database) }
}

/// A pattern of SORT: what stands before and behind its first `*`, up to a `->`.
private struct KeyPattern: Hashable {
    var database: UInt64
    var prefix: [UInt8]
    var suffix: [UInt8]

    /// nil where the pattern names no keys.
    init?(_ text: RawSpan, _ database: UInt64) {
        let bytes = text.array
        guard let star = bytes.firstIndex(of: UInt8(ascii: "*")) else { return nil }
        self.database = database
        prefix = Array(bytes[..<star])
        var end = star + 1
        while end < bytes.count, !bytes[end...].starts(with: "->".utf8) { end += 1 }
        // What the servers take for a field's name has to be there.
        if end + 2 >= bytes.count { end = bytes.count }
        suffix = Array(bytes[(star + 1)..<end])
    }

    func matches(_ key: RawSpan) -> Bool {
        key.byteCount >= prefix.count + suffix.count
            && key.extracting(0..<prefix.count).isEqual(to: prefix.rawSpan)
            && key.extracting(key.byteCount - suffix.count..<key.byteCount).isEqual(to: suffix.rawSpan)
    }
}

/// How databases are called now, and how they were called in the RDB.
struct BaseDatabases {
    /// Only where it is not the same number; nil: nothing of the RDB is in it.
    private var origins: [UInt64: UInt64?] = [:]
    /// The other way round: nil where the entries are gone.
    private var destinations: [UInt64: UInt64?] = [:]
    private var isEmpty = false

    /// The RDB's database whose entries are in one now.
    func origin(of database: UInt64) -> UInt64? {
        if isEmpty { return nil }
        if let origin = origins[database] { return origin }
        return database
    }

    func destination(of origin: UInt64) -> UInt64? {
        if isEmpty { return nil }
        if let destination = destinations[origin] { return destination }
        return origin
    }

    mutating func swap(_ first: UInt64, _ second: UInt64) {
        let firstOrigin = origin(of: first)
        let secondOrigin = origin(of: second)
        origins.updateValue(secondOrigin, forKey: first)
        origins.updateValue(firstOrigin, forKey: second)
        if let firstOrigin { destinations.updateValue(second, forKey: firstOrigin) }
        if let secondOrigin { destinations.updateValue(first, forKey: secondOrigin) }
    }

    mutating func remove(_ database: UInt64) {
        if let origin = origin(of: database) { destinations.updateValue(nil, forKey: origin) }
        origins.updateValue(nil, forKey: database)
    }

    mutating func removeAll() {
        isEmpty = true
        origins = [:]
        destinations = [:]
    }
}
