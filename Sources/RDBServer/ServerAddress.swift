/// Where a server listens.
public enum ServerAddress: Sendable, Hashable {
    case tcp(host: String, port: Int)
    case unix(path: String)

    public static let defaultPort = 6379
}

extension ServerAddress: CustomStringConvertible {
    /// `127.0.0.1:6379`, `[::1]:6379` or a path.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }

    /// Reads `host:port`, `[::1]:port` and what servers write without brackets: the port stands behind the last colon.
    public init?(hostAndPort text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":"), let port = Self.port(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.first == "[", host.last == "]", host.count > 2 {
            host = host.dropFirst().dropLast()
        }
        self = .tcp(host: String(host), port: port)
    }

    static func port(_ text: some StringProtocol) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 5, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let port = Int(text),
            1...65535 ~= port
        else { return nil }
        return port
    }
}
