internal import Glibc

/// A byte string as servers hold it: any bytes, no encoding implied.
package typealias Bytes = [UInt8]

extension [UInt8] {
    /// The bytes in a form fit for a message: text in quotes when it is valid UTF-8 without control
    /// characters, else with `\xNN` escapes; cut in the middle with the length told when long.
    package var quoted: String {
        let limit = 80
        if count <= limit { return "\"\(escaped(self[...]))\"" }
        return "\"\(escaped(prefix(limit / 2)))\"…\"\(escaped(suffix(limit / 2)))\" (\(count) bytes)"
    }

    private func escaped(_ slice: ArraySlice<UInt8>) -> String {
        if let text = String(validating: slice, as: UTF8.self), !text.unicodeScalars.contains(where: isControl) {
            return text
        }
        var result = ""
        for byte in slice {
            if byte >= 0x20 && byte < 0x7f {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16)
                result += "\\x" + (digits.count == 1 ? "0" + digits : digits)
            }
        }
        return result
    }

    private func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value)
    }

    /// Whether the bytes are well-formed UTF-8.
    package var isUTF8: Bool {
        String(validating: self, as: UTF8.self) != nil
    }

    /// Orders byte strings as servers do: by the first different byte, then by length.
    package func precedes(_ other: [UInt8]) -> Bool {
        let common = Swift.min(count, other.count)
        let order = withUnsafeBytes { left in
            other.withUnsafeBytes { right in
                common == 0 ? 0 : memcmp(left.baseAddress!, right.baseAddress!, common)
            }
        }
        return order < 0 || order == 0 && count < other.count
    }
}

/// The text rule of `rdbkit json`: which byte strings are written as they are and which in base64.
package enum TextRule {
    package static let prefix = Bytes("$base64:".utf8)

    package struct Violation: Error, CustomStringConvertible {
        package var description: String
    }

    /// The bytes that a JSON string stands for.
    ///
    /// - Parameter text: the string's UTF-8, after JSON's own escapes.
    /// - Throws: `Violation` if it is not standard base64 after the prefix, or if the bytes should
    ///   have been written as they are.
    package static func bytes(of text: Bytes) throws -> Bytes {
        guard text.starts(with: prefix) else { return text }
        let body = text[prefix.count...]
        guard let bytes = decodeBase64(body) else {
            throw Violation(description: "not standard base64: \(text.quoted)")
        }
        guard !bytes.isUTF8 || bytes.starts(with: prefix) else {
            throw Violation(description: "base64 for bytes that are plain text: \(bytes.quoted)")
        }
        return bytes
    }

    /// Standard base64 with padding and without line breaks; nil if it is anything else, unused bits
    /// that are not zero included.
    static func decodeBase64(_ text: ArraySlice<UInt8>) -> Bytes? {
        guard text.count.isMultiple(of: 4) else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        let count = text.count / 4 * 3 - padding
        let digitValues = digitValues
        var isValid = true
        let bytes = Bytes(unsafeUninitializedCapacity: text.count / 4 * 3) { output, initializedCount in
            initializedCount = count
            text.withUnsafeBufferPointer { input in
                var index = 0
                var written = 0
                var group: UInt32 = 0
                // Plain loops: this is the hottest place of a debug build.
                while index < input.count {
                    // The padding counts as zeros; anywhere else = is no digit.
                    let digit = index < input.count - padding ? digitValues[Int(input[index])] : 0
                    if digit > 63 { isValid = false }
                    group = group << 6 | UInt32(digit)
                    index += 1
                    if index & 3 != 0 { continue }
                    output[written] = UInt8(truncatingIfNeeded: group >> 16)
                    output[written + 1] = UInt8(truncatingIfNeeded: group >> 8)
                    output[written + 2] = UInt8(truncatingIfNeeded: group)
                    written += 3
                }
                // Bits that the padding leaves over must be zero.
                if padding > 0 && group & (padding == 1 ? 0xff : 0xffff) != 0 { isValid = false }
            }
        }
        return isValid ? bytes : nil
    }

    private static let digitValues: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for (value, character) in alphabet.utf8.enumerated() {
            values[Int(character)] = UInt8(value)
        }
        return values
    }()
}
