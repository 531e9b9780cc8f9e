import RDBBytes
import RDBTestSupport
import Testing

@Suite("text of doubles")
struct DoubleTextTests {
    static func printed(_ value: Double) -> String { writtenText { $0.append(decimal: value) } }

    /// Of every magnitude that is printed without the library, and beyond; many with few digits or few bits.
    static func random(_ count: Int, seed: UInt64) -> [Double] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { index in
            let bits = random.next()
            let other = random.next()
            let value =
                switch index % 5 {
                case 0: Double(bitPattern: (1012 + other % 65) << 52 | bits >> 12)
                case 1: Double(bits % 1_000_000_000_000) / [10, 100, 1000, 1e4, 1e5, 1e6, 1e9][Int(other % 7)]
                case 2: Double(bits >> (12 + other % 50)) / Double(UInt64(1) << (bits % 60))
                // Between these two, numbers half way between two texts of sixteen digits are met.
                case 3: 7e13 + Double(bits % (30_000_000_000_000 * 64)) / 64
                default: Double(bitPattern: bits)
                }
            return bits & 2048 == 0 ? value : -value
        }
    }

    @Test("prints what is no whole number as the standard library does")
    func library() {
        for value in Self.random(100_000, seed: 5) where value.isFinite && value != value.rounded() {
            let text = Self.printed(value)
            if text != value.description { Issue.record("\(value.description) printed as \(text)") }
        }
    }

    @Test("reads back to the same double")
    func roundTrip() {
        for value in Self.random(100_000, seed: 6) where value.isFinite {
            let text = Self.printed(value)
            if Double(text)?.bitPattern != value.bitPattern { Issue.record("\(value.description) printed as \(text)") }
        }
    }

    @Test(
        "prints",
        arguments: [
            (0.0, "0"), (-0.0, "-0.0"), (-1.0, "-1"), (0.1, "0.1"), (-12.5, "-12.5"), (100.001, "100.001"),
            (0.1 + 0.2, "0.30000000000000004"), (1.0 / 3, "0.3333333333333333"), (2.0 / 3, "0.6666666666666666"),
            (0.001, "0.001"), (0.0010000000000000002, "0.0010000000000000002"), (0.0009765625, "0.0009765625"),
            (0.9999999999999999, "0.9999999999999999"), (9.999999999999998, "9.999999999999998"),
            (0.0078125, "0.0078125"), (-0.5, "-0.5"), (4_503_599_627_370_495.5, "4503599627370495.5"),
            (9_007_199_254_740_991.0, "9007199254740991"), (9_007_199_254_740_992.0, "9007199254740992.0"),
            (1e-5, "1e-05"), (1e23, "1e+23"), (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"),
        ] as [(Double, String)])
    func prints(_ value: Double, _ text: String) { #expect(Self.printed(value) == text) }
}
