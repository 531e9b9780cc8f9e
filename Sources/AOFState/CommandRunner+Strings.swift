import RDBBytes
import RESPFormat

/// Commands on strings.
enum StringCommand: String, CaseIterable {
    case set = "SET"
    case setex = "SETEX"
    case psetex = "PSETEX"
    case setnx = "SETNX"
    case getset = "GETSET"
    case mset = "MSET"
    case msetnx = "MSETNX"
    case msetex = "MSETEX"
    case append = "APPEND"
    case setrange = "SETRANGE"
    case incr = "INCR"
    case decr = "DECR"
    case incrby = "INCRBY"
    case decrby = "DECRBY"
    case incrbyfloat = "INCRBYFLOAT"
    case increx = "INCREX"
    case getex = "GETEX"
    case getdel = "GETDEL"
}

// Source: formats/commands.md C.3, formats/newest.md §10.2.
extension CommandRunner {
    mutating func run(_ command: StringCommand, _ arguments: CommandArguments) -> CommandOutcome {
        switch command {
        case .set: return set(arguments)
        case .setex, .psetex:
            guard arguments.count == 4 else { return .wrongArgumentCount }
            guard let ttl = arguments.integer(2), ttl > 0,
                let time = arguments.time(2, isSeconds: command == .setex, isRelative: true, now: now)
            else { return .refused }
            setString(arguments[1], arguments[3], expiresAt: time)
            return .applied
        case .setnx:
            guard arguments.count == 3 else { return .wrongArgumentCount }
            if !database.entries.contains(arguments[1]) { setString(arguments[1], arguments[2]) }
            return .applied
        case .getset:
            guard arguments.count == 3 else { return .wrongArgumentCount }
            guard isStringOrMissing(arguments[1]) else { return .refused }
            setString(arguments[1], arguments[2])
            return .applied
        case .mset, .msetnx:
            guard arguments.count >= 3, arguments.count % 2 == 1 else { return .wrongArgumentCount }
            return setPairs(arguments, 1..<arguments.count, onlyIfMissing: command == .msetnx)
        case .msetex: return setPairsWithOptions(arguments)
        case .append: return append(arguments)
        case .setrange: return setRange(arguments)
        case .incr, .decr:
            guard arguments.count == 2 else { return .wrongArgumentCount }
            return increment(arguments[1], by: command == .incr ? 1 : -1)
        case .incrby:
            guard arguments.count == 3 else { return .wrongArgumentCount }
            guard let amount = arguments.integer(2) else { return .refused }
            return increment(arguments[1], by: amount)
        case .decrby:
            guard arguments.count == 3 else { return .wrongArgumentCount }
            guard let amount = arguments.integer(2), amount != .min else { return .refused }
            return increment(arguments[1], by: -amount)
        case .incrbyfloat:
            guard arguments.count == 3 else { return .wrongArgumentCount }
            return increment(arguments[1], byText: arguments[2])
        case .increx: return incrementWithOptions(arguments)
        case .getex: return getWithOptions(arguments)
        case .getdel:
            guard arguments.count == 2 else { return .wrongArgumentCount }
            guard isStringOrMissing(arguments[1]) else { return .refused }
            delete(arguments[1])
            return .applied
        }
    }

    // MARK: - Values in place

    /// Gives a key a string, and no expiry unless one is named.
    func setString(_ key: RawSpan, _ bytes: RawSpan, expiresAt: Int64 = KeyspaceEntry.never) {
        let (index, isNew) = database.entries.findOrInsert(
            key, KeyspaceEntry(value: .string(bytes.array), expiresAt: expiresAt))
        if isNew { return }
        database.entries[index].expiresAt = expiresAt
        setString(at: index, bytes)
    }

    /// Uses the old string's memory where that is enough and not much too large.
    private func setString(at index: Int, _ bytes: RawSpan) {
        if case .string(var old) = database.entries[index].value, old.capacity >= bytes.byteCount,
            old.capacity <= 64 + 2 * bytes.byteCount
        {
            database.entries[index].value = .string([])
            old.removeAll(keepingCapacity: true)
            unsafe bytes.withUnsafeBytes { unsafe old.append(contentsOf: $0) }
            database.entries[index].value = .string(old)
        } else {
            database.entries[index].value = .string(bytes.array)
        }
    }

    func isStringOrMissing(_ key: RawSpan) -> Bool {
        guard let index = database.entries.find(key) else { return true }
        if case .string = database.entries[index].value { return true }
        return false
    }

