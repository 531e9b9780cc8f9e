internal import CPCRE2
public import RDBBytes

/// A regular expression over raw bytes, by PCRE2 (Perl's syntax). Matches anywhere unless anchored.
@safe
public final class RegexPattern {
    private let code: OpaquePointer
    private let matchData: OpaquePointer

    /// What PCRE2 says of a pattern that it does not take.
    public struct SyntaxError: Error, Equatable, CustomStringConvertible {
        public var message: String
        public var index: Int
        public var description: String { "\(message) at character \(index + 1)" }
    }

    public init(_ pattern: String, ignoresCase: Bool = false) throws(SyntaxError) {
        var error: Int32 = 0
        var index = 0
        let bytes = Array(pattern.utf8)
        // PCRE2 gets the count with the pointer and keeps neither.
        let compiled = unsafe bytes.withUnsafeBufferPointer {
            unsafe pcre2_compile_8(
                $0.baseAddress, $0.count, ignoresCase ? UInt32(PCRE2_CASELESS) : 0, &error, &index, nil)
        }
        guard let compiled = unsafe compiled,
            let data = unsafe pcre2_match_data_create_from_pattern_8(compiled, nil)
        else {
            var text = [UInt8](repeating: 0, count: 256)
            let count = unsafe text.withUnsafeMutableBufferPointer {
                unsafe pcre2_get_error_message_8(error, $0.baseAddress, $0.count)
            }
            throw SyntaxError(message: String(decoding: text.prefix(max(0, Int(count))), as: UTF8.self), index: index)
        }
        // Without a just-in-time compiler the interpreter matches; the answer is the same.
        _ = unsafe pcre2_jit_compile_8(compiled, PCRE2_JIT_COMPLETE)
        unsafe code = compiled
        unsafe matchData = data
    }

    deinit {
        unsafe pcre2_match_data_free_8(matchData)
        unsafe pcre2_code_free_8(code)
    }

    /// A pattern that runs into PCRE2's limits does not match.
    public func matches(_ text: RawSpan) -> Bool {
        // An empty span may have no address, which PCRE2 takes for zero bytes.
        let found = unsafe text.withUnsafeBytes {
            unsafe pcre2_match_8(
                code, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count, 0, 0, matchData, nil)
        }
        return found >= 0
    }

    /// The longest text that a replacement may make.
    private static let maxReplacedByteCount = 2 << 20

    /// Appends the text with its first match, or all of them, replaced. `$1` and `${name}` in the replacement are groups.
    /// A pattern that runs into PCRE2's limits, or makes more than 2 MiB, leaves the text as it is.
    public func replace(in text: RawSpan, with replacement: String, all: Bool, into out: inout OutputBuffer) {
        let options = UInt32(PCRE2_SUBSTITUTE_OVERFLOW_LENGTH) | (all ? UInt32(PCRE2_SUBSTITUTE_GLOBAL) : 0)
        var capacity = text.byteCount + replacement.utf8.count + 64
        while capacity <= Self.maxReplacedByteCount {
            var needed = capacity
            var isDone = false
            unsafe out.appendInPlace(upTo: capacity) { target in
                // PCRE2 writes at most `needed` bytes, as many as were reserved, and says there how many it wrote or
                // would have written.
                let count = unsafe text.withUnsafeBytes { subject in
                    unsafe pcre2_substitute_8(
                        code, subject.baseAddress?.assumingMemoryBound(to: UInt8.self), subject.count, 0, options,
                        matchData, nil, replacement, replacement.utf8.count, target, &needed)
                }
                isDone = count >= 0
                return isDone ? needed : 0
            }
            if isDone { return }
            if needed <= capacity { break }
            capacity = needed
        }
        out.append(text)
    }
}
