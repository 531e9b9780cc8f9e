import RDBBytes
import RESPFormat

/// Commands on lists.
enum ListCommand: String, CaseIterable {
    case lpush = "LPUSH"
    case rpush = "RPUSH"
    case lpushx = "LPUSHX"
    case rpushx = "RPUSHX"
    case lpop = "LPOP"
    case rpop = "RPOP"
    case linsert = "LINSERT"
    case lset = "LSET"
    case lrem = "LREM"
    case ltrim = "LTRIM"
    case rpoplpush = "RPOPLPUSH"
    case lmove = "LMOVE"
    case lmpop = "LMPOP"
    case blpop = "BLPOP"
    case brpop = "BRPOP"
    case blmove = "BLMOVE"
    case brpoplpush = "BRPOPLPUSH"
    case blmpop = "BLMPOP"
    case lmovem = "LMOVEM"
    case blmovem = "BLMOVEM"
}

extension CommandRunner {
    mutating func run(_ command: ListCommand, _ arguments: CommandArguments) -> CommandOutcome {
        switch command {
        case .rpush: push(arguments, .right)
        case .lpush: push(arguments, .left)
        case .rpushx: pushToExisting(arguments, .right)
        case .lpushx: pushToExisting(arguments, .left)
        case .lpop: pop(arguments, .left)
        case .rpop: pop(arguments, .right)
        case .linsert: linsert(arguments)
        case .lset: lset(arguments)
        case .lrem: lrem(arguments)
        case .ltrim: ltrim(arguments)
        case .rpoplpush:
            arguments.count == 3 ? move(arguments, .right, .left) : .wrongArgumentCount
        case .brpoplpush:
            arguments.count == 4 ? move(arguments, .right, .left, timeoutAt: 3) : .wrongArgumentCount
        case .lmove:
            arguments.count == 5 ? moveBySides(arguments) : .wrongArgumentCount
        case .blmove:
            arguments.count == 6 ? moveBySides(arguments, timeoutAt: 5) : .wrongArgumentCount
        case .lmpop: lmpop(arguments, from: 1)
        case .blmpop: blmpop(arguments)
        case .blpop: popFirst(arguments, .left)
        case .brpop: popFirst(arguments, .right)
        case .lmovem: moveMany(arguments, optionsFrom: 5)
        case .blmovem: blmovem(arguments)
        }
    }

    // MARK: - Pushing and popping

