import NIOCore
import NIOPosix
import NIOSSL

extension ServerError {
    /// What an error of SwiftNIO means for a connection that stands.
    init(channel error: any Error, address: ServerAddress) {
        if case NIOSSLError.uncleanShutdown = error {
            // A server that dies does not say goodbye.
            self.init(.closed, "\(address): the server closed the connection")
        } else if let words = Self.wordsOfTLS(error) {
            self.init(.tls, "\(address): TLS: \(words)")
        } else if let error = error as? IOError {
            self.init(.closed, "\(address): \(Self.words(errno: error.errnoCode))")
        } else if error is ChannelError {
            self.init(.closed, "\(address): the connection is closed")
        } else {
            self.init(.closed, "\(address): \(error)")
        }
    }

    /// What it means for a connection that a replica has made.
    init(replica error: any Error) {
        if case NIOSSLError.uncleanShutdown = error {
            self.init(.closed, "the target ended the synchronization")
        } else if Self.wordsOfTLS(error) != nil {
            let text = "\(error)"
            // The other side's alerts about the certificate that it was shown.
            let isDistrust = ["UNKNOWN_CA", "BAD_CERTIFICATE"].contains { text.contains($0) }
            self.init(.tls, isDistrust ? "the target does not trust the certificate that it was shown" : "TLS: \(text)")
        } else {
            let words = (error as? IOError).map { Self.words(errno: $0.errnoCode) } ?? "\(error)"
            self.init(.closed, "the connection from the replica: \(words)")
        }
    }

    /// What it means when a connection could not be made.
    init(connecting error: any Error, address: ServerAddress) {
        let words: String
        switch error {
        case let error as NIOConnectionError:
            // Of several addresses of a host, the last one tried stands for all.
            if let last = error.connectionErrors.last {
                self.init(connecting: last.error, address: address)
                return
            }
            let cause = (error.dnsAError ?? error.dnsAAAAError).map { ": \($0)" } ?? ""
            self.init(.cannotResolve, "cannot find the address of \(error.host)\(cause)")
            return
        case let error as IOError: words = Self.words(errno: error.errnoCode)
        case ChannelError.connectTimeout(let time):
            self.init(.timeout, "cannot connect to \(address): no answer in \(Double(time.nanoseconds) / 1e9) s")
            return
        default:
            if let words = Self.wordsOfTLS(error) {
                self.init(.tls, "\(address): TLS: \(words)")
                return
            }
            words = "\(error)"
        }
        self.init(.cannotConnect, "cannot connect to \(address): \(words)")
    }

    /// The words for an error of TLS; nil if it is of another kind.
    private static func wordsOfTLS(_ error: any Error) -> String? {
        switch error {
        case let error as NIOSSLExtraError:
            if error == .failedToValidateHostname {
                return "the server's certificate is not for this host: \(error)"
            }
            return "\(error)"
        case NIOSSLError.handshakeFailed(let cause): return words(handshake: "\(cause)")
        case let error as NIOSSLError: return "\(error)"
        case let error as BoringSSLError: return words(handshake: "\(error)")
        default: return nil
        }
    }

    /// BoringSSL names its reasons in capitals within a longer text.
    private static func words(handshake text: String) -> String {
        let known: [(mark: String, words: String)] = [
            ("CERTIFICATE_VERIFY_FAILED", "the server's certificate is not signed by an authority that is trusted"),
            ("WRONG_VERSION_NUMBER", "the server does not speak TLS on this port"),
            ("CERTIFICATE_REQUIRED", "the server asks for a client certificate"),
            ("UNKNOWN_CA", "the server does not trust the client certificate"),
            ("EOF during handshake", "the server closed the connection in the handshake"),
        ]
        return known.first { text.contains($0.mark) }.map { "\($0.words) (\($0.mark))" } ?? text
    }
}