    /// The string at a key, empty if it is missing; nil where there is another type.
    func string(_ key: RawSpan) -> [UInt8]? {
        guard let index = database.entries.find(key) else { return [] }
        guard case .string(let bytes) = database.entries[index].value else { return nil }
        return bytes
    }

    /// Changes the string at a key in place; one that is missing is made. nil where there is another type.
    func changeString<R>(_ key: RawSpan, _ body: (inout [UInt8]) -> R) -> R? {
        let (index, _) = database.entries.findOrInsert(
            key, KeyspaceEntry(value: .string([]), expiresAt: KeyspaceEntry.never))
        guard case .string(var bytes) = database.entries[index].value else { return nil }
        // So that the bytes are nobody else's while they change.
        database.entries[index].value = .string([])
        let result = body(&bytes)
        database.entries[index].value = .string(bytes)
        return result
    }

    // MARK: - SET and its kin

    private func set(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        let key = arguments[1]
        if arguments.count == 3 {
            setString(key, arguments[2])
            return .applied
        }
        var expiry = SetExpiry()
        var condition: SetCondition?
        var operand = 0
        var gets = false
        var index = 3
        while index < arguments.count {
            switch expiry.take(arguments, index, now: now) {
            case .value(let count):
                index += count
                continue
            case .wrongType: return .refused
            case .missing: break
            }
            if arguments.matches(index, "get") {
                gets = true
            } else if let next = SetCondition(arguments, index), condition == nil {
                condition = next
                if next.hasOperand {
                    index += 1
                    operand = index
                    if index >= arguments.count { return .refused }
                }
            } else {
                return .refused
            }
            index += 1
        }
        if gets, !isStringOrMissing(key) { return .refused }
        if let condition {
            // On a value of another type there is nothing to compare with.
            if condition.hasOperand, !isStringOrMissing(key) { return .refused }
            if !isMet(condition, key, operand, arguments) { return .applied }
        }
        let (entry, isNew) = database.entries.findOrInsert(
            key, KeyspaceEntry(value: .string(arguments[2].array), expiresAt: expiry.time))
        if isNew { return .applied }
        setString(at: entry, arguments[2])
        if !expiry.keepsOld { database.entries[entry].expiresAt = expiry.time }
        return .applied
    }

    /// When what SET or MSETEX sets shall expire: `EX`, `PX`, `EXAT` or `PXAT` with a time, or `KEEPTTL`.
    private struct SetExpiry {
        private var given: Int64?
        private(set) var keepsOld = false

        /// Unix time in milliseconds, or `never`.
        var time: Int64 { given ?? KeyspaceEntry.never }

        /// Takes the option at an index.
        /// - Returns: how many arguments it is; `.missing` where another word stands there, `.wrongType` where a server
        ///   refuses it.
        mutating func take(_ arguments: CommandArguments, _ index: Int, now: Int64) -> Found<Int> {
            switch arguments.expiry(index, now: now) {
            case .value(let time):
                // The number itself has to be positive, relative or not.
                guard given == nil, !keepsOld, let number = arguments.integer(index + 1), number > 0 else {
                    return .wrongType
                }
                given = time
                return .value(2)
            case .wrongType: return .wrongType
            case .missing:
                guard arguments.matches(index, "keepttl") else { return .missing }
                if given != nil { return .wrongType }
                keepsOld = true
                return .value(1)
            }
        }
    }

    /// What a SET wants of the old value.
    private enum SetCondition {
        case isMissing, exists, isEqual, isUnequal, hasDigest, hasOtherDigest

        var hasOperand: Bool {
            switch self {
            case .isMissing, .exists: false
            default: true
            }
        }

        init?(_ arguments: CommandArguments, _ index: Int) {
            if arguments.matches(index, "nx") {
                self = .isMissing
            } else if arguments.matches(index, "xx") {
                self = .exists
            } else if arguments.matches(index, "ifeq") {
                self = .isEqual
            } else if arguments.matches(index, "ifne") {
                self = .isUnequal
            } else if arguments.matches(index, "ifdeq") {
                self = .hasDigest
            } else if arguments.matches(index, "ifdne") {
                self = .hasOtherDigest
            } else {
                return nil
            }
        }
    }

