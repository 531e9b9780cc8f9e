import Glibc
import RDBBytes
import RESPFormat

// Source: formats/commands.md C.3, formats/newest.md §10.2, §11.2.
extension CommandRunner {
    func increment(_ key: RawSpan, by amount: Int64) -> CommandOutcome {
        guard let index = database.entries.find(key) else {
            database.entries.insert(
                key, KeyspaceEntry(value: .string(Digits.text(amount)), expiresAt: KeyspaceEntry.never))
            return .applied
        }
        guard case .string(let bytes) = database.entries[index].value, let old = Digits.parse(bytes.rawSpan) else {
            return .refused
        }
        let (sum, overflow) = old.addingReportingOverflow(amount)
        if overflow { return .refused }
        database.entries[index].value = .string(Digits.text(sum))
        return .applied
    }

    func increment(_ key: RawSpan, byText text: RawSpan) -> CommandOutcome {
        guard let amount = LongDouble(text), let old = string(key),
            let number = old.isEmpty && !database.entries.contains(key) ? LongDouble.zero : LongDouble(old.rawSpan),
            let sum = number.adding(amount)
        else { return .refused }
        _ = changeString(key) { $0 = sum.text }
        return .applied
    }

    /// `INCREX key [BYINT n|BYFLOAT x] [EX|PX|EXAT|PXAT time|PERSIST]`: what can stand in a log. Its other words (bounds,
    /// conditions) are always replaced by their result.
    func incrementWithOptions(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 2 else { return .wrongArgumentCount }
        var amount: Int?
        var isFloat = false
        var time: Int64?
        var index = 2
        while index < arguments.count {
            switch arguments.expiry(index, now: now) {
            case .value(let value):
                if time != nil { return .refused }
                time = value
                index += 2
                continue
            case .wrongType: return .refused
            case .missing: break
            }
            if arguments.matches(index, "persist"), time == nil {
                time = KeyspaceEntry.never
                index += 1
            } else if amount == nil, arguments.matches(index, "byint") || arguments.matches(index, "byfloat") {
                isFloat = arguments.matches(index, "byfloat")
                amount = index + 1
                if index + 1 >= arguments.count { return .refused }
                index += 2
            } else {
                return .cannotRun
            }
        }
        let outcome: CommandOutcome
        if isFloat, let amount {
            outcome = increment(arguments[1], byText: arguments[amount])
        } else if let amount {
            guard let number = arguments.integer(amount) else { return .refused }
            outcome = increment(arguments[1], by: number)
        } else {
            outcome = increment(arguments[1], by: 1)
        }
        if outcome == .applied, let time, let index = database.entries.find(arguments[1]) {
            database.entries[index].expiresAt = time
        }
        return outcome
    }
}

extension Digits {
    /// The decimal text of a number.
    static func text(_ value: Int64) -> [UInt8] {
        var rest = value.magnitude
        return unsafe [UInt8](unsafeUninitializedCapacity: byteCount(value)) { buffer, count in
            count = byteCount(value)
            var at = count
            // As many digits as were counted, and a sign before them.
            repeat {
                at -= 1
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                unsafe buffer[at] = UInt8(truncatingIfNeeded: digit) + 0x30
                rest = quotient
            } while rest > 0
            if at > 0 { unsafe buffer[0] = UInt8(ascii: "-") }
        }
    }
}

/// A number as INCRBYFLOAT adds it: C's `long double`, of 80 bits where the processor has that.
struct LongDouble {
    #if arch(x86_64) || arch(i386)
        private typealias Number = Float80
    #else
        private typealias Number = Double
    #endif

    private let number: Number

    private init(_ number: Number) { self.number = number }

    static var zero: LongDouble { LongDouble(0) }

    /// The whole text as C's `strtold` reads it: no blanks before it, no NaN, not too large.
    init?(_ text: RawSpan) {
        guard text.byteCount > 0, text.byteCount < 256, text.byte(at: 0) > 0x20 else { return nil }
        guard let number = Number(String(decoding: text.array, as: UTF8.self)), !number.isNaN else { return nil }
        self.number = number
    }

    /// nil where the sum is not a number or infinite.
    func adding(_ other: LongDouble) -> LongDouble? {
        let sum = number + other.number
        return sum.isFinite ? LongDouble(sum) : nil
    }

    /// 17 digits behind the point, without the zeros at the end.
    var text: [UInt8] {
        var buffer = [CChar](repeating: 0, count: 5 * 1024)
        let count = unsafe withVaList([number]) { arguments in
            #if arch(x86_64) || arch(i386)
                unsafe vsnprintf(&buffer, buffer.count, "%.17Lf", arguments)
            #else
                unsafe vsnprintf(&buffer, buffer.count, "%.17f", arguments)
            #endif
        }
        var text = buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }
        if text.contains(UInt8(ascii: ".")) {
            while text.last == UInt8(ascii: "0") { text.removeLast() }
            if text.last == UInt8(ascii: ".") { text.removeLast() }
        }
        return text == Array("-0".utf8) ? Array("0".utf8) : text
    }
}
