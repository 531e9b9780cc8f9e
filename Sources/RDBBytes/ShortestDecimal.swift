/// The fewest digits that read back to a double, `digits / 10^places`; of several numbers with as few, the nearest.
///
/// With seventeen digits in all, the distance between two doubles is 1.1 to 22.2 of the last digit's units. So, between the
/// half ways to the doubles above and below, there is at most one multiple of 100; where there is none, it is the nearest
/// multiple of 10, if that is between them, or the nearest whole number. All of it is computed exactly, in 128 bits.
struct ShortestDecimal {
    private(set) var digits: UInt64
    private(set) var places: Int

    /// - Parameter value: greater than zero and no whole number.
    /// - Returns: nil for what is below a thousandth, and where which digits are nearest is more than a comparison: powers
    ///   of two, to which the double below is nearer than the one above, and numbers half way between two.
    init?(_ value: Double) {
        let significand = value.significandBitPattern
        guard value >= 1e-3, value < 4_503_599_627_370_496, significand != 0 else { return nil }
        // value = (2^53 + 2 * significand) * 2^-shift; 2 <= shift <= 63 between the bounds above.
        let shift = UInt64(1076 - Int(value.exponentBitPattern))
        places = 16 - Self.exponent(value)
        // Times 2^-shift: the number in units of its seventeenth digit, and half of the distance to the doubles beside it.
        let half = Digits.powersOfTen[places]
        let middle = (1 << 53 | significand << 1).multipliedFullWidth(by: half)
        let (upperLow, carries) = middle.low.addingReportingOverflow(half)
        let (lowerLow, borrows) = middle.low.subtractingReportingOverflow(half)
        let mask = UInt64(1) &<< shift - 1
        if upperLow & mask == 0 || lowerLow & mask == 0 { return nil }
        let upper = Self.shifted(middle.high + (carries ? 1 : 0), upperLow, shift)
        let lower = Self.shifted(middle.high - (borrows ? 1 : 0), lowerLow, shift) + 1

        let hundreds = upper / 100
        if hundreds * 100 >= lower {
            digits = hundreds
            places -= 2
            dropZeros()
            return
        }
        let whole = Self.shifted(middle.high, middle.low, shift)
        let fraction = middle.low & mask
        if upper / 10 * 10 >= lower {
            let last = whole % 10
            if last == 5, fraction == 0 { return nil }
            digits = whole / 10 + (last < 5 ? 0 : 1)
            places -= 1
        } else {
            let oneHalf = mask / 2 + 1
            if fraction == oneHalf { return nil }
            digits = whole + (fraction < oneHalf ? 0 : 1)
        }
    }

    /// The power of ten at or below the value.
    private static func exponent(_ value: Double) -> Int {
        // 1233 / 4096 is log10(2): the estimate is right or one too low.
        let estimate = ((Int(value.exponentBitPattern) - 1023) * 1233) >> 12
        return value >= powersOfTen[estimate + 4] ? estimate + 1 : estimate
    }

    /// 10^-3 to 10^16. Those below one are not exact, but no double lies between them and the exact ones.
    private static let powersOfTen: InlineArray<20, Double> = [
        1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    ]

    private static func shifted(_ high: UInt64, _ low: UInt64, _ count: UInt64) -> UInt64 {
        high &<< (64 - count) | low &>> count
    }

    private mutating func dropZeros() {
        if digits.isMultiple(of: 100_000_000) { drop(8) }
        while digits.isMultiple(of: 10_000) { drop(4) }
        if digits.isMultiple(of: 100) { drop(2) }
        if digits.isMultiple(of: 10) { drop(1) }
    }

    private mutating func drop(_ count: Int) {
        digits /= Digits.powersOfTen[count]
        places -= count
    }
}
