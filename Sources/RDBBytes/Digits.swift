/// Decimal text of integers, two digits at a time.
public enum Digits {
    /// The longest: -9223372036854775808.
    public static let maxByteCount = 20

    private static let pairs: StaticString =
        """
        0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
        5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
        """

    /// 10^n at n, but zero at 0, so that zero has one digit.
    static let powersOfTen: InlineArray<20, UInt64> = [
        0, 10, 100, 1000, 10000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
        100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
        10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
    ]

    /// - Parameter exponent: 0 to 19.
    public static func powerOfTen(_ exponent: Int) -> UInt64 { exponent == 0 ? 1 : powersOfTen[exponent] }

    /// How many digits a number has.
    static func count(_ value: UInt64) -> Int {
        // 1233 / 4096 is log10(2): the estimate is right or one too low.
        let estimate = ((64 - value.leadingZeroBitCount) * 1233) >> 12
        return estimate + (value >= powersOfTen[estimate] ? 1 : 0)
    }

    /// How long the decimal text of a number is.
    public static func byteCount(_ value: Int64) -> Int {
        (value < 0 ? 1 : 0) + byteCount(value.magnitude)
    }

    public static func byteCount(_ value: UInt64) -> Int { value < 10 ? 1 : count(value) }

    /// Writes the digits, `count(value)` of them, so that they end before `end`.
    @unsafe static func write(_ value: UInt64, endingAt end: UnsafeMutablePointer<UInt8>) {
        var at = unsafe end
        var rest = value
        let table = unsafe pairs.utf8Start
        while rest >= 100 {
            let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
            rest = quotient
            unsafe at -= 2
            // pair < 100, the table has 200 bytes.
            unsafe at[0] = table[Int(pair) * 2]
            unsafe at[1] = table[Int(pair) * 2 + 1]
        }
        if rest >= 10 {
            unsafe at[-2] = table[Int(rest) * 2]
            unsafe at[-1] = table[Int(rest) * 2 + 1]
        } else {
            unsafe at[-1] = UInt8(truncatingIfNeeded: rest) + 0x30
        }
    }

    /// Calls `body` with the decimal text of a number, in memory that lasts for the call.
    static func withText<R>(
        _ magnitude: UInt64, isNegative: Bool = false, _ body: (UnsafePointer<UInt8>, Int) -> R
    ) -> R {
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: maxByteCount + 1) { digits in
            let count = (isNegative ? 1 : 0) + (magnitude < 10 ? 1 : count(magnitude))
            // No number has more than maxByteCount digits; a sign stands before them.
            let base = digits.baseAddress!
            unsafe base[0] = UInt8(ascii: "-")
            unsafe write(magnitude, endingAt: base + count)
            return unsafe body(base, count)
        }
    }

    /// The number a canonical decimal text stands for: optional `-`, no leading zeros, within 64 bits.
    public static func parse(_ text: RawSpan) -> Int64? {
        var index = 0
        let count = text.byteCount
        guard count > 0, count <= maxByteCount else { return nil }
        let isNegative = text.byte(at: 0) == UInt8(ascii: "-")
        if isNegative { index = 1 }
        guard index < count else { return nil }
        // `007` and `-0` are texts, not the numbers' only form.
        if text.byte(at: index) == 0x30, count > 1 { return nil }
        var value: Int64 = 0
        while index < count {
            let digit = Int64(text.byte(at: index)) - 0x30
            guard digit >= 0, digit <= 9 else { return nil }
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
            let (next, overflow2) = shifted.addingReportingOverflow(isNegative ? -digit : digit)
            if overflow || overflow2 { return nil }
            value = next
            index += 1
        }
        return value
    }
}
