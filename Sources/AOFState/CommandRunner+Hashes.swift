import RDBBytes
import RDBFormat
import RESPFormat

/// Commands on hashes.
enum HashCommand: String, CaseIterable {
    case hset = "HSET"
    case hmset = "HMSET"
    case hsetnx = "HSETNX"
    case hdel = "HDEL"
    case hincrby = "HINCRBY"
    case hincrbyfloat = "HINCRBYFLOAT"
    case hpexpireat = "HPEXPIREAT"
    case hexpireat = "HEXPIREAT"
    case hpexpire = "HPEXPIRE"
    case hexpire = "HEXPIRE"
    case hpersist = "HPERSIST"
    case hsetex = "HSETEX"
    case hgetdel = "HGETDEL"
    case hgetex = "HGETEX"
}

extension CommandRunner {
    mutating func run(_ command: HashCommand, _ arguments: CommandArguments) -> CommandOutcome {
        switch command {
        case .hset, .hmset: hset(arguments)
        case .hsetnx: hsetnx(arguments)
        case .hdel: hdel(arguments)
        case .hincrby: hincrby(arguments)
        case .hincrbyfloat: hincrbyfloat(arguments)
        case .hpexpireat: expireFields(arguments, isSeconds: false, isRelative: false)
        case .hexpireat: expireFields(arguments, isSeconds: true, isRelative: false)
        case .hpexpire: expireFields(arguments, isSeconds: false, isRelative: true)
        case .hexpire: expireFields(arguments, isSeconds: true, isRelative: true)
        case .hpersist: hpersist(arguments)
        case .hsetex: hsetex(arguments)
        case .hgetdel: hgetdel(arguments)
        case .hgetex: hgetex(arguments)
        }
    }

    // MARK: - Fields and values

    private func hset(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 4 else { return .wrongArgumentCount }
        guard arguments.count.isMultiple(of: 2), let hash = findOrCreate(arguments[1], HashValue.self) else {
            return .refused
        }
        for index in stride(from: 2, to: arguments.count, by: 2) {
            hash.set(arguments[index], arguments[index + 1])
            hash.removeExpiry(arguments[index])
        }
        return .applied
    }

    private func hsetnx(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 4 else { return .wrongArgumentCount }
        guard let hash = findOrCreate(arguments[1], HashValue.self) else { return .refused }
        if !hash.contains(arguments[2]) { hash.set(arguments[2], arguments[3]) }
        return .applied
    }

    private func hdel(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        return change(arguments[1], HashValue.self) { hash in
            for index in 2..<arguments.count { hash.remove(arguments[index]) }
        }
    }

    private func hincrby(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 4 else { return .wrongArgumentCount }
        guard let increment = arguments.integer(3), let hash = findOrCreate(arguments[1], HashValue.self) else {
            return .refused
        }
        defer { removeIfEmpty(arguments[1], hash) }
        let old: Int64?? = hash.withValue(arguments[2]) { Digits.parse($0) }
        guard let number = old ?? 0 else { return .refused }
        let (sum, overflow) = number.addingReportingOverflow(increment)
        if overflow { return .refused }
        hash.set(arguments[2], Digits.text(sum).rawSpan)
        return .applied
    }

    private func hincrbyfloat(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 4 else { return .wrongArgumentCount }
        guard let increment = LongDouble(arguments[3]), let hash = findOrCreate(arguments[1], HashValue.self) else {
            return .refused
        }
        defer { removeIfEmpty(arguments[1], hash) }
        let old: LongDouble?? = hash.withValue(arguments[2]) { LongDouble($0) }
        guard let number = old ?? LongDouble.zero, let sum = number.adding(increment) else { return .refused }
        hash.set(arguments[2], sum.text.rawSpan)
        return .applied
    }

    private func hgetdel(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 5 else { return .wrongArgumentCount }
        guard let fields = arguments.countedFields(at: 2), fields.upperBound == arguments.count else { return .refused }
        return change(arguments[1], HashValue.self) { hash in
            for index in fields { hash.remove(arguments[index]) }
        }
    }

    // MARK: - Expiries of fields

    /// `key time [NX|XX|GT|LT] FIELDS count field …`
    private func expireFields(_ arguments: CommandArguments, isSeconds: Bool, isRelative: Bool) -> CommandOutcome {
        guard arguments.count >= 6 else { return .wrongArgumentCount }
        guard let given = arguments.integer(2), given >= 0,
            let time = arguments.time(2, isSeconds: isSeconds, isRelative: isRelative, now: now),
            admits(fieldExpiry: time)
        else { return .refused }
        var fieldsAt = 3
        while fieldsAt < arguments.count, !arguments.matches(fieldsAt, "fields") { fieldsAt += 1 }
        guard let condition = ExpiryCondition(arguments, 3..<fieldsAt),
            let fields = arguments.countedFields(at: fieldsAt), fields.upperBound == arguments.count
        else { return .refused }
        return change(arguments[1], HashValue.self) { hash in
            for index in fields where hash.contains(arguments[index]) {
                let old = hash.expiry(of: arguments[index]) ?? KeyspaceEntry.never
                if condition.admits(time, old: old) { hash.setExpiry(of: arguments[index], time) }
            }
        }
    }

    private func admits(fieldExpiry time: Int64?) -> Bool {
        guard let time, let server else { return true }
        return time <= server.maxFieldExpiry
    }

