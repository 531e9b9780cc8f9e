import ArgumentParser
import Glibc
import RDBKit
import RDBServer

/// How to reach and log in to a live server; the same on every command that takes one.
struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Log in as this user; overrides the URL's.", valueName: "name"))
    var user: String?

    @Flag(help: "Ask for the password. Otherwise the URL's counts, or that in REDISCLI_AUTH.")
    var askpass = false

    @Option(
        name: .customLong("cacert"),
        help: ArgumentHelp("The authorities that may sign the server's certificate (PEM).", valueName: "file"))
    var caFile: String?

    @Option(name: .customLong("cert"), help: ArgumentHelp("This side's certificate (PEM).", valueName: "file"))
    var certificateFile: String?

    @Option(name: .customLong("key-file"), help: ArgumentHelp("And its key (PEM).", valueName: "file"))
    var keyFile: String?

    @Option(
        name: .customLong("sni"),
        help: ArgumentHelp(
            "The name to ask for and to find in the certificate; by default the host.", valueName: "name"))
    var serverName: String?

    @Flag(help: "Take any certificate.")
    var insecure = false

    @Option(help: ArgumentHelp("How long to wait for a connection.", valueName: "seconds"))
    var connectTimeout = 10.0

    @Option(help: ArgumentHelp("How long a server that owes replies may be silent.", valueName: "seconds"))
    var replyTimeout = 60.0

    @Flag(name: .customLong("resp3"), help: "Speak RESP3.")
    var usesRESP3 = false

    func validate() throws {
        for seconds in [connectTimeout, replyTimeout] where !(0.001...1e6).contains(seconds) {
            throw ValidationError("a timeout takes 0.001 to 1000000 seconds")
        }
        if (certificateFile == nil) != (keyFile == nil) {
            throw ValidationError("--cert and --key-file belong together")
        }
    }

    /// - Throws: `authenticationFailed` or `interrupted` where no password is entered.
    func connection(for seeds: [ServerURL]) throws(ServerError) -> ConnectionOptions {
        var options = ConnectionOptions()
        options.user = user
        if askpass {
            options.password = try PasswordPrompt.read()
        } else if !seeds.contains(where: { $0.password != nil }) {
            options.password = Self.environment("REDISCLI_AUTH")
        }
        options.tls.caFile = caFile
        options.tls.certificateFile = certificateFile
        options.tls.keyFile = keyFile
        options.tls.serverName = serverName
        options.tls.verifies = !insecure
        options.connectTimeout = .milliseconds(Int64(connectTimeout * 1000))
        options.replyTimeout = .milliseconds(Int64(replyTimeout * 1000))
        options.protocolVersion = usesRESP3 ? .resp3 : .resp2
        return options
    }

    private static func environment(_ name: String) -> String? {
        // The text is copied at once; this program never changes its environment.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}

/// `20MB/s`, `20MB`.
struct ByteRate: ExpressibleByArgument {
    let bytesPerSecond: UInt64

    init?(argument: String) {
        let text = argument.hasSuffix("/s") ? String(argument.dropLast(2)) : argument
        guard let amount = ByteAmount(argument: text), amount.byteCount > 0 else { return nil }
        bytesPerSecond = amount.byteCount
    }
}

/// `5000/s`, `5000`.
struct CountRate: ExpressibleByArgument {
    let perSecond: UInt64

    init?(argument: String) {
        let text = argument.hasSuffix("/s") ? String(argument.dropLast(2)) : argument
        guard let count = UInt64(text), count > 0 else { return nil }
        perSecond = count
    }
}
