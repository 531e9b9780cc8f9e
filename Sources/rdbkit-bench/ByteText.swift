// Text and numbers appended to a byte array: what the generators are made of.

extension [UInt8] {
    mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(decimal value: Int) {
        if value < 0 {
            append(0x2d)
        }
        var magnitude = value.magnitude
        let start = count
        repeat {
            append(0x30 + UInt8(truncatingIfNeeded: magnitude % 10))
            magnitude /= 10
        } while magnitude > 0
        self[start...].reverse()
    }

    /// `value` with leading zeros up to `width` digits; a longer one keeps all its digits.
    mutating func append(decimal value: Int, width: Int) {
        var bound = 10
        for _ in 1..<width {
            if value < bound {
                append(0x30)
            }
            bound *= 10
        }
        append(decimal: value)
    }

    mutating func append(hex value: UInt64) {
        for shift in stride(from: 60, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 0xf
            append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
    }

    /// `byteCount` bytes that no compressor shortens.
    mutating func append(randomBytes byteCount: Int, from random: inout SplitMix64) {
        var left = byteCount
        while left >= 8 {
            Swift.withUnsafeBytes(of: random.next().littleEndian) { append(contentsOf: $0) }
            left -= 8
        }
        if left > 0 {
            Swift.withUnsafeBytes(of: random.next().littleEndian) { append(contentsOf: $0.prefix(left)) }
        }
    }

    /// `byteCount` letters of the URL-safe base64 alphabet: text that LZF cannot shorten, as session tokens are.
    mutating func append(token byteCount: Int, from random: inout SplitMix64) {
        let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        var left = byteCount
        while left > 0 {
            var bits = random.next()
            for _ in 0..<Swift.min(left, 10) {
                append(alphabet.utf8Start[Int(bits & 63)])
                bits >>= 6
            }
            left -= Swift.min(left, 10)
        }
    }
}