    private func push(_ arguments: CommandArguments, _ side: ListValue.Side) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        guard let list = findOrCreate(arguments[1], ListValue.self) else { return .refused }
        for index in 2..<arguments.count { list.push(arguments[index], side) }
        return .applied
    }

    private func pushToExisting(_ arguments: CommandArguments, _ side: ListValue.Side) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        return change(arguments[1], ListValue.self) { list in
            for index in 2..<arguments.count { list.push(arguments[index], side) }
        }
    }

    private func pop(_ arguments: CommandArguments, _ side: ListValue.Side) -> CommandOutcome {
        guard arguments.count >= 2 else { return .wrongArgumentCount }
        var wanted = 1
        if arguments.count > 2 {
            guard arguments.count == 3, let count = arguments.integer(2), count >= 0 else { return .refused }
            wanted = Int(count)
        }
        return change(arguments[1], ListValue.self) { $0.remove(wanted, side) }
    }

    /// The blocking forms, which take one element from the first list that has any.
    private func popFirst(_ arguments: CommandArguments, _ side: ListValue.Side) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        guard arguments.isTimeout(arguments.count - 1) else { return .refused }
        return changeFirst(arguments, 1..<arguments.count - 1, ListValue.self) { $0.remove(1, side) }
    }

    private func blmpop(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 5 else { return .wrongArgumentCount }
        guard arguments.isTimeout(1) else { return .refused }
        return lmpop(arguments, from: 2)
    }

    /// `numkeys key … LEFT|RIGHT [COUNT count]`
    private func lmpop(_ arguments: CommandArguments, from start: Int) -> CommandOutcome {
        guard arguments.count >= start + 3 else { return .wrongArgumentCount }
        guard let keys = arguments.countedKeys(at: start), keys.upperBound < arguments.count,
            let side = arguments.side(keys.upperBound),
            let wanted = arguments.countOption(from: keys.upperBound + 1)
        else { return .refused }
        return changeFirst(arguments, keys, ListValue.self) { $0.remove(wanted, side) }
    }

    // MARK: - In the middle

    private func linsert(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 5 else { return .wrongArgumentCount }
        let isAfter = arguments.matches(2, "after")
        guard isAfter || arguments.matches(2, "before") else { return .refused }
        return change(arguments[1], ListValue.self) { list in
            let position = list.elements.firstPosition { $0.isEqual(to: arguments[3]) }
            guard let position else { return }
            if isAfter {
                list.elements.insert(arguments[4], after: position)
            } else {
                list.elements.insert(arguments[4], before: position)
            }
        }
    }

    private func lset(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 4 else { return .wrongArgumentCount }
        guard case .value(let list) = find(arguments[1], ListValue.self), let index = arguments.integer(2) else {
            return .refused
        }
        let fromFront = index < 0 ? index + Int64(list.count) : index
        guard fromFront >= 0, let position = list.elements.position(of: Int(fromFront)) else { return .refused }
        list.elements.replace(at: position, with: arguments[3])
        return .applied
    }

    private func lrem(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 4 else { return .wrongArgumentCount }
        // The number is read as C's long, whose least value servers refuse.
        guard let count = arguments.integer(2), count != .min else { return .refused }
        return change(arguments[1], ListValue.self) { $0.remove(arguments[3], count: count) }
    }

    private func ltrim(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 4 else { return .wrongArgumentCount }
        guard let first = arguments.integer(2), let last = arguments.integer(3) else { return .refused }
        return change(arguments[1], ListValue.self) { $0.trim(first, last) }
    }

    // MARK: - From one list to another

    private func moveBySides(_ arguments: CommandArguments, timeoutAt: Int? = nil) -> CommandOutcome {
        guard let from = arguments.side(3), let to = arguments.side(4) else { return .refused }
        return move(arguments, from, to, timeoutAt: timeoutAt)
    }

    private func move(
        _ arguments: CommandArguments, _ from: ListValue.Side, _ to: ListValue.Side, timeoutAt: Int? = nil
    ) -> CommandOutcome {
        if let timeoutAt, !arguments.isTimeout(timeoutAt) { return .refused }
        return move(arguments[1], arguments[2], from, to, count: 1, isBulk: false)
    }

    private func move(
        _ sourceKey: RawSpan, _ targetKey: RawSpan, _ from: ListValue.Side, _ to: ListValue.Side, count: Int,
        isBulk: Bool
    ) -> CommandOutcome {
        let source: ListValue
        switch find(sourceKey, ListValue.self) {
        case .missing: return .applied
        case .wrongType: return .refused
        case .value(let list): source = list
        }
        guard let target = findOrCreate(targetKey, ListValue.self) else { return .refused }
        // What is moved is taken out as a whole before it is put back: both may be the same list.
        var moved: [[UInt8]] = []
        for _ in 0..<min(count, source.count) {
            moved.append(source.end(from))
            source.remove(1, from)
        }
        // In the order in which they were taken; a block that keeps its order is pushed from its far end.
        if isBulk, from == to { moved.reverse() }
        for element in moved { target.push(element.rawSpan, to) }
        removeIfEmpty(sourceKey, source)
        return .applied
    }

    private func blmovem(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 6 else { return .wrongArgumentCount }
        return arguments.isTimeout(5) ? moveMany(arguments, optionsFrom: 6) : .refused
    }

    /// `source target LEFT|RIGHT LEFT|RIGHT … [COUNT n|EXACTLY n OBO|BULK]`.
    /// Source: formats/newest.md §10.7; redis.io, commands/lmovem.
    private func moveMany(_ arguments: CommandArguments, optionsFrom start: Int) -> CommandOutcome {
        guard arguments.count >= start else { return .wrongArgumentCount }
        guard let from = arguments.side(3), let to = arguments.side(4) else { return .refused }
        if arguments.count == start { return move(arguments, from, to) }
        let isExact = arguments.matches(start, "exactly")
        let isBulk = arguments.matches(start + 2, "bulk")
        guard arguments.count == start + 3, isExact || arguments.matches(start, "count"),
            isBulk || arguments.matches(start + 2, "obo"), let count = arguments.integer(start + 1), count > 0
        else { return .refused }
        if isExact, case .value(let source) = find(arguments[1], ListValue.self), source.count < count {
            return .applied
        }
        return move(
            arguments[1], arguments[2], from, to, count: Int(count), isBulk: isBulk)
    }
}

extension CommandRunner {
    /// Changes the value at a key that may be missing, and removes the key if nothing is left.
    func change<V: StoredValue>(_ key: RawSpan, _: V.Type, _ body: (V) -> Void) -> CommandOutcome {
        switch find(key, V.self) {
        case .missing: return .applied
        case .wrongType: return .refused
        case .value(let value):
            body(value)
            removeIfEmpty(key, value)
            return .applied
        }
    }

    /// Changes the value at the first of some keys that is there.
    func changeFirst<V: StoredValue>(
        _ arguments: CommandArguments, _ keys: Range<Int>, _: V.Type, _ body: (V) -> Void
    ) -> CommandOutcome {
        for index in keys {
            switch find(arguments[index], V.self) {
            case .missing: continue
            case .wrongType: return .refused
            case .value: return change(arguments[index], V.self, body)
            }
        }
        return .applied
    }
}

extension CommandArguments {
    func side(_ index: Int) -> ListValue.Side? {
        matches(index, "left") ? .left : matches(index, "right") ? .right : nil
    }

    /// How long a blocking command waits, in seconds: no command of a log ever does.
    func isTimeout(_ index: Int) -> Bool {
        guard let seconds = double(index) else { return false }
        return seconds >= 0 && seconds <= 9e15
    }

    /// `numkeys key …`: the keys, of which there must be at least one.
    func countedKeys(at index: Int) -> Range<Int>? {
        guard let wanted = integer(index), wanted > 0, wanted <= count - index - 1 else { return nil }
        return index + 1..<index + 1 + Int(wanted)
    }

    /// `[COUNT count]` at the end of a command; 1 where it is missing, nil where something else stands there.
    func countOption(from start: Int) -> Int? {
        if count == start { return 1 }
        guard count == start + 2, matches(start, "count"), let wanted = integer(start + 1), wanted > 0 else {
            return nil
        }
        return Int(wanted)
    }
}
