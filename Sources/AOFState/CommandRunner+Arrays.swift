import RDBBytes
import RESPFormat

/// Commands on arrays (Redis 8.8).
enum ArrayCommand: String, CaseIterable {
    case arset = "ARSET"
    case armset = "ARMSET"
    case arinsert = "ARINSERT"
    case arring = "ARRING"
    case arseek = "ARSEEK"
    case ardel = "ARDEL"
    case ardelrange = "ARDELRANGE"
}

// Source: redis/redis src/t_array.c; formats/commands.md §C.13, formats/newest.md §10.5.
extension CommandRunner {
    mutating func run(_ command: ArrayCommand, _ arguments: CommandArguments) -> CommandOutcome {
        switch command {
        case .arset: return setElements(arguments)
        case .armset: return setElementPairs(arguments)
        case .arinsert: return insertElements(arguments)
        case .arring: return insertIntoRing(arguments)
        case .arseek: return seekInsertion(arguments)
        case .ardel: return deleteElements(arguments)
        case .ardelrange: return deleteElementRanges(arguments)
        }
    }

    private func setElements(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 4 else { return .wrongArgumentCount }
        guard let first = arguments.arrayIndex(2), UInt64(arguments.count - 4) <= KeyspaceArray.maxIndex - first,
            let array = findOrCreate(arguments[1], KeyspaceArray.self)
        else { return .refused }
        for index in 3..<arguments.count { array.set(first + UInt64(index - 3), arguments[index].array) }
        return .applied
    }

    private func setElementPairs(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 4, arguments.count.isMultiple(of: 2) else { return .wrongArgumentCount }
        for index in stride(from: 2, to: arguments.count, by: 2) where arguments.arrayIndex(index) == nil {
            return .refused
        }
        guard let array = findOrCreate(arguments[1], KeyspaceArray.self) else { return .refused }
        for index in stride(from: 2, to: arguments.count, by: 2) {
            if let place = arguments.arrayIndex(index) { array.set(place, arguments[index + 1].array) }
        }
        return .applied
    }

    private func insertElements(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        let count = UInt64(arguments.count - 2)
        let next: UInt64?
        switch find(arguments[1], KeyspaceArray.self) {
        case .wrongType: return .refused
        case .missing: next = 0
        case .value(let array): next = array.nextInsertIndex
        }
        guard let next, count - 1 <= KeyspaceArray.maxIndex - next,
            let array = findOrCreate(arguments[1], KeyspaceArray.self)
        else { return .refused }
        for index in 2..<arguments.count { array.set(next + UInt64(index - 2), arguments[index].array) }
        array.insertIndex = next + count - 1
        return .applied
    }

    private func insertIntoRing(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 4 else { return .wrongArgumentCount }
        guard let size = arguments.integer(2), size > 0, let array = findOrCreate(arguments[1], KeyspaceArray.self)
        else { return .refused }
        array.resizeRing(UInt64(size))
        for index in 3..<arguments.count { array.insertIntoRing(UInt64(size), arguments[index].array) }
        return .applied
    }

    private func seekInsertion(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 3 else { return .wrongArgumentCount }
        // One more than any index: then nothing can be inserted any more.
        guard let index = StreamIDText.number(arguments[2]) else { return .refused }
        switch find(arguments[1], KeyspaceArray.self) {
        case .wrongType: return .refused
        case .missing: break
        case .value(let array): array.insertIndex = index == 0 ? nil : index - 1
        }
        return .applied
    }

    private func deleteElements(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        for index in 2..<arguments.count where arguments.arrayIndex(index) == nil { return .refused }
        switch find(arguments[1], KeyspaceArray.self) {
        case .wrongType: return .refused
        case .missing: break
        case .value(let array):
            for index in 2..<arguments.count {
                if let place = arguments.arrayIndex(index) { array.remove(from: place, through: place) }
            }
            removeIfEmpty(arguments[1], array)
        }
        return .applied
    }

    private func deleteElementRanges(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 4, arguments.count.isMultiple(of: 2) else { return .wrongArgumentCount }
        for index in 2..<arguments.count where arguments.arrayIndex(index) == nil { return .refused }
        switch find(arguments[1], KeyspaceArray.self) {
        case .wrongType: return .refused
        case .missing: break
        case .value(let array):
            for index in stride(from: 2, to: arguments.count, by: 2) {
                guard let start = arguments.arrayIndex(index), let end = arguments.arrayIndex(index + 1) else {
                    continue
                }
                array.remove(from: min(start, end), through: max(start, end))
            }
            removeIfEmpty(arguments[1], array)
        }
        return .applied
    }
}

extension CommandArguments {
    /// 0 to 2^64 - 2.
    fileprivate func arrayIndex(_ index: Int) -> UInt64? {
        guard let number = StreamIDText.number(self[index]), number <= KeyspaceArray.maxIndex else { return nil }
        return number
    }
}
