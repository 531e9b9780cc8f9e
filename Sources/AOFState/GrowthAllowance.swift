/// How much memory commands may ask for that the log does not fill with bytes of its own: a SETRANGE of one byte far out
/// makes a string of zeros up to there.
public struct GrowthAllowance {
    /// The servers' own limit of a string, unless they are told otherwise.
    static let maxStringByteCount: Int64 = 512 << 20
    /// Zeros that all strings of a log may get so, and names of fields that hashes share in the RDB before it.
    public static let maxGrowth: Int64 = 4 << 30

    /// Of this log.
    var limit = maxGrowth
    /// What a SORT may store by GET, which repeats what there is.
    var maxResultByteCount: Int64 { min(Self.maxStringByteCount, limit) }

    private(set) var growth: Int64 = 0

    /// Whether a string may get a length.
    /// - Parameter growth: bytes that it lacks for that; they count.
    mutating func admits(_ byteCount: Int64, growth missing: Int64) -> Bool {
        guard missing > 0 else { return true }
        // What a server writes byte by byte may get longer; leaps may not.
        guard byteCount <= Self.maxStringByteCount || missing <= 4096, growth <= limit - missing else {
            return false
        }
        growth += missing
        return true
    }
}
