import Glibc
import RDBKit

/// Holds the sender back to so many units a second. A tenth of a second's units may come at once, and as many are owed
/// before it has to wait.
struct RateLimit {
    private let perMillisecond: Double
    private let burst: Double
    private var allowance: Double
    private var last: Int64

    init(perSecond: UInt64, now: Int64) {
        perMillisecond = Double(perSecond) / 1000
        burst = max(1, perMillisecond * 100)
        allowance = burst
        last = now
    }

    /// Takes what is about to be sent from the allowance.
    /// - Returns: milliseconds to wait before more is sent.
    mutating func take(_ units: Int, now: Int64) -> Int64 {
        allowance = min(burst, allowance + Double(max(0, now - last)) * perMillisecond) - Double(units)
        last = now
        return allowance > -burst ? 0 : Int64((-allowance / perMillisecond).rounded(.up))
    }
}
