/// Assembles an RDB file byte by byte, from the format's description and without rdbkit's own code.
struct RDBBytes {
    var bytes: [UInt8]

    init(magic: String = "REDIS0011") { bytes = Array(magic.utf8) }

    static func length(_ count: Int) -> [UInt8] {
        if count < 64 { return [UInt8(count)] }
        if count < 16384 { return [0x40 | UInt8(count >> 8), UInt8(count & 0xff)] }
        return [0x80] + (0..<4).reversed().map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) }
    }

    static func string(_ text: String) -> [UInt8] { string(Array(text.utf8)) }
    static func string(_ text: [UInt8]) -> [UInt8] { length(text.count) + text }

    mutating func database(_ number: Int) { bytes += [0xfe] + Self.length(number) }
    mutating func idle(seconds: Int) { bytes += [0xf8] + Self.length(seconds) }
    mutating func frequency(_ count: UInt8) { bytes += [0xf9, count] }

    /// - Returns: where the value begins.
    @discardableResult
    mutating func entry(_ type: UInt8, _ key: String, _ value: [UInt8]) -> Int {
        bytes += [type] + Self.string(key)
        let start = bytes.count
        bytes += value
        return start
    }

    mutating func text(_ key: String, _ value: String) { entry(0, key, Self.string(value)) }

    /// A listpack of short strings.
    static func listpack(_ elements: [String]) -> [UInt8] {
        var body: [UInt8] = []
        for element in elements {
            precondition(element.utf8.count < 64)
            body += [0x80 | UInt8(element.utf8.count)] + Array(element.utf8) + [UInt8(element.utf8.count + 1)]
        }
        let total = 6 + body.count + 1
        return (0..<4).map { UInt8(truncatingIfNeeded: total >> ($0 * 8)) }
            + [UInt8(elements.count & 0xff), UInt8(elements.count >> 8)] + body + [0xff]
    }

    /// The end and the checksum; `checksum` false writes the zeros that mean none.
    mutating func end(checksum: Bool = true) {
        bytes.append(0xff)
        let sum = checksum ? Self.crc64(bytes) : 0
        bytes += (0..<8).map { UInt8(truncatingIfNeeded: sum >> ($0 * 8)) }
    }

    /// Jones' polynomial, reflected, bit by bit.
    static func crc64(_ bytes: [UInt8]) -> UInt64 {
        var sum: UInt64 = 0
        for byte in bytes {
            sum ^= UInt64(byte)
            for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 0 ? 0 : 0x95ac_9329_ac4b_c9b5) }
        }
        return sum
    }

    /// Writes a file of its own to a folder.
    func write(to path: String) throws { try writeFile(path, bytes) }
}
