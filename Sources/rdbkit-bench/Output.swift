import Glibc

// Messages and numbers as people read them.

/// Writes a line to standard error.
func note(_ text: String) {
    _ = writeAll(Array("rdbkit-bench: \(text)\n".utf8), to: STDERR_FILENO)
}

/// `value` with a fixed number of decimals. Foundation would bring this; without it the program stays small, and its
/// own size is the least memory that it can see a child use.
func format(_ value: Double, decimals: Int) -> String {
    let factor = pow(10, Double(decimals))
    let scaled = Int((value * factor).rounded())
    guard decimals > 0 else { return String(scaled) }
    let fraction = String(scaled.magnitude % UInt(factor))
    let whole = String(scaled.magnitude / UInt(factor))
    return (scaled < 0 ? "-" : "") + whole + "." + String(repeating: "0", count: decimals - fraction.count) + fraction
}

/// In millions of bytes, as disks and networks are counted.
func formatMegabytes(_ byteCount: Int) -> String {
    format(Double(byteCount) / 1e6, decimals: 1) + " MB"
}
