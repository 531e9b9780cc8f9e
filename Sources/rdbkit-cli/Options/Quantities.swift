import ArgumentParser
import RDBKit

/// `3` or `0-3`.
struct NumberRange: ExpressibleByArgument {
    let range: ClosedRange<UInt64>

    init?(argument: String) {
        let parts = argument.split(separator: "-", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let low = UInt64(parts[0]), let high = UInt64(parts[parts.count - 1]),
            low <= high
        else { return nil }
        range = low...high
    }
}

/// `1500`, `10KB` (1000 bytes each), `64KiB` (1024 bytes each).
struct ByteAmount: ExpressibleByArgument {
    let byteCount: UInt64

    private static let units: [(suffix: String, factor: UInt64)] = [
        ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40), ("kb", 1000), ("mb", 1_000_000),
        ("gb", 1_000_000_000), ("tb", 1_000_000_000_000), ("b", 1), ("", 1),
    ]

    init?(argument: String) {
        let text = argument.lowercased()
        guard let unit = Self.units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
        let number = text.dropLast(unit.suffix.count)
        if let whole = UInt64(number) {
            let (product, overflow) = whole.multipliedReportingOverflow(by: unit.factor)
            guard !overflow else { return nil }
            byteCount = product
        } else if let value = Double(number), value >= 0, value * Double(unit.factor) < 1e18 {
            byteCount = UInt64(value * Double(unit.factor))
        } else {
            return nil
        }
    }
}

/// `0.01` or `1%`.
struct Share: ExpressibleByArgument {
    let value: Double

    init?(argument: String) {
        let isPercent = argument.hasSuffix("%")
        guard let number = Double(isPercent ? String(argument.dropLast()) : argument) else { return nil }
        value = isPercent ? number / 100 : number
        guard (0...1).contains(value) else { return nil }
    }
}

/// A time: Unix seconds, RFC 3339, or relative to now (`+7d`, `-90m`; units s, m, h, d, w).
struct Moment: ExpressibleByArgument {
    enum Form {
        case absolute(Int64)
        case relative(Int64)
    }
    let form: Form

    func milliseconds(now: Int64) -> Int64 {
        switch form {
        case .absolute(let time): time
        case .relative(let delta): now + delta
        }
    }

    init?(argument: String) {
        if let delta = Self.relative(argument) {
            form = .relative(delta)
        } else if let seconds = Double(argument), abs(seconds) < 1e15 {
            form = .absolute(Int64((seconds * 1000).rounded()))
        } else if let time = Self.rfc3339(argument) {
            form = .absolute(time)
        } else {
            return nil
        }
    }

    static func relative(_ text: String) -> Int64? {
        guard let sign = text.first, sign == "+" || sign == "-", let unit = text.last, unit.isLetter,
            let count = Int64(text.dropFirst().dropLast()), count >= 0
        else { return nil }
        let factors: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800]
        // Added to any time of this age, it stays far within 64 bits.
        guard let factor = factors[unit], count < 1_000_000_000_000_000 / factor else { return nil }
        return (sign == "-" ? -1 : 1) * count * factor * 1000
    }

    /// `2026-01-31`, `2026-01-31T12:00:00Z`, `2026-01-31T12:00:00.5+02:00`.
    private static func rfc3339(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[range] {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        func has(_ character: Character, at index: Int) -> Bool {
            index < bytes.count && bytes[index] == character.asciiValue
        }
        guard let year = number(0..<4), has("-", at: 4), let month = number(5..<7), has("-", at: 7),
            let day = number(8..<10), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        let days = CivilTime.days(year: Int64(year), month: Int64(month), day: Int64(day))
        // Not every month has 31 of them.
        guard CivilTime.date(days: days).day == Int64(day) else { return nil }
        var seconds = days * 86400
        var index = 10
        var milliseconds: Int64 = 0
        var offset: Int64 = 0
        if index < bytes.count {
            guard has("T", at: 10) || has("t", at: 10) || has(" ", at: 10), let hour = number(11..<13),
                has(":", at: 13),
                let minute = number(14..<16), has(":", at: 16), let second = number(17..<19), hour < 24, minute < 60,
                second < 61
            else { return nil }
            seconds += Int64(hour * 3600 + minute * 60 + second)
            index = 19
            if has(".", at: index) {
                index += 1
                var scale: Int64 = 100
                while index < bytes.count, bytes[index] >= 0x30, bytes[index] <= 0x39 {
                    milliseconds += Int64(bytes[index] - 0x30) * scale
                    scale /= 10
                    index += 1
                }
            }
            if has("Z", at: index) || has("z", at: index) {
                index += 1
            } else if has("+", at: index) || has("-", at: index) {
                guard let hours = number(index + 1..<index + 3), has(":", at: index + 3),
                    let minutes = number(index + 4..<index + 6), hours < 24, minutes < 60
                else { return nil }
                offset = Int64(hours * 3600 + minutes * 60) * (has("-", at: index) ? -1 : 1)
                index += 6
            } else {
                return nil
            }
        }
        guard index == bytes.count else { return nil }
        return (seconds - offset) * 1000 + milliseconds
    }
}
