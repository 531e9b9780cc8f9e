import RDBBytes
import RDBTestSupport
import Testing

@Suite("decimal digits")
struct DigitsTests {
    static func printed(_ value: Int64) -> String { writtenText { $0.append(decimal: value) } }
    static func printed(_ value: UInt64) -> String { writtenText { $0.append(decimal: value) } }

    /// Around every power of ten and of two, and random numbers of every width.
    static let values: [UInt64] = {
        var values: [UInt64] = [0, .max]
        var power: UInt64 = 1
        for _ in 0..<20 {
            values += [power &- 1, power, power &+ 1]
            power = power &* 10
        }
        var random = SplitMix64(seed: 6)
        for bit in 0..<64 {
            values += [(1 << UInt64(bit)) - 1, 1 << UInt64(bit), (1 << UInt64(bit)) + 1]
            for _ in 0..<20 { values.append(random.next() >> UInt64(bit)) }
        }
        return values
    }()

    @Test("print as the standard library does")
    func print() {
        for value in Self.values {
            #expect(Self.printed(value) == String(value))
            #expect(Self.printed(Int64(bitPattern: value)) == String(Int64(bitPattern: value)))
            #expect(Self.printed(-Int64(value >> 1)) == String(-Int64(value >> 1)))
        }
    }

    @Test("parse what is printed")
    func parse() {
        for value in Self.values {
            for number in [Int64(bitPattern: value), -Int64(value >> 1)] {
                #expect(Digits.parse(Array(String(number).utf8).rawSpan) == number)
            }
        }
    }

    @Test(
        "texts that are no canonical number",
        arguments: [
            "", "-", "+1", " 1", "1 ", "1.0", "0x1", "a", "--1", "1-", "9223372036854775808", "-9223372036854775809",
            "99999999999999999999", "100000000000000000000", "007", "-0", "-01", "00",
        ])
    func refused(_ text: String) {
        #expect(Digits.parse(Array(text.utf8).rawSpan) == nil)
    }
}
