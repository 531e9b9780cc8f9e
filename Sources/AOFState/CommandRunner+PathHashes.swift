import RDBBytes
import RESPFormat

/// Commands on path hashes (Valkey 9.2).
enum PathHashCommand: String, CaseIterable {
    case phset = "PHSET"
    case phmset = "PHMSET"
    case phdel = "PHDEL"
    case phdelprefix = "PHDELPREFIX"
}

// Source: formats/newest.md §11.3.
extension CommandRunner {
    mutating func run(_ command: PathHashCommand, _ arguments: CommandArguments) -> CommandOutcome {
        switch command {
        case .phset: return setPath(arguments)
        case .phmset: return setPaths(arguments)
        case .phdel: return deletePath(arguments)
        case .phdelprefix: return deletePathPrefix(arguments)
        }
    }

    private func setPath(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 7 else { return .wrongArgumentCount }
        var index = 3
        let isOnlyNew = arguments.matches(index, "fnx")
        let isOnlyOld = arguments.matches(index, "fxx")
        if isOnlyNew || isOnlyOld { index += 1 }
        guard let fields = arguments.fieldRange(index), fields.upperBound == arguments.count else { return .refused }
        if isOnlyNew || isOnlyOld {
            let existing: KeyspacePathHash?
            switch find(arguments[1], KeyspacePathHash.self) {
            case .wrongType: return .refused
            case .missing: existing = nil
            case .value(let hash): existing = hash
            }
            for field in stride(from: fields.lowerBound, to: fields.upperBound, by: 2) {
                let isThere = existing?.contains(arguments[2], arguments[field]) ?? false
                if isThere == isOnlyNew { return .applied }
            }
        }
        guard let hash = findOrCreate(arguments[1], KeyspacePathHash.self) else { return .refused }
        set(arguments, path: 2, fields, in: hash)
        return .applied
    }

    /// `path FIELDS n f v …`, once or more.
    private func setPaths(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 7 else { return .wrongArgumentCount }
        var index = 2
        while index < arguments.count {
            guard let fields = arguments.fieldRange(index + 1) else { return .refused }
            index = fields.upperBound
        }
        guard let hash = findOrCreate(arguments[1], KeyspacePathHash.self) else { return .refused }
        index = 2
        while index < arguments.count, let fields = arguments.fieldRange(index + 1) {
            set(arguments, path: index, fields, in: hash)
            index = fields.upperBound
        }
        return .applied
    }

    private func set(_ arguments: CommandArguments, path: Int, _ fields: Range<Int>, in hash: KeyspacePathHash) {
        for field in stride(from: fields.lowerBound, to: fields.upperBound, by: 2) {
            hash.set(arguments[path], arguments[field], arguments[field + 1])
        }
    }

    private func deletePath(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        switch find(arguments[1], KeyspacePathHash.self) {
        case .wrongType: return .refused
        case .missing: break
        case .value(let hash):
            if arguments.count == 3 { hash.remove(arguments[2]) }
            for index in 3..<max(3, arguments.count) { hash.remove(arguments[2], arguments[index]) }
        }
        return .applied
    }

    private func deletePathPrefix(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 3 else { return .wrongArgumentCount }
        switch find(arguments[1], KeyspacePathHash.self) {
        case .wrongType: return .refused
        case .missing: break
        case .value(let hash): hash.removeAll(withPrefix: arguments[2])
        }
        return .applied
    }
}

extension CommandArguments {
    /// Of `FIELDS n f v …` at an index, where the fields and values stand.
    fileprivate func fieldRange(_ index: Int) -> Range<Int>? {
        guard matches(index, "fields"), let count = integer(index + 1), count > 0,
            count <= Int64((self.count - index - 2) / 2)
        else { return nil }
        return index + 2..<index + 2 + Int(count) * 2
    }
}
