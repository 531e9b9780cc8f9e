import RDBBytes
import RESPFormat

/// Commands on sets.
enum SetCommand: String, CaseIterable {
    case sadd = "SADD"
    case srem = "SREM"
    case smove = "SMOVE"
    case sinterstore = "SINTERSTORE"
    case sunionstore = "SUNIONSTORE"
    case sdiffstore = "SDIFFSTORE"
    case spop = "SPOP"
}

extension CommandRunner {
    mutating func run(_ command: SetCommand, _ arguments: CommandArguments) -> CommandOutcome {
        switch command {
        case .sadd: sadd(arguments)
        case .srem: srem(arguments)
        case .smove: smove(arguments)
        case .sinterstore: storeSet(arguments) { $0.intersection() }
        case .sunionstore: storeSet(arguments) { $0.union() }
        case .sdiffstore: storeSet(arguments) { $0.difference() }
        case .spop: spop(arguments)
        }
    }

    private func sadd(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        guard let set = findOrCreate(arguments[1], SetValue.self) else { return .refused }
        for index in 2..<arguments.count { set.add(arguments[index]) }
        return .applied
    }

    private func srem(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        return change(arguments[1], SetValue.self) { set in
            for index in 2..<arguments.count { set.remove(arguments[index]) }
        }
    }

    private func smove(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 4 else { return .wrongArgumentCount }
        let source: SetValue
        switch find(arguments[1], SetValue.self) {
        case .missing: return .applied
        case .wrongType: return .refused
        case .value(let set): source = set
        }
        switch find(arguments[2], SetValue.self) {
        case .wrongType: return .refused
        case .value(let target) where target === source: return .applied
        default: break
        }
        guard source.remove(arguments[3]) else { return .applied }
        removeIfEmpty(arguments[1], source)
        findOrCreate(arguments[2], SetValue.self)?.add(arguments[3])
        return .applied
    }

    /// Servers store which members they took (`SREM`, or `DEL` when none is left); which ones this would take is chance,
    /// unless it takes all.
    private func spop(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 2 else { return .wrongArgumentCount }
        var wanted = 1
        if arguments.count > 2 {
            guard arguments.count == 3, let count = arguments.integer(2), count >= 0 else { return .refused }
            wanted = Int(count)
        }
        switch find(arguments[1], SetValue.self) {
        case .missing: return .applied
        case .wrongType: return .refused
        case .value(let set):
            if wanted == 0 { return .applied }
            if wanted < set.count { return .cannotRun }
            delete(arguments[1])
            return .applied
        }
    }

    /// `target key …`
    private func storeSet(_ arguments: CommandArguments, _ combine: (SetOperands) -> SetValue) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        var operands = SetOperands()
        for index in 2..<arguments.count {
            switch find(arguments[index], SetValue.self) {
            case .missing: operands.sets.append(nil)
            case .wrongType: return .refused
            case .value(let set): operands.sets.append(set)
            }
        }
        store(arguments[1], combine(operands))
        return .applied
    }
}

/// Sets that are put together; nil stands for a missing key.
private struct SetOperands {
    var sets: [SetValue?] = []

    func union() -> SetValue {
        let result = SetValue()
        for case .some(let set) in sets { set.visit { result.add($0) } }
        return result
    }

    func intersection() -> SetValue {
        let result = SetValue()
        let all = sets.compactMap { $0 }
        guard all.count == sets.count, let smallest = all.min(by: { $0.count < $1.count }) else { return result }
        smallest.visit { member in
            for set in all where set !== smallest && !set.contains(member) { return }
            result.add(member)
        }
        return result
    }

    func difference() -> SetValue {
        let result = SetValue()
        guard let first = sets.first, let first else { return result }
        first.visit { member in
            for case .some(let set) in sets.dropFirst() where set.contains(member) { return }
            result.add(member)
        }
        return result
    }
}
