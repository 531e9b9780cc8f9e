internal import CPCRE2
import RDBBytes

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

    public init(_ pattern: String) throws(SyntaxError) {
        var error: Int32 = 0
        var index = 0
        let bytes = Array(pattern.utf8)
        // PCRE2 gets the count with the pointer and keeps neither.
        let compiled = unsafe bytes.withUnsafeBufferPointer {
            unsafe pcre2_compile_8($0.baseAddress, $0.count, 0, &error, &index, nil)
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
}