    private func isMet(
        _ condition: SetCondition, _ key: RawSpan, _ operand: Int, _ arguments: CommandArguments
    ) -> Bool {
        guard let index = database.entries.find(key) else {
            switch condition {
            case .isMissing, .isUnequal, .hasOtherDigest: return true
            case .exists, .isEqual, .hasDigest: return false
            }
        }
        switch condition {
        case .isMissing: return false
        case .exists: return true
        // Stored only where the condition held, so that the digest need not be computed.
        case .hasDigest, .hasOtherDigest: return true
        case .isEqual, .isUnequal:
            guard case .string(let bytes) = database.entries[index].value else { return false }
            return bytes.rawSpan.isEqual(to: arguments[operand]) == (condition == .isEqual)
        }
    }

    private func setPairs(
        _ arguments: CommandArguments, _ range: Range<Int>, onlyIfMissing: Bool
    ) -> CommandOutcome {
        if onlyIfMissing {
            for index in stride(from: range.lowerBound, to: range.upperBound, by: 2)
            where database.entries.contains(arguments[index]) { return .applied }
        }
        for index in stride(from: range.lowerBound, to: range.upperBound, by: 2) {
            setString(arguments[index], arguments[index + 1])
        }
        return .applied
    }

    /// `MSETEX n key value … [NX|XX] [EX|PX|EXAT|PXAT time|KEEPTTL]`
    private func setPairsWithOptions(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 4 else { return .wrongArgumentCount }
        guard let count = arguments.integer(1), count > 0, count <= Int64((arguments.count - 2) / 2) else {
            return .refused
        }
        let end = 2 + 2 * Int(count)
        var expiry = SetExpiry()
        var wantsExisting: Bool?
        var index = end
        while index < arguments.count {
            switch expiry.take(arguments, index, now: now) {
            case .value(let count):
                index += count
                continue
            case .wrongType: return .refused
            case .missing: break
            }
            if arguments.matches(index, "nx"), wantsExisting == nil {
                wantsExisting = false
            } else if arguments.matches(index, "xx"), wantsExisting == nil {
                wantsExisting = true
            } else {
                return .refused
            }
            index += 1
        }
        if let wantsExisting {
            for index in stride(from: 2, to: end, by: 2)
            where database.entries.contains(arguments[index]) != wantsExisting { return .applied }
        }
        for index in stride(from: 2, to: end, by: 2) {
            var time = expiry.time
            if expiry.keepsOld, let old = database.entries.find(arguments[index]) {
                time = database.entries[old].expiresAt
            }
            setString(arguments[index], arguments[index + 1], expiresAt: time)
        }
        return .applied
    }

    // MARK: - Reads that change

    private func getWithOptions(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 2 else { return .wrongArgumentCount }
        guard isStringOrMissing(arguments[1]) else { return .refused }
        var time: Int64?
        if arguments.count > 2 {
            switch arguments.expiry(2, now: now) {
            case .value(let value):
                guard arguments.count == 4, let number = arguments.integer(3), number > 0 else { return .refused }
                time = value
            case .wrongType: return .refused
            case .missing:
                guard arguments.count == 3, arguments.matches(2, "persist") else { return .refused }
                time = KeyspaceEntry.never
            }
        }
        if let time, let index = database.entries.find(arguments[1]) { database.entries[index].expiresAt = time }
        return .applied
    }

    // MARK: - Parts

    private func append(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 3 else { return .wrongArgumentCount }
        let length = changeString(arguments[1]) { bytes in
            unsafe arguments[2].withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
            return bytes.count
        }
        return length == nil ? .refused : .applied
    }

    private mutating func setRange(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 4 else { return .wrongArgumentCount }
        guard let offset = arguments.integer(2), offset >= 0, isStringOrMissing(arguments[1]) else { return .refused }
        let part = arguments[3]
        if part.byteCount == 0 { return .applied }
        let (end, overflow) = offset.addingReportingOverflow(Int64(part.byteCount))
        guard !overflow, let missing = string(arguments[1]).map({ end - Int64($0.count) }),
            allowance.admits(end, growth: missing)
        else { return .tooLarge }
        _ = changeString(arguments[1]) { bytes in
            bytes.grow(to: Int(end))
            bytes.replace(at: Int(offset), part)
        }
        return .applied
    }
}

extension [UInt8] {
    /// Appends zeros up to a length.
    mutating func grow(to count: Int) {
        if count > self.count { append(contentsOf: repeatElement(0, count: count - self.count)) }
    }

    /// Puts bytes in place of those that are there.
    mutating func replace(at offset: Int, _ part: RawSpan) {
        // The range is checked by the subscript.
        unsafe part.withUnsafeBytes { part in
            unsafe withUnsafeMutableBytes { all in
                unsafe UnsafeMutableRawBufferPointer(rebasing: all[offset..<offset + part.count]).copyMemory(from: part)
            }
        }
    }
}
