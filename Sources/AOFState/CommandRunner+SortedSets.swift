import RDBBytes
import RESPFormat

/// Commands on sorted sets.
enum SortedSetCommand: String, CaseIterable {
    case zadd = "ZADD"
    case zincrby = "ZINCRBY"
    case zrem = "ZREM"
    case zremrangebyrank = "ZREMRANGEBYRANK"
    case zremrangebyscore = "ZREMRANGEBYSCORE"
    case zremrangebylex = "ZREMRANGEBYLEX"
    case zpopmin = "ZPOPMIN"
    case zpopmax = "ZPOPMAX"
    case zmpop = "ZMPOP"
    case bzpopmin = "BZPOPMIN"
    case bzpopmax = "BZPOPMAX"
    case bzmpop = "BZMPOP"
    case zunionstore = "ZUNIONSTORE"
    case zinterstore = "ZINTERSTORE"
    case zdiffstore = "ZDIFFSTORE"
    case zrangestore = "ZRANGESTORE"
}

extension CommandRunner {
    mutating func run(_ command: SortedSetCommand, _ arguments: CommandArguments) -> CommandOutcome {
        switch command {
        case .zadd: zadd(arguments)
        case .zincrby: zincrby(arguments)
        case .zrem: zrem(arguments)
        case .zremrangebyrank: zremrangebyrank(arguments)
        case .zremrangebyscore: zremrangebyscore(arguments)
        case .zremrangebylex: zremrangebylex(arguments)
        case .zpopmin: zpop(arguments, isMax: false)
        case .zpopmax: zpop(arguments, isMax: true)
        case .zmpop: zmpop(arguments, from: 1)
        case .bzmpop: bzmpop(arguments)
        case .bzpopmin: bzpop(arguments, isMax: false)
        case .bzpopmax: bzpop(arguments, isMax: true)
        case .zunionstore: combineSortedSets(arguments, .union)
        case .zinterstore: combineSortedSets(arguments, .intersection)
        case .zdiffstore: combineSortedSets(arguments, .difference)
        case .zrangestore: zrangestore(arguments)
        }
    }

    // MARK: - Adding

    /// `key [NX|XX] [GT|LT] [CH] [INCR] score member …`
    private func zadd(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 4 else { return .wrongArgumentCount }
        var condition = ScoreCondition()
        var isIncrement = false
        var index = 2
        while index < arguments.count {
            if arguments.matches(index, "nx") {
                condition.onlyNew = true
            } else if arguments.matches(index, "xx") {
                condition.onlyOld = true
            } else if arguments.matches(index, "gt") {
                condition.onlyGreater = true
            } else if arguments.matches(index, "lt") {
                condition.onlyLess = true
            } else if arguments.matches(index, "incr") {
                isIncrement = true
            } else if !arguments.matches(index, "ch") {
                break
            }
            index += 1
        }
        let rest = arguments.count - index
        guard rest > 0, rest.isMultiple(of: 2), condition.isPossible, !isIncrement || rest == 2 else { return .refused }
        return add(arguments, from: index, condition, isIncrement: isIncrement)
    }

    private func zincrby(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 4 else { return .wrongArgumentCount }
        return add(arguments, from: 2, ScoreCondition(), isIncrement: true)
    }

    /// Pairs of score and member; all scores are looked at before the first change.
    private func add(
        _ arguments: CommandArguments, from start: Int, _ condition: ScoreCondition, isIncrement: Bool
    ) -> CommandOutcome {
        if arguments.count == start + 2 {
            guard let score = arguments.double(start) else { return .refused }
            return add(arguments[1], condition) { zset in
                zset.add(arguments[start + 1], score, condition, isIncrement: isIncrement)
            }
        }
        var scores: [Double] = []
        for index in stride(from: start, to: arguments.count, by: 2) {
            guard let score = arguments.double(index) else { return .refused }
            scores.append(score)
        }
        return add(arguments[1], condition) { zset in
            for (number, score) in scores.enumerated() {
                _ = zset.add(arguments[start + 2 * number + 1], score, condition, isIncrement: false)
            }
            return true
        }
    }

