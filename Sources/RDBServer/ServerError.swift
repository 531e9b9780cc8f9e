import Glibc
import RESPFormat

/// What went wrong between this program and a server.
public struct ServerError: Error, Equatable, Sendable {
    public enum Code: Equatable, Sendable {
        case badURL
        case cannotResolve
        case cannotConnect
        /// No connection or no reply within the time allowed.
        case timeout
        /// The connection ended, from either side.
        case closed
        /// Certificates, or the TLS handshake.
        case tls
        case authenticationFailed
        /// The server's own words.
        case refused(reply: String)
        /// What came is not what the protocol allows.
        case protocolViolation
        /// A reply with more than `ConnectionOptions.replyLimits` allow.
        case replyTooLarge
        /// The target is one that cannot be used for what was asked.
        case unsuitableTarget
        /// The bytes to be sent cannot be read.
        case sourceFailed
        case interrupted

        /// One word for machines.
        public var name: String {
            if case .refused = self { "refused" } else { "\(self)" }
        }
    }

    public var code: Code
    /// For people, one line; names the address where there is one.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension ServerError: CustomStringConvertible {
    public var description: String { message }

    /// Whether the same may work a moment later: the network's faults, not refusals.
    public var isOfConnection: Bool {
        switch code {
        case .cannotConnect, .timeout, .closed: true
        default: false
        }
    }
}

extension ServerError {
    static func badURL(_ what: String) -> ServerError { ServerError(.badURL, "not a server's URL: \(what)") }

    static let interrupted = ServerError(.interrupted, "interrupted")

    static func closed(_ address: ServerAddress, _ how: String = "the server closed the connection") -> ServerError {
        ServerError(.closed, "\(address): \(how)")
    }

    static func refused(_ address: ServerAddress, _ doing: String, _ reply: RESPReply) -> ServerError {
        let words = reply.errorText ?? "an unexpected reply"
        return ServerError(.refused(reply: words), "\(address): \(doing): \(words)")
    }

    /// The system's words for an errno, as a part of a sentence: `connection refused`.
    static func words(errno number: Int32) -> String {
        // strerror's text is copied at once, and belongs to this thread.
        let words = unsafe String(cString: strerror(number))
        return words.prefix(1).lowercased() + words.dropFirst()
    }
}
