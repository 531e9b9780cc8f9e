import RDBBytes

/// Steps over replies that nobody has to look at, at the speed of a scan: a restore gets one for each command.
public enum RESPReplyScanner {
    /// Steps over up to `limit` replies from `start` on. It stops before the first one that is remarkable
    /// (`RESPReply.isRemarkable`), of a rarer kind, not there as a whole, or malformed: that one is for
    /// `RESPReplyParser`. Only `+`, `:`, `$` and `*` of these are stepped over.
    /// - Returns: where it stopped, and how many replies lie before.
    public static func skip(_ bytes: RawSpan, from start: Int, limit: Int) -> (end: Int, count: Int) {
        var end = start
        var count = 0
        while count < limit {
            // Most are +OK.
            if end + 5 <= bytes.byteCount, isOK(bytes, at: end) {
                end += 5
            } else if let next = reply(bytes, at: end) {
                end = next
            } else {
                break
            }
            count += 1
        }
        return (end, count)
    }

    @inline(__always)
    private static func isOK(_ bytes: RawSpan, at index: Int) -> Bool {
        // The caller has seen that there are five bytes; unsafeLoadUnaligned checks it again.
        unsafe UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt32.self)) == 0x0d4b_4f2b
            && bytes.byte(at: index + 4) == UInt8(ascii: "\n")
    }

    /// - Returns: where the reply at `start` ends; nil if it is not to be stepped over.
    private static func reply(_ bytes: RawSpan, at start: Int) -> Int? {
        // An aggregate's elements are counted as replies to come: depth needs no stack.
        var pending = 1
        var index = start
        while pending > 0 {
            guard index < bytes.byteCount else { return nil }
            switch bytes.byte(at: index) {
            case UInt8(ascii: "+"):
                guard let next = lineEnd(bytes, at: index + 1) else { return nil }
                index = next
            case UInt8(ascii: ":"):
                guard let (value, next) = number(bytes, at: index + 1), value > 0 else { return nil }
                index = next
            case UInt8(ascii: "$"):
                // A number has at most 15 digits and next lies within the bytes: no overflow.
                guard let (length, next) = number(bytes, at: index + 1), next + length + 2 <= bytes.byteCount,
                    bytes.byte(at: next + length) == UInt8(ascii: "\r"),
                    bytes.byte(at: next + length + 1) == UInt8(ascii: "\n")
                else { return nil }
                index = next + length + 2
            case UInt8(ascii: "*"):
                // Each element has at least three bytes.
                guard let (elements, next) = number(bytes, at: index + 1), elements < bytes.byteCount else {
                    return nil
                }
                index = next
                pending += elements
            default: return nil
            }
            pending -= 1
        }
        return index
    }

    private static func lineEnd(_ bytes: RawSpan, at start: Int) -> Int? {
        var index = start
        while index < bytes.byteCount {
            if bytes.byte(at: index) == UInt8(ascii: "\n") {
                return index > start && bytes.byte(at: index - 1) == UInt8(ascii: "\r") ? index + 1 : nil
            }
            index += 1
        }
        return nil
    }

    /// A number of at most 15 digits without sign or leading zero, and the CR LF behind it.
    private static func number(_ bytes: RawSpan, at start: Int) -> (value: Int, end: Int)? {
        var value = 0
        var index = start
        while index < bytes.byteCount {
            let byte = bytes.byte(at: index)
            if byte == UInt8(ascii: "\r") {
                guard index > start, index + 1 < bytes.byteCount, bytes.byte(at: index + 1) == UInt8(ascii: "\n"),
                    index == start + 1 || bytes.byte(at: start) != UInt8(ascii: "0")
                else { return nil }
                return (value, index + 2)
            }
            guard byte >= 0x30, byte <= 0x39, index - start < 15 else { return nil }
            value = value * 10 + Int(byte - 0x30)
            index += 1
        }
        return nil
    }
}
