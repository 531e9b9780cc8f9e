/// Whether bytes are JSON texts, one after another, by RFC 8259; strings must be UTF-8. Plain and slow.
struct JSONSyntax {
    private let bytes: [UInt8]
    private var index = 0

    static func isValid(_ bytes: [UInt8]) -> Bool {
        guard String(validating: bytes, as: UTF8.self) != nil else { return false }
        var syntax = JSONSyntax(bytes: bytes)
        syntax.space()
        while syntax.index < bytes.count {
            guard syntax.value() else { return false }
            syntax.space()
        }
        return true
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func space() {
        while let byte = next, [0x20, 0x0a, 0x0d, 0x09].contains(byte) { index += 1 }
    }

    private mutating func value() -> Bool {
        switch next {
        case UInt8(ascii: "{"): list("{", "}") { $0.string() && $0.colon() && $0.value() }
        case UInt8(ascii: "["): list("[", "]") { $0.value() }
        case UInt8(ascii: "\""): string()
        case UInt8(ascii: "n"): word("null")
        case UInt8(ascii: "t"): word("true")
        case UInt8(ascii: "f"): word("false")
        default: number()
        }
    }

    private mutating func colon() -> Bool {
        space()
        guard take(":") else { return false }
        space()
        return true
    }

    private mutating func list(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ part: (inout JSONSyntax) -> Bool
    ) -> Bool {
        guard take(open) else { return false }
        space()
        if take(close) { return true }
        repeat {
            space()
            guard part(&self) else { return false }
            space()
        } while take(",")
        return take(close)
    }

    private mutating func word(_ word: String) -> Bool {
        guard bytes[index...].starts(with: word.utf8) else { return false }
        index += word.utf8.count
        return true
    }

    private mutating func string() -> Bool {
        guard take("\"") else { return false }
        while let byte = next {
            index += 1
            if byte == UInt8(ascii: "\"") { return true }
            if byte < 0x20 { return false }
            guard byte == UInt8(ascii: "\\") else { continue }
            guard let escape = next else { return false }
            index += 1
            if escape == UInt8(ascii: "u") {
                let digits = bytes[index...].prefix(4)
                guard digits.count == 4, Int(String(decoding: digits, as: UTF8.self), radix: 16) != nil else {
                    return false
                }
                index += 4
            } else if !"\"\\/bfnrt".utf8.contains(escape) {
                return false
            }
        }
        return false
    }

    private mutating func digits() -> Bool {
        let start = index
        while let byte = next, byte >= 0x30, byte <= 0x39 { index += 1 }
        return index > start
    }

    private mutating func number() -> Bool {
        _ = take("-")
        if !take("0"), !digits() { return false }
        if take("."), !digits() { return false }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            return digits()
        }
        return true
    }
}
