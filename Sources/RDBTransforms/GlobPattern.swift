import RDBBytes

/// The servers' glob over raw bytes: `*`, `?`, `[a-z]`, `[^a-z]`, `\x`.
///
/// The same answers as `KEYS` gives, down to unterminated classes and swapped ranges, without its recursion: every part
/// but `*` takes exactly one byte, so going back to the last `*` is enough.
/// Source: redis/redis src/util.c, stringmatchlen_impl.
public struct GlobPattern: Sendable {
    private let pattern: [UInt8]
    private let matchesAll: Bool

    public init(_ pattern: String) {
        self.pattern = Array(pattern.utf8)
        matchesAll = self.pattern == [UInt8(ascii: "*")]
    }

    public func matches(_ text: RawSpan) -> Bool {
        if matchesAll { return true }
        var part = 0
        var at = 0
        /// Where to go on after the last `*`, and the text position it was last tried at.
        var afterStar: Int?
        var starAt = 0
        while part < pattern.count, at < text.byteCount {
            if pattern[part] == UInt8(ascii: "*") {
                while part < pattern.count, pattern[part] == UInt8(ascii: "*") { part += 1 }
                if part == pattern.count { return true }
                afterStar = part
                starAt = at
                continue
            }
            var next = part
            if matchesOne(&next, text.byte(at: at)) {
                part = next
                at += 1
                if at == text.byteCount {
                    while part < pattern.count, pattern[part] == UInt8(ascii: "*") { part += 1 }
                }
            } else {
                at = text.byteCount
                part = 0
            }
            // Not at an end of both: the last `*` takes one byte more.
            if at == text.byteCount || part == pattern.count, !(at == text.byteCount && part == pattern.count) {
                guard let again = afterStar, starAt + 1 < text.byteCount else { return false }
                starAt += 1
                at = starAt
                part = again
            }
        }
        return part == pattern.count && at == text.byteCount
    }

    /// Whether the part that begins at `part` takes `byte`; `part` moves behind it.
    private func matchesOne(_ part: inout Int, _ byte: UInt8) -> Bool {
        switch pattern[part] {
        case UInt8(ascii: "?"):
            part += 1
            return true
        case UInt8(ascii: "["):
            return matchesClass(&part, byte)
        case UInt8(ascii: "\\") where part + 1 < pattern.count:
            part += 2
            return pattern[part - 1] == byte
        default:
            part += 1
            return pattern[part - 1] == byte
        }
    }

    private func matchesClass(_ part: inout Int, _ byte: UInt8) -> Bool {
        part += 1
        let isNegated = part < pattern.count && pattern[part] == UInt8(ascii: "^")
        if isNegated { part += 1 }
        var found = false
        while part < pattern.count {
            let left = pattern.count - part
            if left >= 2, pattern[part] == UInt8(ascii: "\\") {
                part += 1
                if pattern[part] == byte { found = true }
            } else if pattern[part] == UInt8(ascii: "]") {
                part += 1
                return found != isNegated
            } else if left >= 3, pattern[part + 1] == UInt8(ascii: "-") {
                let (low, high) = (min(pattern[part], pattern[part + 2]), max(pattern[part], pattern[part + 2]))
                part += 2
                if byte >= low, byte <= high { found = true }
            } else if pattern[part] == byte {
                found = true
            }
            part += 1
        }
        // The class is not closed: it ends with the pattern.
        return found != isNegated
    }
}
