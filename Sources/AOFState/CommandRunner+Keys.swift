import RDBBytes
import RDBModel
import RESPFormat

/// Commands on keys of any type, and on databases.
enum KeyCommand: String, CaseIterable {
    case del = "DEL"
    case unlink = "UNLINK"
    case pexpireat = "PEXPIREAT"
    case expireat = "EXPIREAT"
    case pexpire = "PEXPIRE"
    case expire = "EXPIRE"
    case persist = "PERSIST"
    case rename = "RENAME"
    case renamenx = "RENAMENX"
    case copy = "COPY"
    case move = "MOVE"
    case swapdb = "SWAPDB"
    case flushdb = "FLUSHDB"
    case flushall = "FLUSHALL"
    case restore = "RESTORE"
    case restoreAsking = "RESTORE-ASKING"
    case delex = "DELEX"
    case delifeq = "DELIFEQ"
    case trimslots = "TRIMSLOTS"
    case sflush = "SFLUSH"
    case cluster = "CLUSTER"
}

// Source: formats/commands.md C.2; formats/newest.md §10.9, §11.
extension CommandRunner {
    mutating func run(_ command: KeyCommand, _ arguments: CommandArguments) -> CommandOutcome {
        switch command {
        case .del, .unlink:
            guard arguments.count >= 2 else { return .wrongArgumentCount }
            for index in 1..<arguments.count { delete(arguments[index]) }
            return .applied
        case .pexpireat: return expire(arguments, isSeconds: false, isRelative: false)
        case .expireat: return expire(arguments, isSeconds: true, isRelative: false)
        case .pexpire: return expire(arguments, isSeconds: false, isRelative: true)
        case .expire: return expire(arguments, isSeconds: true, isRelative: true)
        case .persist:
            guard arguments.count == 2 else { return .wrongArgumentCount }
            if let index = database.entries.find(arguments[1]) {
                database.entries[index].expiresAt = KeyspaceEntry.never
            }
            return .applied
        case .rename: return rename(arguments, onlyToMissing: false)
        case .renamenx: return rename(arguments, onlyToMissing: true)
        case .copy: return copy(arguments)
        case .move: return move(arguments)
        case .swapdb: return swapDatabases(arguments)
        case .flushdb, .flushall:
            guard arguments.isFlush else { return .refused }
            if command == .flushall { removeAllDatabases() } else { removeSelectedDatabase() }
            return .applied
        case .restore, .restoreAsking: return restore(arguments)
        case .delex: return deleteIf(arguments, command)
        case .delifeq:
            isValkey = true
            return deleteIf(arguments, command)
        case .trimslots, .sflush: return removeSlots(arguments, command)
        case .cluster:
            if arguments.matches(1, "flushslot") { isValkey = true }
            return removeSlots(arguments, command)
        }
    }

    // MARK: - Expiry

    private func expire(_ arguments: CommandArguments, isSeconds: Bool, isRelative: Bool) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        guard let time = arguments.time(2, isSeconds: isSeconds, isRelative: isRelative, now: now),
            let condition = ExpiryCondition(arguments, 3..<arguments.count)
        else { return .refused }
        guard let index = database.entries.find(arguments[1]) else { return .applied }
        if condition.admits(time, old: database.entries[index].expiresAt) {
            database.entries[index].expiresAt = time
        }
        return .applied
    }

    // MARK: - Moving

    private func rename(_ arguments: CommandArguments, onlyToMissing: Bool) -> CommandOutcome {
        guard arguments.count == 3 else { return .wrongArgumentCount }
        guard let from = database.entries.find(arguments[1]) else { return .refused }
        if let to = database.entries.find(arguments[2]), to == from || onlyToMissing { return .applied }
        let entry = database.entries.remove(at: from)
        database.entries.set(arguments[2], entry)
        return .applied
    }

    private func copy(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        var target = database
        var replaces = false
        var index = 3
        while index < arguments.count {
            if arguments.matches(index, "replace") {
                replaces = true
                index += 1
            } else if arguments.matches(index, "db"), let number = arguments.databaseNumber(index + 1) {
                target = keyspace.database(number)
                index += 2
            } else {
                return .refused
            }
        }
        guard let from = database.entries.find(arguments[1]) else { return .applied }
        if let to = target.entries.find(arguments[2]) {
            if target === database, to == from { return .refused }
            if !replaces { return .applied }
        }
        let entry = database.entries[from]
        target.entries.set(arguments[2], KeyspaceEntry(value: entry.value.copy(), expiresAt: entry.expiresAt))
        return .applied
    }

    private func move(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 3 else { return .wrongArgumentCount }
        guard let number = arguments.databaseNumber(2) else { return .refused }
        let target = keyspace.database(number)
        if target === database { return .refused }
        guard let from = database.entries.find(arguments[1]), !target.entries.contains(arguments[1]) else {
            return .applied
        }
        let entry = database.entries.remove(at: from)
        target.entries.insert(arguments[1], entry)
        return .applied
    }

    private mutating func swapDatabases(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 3 else { return .wrongArgumentCount }
        guard let (first, second) = arguments.swappedDatabases else { return .refused }
        keyspace.swapDatabases(first, second)
        select(databaseNumber)
        return .applied
    }

    private mutating func removeSelectedDatabase() {
        keyspace.removeDatabase(databaseNumber)
        select(databaseNumber)
    }

    private mutating func removeAllDatabases() {
        keyspace.removeAllDatabases()
        select(databaseNumber)
    }

    // MARK: - Deleting

    private func deleteIf(_ arguments: CommandArguments, _ command: KeyCommand) -> CommandOutcome {
        guard arguments.count >= 2 else { return .wrongArgumentCount }
        guard let index = database.entries.find(arguments[1]) else { return .applied }
        let operand: Int
        var wantsEqual = true
        if command == .delifeq {
            guard arguments.count == 3 else { return .wrongArgumentCount }
            operand = 2
        } else {
            if arguments.count == 2 {
                delete(arguments[1])
                return .applied
            }
            guard arguments.count == 4 else { return .refused }
            operand = 3
            if arguments.matches(2, "ifne") {
                wantsEqual = false
            } else if arguments.matches(2, "ifdeq") || arguments.matches(2, "ifdne") {
                // Only stored where the condition held: its digest need not be computed.
                delete(arguments[1])
                return .applied
            } else if !arguments.matches(2, "ifeq") {
                return .refused
            }
        }
        guard case .string(let bytes) = database.entries[index].value else { return .refused }
        if (bytes.rawSpan.isEqual(to: arguments[operand])) == wantsEqual { database.entries.remove(at: index) }
        return .applied
    }

    /// `TRIMSLOTS RANGES n first last …`, `SFLUSH first last …`, `CLUSTER FLUSHSLOT slot`: their keys in all databases.
    private func removeSlots(_ arguments: CommandArguments, _ command: KeyCommand) -> CommandOutcome {
        guard arguments.count >= 2 else { return .wrongArgumentCount }
        guard let ranges = SlotRanges(arguments, command) else { return .refused }
        if ranges.isEmpty { return .applied }
        for database in keyspace.databases.values {
            database.entries.removeAll { key, _ in ranges.contains(HashSlot.of(key)) }
        }
        return .applied
    }
}

