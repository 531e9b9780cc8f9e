import Glibc
public import RDBKit

/// A live server, or a cluster, as an input: its keys by `SCAN` and `DUMP`, or by the commands of their types, as an RDB that
/// is made while it is read.
///
///     let side = ServerSide(of: try ServerURL("redis://127.0.0.1"))
///     var reader = try RDBReader(side.open(wanting: nil, isLast: true))
///
/// Only reads. What changes meanwhile may be there as it was or as it is; a key may come twice (`SCAN` promises each at
/// least once). Keys whose expiry is over are not there, whether the server has removed them or not. Memory: see
/// `SnapshotReading`.
public final class ServerSide: SnapshotSide {
    public let url: ServerURL
    private let connectionOptions: ConnectionOptions
    public var options: SnapshotOptions
    /// Something worth telling that ends nothing.
    public var notice: (String) -> Void = { _ in }
    private var servers: SnapshotServers?
    private var serverFailure: ServerError?

    /// - Parameters:
    ///   - url: a server, or any node of a cluster.
    ///   - connection: what the URL leaves open.
    public init(
        of url: ServerURL, connection: ConnectionOptions = ConnectionOptions(),
        options: SnapshotOptions = SnapshotOptions()
    ) {
        self.url = url
        connectionOptions = connection
        self.options = options
    }

    deinit { close() }

    public func close() {
        servers?.close()
        servers = nil
    }

    public var name: String { url.description }
    public var isLive: Bool { true }
    public var failure: (any Error)? { serverFailure }

    /// Connects, and finds out what is there.
    public func connect() throws(ServerError) -> TargetDescription? {
        if let servers { return servers.description }
        let servers = try SnapshotServers(of: url, connection: connectionOptions, options)
        self.servers = servers
        return servers.description
    }

    /// - Throws: `ServerError`.
    public func open(wanting wants: KeyFilter?, isLast: Bool) throws -> any ByteSource {
        try open(wanting: wants)
    }

    public func open(wanting wants: KeyFilter? = nil) throws(ServerError) -> any ByteSource {
        _ = try connect()
        guard let servers else { preconditionFailure("connected") }
        serverFailure = nil
        let own = options.wants
        let both: KeyFilter? =
            if let own, let wants { { own($0, $1) && wants($0, $1) } } else { own ?? wants }
        let reading = SnapshotReading(servers, wants: both) { [weak self] in self?.notice($0) }
        let producer = SnapshotProducer(reading: reading) { [weak self] in self?.serverFailure = $0 }
        return RecordingSource(WrittenSource(producer, version: servers.version))
    }
}

/// A reading as the producer of an RDB.
struct SnapshotProducer: RDBProducer, ~Copyable {
    let reading: SnapshotReading
    let note: (ServerError) -> Void

    mutating func produce(_ writer: inout RDBWriter) throws(SourceError) {
        do throws(ServerError) { try reading.produce(&writer) } catch {
            note(error)
            throw error.code == .interrupted ? .interrupted : .system(EIO)
        }
    }
}
