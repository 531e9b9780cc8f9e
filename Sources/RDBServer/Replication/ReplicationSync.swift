public import RDBBytes
public import RDBFormat

/// Gives a server the whole of an RDB file by one full synchronization of replication, with this program as the primary.
///
/// The server loads the file at its native speed and keeps everything in it: idle times and frequencies, times of
/// consumers, entries that have expired meanwhile (it removes them itself, once it is a primary again). What happens to
/// it: `REPLICAOF` this program, one synchronization, `REPLICAOF NO ONE`; `repl-diskless-load` is changed for that time
/// where it is allowed, so that the file goes straight into memory. On any failure it is made a primary again and the
/// setting put back.
///
/// Only for a standalone primary of Redis or Valkey, empty, that loads the file's version and can connect to this
/// machine. A replica that meets a damaged file gives up when it loads from the connection, but a server that has
/// received it to disk first (no right to change the setting) exits: check a file before.
///
/// Memory: 4 MiB.
public struct ReplicationSync {
    public struct Options: Sendable {
        /// What the target is told to connect to; nil for this side's address of the control connection (127.0.0.1
        /// where that is a unix socket) and the port listened on. Only `.tcp`; port 0 stands for the port listened on.
        public var announce: ServerAddress?
        /// Where to listen; nil for the announced address and a free port where nothing is announced, else for all
        /// addresses of this machine and the announced port. Only `.tcp`; port 0 is any free one.
        public var listen: ServerAddress?
        /// IP addresses that the target may connect from; nil for the one that the control connection goes to.
        public var peers: Set<String>?
        /// How long the target may take to connect and ask for the synchronization.
        public var connectBackTimeout: Duration = .seconds(15)
        /// How long it may neither take bytes nor show any other sign of life.
        public var silenceTimeout: Duration = .seconds(60)

        public init() {}
    }

    public enum Phase: String, Sendable { case connecting, sending, loading, promoting }

    public struct Progress: Sendable {
        public var phase: Phase
        public var sentByteCount: UInt64
        /// Of the file, where it is known.
        public var byteCount: UInt64?
    }

    private let control: ServerConnection
    private let description: TargetDescription
    private let source: any ByteSource
    private let byteCount: UInt64?
    private let version: RDBVersion
    private let options: Options

    /// Called on the thread of `run`, about ten times a second.
    public var onProgress: ((Progress) -> Void)?

    /// - Parameters:
    ///   - control: a connection to the target whose user may use REPLICAOF and INFO; CONFIG is used where allowed. Its
    ///     TLS certificate and key serve a target that replicates over TLS.
    ///   - description: of the target.
    ///   - source: the RDB's bytes from the first to the last of its checksum, and nothing behind.
    ///   - byteCount: how many these are, nil if that is not known (a compressed file, a pipe).
    ///   - version: the file's.
    public init(
        control: ServerConnection, description: TargetDescription, source: any ByteSource, byteCount: UInt64?,
        version: RDBVersion, options: Options = Options()
    ) {
        self.control = control
        self.description = description
        self.source = source
        self.byteCount = byteCount
        self.version = version
        self.options = options
    }

    /// Does all of it; blocks until the target is a primary again with the data.
    /// - Throws: `unsuitableTarget`, `refused` before anything was changed; `timeout`, `closed`, `tls`,
    ///   `protocolViolation`, `sourceFailed`, `interrupted` afterwards: then the message says in which role the target
    ///   was left.
    public func run() throws(ServerError) -> ReplicationSummary {
        let target = ReplicationTarget(control)
        try target.check(description, version: version)
        let session = try ReplicationSession(target: target, options: options)
        defer { session.close() }
        session.onProgress = onProgress
        return try session.run(source, byteCount: byteCount)
    }
}

public struct ReplicationSummary: Sendable, Equatable {
    /// Of the file.
    public var byteCount: UInt64
    /// From the command to the target until it was a primary again.
    public var seconds: Double
    /// Whether the target was seen to load from the connection, not by way of its disk; nil where its user may not ask.
    public var isDiskless: Bool?
    /// What the target holds now, by database.
    public var keyCounts: [Int: UInt64]?
    /// Why `repl-diskless-load` could not be put back, where that is so.
    public var settingError: ServerError?
}
