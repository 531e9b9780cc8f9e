/// What is wrong with the bytes of a server's reply.
public struct RESPReplyError: Error, Equatable, Sendable {
    public enum Code: String, Sendable {
        /// A first byte that begins no reply.
        case badType
        case badNumber
        /// CR LF is missing where a line or a string has to end.
        case badEnd
        case limitExceeded
    }

    public var code: Code
    /// What the reply should have had, or kept to.
    public var expected: String

    @inline(never)
    init(_ code: Code, _ expected: String) {
        self.code = code
        self.expected = expected
    }
}

extension RESPReplyError: CustomStringConvertible {
    public var description: String {
        code == .limitExceeded ? "a reply with more than \(expected)" : "a malformed reply: expected \(expected)"
    }
}
