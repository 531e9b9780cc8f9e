public import RESPFormat

/// How to connect, beside where to.
public struct ConnectionOptions: Sendable {
    public enum ProtocolVersion: Int, Sendable {
        case resp2 = 2
        case resp3 = 3
    }

    public var user: String?
    public var password: String?
    public var usesTLS = false
    public var tls = TLSOptions()
    /// For the connection to stand, and again for the TLS handshake.
    public var connectTimeout: Duration = .seconds(10)
    /// How long the server may be silent while it owes replies, and takes nothing that it is sent. Nil: for ever.
    public var replyTimeout: Duration? = .seconds(60)
    public var database: Int?
    public var protocolVersion = ProtocolVersion.resp2
    public var replyLimits = RESPReplyParser.Limits()

    public init() {}

    /// The same with what a URL says, as far as it is not set here already.
    public func filled(from url: ServerURL) -> ConnectionOptions {
        var options = self
        options.usesTLS = usesTLS || url.usesTLS
        options.user = user ?? url.user
        options.password = password ?? url.password
        options.database = database ?? url.database
        return options
    }
}

/// How to prove who is at each end of a TLS connection. Files are PEM.
public struct TLSOptions: Sendable, Equatable {
    /// The authorities that may have signed the server's certificate; nil for those that the system trusts.
    public var caFile: String?
    /// This side's certificate, with the chain below it, and its key: for servers that ask for one.
    public var certificateFile: String?
    public var keyFile: String?
    /// False: any certificate of any server is taken.
    public var verifies = true
    /// The name that is asked for (SNI); nil for the host of the address. The certificate must bear it, or the server's
    /// IP address.
    public var serverName: String?

    public init() {}
}
