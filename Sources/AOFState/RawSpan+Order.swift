import Glibc
import RDBBytes

// Byte strings compared as servers do it: by the first byte that differs, then by length.
extension RawSpan {
    func isEqual(to other: RawSpan) -> Bool {
        byteCount == other.byteCount && compareCommon(other, byteCount) == 0
    }

    func precedes(_ other: RawSpan) -> Bool { compare(other) < 0 }

    /// Below, at or above 0.
    func compare(_ other: RawSpan) -> Int {
        let order = compareCommon(other, min(byteCount, other.byteCount))
        return order != 0 ? order : byteCount - other.byteCount
    }

    private func compareCommon(_ other: RawSpan, _ count: Int) -> Int {
        if count == 0 { return 0 }
        // Both hold at least count bytes, which is not 0.
        return unsafe withUnsafeBytes { left in
            unsafe other.withUnsafeBytes { right in
                Int(unsafe memcmp(left.baseAddress.unsafelyUnwrapped, right.baseAddress.unsafelyUnwrapped, count))
            }
        }
    }
}
