import RDBBytes
import RDBFormat

/// Scores as commands name a range of them: `1.5`, `(1.5` (without it), `-inf`, `+inf`.
struct ScoreRange {
    private let low: Double
    private let high: Double
    private let excludesLow: Bool
    private let excludesHigh: Bool

    init?(_ low: RawSpan, _ high: RawSpan) {
        guard let low = Self.bound(low), let high = Self.bound(high) else { return nil }
        self.low = low.score
        self.high = high.score
        excludesLow = low.isExcluded
        excludesHigh = high.isExcluded
    }

    private static func bound(_ text: RawSpan) -> (score: Double, isExcluded: Bool)? {
        let isExcluded = text.byteCount > 0 && text.byte(at: 0) == UInt8(ascii: "(")
        guard let score = RangeText.parse(isExcluded ? text.extracting(droppingFirst: 1) : text) else { return nil }
        return (score, isExcluded)
    }

    func isBelow(_ score: Double) -> Bool { excludesLow ? score <= low : score < low }
    func isAbove(_ score: Double) -> Bool { excludesHigh ? score >= high : score > high }
}

/// Members as commands name a range of them: `[a`, `(a` (without it), `-`, `+`.
struct MemberRange {
    private enum Bound {
        case lowest, highest
        case member([UInt8], isExcluded: Bool)
    }

    private let low: Bound
    private let high: Bound

    init?(_ low: RawSpan, _ high: RawSpan) {
        guard let low = Self.bound(low), let high = Self.bound(high) else { return nil }
        self.low = low
        self.high = high
    }

    private static func bound(_ text: RawSpan) -> Bound? {
        guard text.byteCount > 0 else { return nil }
        switch text.byte(at: 0) {
        case UInt8(ascii: "-"): return text.byteCount == 1 ? .lowest : nil
        case UInt8(ascii: "+"): return text.byteCount == 1 ? .highest : nil
        case UInt8(ascii: "["): return .member(text.extracting(droppingFirst: 1).array, isExcluded: false)
        case UInt8(ascii: "("): return .member(text.extracting(droppingFirst: 1).array, isExcluded: true)
        default: return nil
        }
    }

    func isBelow(_ member: RawSpan) -> Bool {
        switch low {
        case .lowest: return false
        case .highest: return true
        case .member(let bound, let isExcluded):
            let order = member.compare(bound.rawSpan)
            return isExcluded ? order <= 0 : order < 0
        }
    }

    func isAbove(_ member: RawSpan) -> Bool {
        switch high {
        case .lowest: return true
        case .highest: return false
        case .member(let bound, let isExcluded):
            let order = member.compare(bound.rawSpan)
            return isExcluded ? order >= 0 : order > 0
        }
    }
}

/// The ends of a range of scores: servers read them with C's `strtod` and look at nothing but that the whole text was
/// used. Source: redis/redis src/t_zset.c, zslParseRange.
enum RangeText {
    static func parse(_ text: RawSpan) -> Double? {
        // strtod reads no number from no text, and ends where it began: at the end.
        if text.byteCount == 0 { return 0 }
        var blanks = 0
        while blanks < text.byteCount, text.byte(at: blanks) == 0x20 || 0x09...0x0d ~= text.byte(at: blanks) {
            blanks += 1
        }
        guard let value = ScoreText.parse(text.extracting(droppingFirst: blanks)), !value.isNaN else { return nil }
        return value
    }
}
