import Glibc
import RDBBytes

/// The text of a double, as sorted sets have stored scores.
public enum ScoreText {
    /// Powers of ten that a double holds exactly.
    private static let exactPowers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// The nearest double, or nil when the whole text is not a number. `inf`, `-inf` and `nan` are.
    public static func parse(_ text: RawSpan) -> Double? {
        parseSimple(text) ?? parseByLibrary(text)
    }

    /// Plain decimals whose digits fit 53 bits: digits and power are exact, so one division rounds once and rightly.
    private static func parseSimple(_ text: RawSpan) -> Double? {
        let count = text.byteCount
        var index = 0
        var digits: UInt64 = 0
        var fraction = 0
        var hasPoint = false
        guard count > 0, count <= 17 else { return nil }
        let isNegative = text.byte(at: 0) == UInt8(ascii: "-")
        if isNegative { index = 1 }
        guard index < count else { return nil }
        while index < count {
            let byte = text.byte(at: index)
            index += 1
            if byte == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
                continue
            }
            let digit = byte &- 0x30
            guard digit < 10 else { return nil }
            digits = digits * 10 + UInt64(digit)
            if hasPoint { fraction += 1 }
        }
        guard digits < 1 << 53, !hasPoint || count > (isNegative ? 2 : 1) else { return nil }
        let value = Double(digits) / exactPowers[fraction]
        return isNegative ? -value : value
    }

    private static func parseByLibrary(_ text: RawSpan) -> Double? {
        // strtod would skip leading space, which servers do not write.
        guard text.byteCount > 0, text.byteCount < 512, text.byte(at: 0) > 0x20 else { return nil }
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: text.byteCount + 1) { buffer in
            for index in 0..<text.byteCount { unsafe buffer[index] = CChar(bitPattern: text.byte(at: index)) }
            unsafe buffer[text.byteCount] = 0
            var end: UnsafeMutablePointer<CChar>?
            // The buffer is NUL-terminated on the line above.
            let value = unsafe strtod(buffer.baseAddress!, &end)
            return unsafe end == buffer.baseAddress! + text.byteCount ? value : nil
        }
    }
}