    /// - Parameter body: returns false where a server refuses the command.
    private func add(
        _ key: RawSpan, _ condition: ScoreCondition, _ body: (SortedSetValue) -> Bool
    ) -> CommandOutcome {
        switch find(key, SortedSetValue.self) {
        case .missing where condition.onlyOld: return .applied
        case .wrongType: return .refused
        case .value(let zset): return body(zset) ? .applied : .refused
        case .missing:
            guard let zset = findOrCreate(key, SortedSetValue.self) else { return .refused }
            let isDone = body(zset)
            removeIfEmpty(key, zset)
            return isDone ? .applied : .refused
        }
    }

    /// GEOADD: members with scores, all of them valid.
    func add(
        _ key: RawSpan, _ pairs: [(score: Double, index: Int)], _ condition: ScoreCondition,
        _ arguments: CommandArguments
    ) -> CommandOutcome {
        add(key, condition) { zset in
            for (score, index) in pairs { _ = zset.add(arguments[index], score, condition, isIncrement: false) }
            return true
        }
    }

    // MARK: - Removing

    private func zrem(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        return change(arguments[1], SortedSetValue.self) { zset in
            for index in 2..<arguments.count { zset.remove(arguments[index]) }
        }
    }

    private func zremrangebyrank(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 4 else { return .wrongArgumentCount }
        guard let first = arguments.integer(2), let last = arguments.integer(3) else { return .refused }
        return remove(arguments[1]) { $0.positions(ranks: first, last) }
    }

    private func zremrangebyscore(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 4 else { return .wrongArgumentCount }
        guard let range = ScoreRange(arguments[2], arguments[3]) else { return .refused }
        return remove(arguments[1]) { $0.positions(range) }
    }

    private func zremrangebylex(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 4 else { return .wrongArgumentCount }
        guard let range = MemberRange(arguments[2], arguments[3]) else { return .refused }
        return remove(arguments[1]) { $0.positions(range) }
    }

    private func remove(
        _ key: RawSpan, _ positions: (SortedSetValue) -> SortedSetValue.Positions?
    ) -> CommandOutcome {
        change(key, SortedSetValue.self) { zset in
            if let positions = positions(zset) { zset.remove(positions) }
        }
    }

    // MARK: - Popping

    private func zpop(_ arguments: CommandArguments, isMax: Bool) -> CommandOutcome {
        guard arguments.count >= 2 else { return .wrongArgumentCount }
        var wanted = 1
        if arguments.count > 2 {
            guard arguments.count == 3, let count = arguments.integer(2), count >= 0 else { return .refused }
            wanted = Int(count)
        }
        return change(arguments[1], SortedSetValue.self) { $0.pop(wanted, isMax: isMax) }
    }

