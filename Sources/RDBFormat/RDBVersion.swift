public import RDBBytes

/// Which project's numbers a file uses. Type bytes from 22 and opcodes 242, 243 mean different things in each.
public enum RDBFamily: String, Sendable {
    case redis, valkey
}

/// The first bytes of a file: `REDIS` and four digits, or `VALKEY` and three.
public struct RDBVersion: Equatable, Sendable {
    public var number: Int
    public var family: RDBFamily

    public static let newestRedis = 15
    public static let newestValkey = 81

    public init(number: Int, family: RDBFamily) {
        self.number = number
        self.family = family
    }

    /// Whether this release was written with knowledge of the version.
    public var isKnown: Bool {
        switch family {
        case .redis: 1...Self.newestRedis ~= number
        case .valkey: 80...Self.newestValkey ~= number
        }
    }

    /// Since version 5 a CRC-64 follows the end.
    public var hasChecksum: Bool { number >= 5 }

    /// The 9 bytes as they stand in the file.
    public var magic: String {
        let prefix = family == .redis ? "REDIS" : "VALKEY"
        let digits = String(number)
        return prefix + String(repeating: "0", count: max(0, 9 - prefix.count - digits.count)) + digits
    }
}

extension RDBVersion {
    /// Reads a file's head.
    public init(_ window: inout ByteWindow) throws(DecodeError) { self = try window.rdbVersion() }
}

extension ByteWindow {
    /// Reads a file's 9-byte head. `REDIS` wants digits, or spaces before them as Redis itself accepts.
    mutating func rdbVersion() throws(DecodeError) -> RDBVersion {
        let start = location
        let head = try take(9)
        func isPrefix(_ text: StaticString) -> Bool {
            let letters = Array(text.description.utf8)
            return letters.indices.allSatisfy { head.byte(at: $0) == letters[$0] }
        }
        let family: RDBFamily
        let digitsFrom: Int
        if isPrefix("VALKEY") {
            (family, digitsFrom) = (.valkey, 6)
        } else if isPrefix("REDIS") {
            (family, digitsFrom) = (.redis, 5)
        } else {
            var first: UInt64 = 0
            for index in 0..<8 { first = first << 8 | UInt64(head.byte(at: index)) }
            throw DecodeError(.badMagic, at: start, expected: "REDIS or VALKEY and a version", found: .hex(first))
        }
        var number = 0
        var hasDigits = false
        for index in digitsFrom..<9 {
            let byte = head.byte(at: index)
            if byte == 0x20, !hasDigits { continue }
            hasDigits = true
            guard byte >= 0x30, byte <= 0x39 else {
                throw DecodeError(.badMagic, at: start, expected: "a version in digits", found: .byte(byte))
            }
            number = number * 10 + Int(byte - 0x30)
        }
        if number == 0 {
            throw DecodeError(.unsupportedVersion, at: start, expected: "version 1 or later", found: .number(0))
        }
        return RDBVersion(number: number, family: family)
    }
}
