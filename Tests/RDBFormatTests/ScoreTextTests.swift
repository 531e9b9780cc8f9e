import RDBBytes
import RDBFormat
import RDBTestSupport
import Testing

@Suite("text of scores")
struct ScoreTextTests {
    static func parsed(_ text: String) -> Double? { ScoreText.parse(Array(text.utf8).rawSpan) }

    @Test("reads decimals as the standard library does")
    func library() {
        var random = SplitMix64(seed: 8)
        for _ in 0..<100_000 {
            let digits = String(random.next() >> (random.next() % 64))
            let places = Int(random.next() % 24)
            let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
            let text =
                (random.next() & 1 == 0 ? "-" : "") + padded.dropLast(places) + (places > 0 ? "." : "")
                + padded.suffix(places)
            if Self.parsed(text)?.bitPattern != Double(text)?.bitPattern { Issue.record("\(text)") }
        }
    }

    /// Decimals just between two doubles, which go to the even one, and their neighbours.
    @Test("rounds half ways to even")
    func halfWays() {
        var random = SplitMix64(seed: 9)
        for _ in 0..<10_000 {
            let shift = random.next() % 10
            let half = (1 << 53 | random.next() >> 11 | 1) << shift
            for number in [half - 1, half, half + 1] where number < 10_000_000_000_000_000_000 {
                let text = String(number)
                if Self.parsed(text) != Double(text) { Issue.record("\(text)") }
                let fraction = text.dropLast(1) + "." + text.suffix(1)
                if Self.parsed(String(fraction)) != Double(fraction) { Issue.record("\(fraction)") }
            }
        }
    }

    @Test(
        "reads",
        arguments: [
            ("0", 0), ("-0", -0.0), ("1.", 1), (".5", 0.5), ("0.10000000000000001", 0.1), ("1e3", 1000),
            ("123456789012345678901234567890", 123456789012345678901234567890.0), ("inf", .infinity),
            ("-inf", -.infinity), ("9007199254740993", 9_007_199_254_740_992), ("9999999999999999999", 1e19),
        ] as [(String, Double)])
    func reads(_ text: String, _ value: Double) { #expect(Self.parsed(text)?.bitPattern == value.bitPattern) }

    @Test("refuses what is no number", arguments: ["", "-", ".", "-.", "1.2.3", " 1", "1 ", "1x", "--1", "e5"])
    func refuses(_ text: String) { #expect(Self.parsed(text) == nil) }
}
