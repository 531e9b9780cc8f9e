import Glibc
import NIOCore
import NIOSSL

/// What a connection needs to begin TLS: certificates read, and the name that the server must bear.
struct TLSClient: Sendable {
    private let context: NIOSSLContext
    private let serverName: String?

    /// - Returns: nil where the connection is plain.
    /// - Throws: `tls` if a file cannot be read or does not hold what it should.
    init?(address: ServerAddress, options: ConnectionOptions) throws(ServerError) {
        guard options.usesTLS, case .tcp(let host, _) = address else { return nil }
        context = try Self.context(options.tls)
        if let name = options.tls.serverName {
            serverName = name
        } else {
            // An IP address is no name to ask for; the certificate is compared with the peer's address then.
            serverName = (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
        }
    }

    func makeHandler() throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(context: context, serverHostname: serverName)
    }

    private static func context(_ options: TLSOptions) throws(ServerError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if !options.verifies { configuration.certificateVerification = .none }
        if let file = options.caFile {
            // Read here so that a wrong file is told by name.
            let certificates = try attempt(file, "read the CA certificates") { try NIOSSLCertificate.fromPEMFile(file) }
            configuration.trustRoots = .certificates(certificates)
        }
        if let file = options.certificateFile {
            let chain = try attempt(file, "read the certificate") { try NIOSSLCertificate.fromPEMFile(file) }
            configuration.certificateChain = chain.map { .certificate($0) }
        }
        if let file = options.keyFile ?? options.certificateFile {
            let key = try attempt(file, "read the key") { try NIOSSLPrivateKey(file: file, format: .pem) }
            configuration.privateKey = .privateKey(key)
        }
        return try attempt(options.certificateFile ?? "TLS", "use certificate and key") {
            try NIOSSLContext(configuration: configuration)
        }
    }

    private static func attempt<T>(_ file: String, _ doing: String, _ body: () throws -> T) throws(ServerError) -> T {
        do {
            return try body()
        } catch {
            // The library's own words for a file that is not there, or that nobody may read, are others.
            if let number = errno(of: file) {
                throw ServerError(.tls, "\(file): cannot \(doing): \(ServerError.words(errno: number))")
            }
            throw ServerError(.tls, "\(file): cannot \(doing): \(words(error))")
        }
    }

    private static func words(_ error: any Error) -> String {
        switch error as? NIOSSLError {
        case .failedToLoadCertificate: "it holds no certificate (PEM)"
        case .failedToLoadPrivateKey: "it holds no key (PEM)"
        default: "\(error)"
        }
    }

    /// Why a file cannot be opened; nil where it can.
    private static func errno(of file: String) -> Int32? {
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { return Glibc.errno }
        close(descriptor)
        return nil
    }
}

extension NIOSSLContext {
    /// For serving a target that replicates over TLS, with the certificate and key of these options.
    static func serving(_ options: TLSOptions) throws(ServerError) -> NIOSSLContext {
        do {
            let certificate = options.certificateFile ?? ""
            let chain = try NIOSSLCertificate.fromPEMFile(certificate)
            let key = try NIOSSLPrivateKey(file: options.keyFile ?? certificate, format: .pem)
            return try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)))
        } catch {
            throw ServerError(.tls, "cannot serve TLS with \(options.certificateFile ?? "no certificate"): \(error)")
        }
    }
}
