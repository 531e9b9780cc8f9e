import RESPFormat

extension RESPReply {
    /// Of a reply to TIME (seconds, and microseconds of the next one): Unix time in milliseconds. nil where it is none.
    var serverTime: Int64? {
        guard let parts = array, parts.count == 2, let seconds = parts[0].integer, let microseconds = parts[1].integer,
            0...Int64.max / 2000 ~= seconds, 0..<1_000_000 ~= microseconds
        else { return nil }
        return seconds * 1000 + microseconds / 1000
    }
}
