import Glibc
import RDBBytes

extension RawSpan {
    func isEqual(to other: RawSpan) -> Bool {
        byteCount == other.byteCount && (byteCount == 0 || compareBytes(other, byteCount) == 0)
    }

    /// Bytewise, the shorter first where one begins with the other.
    func precedes(_ other: RawSpan) -> Bool {
        let common = min(byteCount, other.byteCount)
        let order = common == 0 ? 0 : compareBytes(other, common)
        return order == 0 ? byteCount < other.byteCount : order < 0
    }

    func hasPrefix(_ prefix: RawSpan) -> Bool {
        byteCount >= prefix.byteCount && (prefix.byteCount == 0 || compareBytes(prefix, prefix.byteCount) == 0)
    }

    /// Both have at least `count` bytes, which is not 0.
    private func compareBytes(_ other: RawSpan, _ count: Int) -> Int32 {
        unsafe withUnsafeBytes { left in
            unsafe other.withUnsafeBytes { right in
                unsafe memcmp(left.baseAddress.unsafelyUnwrapped, right.baseAddress.unsafelyUnwrapped, count)
            }
        }
    }
}

extension [UInt8] {
    mutating func append(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}
