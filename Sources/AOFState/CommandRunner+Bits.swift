import RDBBytes
import RESPFormat

/// Commands on the bits of strings.
enum BitCommand: String, CaseIterable {
    case setbit = "SETBIT"
    case bitfield = "BITFIELD"
    case bitop = "BITOP"
}

// Bits count from the highest of byte 0 on. Source: formats/commands.md C.3, C.8.
extension CommandRunner {
    mutating func run(_ command: BitCommand, _ arguments: CommandArguments) -> CommandOutcome {
        switch command {
        case .setbit: return setBit(arguments)
        case .bitfield: return bitField(arguments)
        case .bitop: return combine(arguments)
        }
    }

    private mutating func setBit(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count == 4 else { return .wrongArgumentCount }
        guard let offset = arguments.integer(2), offset >= 0, let bit = arguments.integer(3), 0...1 ~= bit,
            isStringOrMissing(arguments[1])
        else { return .refused }
        guard growString(arguments[1], to: offset / 8 + 1) else { return .tooLarge }
        _ = changeString(arguments[1]) { bytes in
            let mask = UInt8(0x80) >> UInt8(offset & 7)
            if bit == 1 { bytes[Int(offset >> 3)] |= mask } else { bytes[Int(offset >> 3)] &= ~mask }
        }
        return .applied
    }

    /// Makes the string at a key at least so long; one that is missing is made.
    /// - Returns: false where it would be too long.
    private mutating func growString(_ key: RawSpan, to byteCount: Int64) -> Bool {
        let missing = byteCount - Int64(string(key)?.count ?? 0)
        guard allowance.admits(byteCount, growth: missing) else { return false }
        if missing > 0 || !database.entries.contains(key) {
            _ = changeString(key) { $0.grow(to: Int(byteCount)) }
        }
        return true
    }

    // MARK: - BITFIELD

    private mutating func bitField(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 2 else { return .wrongArgumentCount }
        guard let operations = BitFieldOperation.parse(arguments) else { return .refused }
        let changes = operations.filter(\.isChange)
        guard isStringOrMissing(arguments[1]) else { return .refused }
        guard let highest = changes.map({ $0.offset + UInt64($0.field.width) - 1 }).max() else { return .applied }
        guard let byteCount = Int64(exactly: highest / 8 + 1), growString(arguments[1], to: byteCount) else {
            return .tooLarge
        }
        _ = changeString(arguments[1]) { bytes in
            for change in changes {
                let old = BitFieldOperation.read(bytes, change.offset, change.field.width)
                if let new = change.result(of: old) {
                    BitFieldOperation.write(&bytes, change.offset, change.field.width, new)
                }
            }
        }
        return .applied
    }

    // MARK: - BITOP

    private mutating func combine(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 4 else { return .wrongArgumentCount }
        guard let operation = BitOperation(arguments, 1), operation.admits(inputCount: arguments.count - 3) else {
            return .refused
        }
        var inputs: [[UInt8]] = []
        for index in 3..<arguments.count {
            guard let bytes = string(arguments[index]) else { return .refused }
            inputs.append(bytes)
        }
        let result = operation.result(inputs)
        if result.isEmpty {
            delete(arguments[2])
        } else {
            replace(arguments[2], .string(result))
        }
        return .applied
    }
}

/// The operations of BITOP.
enum BitOperation {
    case and, or, xor, not
    /// In the first and no other; in another and not in the first; in the first and another; in exactly one.
    case diff, diff1, andOr, one

    init?(_ arguments: CommandArguments, _ index: Int) {
        let words: [(StaticString, BitOperation)] = [
            ("and", .and), ("or", .or), ("xor", .xor), ("not", .not), ("diff", .diff), ("diff1", .diff1),
            ("andor", .andOr), ("one", .one),
        ]
        guard let operation = words.first(where: { arguments.matches(index, $0.0) }) else { return nil }
        self = operation.1
    }

    func admits(inputCount: Int) -> Bool {
        switch self {
        case .not: inputCount == 1
        case .diff, .diff1, .andOr: inputCount >= 2
        default: inputCount >= 1
        }
    }

    /// As long as the longest input: what others lack is zeros.
    func result(_ inputs: [[UInt8]]) -> [UInt8] {
        let count = inputs.map(\.count).max() ?? 0
        var result = inputs[0]
        result.grow(to: count)
        if self == .not {
            for index in result.indices { result[index] = ~result[index] }
            return result
        }
        // Bits of more than one input; bits of any but the first.
        var several: [UInt8] = []
        var others: [UInt8] = []
        if self == .one { several = [UInt8](repeating: 0, count: count) }
        if self == .diff || self == .diff1 || self == .andOr { others = [UInt8](repeating: 0, count: count) }
        for input in inputs.dropFirst() {
            switch self {
            case .and:
                for index in input.indices { result[index] &= input[index] }
                for index in input.count..<count { result[index] = 0 }
            case .or: for index in input.indices { result[index] |= input[index] }
            case .xor: for index in input.indices { result[index] ^= input[index] }
            case .one:
                for index in input.indices {
                    several[index] |= result[index] & input[index]
                    result[index] |= input[index]
                }
            case .diff, .diff1, .andOr: for index in input.indices { others[index] |= input[index] }
            case .not: break
            }
        }
        for index in 0..<count {
            switch self {
            case .one: result[index] &= ~several[index]
            case .diff: result[index] &= ~others[index]
            case .diff1: result[index] = ~result[index] & others[index]
            case .andOr: result[index] &= others[index]
            default: return result
            }
        }
        return result
    }
}
