/// Certificates made for one test by the `openssl` program, in a folder that goes with them.
///
/// An authority signs the server's certificate and a client's; another authority has
/// signed nothing.
package final class Certificates {
    package let folder: TemporaryFolder

    package var authority: String { folder.file("ca.crt") }
    package var otherAuthority: String { folder.file("other.crt") }
    package var serverCertificate: String { folder.file("server.crt") }
    package var serverKey: String { folder.file("server.key") }
    package var clientCertificate: String { folder.file("client.crt") }
    package var clientKey: String { folder.file("client.key") }

    /// - Parameter serverNames: what the server's certificate is for.
    package init(serverNames: String = "DNS:server.test,IP:127.0.0.1") throws {
        folder = try TemporaryFolder()
        try makeAuthority("ca")
        try makeAuthority("other")
        try makeCertificate("server", names: serverNames)
        try makeCertificate("client", names: "DNS:client.test")
    }

    /// A server's options for TLS on that port.
    package func options(port: Int, asksForClient: Bool = false) -> [(name: String, value: String)] {
        [
            (name: "tls-port", value: String(port)), (name: "bind", value: "127.0.0.1"),
            (name: "tls-cert-file", value: serverCertificate), (name: "tls-key-file", value: serverKey),
            (name: "tls-ca-cert-file", value: authority),
            (name: "tls-auth-clients", value: asksForClient ? "yes" : "no"),
        ]
    }

    private func makeAuthority(_ name: String) throws {
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=\(name) of a test", "-keyout", folder.file("\(name).key"), "-out",
            folder.file("\(name).crt"))
    }

    private func makeCertificate(_ name: String, names: String) throws {
        try openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=\(name)",
            "-keyout", folder.file("\(name).key"), "-out", folder.file("\(name).csr"))
        try Files.write(Bytes("subjectAltName=\(names)\n".utf8), to: folder.file("\(name).ext"))
        try openssl(
            "x509", "-req", "-in", folder.file("\(name).csr"), "-CA", authority, "-CAkey", folder.file("ca.key"),
            "-CAcreateserial", "-days", "2", "-extfile", folder.file("\(name).ext"), "-out",
            folder.file("\(name).crt"))
    }

    private func openssl(_ arguments: String...) throws {
        let errors = folder.file("openssl.err")
        let process = try ChildProcess("openssl", arguments, output: folder.file("openssl.out"), errors: errors)
        guard process.wait(seconds: 30) == .exited(0) else {
            throw HarnessError("openssl \(arguments.joined(separator: " ")):\n\((try? Files.text(errors)) ?? "")")
        }
    }
}

/// A TLS server of the `openssl` program that shows the right certificate only to who asks for it by its name, and
/// another one to everybody else. It speaks no protocol.
package final class NamedTLSServer {
    package let port: Int
    private let process: ChildProcess
    private let folder: TemporaryFolder

    /// - Parameters:
    ///   - name: whom to ask for.
    ///   - right: has a certificate for that name.
    ///   - other: of the same authority or another, for whoever does not ask.
    package init(name: String, right: Certificates, other: Certificates) throws {
        folder = try TemporaryFolder()
        port = try ServerProcess.freePort()
        process = try ChildProcess(
            "openssl",
            [
                "s_server", "-accept", "127.0.0.1:\(port)", "-servername", name, "-cert2", right.serverCertificate,
                "-key2", right.serverKey, "-cert", other.serverCertificate, "-key", other.serverKey, "-rev",
            ], output: folder.file("out"), errors: folder.file("err"))
        let deadline = now() + 30
        while try !Files.text(folder.file("out")).contains("ACCEPT") {
            guard now() < deadline, process.wait(seconds: 0.02) == nil else {
                throw HarnessError("openssl s_server: \((try? Files.text(folder.file("err"))) ?? "")")
            }
        }
    }

    deinit { process.kill() }
}