extension CommandArguments {
    /// Servers count databases in 32 bits; how many one has, no log says.
    func databaseNumber(_ index: Int) -> UInt64? {
        guard let number = integer(index), 0...Int64(Int32.max) ~= number else { return nil }
        return UInt64(number)
    }

    /// Of a SWAPDB; nil where servers refuse it.
    var swappedDatabases: (UInt64, UInt64)? {
        guard count == 3, let first = databaseNumber(1), let second = databaseNumber(2) else { return nil }
        return (first, second)
    }

    /// Whether servers take it for a FLUSHDB or FLUSHALL.
    var isFlush: Bool { count == 1 || count == 2 && (matches(1, "async") || matches(1, "sync")) }
}

/// Cluster slots that commands name: a bit for each.
struct SlotRanges {
    private var bits = [UInt64](repeating: 0, count: HashSlot.count / 64)
    private(set) var isEmpty = true

    /// None.
    init() {}

    func contains(_ slot: Int) -> Bool { bits[slot / 64] & (1 << UInt64(slot % 64)) != 0 }

    private mutating func insert(_ slots: ClosedRange<Int>) {
        isEmpty = false
        let first = slots.lowerBound
        let last = slots.upperBound
        for word in first / 64...last / 64 {
            var mask = UInt64.max
            if word == first / 64 { mask &= .max << UInt64(first % 64) }
            if word == last / 64 { mask &= .max >> UInt64(63 - last % 64) }
            bits[word] |= mask
        }
    }

    mutating func formUnion(_ other: SlotRanges) {
        if !other.isEmpty { isEmpty = false }
        for index in bits.indices { bits[index] |= other.bits[index] }
    }

    /// nil where the command is none that names slots rightly; CLUSTER's other second words name none.
    init?(_ arguments: CommandArguments, _ command: KeyCommand) {
        var index = 1
        var count = arguments.count
        switch command {
        case .trimslots:
            guard arguments.matches(1, "ranges"), let rangeCount = arguments.integer(2), rangeCount > 0,
                rangeCount <= Int64(HashSlot.count), arguments.count == 3 + 2 * Int(rangeCount)
            else { return nil }
            index = 3
        case .sflush:
            if arguments.matches(count - 1, "sync") || arguments.matches(count - 1, "async") { count -= 1 }
        case .cluster:
            guard arguments.matches(1, "flushslot") else { return }
            guard let slot = Self.slot(arguments, 2) else { return nil }
            insert(slot...slot)
            return
        default: return nil
        }
        while index + 1 < count {
            guard let first = Self.slot(arguments, index), let last = Self.slot(arguments, index + 1), first <= last
            else { return nil }
            insert(first...last)
            index += 2
        }
        if index != count { return nil }
    }

    private static func slot(_ arguments: CommandArguments, _ index: Int) -> Int? {
        guard let slot = arguments.integer(index), 0..<Int64(HashSlot.count) ~= slot else { return nil }
        return Int(slot)
    }
}

/// NX, XX, GT and LT of the commands that set an expiry.
struct ExpiryCondition {
    private(set) var onlyIfNone = false
    private(set) var onlyIfAny = false
    private(set) var onlyIfLater = false
    private(set) var onlyIfEarlier = false

    /// nil where a word is none of them, or two exclude each other.
    init?(_ arguments: CommandArguments, _ range: Range<Int>) {
        for index in range {
            if arguments.matches(index, "nx") {
                onlyIfNone = true
            } else if arguments.matches(index, "xx") {
                onlyIfAny = true
            } else if arguments.matches(index, "gt") {
                onlyIfLater = true
            } else if arguments.matches(index, "lt") {
                onlyIfEarlier = true
            } else {
                return nil
            }
        }
        if onlyIfNone && (onlyIfAny || onlyIfLater || onlyIfEarlier) || onlyIfLater && onlyIfEarlier { return nil }
    }

    /// - Parameter old: `KeyspaceEntry.never` is later than any time.
    func admits(_ time: Int64, old: Int64) -> Bool {
        let hasOld = old != KeyspaceEntry.never
        if onlyIfNone && hasOld || onlyIfAny && !hasOld { return false }
        if onlyIfLater && (!hasOld || time <= old) { return false }
        if onlyIfEarlier && hasOld && time >= old { return false }
        return true
    }
}
