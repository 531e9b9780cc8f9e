import RDBBytes
import RESPFormat

/// Commands on HyperLogLogs.
enum HyperLogLogCommand: String, CaseIterable {
    case pfadd = "PFADD"
    case pfmerge = "PFMERGE"
    case pfcount = "PFCOUNT"
}

// Source: formats/commands.md C.10.
extension CommandRunner {
    mutating func run(_ command: HyperLogLogCommand, _ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 2 else { return .wrongArgumentCount }
        switch command {
        case .pfadd: return add(arguments)
        case .pfmerge: return merge(arguments)
        case .pfcount:
            // Of several keys nothing is kept.
            guard arguments.count == 2 else { return .applied }
            return change(arguments[1], makes: false) { $0.refresh() }
        }
    }

    /// Changes the HyperLogLog at a key in place; `body` returns false where it is damaged.
    private func change(_ key: RawSpan, makes: Bool, _ body: (inout HyperLogLog) -> Bool) -> CommandOutcome {
        guard let index = database.entries.find(key) else {
            if !makes { return .applied }
            var new = HyperLogLog()
            _ = body(&new)
            new.invalidate()
            replace(key, .string(new.bytes))
            return .applied
        }
        guard case .string(let bytes) = database.entries[index].value, var value = HyperLogLog(bytes) else {
            return .refused
        }
        // What the table holds would be a second owner, and the bytes be copied for the first change.
        database.entries[index].value = .string([])
        let isSound = body(&value)
        database.entries[index].value = .string(isSound ? value.bytes : bytes)
        return isSound ? .applied : .refused
    }

    private func add(_ arguments: CommandArguments) -> CommandOutcome {
        change(arguments[1], makes: true) { value in
            var isRaised = false
            for index in 2..<arguments.count {
                switch value.add(arguments[index]) {
                case .none: break
                case .raised: isRaised = true
                case .damaged: return false
                }
            }
            if isRaised { value.invalidate() }
            return true
        }
    }

    private func merge(_ arguments: CommandArguments) -> CommandOutcome {
        var highest = [UInt8](repeating: 0, count: HyperLogLog.registerCount)
        var isDense = false
        for index in 1..<arguments.count {
            guard let entry = database.entries.find(arguments[index]) else { continue }
            guard case .string(let bytes) = database.entries[entry].value, let value = HyperLogLog(bytes),
                let registers = value.registers
            else { return .refused }
            if value.isDense { isDense = true }
            for register in registers.indices { highest[register] = max(highest[register], registers[register]) }
        }
        return change(arguments[1], makes: true) { value in
            if isDense, !value.makeDense() { return false }
            for (register, rank) in highest.enumerated() where rank > 0 {
                if value.raise(register, to: rank) == .damaged { return false }
            }
            value.invalidate()
            return true
        }
    }
}
