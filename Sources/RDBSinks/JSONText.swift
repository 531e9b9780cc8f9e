internal import CRDBKernels
public import RDBBytes

/// How byte strings are written as JSON strings.
public enum StringForm: String, Sendable, CaseIterable {
    /// Text where it is UTF-8, else `$base64:` and base64. Text that itself begins so is written as base64 too, so that
    /// every string reads back to the same bytes.
    case auto
    /// Always `$base64:` and base64.
    case base64
    /// Two hexadecimal digits a byte.
    case hex
    /// Each byte as the character of the same number.
    case latin1
}

// The one place where bytes become JSON. The kernels need 16 bytes of room behind what they copy; every call reserves it.
extension OutputBuffer {
    /// A JSON string, quotes included.
    @inlinable @inline(__always)
    mutating func appendJSON(_ bytes: RawSpan, form: StringForm) {
        if form == .auto { appendAutoJSON(bytes) } else { appendJSONInForm(bytes, form) }
    }

    @usableFromInline
    mutating func appendAutoJSON(_ bytes: RawSpan) {
        let count = bytes.byteCount
        let start = byteCount
        var copied = 0
        // Room for the two quotes and the 16 bytes that the kernel wants behind what it copies.
        unsafe appendInPlace(upTo: count + 18) { out in
            unsafe out[0] = UInt8(ascii: "\"")
            copied = unsafe bytes.withUnsafeBytes {
                unsafe rdb_json_copy_plain(out + 1, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), count)
            }
            unsafe out[1 + copied] = UInt8(ascii: "\"")
            return 2 + copied
        }
        if copied < count {
            appendRestOfJSON(bytes, from: copied, start: start)
        } else if count >= 8, bytes.byte(at: 0) == UInt8(ascii: "$"), Self.beginsWithBase64Mark(bytes) {
            truncate(to: start)
            appendBase64JSON(bytes)
        }
    }

    /// The plain bytes up to `from` are written. Goes on with escapes, and starts again in base64 if it was no UTF-8.
    @inline(never)
    private mutating func appendRestOfJSON(_ bytes: RawSpan, from: Int, start: Int) {
        // What was copied is ASCII, so only the rest has to be looked at.
        let rest = bytes.extracting(from..<bytes.byteCount)
        if !Self.beginsWithBase64Mark(bytes) {
            if bytes.byte(at: from) < 0x80 {
                truncate(to: start + 1 + from)
                if !appendEscaped(rest) || UTF8Validator.isValid(rest) { return append(UInt8(ascii: "\"")) }
            } else if UTF8Validator.isValid(rest) {
                // Binary strings show it in their first bytes: those are not escaped in vain.
                truncate(to: start + 1 + from)
                appendEscaped(rest)
                return append(UInt8(ascii: "\""))
            }
        }
        truncate(to: start)
        appendBase64JSON(bytes)
    }

    /// Bytes with JSON's escapes, without quotes. Returns whether any is not ASCII.
    @discardableResult
    mutating func appendEscaped(_ bytes: RawSpan) -> Bool {
        var hasHigh = false
        var index = 0
        while index < bytes.byteCount {
            // In slices, so that the room for the worst case stays small.
            let slice = bytes.extracting(index..<min(index + 4096, bytes.byteCount))
            index += slice.byteCount
            unsafe appendInPlace(upTo: slice.byteCount * 6 + 16) { out in
                unsafe slice.withUnsafeBytes {
                    unsafe rdb_json_escape(
                        out, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count, &hasHigh)
                }
            }
        }
        return hasHigh
    }

    private mutating func appendHex(_ byte: UInt8) {
        func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
        append(digit(byte >> 4))
        append(digit(byte & 15))
    }

    private mutating func appendBase64JSON(_ bytes: RawSpan) {
        append("\"$base64:")
        appendBase64(bytes)
        append(UInt8(ascii: "\""))
    }

    /// Base64 with padding: to be appended piece by piece, all pieces but the last must be multiples of 3 long.
    mutating func appendBase64(_ bytes: RawSpan) {
        let count = (bytes.byteCount + 2) / 3 * 4
        // The kernel writes exactly that many bytes.
        unsafe appendInPlace(upTo: count) { out in
            unsafe bytes.withUnsafeBytes {
                unsafe rdb_base64_encode(out, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count)
            }
            return count
        }
    }

    mutating func appendBase64(_ bytes: [UInt8]) { appendBase64(bytes.rawSpan) }

    @usableFromInline @inline(never)
    mutating func appendJSONInForm(_ bytes: RawSpan, _ form: StringForm) {
        if form == .base64 { return appendBase64JSON(bytes) }
        append(UInt8(ascii: "\""))
        appendPiece(bytes, form)
        append(UInt8(ascii: "\""))
    }

    /// A piece of a hex or latin1 string, without quotes.
    mutating func appendPiece(_ bytes: RawSpan, _ form: StringForm) {
        var plainFrom = 0
        for index in 0..<bytes.byteCount {
            let byte = bytes.byte(at: index)
            if form == .hex {
                appendHex(byte)
            } else if byte >= 0x80 {
                appendEscaped(bytes.extracting(plainFrom..<index))
                append(0xc0 | byte >> 6)
                append(0x80 | byte & 0x3f)
                plainFrom = index + 1
            }
        }
        if form == .latin1 { appendEscaped(bytes.extracting(plainFrom..<bytes.byteCount)) }
    }

    /// The decimal text of an integer as a JSON string.
    @inlinable
    mutating func appendJSON(text value: Int64, form: StringForm) {
        if form == .auto || form == .latin1 {
            append(UInt8(ascii: "\""))
            append(decimal: value)
            append(UInt8(ascii: "\""))
        } else {
            String(value).withRawSpan { appendJSONInForm($0, form) }
        }
    }

    /// A number that reads back to the same double; infinities and not-a-number as strings.
    mutating func appendJSON(_ value: Double) {
        if value.isFinite { return append(decimal: value) }
        append(UInt8(ascii: "\""))
        append(decimal: value)
        append(UInt8(ascii: "\""))
    }

    static func beginsWithBase64Mark(_ bytes: RawSpan) -> Bool {
        let mark: StaticString = "$base64:"
        guard bytes.byteCount >= 8 else { return false }
        for index in 0..<8 where bytes.byte(at: index) != (unsafe mark.utf8Start[index]) { return false }
        return true
    }
}