    private func bzpop(_ arguments: CommandArguments, isMax: Bool) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        guard arguments.isTimeout(arguments.count - 1) else { return .refused }
        return changeFirst(arguments, 1..<arguments.count - 1, SortedSetValue.self) { $0.pop(1, isMax: isMax) }
    }

    private func bzmpop(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 5 else { return .wrongArgumentCount }
        return arguments.isTimeout(1) ? zmpop(arguments, from: 2) : .refused
    }

    /// `numkeys key … MIN|MAX [COUNT count]`
    private func zmpop(_ arguments: CommandArguments, from start: Int) -> CommandOutcome {
        guard arguments.count >= start + 3 else { return .wrongArgumentCount }
        guard let keys = arguments.countedKeys(at: start), keys.upperBound < arguments.count else { return .refused }
        let isMax = arguments.matches(keys.upperBound, "max")
        guard isMax || arguments.matches(keys.upperBound, "min"),
            let wanted = arguments.countOption(from: keys.upperBound + 1)
        else { return .refused }
        return changeFirst(arguments, keys, SortedSetValue.self) { $0.pop(wanted, isMax: isMax) }
    }

    // MARK: - A range into another key

    /// `target source min max [BYSCORE|BYLEX] [REV] [LIMIT offset count]`
    private func zrangestore(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 5 else { return .wrongArgumentCount }
        enum Unit {
            case rank, score, member
        }
        var unit = Unit.rank
        var isReverse = false
        var limit: (offset: Int64, count: Int64)?
        var index = 5
        while index < arguments.count {
            if arguments.matches(index, "byscore") || arguments.matches(index, "bylex") {
                unit = arguments.matches(index, "byscore") ? .score : .member
            } else if arguments.matches(index, "rev") {
                isReverse = true
            } else if arguments.matches(index, "limit") {
                guard let offset = arguments.integer(index + 1), let count = arguments.integer(index + 2) else {
                    return .refused
                }
                limit = (offset, count)
                index += 2
            } else {
                return .refused
            }
            index += 1
        }
        // Of a reversed range by score or member, the upper end comes first.
        let (low, high) = isReverse && unit != .rank ? (4, 3) : (3, 4)
        let find: (SortedSetValue) -> SortedSetValue.Positions?
        switch unit {
        case .rank:
            // A LIMIT of no limit is not looked at.
            guard limit == nil || limit?.count == -1, let first = arguments.integer(3), let last = arguments.integer(4)
            else {
                return .refused
            }
            find = { zset in
                guard isReverse else { return zset.positions(ranks: first, last) }
                guard let ranks = IndexRange(first, last, count: zset.count) else { return nil }
                let top = Int64(zset.count - 1)
                return zset.positions(ranks: top - Int64(ranks.last), top - Int64(ranks.first))
            }
        case .score:
            guard let range = ScoreRange(arguments[low], arguments[high]) else { return .refused }
            find = { $0.positions(range) }
        case .member:
            guard let range = MemberRange(arguments[low], arguments[high]) else { return .refused }
            find = { $0.positions(range) }
        }
        let result = SortedSetValue()
        switch self.find(arguments[2], SortedSetValue.self) {
        case .wrongType: return .refused
        case .missing: break
        case .value(let source):
            guard let positions = find(source), limit?.count != 0 else { break }
            // From the end, or nothing: that depends on how the server holds the source.
            if let limit, unit != .rank, limit.offset < 0 { return .cannotRun }
            var skipped: Int64 = 0
            let wanted = limit.map { $0.count < 0 ? Int64.max : $0.count } ?? .max
            source.visit(in: positions, isReverse: isReverse) { member, score in
                if let limit, unit != .rank, skipped < limit.offset {
                    skipped += 1
                    return true
                }
                result.set(member, score)
                return result.count < wanted
            }
        }
        store(arguments[1], result)
        return .applied
    }
}

/// Which members ZADD touches.
struct ScoreCondition {
    var onlyNew = false
    var onlyOld = false
    var onlyGreater = false
    var onlyLess = false

    var isPossible: Bool {
        !(onlyNew && (onlyOld || onlyGreater || onlyLess)) && !(onlyGreater && onlyLess)
    }
}

extension SortedSetValue {
    /// - Returns: false where the score would be no number.
    func add(_ member: RawSpan, _ score: Double, _ condition: ScoreCondition, isIncrement: Bool) -> Bool {
        guard let old = self.score(of: member) else {
            if !condition.onlyOld { set(member, score) }
            return true
        }
        if condition.onlyNew { return true }
        let new = isIncrement ? old + score : score
        if new.isNaN { return false }
        if condition.onlyGreater && new <= old || condition.onlyLess && new >= old { return true }
        set(member, new)
        return true
    }

    /// Removes up to `wanted` members of the lowest or highest scores.
    func pop(_ wanted: Int, isMax: Bool) {
        if wanted == 0 { return }
        let last = Int64(min(wanted, count)) - 1
        guard let positions = isMax ? positions(ranks: -1 - last, -1) : positions(ranks: 0, last) else { return }
        remove(positions)
    }
}
