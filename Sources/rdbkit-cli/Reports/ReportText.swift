import RDBKit

/// How reports write keys, shares and numbers of things.
enum ReportText {
    /// Bytes for people: as JSON writes them, without the quotes where nothing is lost by that. Control characters,
    /// and those that change the direction or the line, are escaped.
    static func key(_ bytes: [UInt8], isCut: Bool = false) -> String {
        let text = escaped(bytes)
        let isBare = text.utf8.elementsEqual(bytes) && !text.contains(" ") && !text.isEmpty
        return (isBare ? text : "\"\(text)\"") + (isCut ? "…" : "")
    }

    /// The same without quotes in any case.
    static func escaped(_ bytes: [UInt8]) -> String {
        var out = OutputBuffer(capacity: 256)
        JSONValue.bytes(bytes).append(to: &out)
        let text = String(decoding: out.bytes.array.dropFirst().dropLast(), as: UTF8.self)
        guard text.unicodeScalars.contains(where: { isInvisible($0) }) else { return text }
        var shown = ""
        for scalar in text.unicodeScalars {
            if isInvisible(scalar) {
                let digits = String(scalar.value, radix: 16)
                shown += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    /// C1 controls, marks of direction, separators of lines, what has no width.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x7f...0x9f, 0xad, 0x61c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff, 0xfff9...0xfffb: true
        default: false
        }
    }

    static func share(_ part: UInt64, of whole: UInt64) -> String {
        share(whole == 0 ? 0 : Double(part) / Double(whole))
    }

    static func share(_ share: Double) -> String {
        let thousandths = Int((abs(share) * 1000).rounded())
        return "\(share < 0 && thousandths > 0 ? "-" : "")\(thousandths / 10).\(thousandths % 10) %"
    }

    /// `3d`, `2h`, `45s`: the largest unit that fits.
    static func duration(_ seconds: UInt64) -> String {
        switch seconds {
        case 0..<60: "\(seconds)s"
        case 60..<3600: "\(seconds / 60)m"
        case 3600..<86400: "\(seconds / 3600)h"
        case 86400..<31_536_000: "\(seconds / 86400)d"
        default: "\(seconds / 31_536_000)y"
        }
    }
}
