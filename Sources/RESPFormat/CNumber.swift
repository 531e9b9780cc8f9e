import RDBBytes

/// A number as C's `strtol` reads it in base 10: blanks and a sign may come before the digits, anything behind them.
package struct CNumber {
    /// 0 without digits, and the nearest that 64 bits hold where there are too many.
    package private(set) var value: Int64 = 0
    /// Up to and including the last digit.
    package private(set) var byteCount = 0
    /// Whether digits stand at the very beginning.
    package private(set) var isDigits = false

    package init(_ text: RawSpan) {
        var index = 0
        let count = text.byteCount
        while index < count, text.byte(at: index) == 0x20 || 0x09...0x0d ~= text.byte(at: index) { index += 1 }
        var isNegative = false
        if index < count, text.byte(at: index) == UInt8(ascii: "-") || text.byte(at: index) == UInt8(ascii: "+") {
            isNegative = text.byte(at: index) == UInt8(ascii: "-")
            index += 1
        }
        let digitsFrom = index
        while index < count, 0x30...0x39 ~= text.byte(at: index) {
            let digit = Int64(text.byte(at: index) - 0x30)
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = product.addingReportingOverflow(isNegative ? -digit : digit)
            value = overflow || overflow2 ? (isNegative ? .min : .max) : sum
            index += 1
        }
        if index > digitsFrom {
            byteCount = index
            isDigits = digitsFrom == 0
        }
    }
}
