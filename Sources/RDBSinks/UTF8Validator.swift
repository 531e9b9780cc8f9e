internal import CRDBKernels
import RDBBytes

/// Tells whether bytes that arrive in pieces are UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above
/// U+10FFFF).
struct UTF8Validator {
    /// False once anything wrong was seen.
    private(set) var isValidSoFar = true
    /// Bytes still expected of a sequence that a piece ended in, and the range the next one must lie in.
    private var missing = 0
    private var low: UInt8 = 0x80
    private var high: UInt8 = 0xbf

    /// Whether everything so far is whole and valid.
    var isValid: Bool { isValidSoFar && missing == 0 }

    static func isValid(_ bytes: RawSpan) -> Bool {
        var validator = UTF8Validator()
        validator.feed(bytes)
        return validator.isValid
    }

    mutating func feed(_ bytes: RawSpan) {
        guard isValidSoFar else { return }
        let count = bytes.byteCount
        var index = 0
        while index < count {
            if missing == 0 {
                // rdb_ascii_blocks reads only the bytes it is given.
                index += unsafe bytes.extracting(index..<count).withUnsafeBytes {
                    unsafe rdb_ascii_blocks($0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count)
                }
                if index == count { return }
            }
            let byte = bytes.byte(at: index)
            index += 1
            if missing > 0 {
                guard byte >= low, byte <= high else {
                    isValidSoFar = false
                    return
                }
                missing -= 1
                (low, high) = (0x80, 0xbf)
                continue
            }
            switch byte {
            case 0..<0x80: break
            case 0xc2...0xdf: missing = 1
            case 0xe0: (missing, low) = (2, 0xa0)
            case 0xe1...0xec, 0xee, 0xef: missing = 2
            case 0xed: (missing, high) = (2, 0x9f)
            case 0xf0: (missing, low) = (3, 0x90)
            case 0xf1...0xf3: missing = 3
            case 0xf4: (missing, high) = (3, 0x8f)
            default:
                isValidSoFar = false
                return
            }
        }
    }
}
