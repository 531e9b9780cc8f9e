/// A live server as it is named on a command line.
///
/// ```
/// redis://[user[:password]@]host[:port][/db]     valkey:// is the same
/// rediss://…                                     with TLS; valkeys:// is the same
/// unix:///path[?db=n]                            redis+unix:// is the same
/// ```
/// User, password and path may hold `%XX`. An IPv6 address stands in brackets. `redis://:password@host` has a password
/// and no user.
public struct ServerURL: Sendable, Hashable {
    public var address: ServerAddress
    public var usesTLS: Bool
    public var user: String?
    public var password: String?
    public var database: Int?

    public init(
        _ address: ServerAddress, usesTLS: Bool = false, user: String? = nil, password: String? = nil,
        database: Int? = nil
    ) {
        self.address = address
        self.usesTLS = usesTLS
        self.user = user
        self.password = password
        self.database = database
    }

    /// Whether the text begins like the URL of a server.
    public static func isServerURL(_ text: String) -> Bool {
        Scheme(of: text[...]) != nil
    }

    /// - Throws: `ServerError` with the code `badURL`; its message does not repeat the password.
    public init(_ text: String) throws(ServerError) {
        guard let (scheme, start) = Scheme.split(text) else {
            throw .badURL("expected redis://, rediss://, valkey://, valkeys:// or unix://")
        }
        let rest = text[start...]
        if scheme == .unix {
            try self.init(unix: rest)
        } else {
            try self.init(tcp: rest, usesTLS: scheme == .tls)
        }
    }

    private enum Scheme {
        case plain, tls, unix

        static func split(_ text: String) -> (Scheme, String.Index)? {
            guard let scheme = Scheme(of: text[...]), let colon = text.firstIndex(of: ":") else { return nil }
            return (scheme, text.index(colon, offsetBy: 3))
        }

        init?(of text: Substring) {
            guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
            switch text[..<colon].lowercased() {
            case "redis", "valkey": self = .plain
            case "rediss", "valkeys": self = .tls
            case "unix", "redis+unix", "valkey+unix": self = .unix
            default: return nil
            }
        }
    }

    private init(tcp text: Substring, usesTLS: Bool) throws(ServerError) {
        let slash = text.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? text.endIndex
        var authority = text[..<slash]
        var (user, password): (String?, String?)
        // A password may hold an @ that nobody escaped; a host cannot.
        if let at = authority.lastIndex(of: "@") {
            (user, password) = try Self.credentials(authority[..<at])
            authority = authority[authority.index(after: at)...]
        }
        var database: Int?
        if slash < text.endIndex {
            guard text[slash] == "/" else { throw .badURL("only /db may follow the host and port") }
            let path = text[text.index(after: slash)...]
            if !path.isEmpty { database = try Self.database(path) }
        }
        try self.init(
            Self.hostAndPort(authority), usesTLS: usesTLS, user: user, password: password, database: database)
    }

    private static func hostAndPort(_ text: Substring) throws(ServerError) -> ServerAddress {
        var host = text
        var portText: Substring?
        if text.first == "[" {
            guard let bracket = text.firstIndex(of: "]") else { throw .badURL("expected ] after an IPv6 address") }
            host = text[text.index(after: text.startIndex)..<bracket]
            let rest = text[text.index(after: bracket)...]
            if !rest.isEmpty {
                guard rest.first == ":" else { throw .badURL("expected :port after an IPv6 address") }
                portText = rest.dropFirst()
            }
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            portText = text[text.index(after: colon)...]
        }
        guard !host.isEmpty else { throw .badURL("expected a host") }
        guard let portText else { return .tcp(host: try unescaped(host), port: ServerAddress.defaultPort) }
        guard let port = ServerAddress.port(portText) else {
            throw .badURL("expected a port from 1 to 65535 (an IPv6 address stands in brackets)")
        }
        return .tcp(host: try unescaped(host), port: port)
    }

    private init(unix text: Substring) throws(ServerError) {
        let question = text.firstIndex(of: "?") ?? text.endIndex
        var path = text[..<question]
        var (user, password): (String?, String?)
        guard let slash = path.firstIndex(of: "/") else { throw .badURL("expected an absolute path after unix://") }
        if slash > path.startIndex {
            guard path[path.index(before: slash)] == "@" else {
                throw .badURL("expected an absolute path after unix://")
            }
            (user, password) = try Self.credentials(path[..<path.index(before: slash)])
            path = path[slash...]
        }
        var database: Int?
        if question < text.endIndex {
            let query = text[text.index(after: question)...]
            guard query.hasPrefix("db=") else { throw .badURL("only ?db=n may follow the path") }
            database = try Self.database(query.dropFirst(3))
        }
        try self.init(.unix(path: Self.unescaped(path)), user: user, password: password, database: database)
    }

    private static func credentials(_ text: Substring) throws(ServerError) -> (user: String?, password: String?) {
        guard let colon = text.firstIndex(of: ":") else { return (text.isEmpty ? nil : try unescaped(text), nil) }
        let user = text[..<colon]
        return (user.isEmpty ? nil : try unescaped(user), try unescaped(text[text.index(after: colon)...]))
    }

    private static func database(_ text: Substring) throws(ServerError) -> Int {
        guard !text.isEmpty, text.utf8.count <= 9, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = Int(text)
        else { throw .badURL("expected the number of a database") }
        return number
    }

    private static func unescaped(_ text: Substring) throws(ServerError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(Self.hexValue), let low = rest.popFirst().flatMap(Self.hexValue)
            else { throw .badURL("expected two hexadecimal digits after %") }
            bytes.append(high << 4 | low)
        }
        guard let result = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw .badURL("expected UTF-8 text without NUL")
        }
        return result
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x41 + 10
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }
}

extension ServerURL: CustomStringConvertible {
    /// The URL without the password.
    public var description: String {
        let login = user.map { "\($0)@" } ?? ""
        switch address {
        case .tcp:
            return "\(usesTLS ? "rediss" : "redis")://\(login)\(address)\(database.map { "/\($0)" } ?? "")"
        case .unix(let path):
            return "unix://\(login)\(path)\(database.map { "?db=\($0)" } ?? "")"
        }
    }
}
