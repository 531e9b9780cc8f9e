import RDBBytes
import RDBTestSupport
import Testing

@testable import RDBSinks

@Suite("UTF-8")
struct UTF8ValidatorTests {
    static func isValid(_ bytes: [UInt8], splits: [Int] = []) -> Bool {
        var validator = UTF8Validator()
        var from = 0
        for place in splits + [bytes.count] {
            validator.feed(bytes.rawSpan.extracting(from..<place))
            from = place
        }
        return validator.isValid
    }

    /// The standard library's answer.
    static func reference(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

    @Test("every pair of bytes, and every triple that begins with a lead byte")
    func pairs() {
        var differences: [[UInt8]] = []
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                if Self.isValid([first, second]) != Self.reference([first, second]) {
                    differences.append([first, second])
                }
                guard first >= 0xc0, second >= 0x70, second < 0xd0 else { continue }
                for third in [0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff] as [UInt8] {
                    let bytes = [first, second, third]
                    if Self.isValid(bytes) != Self.reference(bytes) { differences.append(bytes) }
                    let longer = bytes + [0x80]
                    if Self.isValid(longer) != Self.reference(longer) { differences.append(longer) }
                }
            }
        }
        #expect(differences == [])
    }

    @Test("byte soup in random pieces", arguments: 1...20 as ClosedRange<UInt64>)
    func soup(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let characters = ["a", "é", "€", "😀", "\u{d7ff}", "\u{e000}", "\u{10ffff}", "zzzzzzzzzzzzzzzzzzzzzzzz"]
        for round in 0..<200 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...30, using: &random) {
                bytes += Array((characters.randomElement(using: &random) ?? "").utf8)
            }
            if round % 2 == 0, !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
            }
            if round % 7 == 0, !bytes.isEmpty { bytes.removeLast() }
            let splits = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            let expected = Self.reference(bytes)
            #expect(Self.isValid(bytes) == expected, "seed \(seed): \(bytes)")
            #expect(Self.isValid(bytes, splits: splits) == expected, "seed \(seed): \(bytes) at \(splits)")
        }
    }
}
