/// Byte strings of the kinds that encoders treat differently.
extension SeededGenerator {
    /// Any kind of byte string.
    ///
    /// - Parameter maxLength: not exceeded by more than a few bytes.
    package mutating func bytes(upTo maxLength: Int = 400) -> Bytes {
        switch number(0...15) {
        case 0...2: return integerText()
        case 3: return integerLike()
        case 4: return length(upTo: 3) == 0 ? [] : [UInt8(truncatingIfNeeded: number(0...255))]
        case 5, 6: return random(length(upTo: maxLength))
        case 7, 8: return letters(length(upTo: maxLength))
        case 9: return pattern(length(upTo: maxLength))
        case 10: return mixture(length(upTo: maxLength))
        case 11: return controls(length(upTo: min(maxLength, 300)))
        case 12: return unicode(length(upTo: min(maxLength, 2_000)))
        case 13: return invalidUTF8(length(upTo: min(maxLength, 100)))
        case 14: return TextRule.prefix + letters(number(0...20))
        default: return sparse(length(upTo: maxLength))
        }
    }

    /// Short things, around the borders of length encodings, and now and then anything up to the limit.
    package mutating func length(upTo limit: Int) -> Int {
        switch number(0...19) {
        case 0...7: return min(limit, number(0...22))
        case 8...13: return min(limit, number(23...90))
        case 14...16:
            // The 6, 12, 14 and 32 bit length forms, and the one or five byte back references of ziplists.
            let borders = [63, 253, 4_095, 16_383, 65_535].filter { $0 <= limit }
            return borders.isEmpty ? limit : pick(borders) + number(-1...2)
        case 17, 18: return number(0...min(limit, 500))
        default: return number(0...limit)
        }
    }

    /// A decimal integer at the border of one of the widths that formats use.
    package mutating func integerText() -> Bytes {
        if oneIn(3) { return Bytes(String(number(-200...20_000)).utf8) }
        let border = Int128(1) << pick([0, 4, 6, 7, 8, 12, 13, 15, 16, 23, 24, 31, 32, 53, 63, 64])
        let value = border + Int128(number(-1...1))
        return Bytes(String(oneIn(2) ? value : -value).utf8)
    }

    /// A text that looks like an integer but must not be stored as one.
    package mutating func integerLike() -> Bytes {
        Bytes(
            pick([
                "007", "-0", "+1", " 1", "1 ", "0x10", "1e3", "1.0", "-", "--1", "00", "-01", "1_000", "\u{661}",
                "9223372036854775808", "-9223372036854775809", "18446744073709551616", "123456789012345678901234",
            ]).utf8)
    }

    /// Noise: it can not be compressed and is hardly ever UTF-8.
    package mutating func random(_ count: Int) -> Bytes {
        var bytes = Bytes(repeating: 0, count: count)
        var generator = self
        bytes.withUnsafeMutableBytes { buffer in
            var offset = 0
            while offset < count {
                let word = generator.next()
                withUnsafeBytes(of: word) { source in
                    let part = min(8, count - offset)
                    buffer.baseAddress!.advanced(by: offset).copyMemory(from: source.baseAddress!, byteCount: part)
                    offset += part
                }
            }
        }
        self = generator
        return bytes
    }

    /// Text of few letters: compressible, but not by much.
    package mutating func letters(_ count: Int) -> Bytes {
        random(count).map { $0 < 24 ? 0x20 : UInt8(ascii: "a") + $0 % 16 }
    }

    /// One short piece again and again: long, overlapping matches for LZF.
    package mutating func pattern(_ count: Int) -> Bytes {
        let piece = letters(number(1...24))
        var bytes = Bytes()
        while bytes.count < count { bytes += piece }
        return Bytes(bytes.prefix(count))
    }

    /// Noise with copies of earlier parts, near and far: matches of all lengths and distances.
    package mutating func mixture(_ count: Int) -> Bytes {
        var bytes = random(number(1...40))
        while bytes.count < count {
            if oneIn(3) {
                bytes += random(number(1...60))
            } else {
                let distance = min(bytes.count, oneIn(2) ? number(1...9_000) : number(1...40))
                let start = bytes.count - distance
                let part = Bytes(bytes[start..<start + min(distance, number(1...300))])
                for _ in 0..<number(1...3) { bytes += part }
            }
        }
        return Bytes(bytes.prefix(count))
    }

    /// Characters that JSON, shells and terminals treat specially.
    package mutating func controls(_ count: Int) -> Bytes {
        let choices = Bytes("\"\\/\u{0}\u{1}\u{8}\t\n\u{b}\u{c}\r\u{1b}\u{1f}\u{7f}'$<>&{}[],: abn".utf8)
        return random(count).map { choices[Int($0) % choices.count] }
    }

    /// Valid UTF-8 of all lengths, with characters at the borders of the ranges.
    package mutating func unicode(_ count: Int) -> Bytes {
        let choices = [
            "a", " ", "é", "Ω", "文", "中", "😀", "\u{80}", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{e000}", "\u{fffd}",
            "\u{fffe}", "\u{ffff}", "\u{10000}", "\u{10ffff}", "\u{2028}", "\u{feff}", "e\u{301}", "\u{85}",
        ]
        var bytes = Bytes()
        while bytes.count < count { bytes += pick(choices).utf8 }
        return bytes
    }

    /// Text with one of the sequences that look like UTF-8 but are not.
    package mutating func invalidUTF8(_ count: Int) -> Bytes {
        let broken: Bytes = pick([
            [0x80], [0xc0, 0xaf], [0xc1, 0x81], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf],
            [0xf0, 0x80, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff], [0xfe],
            [0xc3], [0xe4, 0xb8], [0xf0, 0x9f, 0x98],
        ])
        let text = oneIn(2) ? letters(count) : unicode(count)
        // A cut sequence is broken at the end of the text, too.
        return oneIn(2) ? text + broken : broken + text
    }

    /// Zeros with few bits among them, as bitmaps are.
    package mutating func sparse(_ count: Int) -> Bytes {
        var bytes = Bytes(repeating: 0, count: count)
        if count > 0 {
            for _ in 0..<number(0...4) { bytes[number(0...count - 1)] = 1 << UInt8(number(0...7)) }
        }
        return bytes
    }

    /// A score of a sorted set; never not-a-number, which servers refuse.
    package mutating func score() -> Double {
        switch number(0...11) {
        case 0...3: return Double(number(-100...100))
        case 4: return Double(number(Int(-1) << 40...Int(1) << 40))
        case 5: return (oneIn(2) ? 1 : -1) * Double(Int128(1) << pick([31, 52, 53, 54, 62, 63, 64]))
        case 6: return Double(number(-100_000...100_000)) / 1_000
        case 7: return Double(number(1...1 << 53)) / Double(number(1...1 << 53))
        case 8: return pick([.infinity, -.infinity, -0.0, 0.1, 1.0 / 3, 3e-7, -1e21, 1e22, 123_456_789_012_345_680])
        case 9:
            let largest = Double.greatestFiniteMagnitude
            return pick([largest, -largest, .leastNonzeroMagnitude, .leastNormalMagnitude, 1e-300, 1e300])
        default:
            let value = Double(bitPattern: next())
            return value.isNaN ? 0.5 : value
        }
    }
}
