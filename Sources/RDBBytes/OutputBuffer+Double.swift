// Text of doubles, for JSON and for commands alike.
extension OutputBuffer {
    /// A text that reads back to the same double; `inf`, `-inf` and `nan` for what is no number.
    public mutating func append(decimal value: Double) {
        let magnitude = abs(value)
        guard magnitude < 9_007_199_254_740_992 else {
            if value.isNaN { return append("nan") }
            if value.isInfinite { return append(value < 0 ? "-inf" : "inf") }
            return append(value.description)
        }
        // Whole numbers below 2^53 are exact; minus zero needs its point to stay a double.
        let whole = magnitude.rounded(.towardZero)
        if whole == magnitude, !(value == 0 && value.sign == .minus) { return append(decimal: Int64(value)) }
        if value.sign == .minus { append(UInt8(ascii: "-")) }
        if !appendShortDecimal(magnitude) { append(magnitude.description) }
    }

    /// Up to three decimals, where they say all: digits below 2^53 over a power of ten is one exact division, which is
    /// also what reading the text back computes.
    private mutating func appendShortDecimal(_ value: Double) -> Bool {
        guard value < 1e12, value >= 1e-3 else { return false }
        var power = 10.0
        for decimals in 1...3 {
            let digits = (value * power).rounded()
            if digits / power == value {
                let number = UInt64(digits)
                let divisor = UInt64(power)
                append(decimal: number / divisor)
                append(UInt8(ascii: "."))
                var rest = number % divisor
                var place = divisor / 10
                for _ in 0..<decimals {
                    append(UInt8(truncatingIfNeeded: rest / place) + 0x30)
                    rest %= place
                    place = max(1, place / 10)
                }
                return true
            }
            power *= 10
        }
        return false
    }
}
