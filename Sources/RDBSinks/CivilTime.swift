/// Days and dates of the Gregorian calendar, UTC. Source: the era arithmetic of H. Hinnant's `chrono` papers.
public enum CivilTime {
    /// Days since 1970-01-01.
    public static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    public static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * dayOfYear + 2) / 153
        let month = part < 10 ? part + 3 : part - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * part + 2) / 5 + 1)
    }

    /// RFC 3339 in UTC, to the second; a plain number where the year has more than four digits.
    public static func text(milliseconds: Int64) -> String {
        // Rounded down. A file may hold any 64 bits, up to Int64.min.
        let seconds = milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0)
        return text(ofSeconds: seconds) ?? "\(milliseconds) ms"
    }

    public static func text(seconds: Int64) -> String { text(ofSeconds: seconds) ?? "\(seconds) s" }

    private static func text(ofSeconds seconds: Int64) -> String? {
        let days = seconds / 86400 - (seconds % 86400 < 0 ? 1 : 0)
        let date = date(days: days)
        guard (0...9999).contains(date.year) else { return nil }
        let second = seconds - days * 86400
        func padded(_ number: Int64, _ width: Int = 2) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(date.year, 4))-\(padded(date.month))-\(padded(date.day))T\(padded(second / 3600)):"
            + "\(padded(second / 60 % 60)):\(padded(second % 60))Z"
    }
}
