import Glibc
import RDBBytes

/// The text of a double, as sorted sets have stored scores.
public enum ScoreText {
    /// The nearest double, or nil when the whole text is not a number. `inf`, `-inf` and `nan` are.
    public static func parse(_ text: RawSpan) -> Double? {
        parseSimple(text) ?? parseByLibrary(text)
    }

    /// Decimals without an exponent, of at most 19 digits besides leading zeros.
    private static func parseSimple(_ text: RawSpan) -> Double? {
        let count = text.byteCount
        var index = 0
        var digits: UInt64 = 0
        var fraction = 0
        var hasPoint = false
        guard count > 0 else { return nil }
        let isNegative = text.byte(at: 0) == UInt8(ascii: "-")
        if isNegative { index = 1 }
        guard index < count, count - index <= 21 else { return nil }
        while index < count {
            let byte = text.byte(at: index)
            index += 1
            if byte == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
                continue
            }
            let digit = byte &- 0x30
            guard digit < 10, digits < 1_000_000_000_000_000_000 else { return nil }
            digits = digits * 10 + UInt64(digit)
            if hasPoint { fraction += 1 }
        }
        guard fraction < 20, !hasPoint || count > (isNegative ? 2 : 1) else { return nil }
        let value = quotient(digits, Digits.powerOfTen(fraction))
        return isNegative ? -value : value
    }

    /// The double nearest to `number / divisor`, a power of ten.
    private static func quotient(_ number: UInt64, _ divisor: UInt64) -> Double {
        // Doubles hold both exactly (10^15, and 5^19 in 53 bits): one division rounds once and rightly.
        if number < 1 << 53 { return Double(number) / Double(divisor) }
        // 2^63 <= number * 2^zeros, divisor * 2^shift < 2^64: the quotient below has 63 or 64 bits and fits.
        let zeros = UInt64(number.leadingZeroBitCount)
        let shift = UInt64(divisor.leadingZeroBitCount)
        let dividend = number &<< zeros
        let (bits, rest) = (divisor &<< shift).dividingFullWidth((dividend &>> 1, dividend &<< 63))
        // Times 2^(shift - zeros - 63). There are more bits than a double holds, so that a last one for the rest makes the
        // conversion round as the number itself.
        let power = Double(bitPattern: (960 + shift - zeros) << 52)
        return Double(bits | (rest == 0 ? 0 : 1)) * power
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
