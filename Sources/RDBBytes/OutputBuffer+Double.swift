// Text of doubles, for JSON and for commands alike.
extension OutputBuffer {
    /// A text that reads back to the same double, with as few digits as that takes; `inf`, `-inf` and `nan` for what is no
    /// number.
    public mutating func append(decimal value: Double) {
        if let whole = Self.wholeNumber(value) { return append(decimal: whole) }
        if value.isNaN { return append("nan") }
        if value.isInfinite { return append(value < 0 ? "-inf" : "inf") }
        guard let decimal = ShortestDecimal(value.magnitude) else { return append(value.description) }
        if value.sign == .minus { append(UInt8(ascii: "-")) }
        append(decimal)
    }

    /// The integer whose text a double has: whole numbers below 2^53, which are exact. Minus zero needs its point to stay
    /// a double.
    public static func wholeNumber(_ value: Double) -> Int64? {
        guard abs(value) < 9_007_199_254_740_992 else { return nil }
        let whole = Int64(value)
        if Double(whole) != value || whole == 0 && value.sign == .minus { return nil }
        return whole
    }

    private mutating func append(_ decimal: ShortestDecimal) {
        let divisor = Digits.powersOfTen[decimal.places]
        let (whole, fraction) = decimal.digits.quotientAndRemainder(dividingBy: divisor)
        append(decimal: whole)
        // With a one before it that becomes the point, the fraction has its leading zeros.
        let point = byteCount
        append(decimal: divisor + fraction)
        replace(at: point, with: UInt8(ascii: "."))
    }
}
