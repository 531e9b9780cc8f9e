import RDBBytes
import RESPFormat

/// How ZUNIONSTORE, ZINTERSTORE and ZDIFFSTORE put sorted sets (and sets, whose members all have score 1) together.
///
/// Servers begin with the smallest input: sums of the same numbers in another order may be others in the last digit.
/// Source: redis/redis src/t_zset.c, zunionInterDiffGenericCommand.
struct SortedSetOperands {
    enum Operation {
        case union, intersection, difference
    }

    enum Aggregate {
        case sum, min, max
        /// The weights of the inputs that hold the member (Redis 8.8).
        case count
    }

    enum Input {
        case missing
        case set(SetValue)
        case sortedSet(SortedSetValue)

        var count: Int {
            switch self {
            case .missing: 0
            case .set(let set): set.count
            case .sortedSet(let zset): zset.count
            }
        }

        func score(of member: RawSpan) -> Double? {
            switch self {
            case .missing: nil
            case .set(let set): set.contains(member) ? 1 : nil
            case .sortedSet(let zset): zset.score(of: member)
            }
        }

        func visit(_ body: (_ member: RawSpan, _ score: Double) -> Void) {
            switch self {
            case .missing: break
            case .set(let set): set.visit { body($0, 1) }
            case .sortedSet(let zset): zset.visit(body)
            }
        }
    }

    var inputs: [(input: Input, weight: Double)] = []
    var aggregate = Aggregate.sum

    func combine(_ operation: Operation) -> SortedSetValue {
        switch operation {
        case .union: union()
        case .intersection: intersection()
        case .difference: difference()
        }
    }

    private var smallestFirst: [(input: Input, weight: Double)] {
        inputs.enumerated().sorted { ($0.element.input.count, $0.offset) < ($1.element.input.count, $1.offset) }
            .map(\.element)
    }

    private func weigh(_ score: Double, _ weight: Double) -> Double {
        aggregate == .count ? weight : weight * score
    }

    private func join(_ old: Double, _ new: Double) -> Double {
        switch aggregate {
        case .sum, .count:
            let sum = old + new
            // Infinities of both signs.
            return sum.isNaN ? 0 : sum
        case .min: return new < old ? new : old
        case .max: return new > old ? new : old
        }
    }

    private func union() -> SortedSetValue {
        let result = SortedSetValue()
        for (input, weight) in smallestFirst {
            input.visit { member, score in
                var weighed = weigh(score, weight)
                if weighed.isNaN { weighed = 0 }
                result.set(member, result.score(of: member).map { join($0, weighed) } ?? weighed)
            }
        }
        return result
    }

    private func intersection() -> SortedSetValue {
        let result = SortedSetValue()
        let order = smallestFirst
        guard let first = order.first else { return result }
        first.input.visit { member, score in
            var total = weigh(score, first.weight)
            if total.isNaN { total = 0 }
            for (input, weight) in order.dropFirst() {
                guard let score = input.score(of: member) else { return }
                total = join(total, weigh(score, weight))
            }
            result.set(member, total)
        }
        return result
    }

    private func difference() -> SortedSetValue {
        let result = SortedSetValue()
        guard let first = inputs.first else { return result }
        first.input.visit { member, score in
            for (input, _) in inputs.dropFirst() where input.score(of: member) != nil { return }
            result.set(member, score)
        }
        return result
    }
}

extension CommandRunner {
    /// `target numkeys key … [WEIGHTS weight …] [AGGREGATE SUM|MIN|MAX|COUNT]`
    func combineSortedSets(
        _ arguments: CommandArguments, _ operation: SortedSetOperands.Operation
    ) -> CommandOutcome {
        guard arguments.count >= 4 else { return .wrongArgumentCount }
        guard let keys = arguments.countedKeys(at: 2) else { return .refused }
        var operands = SortedSetOperands()
        for index in keys {
            guard let input = operand(arguments[index]) else { return .refused }
            operands.inputs.append((input, 1))
        }
        var index = keys.upperBound
        while index < arguments.count {
            if operation == .difference { return .refused }
            if arguments.matches(index, "weights"), arguments.count - index > keys.count {
                for number in 0..<keys.count {
                    guard let weight = arguments.double(index + 1 + number) else { return .refused }
                    operands.inputs[number].weight = weight
                }
                index += 1 + keys.count
            } else if arguments.matches(index, "aggregate"), arguments.count - index > 1 {
                if arguments.matches(index + 1, "sum") {
                    operands.aggregate = .sum
                } else if arguments.matches(index + 1, "min") {
                    operands.aggregate = .min
                } else if arguments.matches(index + 1, "max") {
                    operands.aggregate = .max
                } else if arguments.matches(index + 1, "count") {
                    operands.aggregate = .count
                } else {
                    return .refused
                }
                index += 2
            } else {
                return .refused
            }
        }
        store(arguments[1], operands.combine(operation))
        return .applied
    }

    /// nil where the key holds neither a set nor a sorted set.
    private func operand(_ key: RawSpan) -> SortedSetOperands.Input? {
        guard let index = database.entries.find(key) else { return .missing }
        switch database.entries[index].value {
        case .set(let set): return .set(set)
        case .sortedSet(let zset): return .sortedSet(zset)
        default: return nil
        }
    }
}