    private func hpersist(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 5 else { return .wrongArgumentCount }
        guard let fields = arguments.countedFields(at: 2), fields.upperBound == arguments.count else { return .refused }
        return change(arguments[1], HashValue.self) { hash in
            for index in fields { hash.removeExpiry(arguments[index]) }
        }
    }

    /// `key [EX seconds|PX ms|EXAT seconds|PXAT ms|PERSIST] FIELDS count field …`
    private func hgetex(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 5 else { return .wrongArgumentCount }
        var words = FieldWords()
        guard words.read(arguments, from: 2, now: now, fieldWidth: 1), !words.keepsExpiry, words.conditions.isEmpty,
            let fields = words.fields, admits(fieldExpiry: words.expiresAt)
        else { return .refused }
        return change(arguments[1], HashValue.self) { hash in
            for index in fields where hash.contains(arguments[index]) {
                if let time = words.expiresAt {
                    hash.setExpiry(of: arguments[index], time)
                } else if words.persists {
                    hash.removeExpiry(arguments[index])
                }
            }
        }
    }

    /// `key [NX|XX] [FNX|FXX] [EX seconds|PX ms|EXAT seconds|PXAT ms|KEEPTTL] FIELDS count field value …`
    private func hsetex(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 6 else { return .wrongArgumentCount }
        var words = FieldWords()
        guard words.read(arguments, from: 2, now: now, fieldWidth: 2), !words.persists, let fields = words.fields,
            admits(fieldExpiry: words.expiresAt)
        else { return .refused }
        let hash: HashValue
        switch find(arguments[1], HashValue.self) {
        case .wrongType: return .refused
        case .missing:
            if words.conditions.contains(.keyExists) || words.conditions.contains(.fieldsExist) { return .applied }
            guard let created = findOrCreate(arguments[1], HashValue.self) else { return .refused }
            hash = created
        case .value(let found):
            if words.conditions.contains(.keyIsMissing) { return .applied }
            hash = found
            for index in stride(from: fields.lowerBound, to: fields.upperBound, by: 2) {
                let exists = hash.contains(arguments[index])
                if exists ? words.conditions.contains(.fieldsAreMissing) : words.conditions.contains(.fieldsExist) {
                    return .applied
                }
            }
        }
        for index in stride(from: fields.lowerBound, to: fields.upperBound, by: 2) {
            hash.set(arguments[index], arguments[index + 1])
            if let time = words.expiresAt {
                hash.setExpiry(of: arguments[index], time)
            } else if !words.keepsExpiry {
                hash.removeExpiry(arguments[index])
            }
        }
        return .applied
    }
}

/// What stands in HSETEX and HGETEX besides the key, in any order.
private struct FieldWords {
    struct Conditions: OptionSet {
        let rawValue: Int
        static let keyIsMissing = Conditions(rawValue: 1)
        static let keyExists = Conditions(rawValue: 2)
        static let fieldsAreMissing = Conditions(rawValue: 4)
        static let fieldsExist = Conditions(rawValue: 8)
    }

    var conditions: Conditions = []
    /// Unix time in milliseconds.
    var expiresAt: Int64?
    var keepsExpiry = false
    var persists = false
    /// The arguments that are fields (and values).
    var fields: Range<Int>?

    /// - Returns: false for what a server refuses.
    mutating func read(_ arguments: CommandArguments, from start: Int, now: Int64, fieldWidth: Int) -> Bool {
        var index = start
        while index < arguments.count {
            if let condition = condition(arguments, index) {
                let isOfKey = condition == .keyIsMissing || condition == .keyExists
                let same: Conditions = isOfKey ? [.keyIsMissing, .keyExists] : [.fieldsAreMissing, .fieldsExist]
                guard conditions.isDisjoint(with: same) else { return false }
                conditions.insert(condition)
                index += 1
                continue
            }
            if arguments.matches(index, "keepttl") || arguments.matches(index, "persist") {
                if hasTime { return false }
                if arguments.matches(index, "keepttl") { keepsExpiry = true } else { persists = true }
                index += 1
                continue
            }
            switch arguments.expiry(index, now: now) {
            case .wrongType: return false
            case .value(let time):
                guard !hasTime, let given = arguments.integer(index + 1), given >= 0 else { return false }
                expiresAt = time
                index += 2
            case .missing:
                guard fields == nil, let found = arguments.countedFields(at: index, width: fieldWidth) else {
                    return false
                }
                fields = found
                index = found.upperBound
            }
        }
        return true
    }

    private var hasTime: Bool { expiresAt != nil || keepsExpiry || persists }

    private func condition(_ arguments: CommandArguments, _ index: Int) -> Conditions? {
        if arguments.matches(index, "fnx") { return .fieldsAreMissing }
        if arguments.matches(index, "fxx") { return .fieldsExist }
        if arguments.matches(index, "nx") { return .keyIsMissing }
        if arguments.matches(index, "xx") { return .keyExists }
        return nil
    }
}

extension CommandArguments {
    /// `FIELDS count field …`: where the fields stand.
    /// - Parameter width: arguments a field has.
    func countedFields(at index: Int, width: Int = 1) -> Range<Int>? {
        guard matches(index, "fields"), let wanted = integer(index + 1), wanted > 0,
            wanted <= (count - index - 2) / width
        else { return nil }
        return index + 2..<index + 2 + Int(wanted) * width
    }
}
