import RDBBytes
import RESPFormat

/// One operation of a BITFIELD command, on an integer of 1 to 64 bits that lies anywhere in a string, highest bit first.
/// Source: formats/commands.md C.8.
struct BitFieldOperation {
    struct Field: Equatable {
        var isSigned: Bool
        /// Up to 64, of unsigned ones up to 63.
        var width: Int

        var lowest: Int64 { isSigned ? Int64.min >> Int64(64 - width) : 0 }
        var highest: Int64 { isSigned ? Int64.max >> Int64(64 - width) : (1 << Int64(width)) &- 1 }
    }

    enum Overflow {
        case wrap, saturate, fail
    }

    enum Kind {
        case get, set, increment
    }

    var kind: Kind
    var field: Field
    /// In bits.
    var offset: UInt64
    var amount: Int64
    var overflow: Overflow

    var isChange: Bool { kind != .get }

    /// nil where any of the operations is wrong: then none is carried out.
    static func parse(_ arguments: CommandArguments) -> [BitFieldOperation]? {
        var operations: [BitFieldOperation] = []
        var overflow = Overflow.wrap
        var index = 2
        while index < arguments.count {
            if arguments.matches(index, "overflow") {
                if arguments.matches(index + 1, "wrap") {
                    overflow = .wrap
                } else if arguments.matches(index + 1, "sat") {
                    overflow = .saturate
                } else if arguments.matches(index + 1, "fail") {
                    overflow = .fail
                } else {
                    return nil
                }
                index += 2
                continue
            }
            let kind: Kind
            if arguments.matches(index, "get") {
                kind = .get
            } else if arguments.matches(index, "set") {
                kind = .set
            } else if arguments.matches(index, "incrby") {
                kind = .increment
            } else {
                return nil
            }
            guard index + (kind == .get ? 2 : 3) < arguments.count, let field = Field(arguments[index + 1]),
                let offset = offset(arguments[index + 2], field.width)
            else { return nil }
            var amount: Int64 = 0
            if kind != .get {
                guard let number = arguments.integer(index + 3) else { return nil }
                amount = number
            }
            operations.append(
                BitFieldOperation(kind: kind, field: field, offset: offset, amount: amount, overflow: overflow))
            index += kind == .get ? 3 : 4
        }
        return operations
    }

    /// A number of bits, or `#` and a number of fields.
    private static func offset(_ text: RawSpan, _ width: Int) -> UInt64? {
        guard text.byteCount > 0 else { return nil }
        let countsFields = text.byte(at: 0) == UInt8(ascii: "#")
        guard let number = Digits.parse(countsFields ? text.extracting(1..<text.byteCount) : text), number >= 0 else {
            return nil
        }
        let (bits, overflow) = UInt64(number).multipliedReportingOverflow(by: countsFields ? UInt64(width) : 1)
        // So that its last bit can be counted as well.
        return overflow || bits > UInt64(Int64.max) - 64 ? nil : bits
    }

    /// What the field is afterwards; nil where it stays.
    /// - Parameter old: its bits, as the lowest ones of the number.
    func result(of old: UInt64) -> UInt64? {
        let value = signed(old)
        let sum: (partialValue: Int64, overflow: Bool) =
            kind == .set ? (amount, false) : value.addingReportingOverflow(amount)
        let direction: Int
        if kind == .set {
            // An unsigned field is given a number of 64 bits: a negative one is too large.
            direction =
                field.isSigned
                ? (amount < field.lowest ? -1 : amount > field.highest ? 1 : 0)
                : (UInt64(bitPattern: amount) > UInt64(field.highest) ? 1 : 0)
        } else if sum.overflow {
            direction = amount < 0 ? -1 : 1
        } else {
            direction = sum.partialValue < field.lowest ? -1 : sum.partialValue > field.highest ? 1 : 0
        }
        let wrapped = UInt64(bitPattern: sum.partialValue)
        if direction == 0 { return wrapped }
        switch overflow {
        case .wrap: return wrapped
        case .saturate: return UInt64(bitPattern: direction < 0 ? field.lowest : field.highest)
        case .fail: return nil
        }
    }

    private func signed(_ bits: UInt64) -> Int64 {
        let shift = Int64(64 - field.width)
        return field.isSigned ? (Int64(bitPattern: bits) << shift) >> shift : Int64(bitPattern: bits)
    }

    // MARK: - Bits in bytes

    static func read(_ bytes: [UInt8], _ offset: UInt64, _ width: Int) -> UInt64 {
        var value: UInt64 = 0
        for bit in offset..<offset + UInt64(width) {
            let byte = Int(bit >> 3)
            let one = byte < bytes.count ? bytes[byte] >> UInt8(7 - bit & 7) & 1 : 0
            value = value << 1 | UInt64(one)
        }
        return value
    }

    /// - Parameter bytes: long enough.
    static func write(_ bytes: inout [UInt8], _ offset: UInt64, _ width: Int, _ value: UInt64) {
        for number in 0..<width {
            let bit = offset + UInt64(number)
            let mask = UInt8(0x80) >> UInt8(bit & 7)
            if value >> UInt64(width - 1 - number) & 1 == 1 {
                bytes[Int(bit >> 3)] |= mask
            } else {
                bytes[Int(bit >> 3)] &= ~mask
            }
        }
    }
}

extension BitFieldOperation.Field {
    /// `i` or `u`, in lower case, and a width.
    init?(_ text: RawSpan) {
        guard text.byteCount >= 2, let width = Digits.parse(text.extracting(1..<text.byteCount)), width >= 1 else {
            return nil
        }
        switch text.byte(at: 0) {
        case UInt8(ascii: "i") where width <= 64: self.init(isSigned: true, width: Int(width))
        case UInt8(ascii: "u") where width <= 63: self.init(isSigned: false, width: Int(width))
        default: return nil
        }
    }
}
