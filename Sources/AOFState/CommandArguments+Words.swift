import RDBBytes
import RDBFormat
import RESPFormat

// How servers read arguments. Source: formats/commands.md C.1 rule 6.
extension CommandArguments {
    /// A number in any form of C's `strtod`, as Redis takes it: the whole text, no blanks before it, no NaN, neither too
    /// large nor too small for a double.
    func double(_ index: Int) -> Double? {
        guard index >= 0, index < count else { return nil }
        return DoubleText.parse(self[index])
    }

    /// `EX seconds`, `PX ms`, `EXAT seconds` or `PXAT ms` at an index.
    /// - Returns: `.missing` where another word stands there, `.wrongType` where no number follows that 64 bits hold in
    ///   milliseconds.
    func expiry(_ index: Int, now: Int64) -> Found<Int64> {
        let isSeconds: Bool
        let isRelative: Bool
        if matches(index, "px") {
            (isSeconds, isRelative) = (false, true)
        } else if matches(index, "pxat") {
            (isSeconds, isRelative) = (false, false)
        } else if matches(index, "ex") {
            (isSeconds, isRelative) = (true, true)
        } else if matches(index, "exat") {
            (isSeconds, isRelative) = (true, false)
        } else {
            return .missing
        }
        guard let time = time(index + 1, isSeconds: isSeconds, isRelative: isRelative, now: now) else {
            return .wrongType
        }
        return .value(time)
    }

    /// Whether a word stands at an index that a time follows.
    func isExpiry(_ index: Int) -> Bool {
        matches(index, "px") || matches(index, "pxat") || matches(index, "ex") || matches(index, "exat")
    }

    /// A time, in Unix milliseconds; nil where it is none that 64 bits hold.
    func time(_ index: Int, isSeconds: Bool, isRelative: Bool, now: Int64) -> Int64? {
        guard var time = integer(index) else { return nil }
        if isSeconds {
            let (product, overflow) = time.multipliedReportingOverflow(by: 1000)
            if overflow { return nil }
            time = product
        }
        if isRelative {
            let (sum, overflow) = time.addingReportingOverflow(now)
            if overflow { return nil }
            time = sum
        }
        return time
    }
}

/// The text of a double, as commands have it.
enum DoubleText {
    static func parse(_ text: RawSpan) -> Double? {
        guard let value = ScoreText.parse(text), !value.isNaN else { return nil }
        // Too large or too small: what is no infinity by name, and a zero that is none by its digits.
        if value.isInfinite, !hasLetterOf("i", text) { return nil }
        if value.isZero, hasNonZeroDigit(text) { return nil }
        return value
    }

    private static func hasLetterOf(_ letter: Unicode.Scalar, _ text: RawSpan) -> Bool {
        for index in 0..<text.byteCount where text.byte(at: index) | 0x20 == UInt8(ascii: letter) { return true }
        return false
    }

    /// A digit before the exponent that is not 0; of a hexadecimal number as well.
    private static func hasNonZeroDigit(_ text: RawSpan) -> Bool {
        var isHexadecimal = false
        for index in 0..<text.byteCount {
            let lower = text.byte(at: index) | 0x20
            if lower == UInt8(ascii: "x") { isHexadecimal = true }
            if lower == UInt8(ascii: isHexadecimal ? "p" : "e") { return false }
            let byte = text.byte(at: index)
            if 0x31...0x39 ~= byte || isHexadecimal && 0x61...0x66 ~= lower { return true }
        }
        return false
    }
}
