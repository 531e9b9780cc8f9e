import ServerHarness

/// A file that a server of Debian's saved, and what it answered before.
final class SavedDump: @unchecked Sendable {
    let path: String
    let entries: [CanonicalEntry]
    private let folder: TemporaryFolder

    /// - Parameters:
    ///   - options: the server's configuration beyond the defaults.
    ///   - readsBack: whether `entries` are wanted.
    init(
        options: [(name: String, value: String)] = [], readsBack: Bool = true, _ fill: (RESPConnection) throws -> Void
    ) throws {
        let process = try ServerProcess(.debian, options: options)
        defer { process.stop() }
        let connection = try process.connect()
        try fill(connection)
        // A server that makes a table compact when it loads it loses the sign of a zero: here as at the target.
        try connection.call("DEBUG", "RELOAD")
        let scenario = Scenario(server: .debian, seed: 3)
        if readsBack {
            entries = try WireTruth.save(connection, of: scenario)
        } else {
            try connection.call("SAVE")
            entries = []
        }
        folder = try TemporaryFolder()
        path = folder.file("dump.rdb")
        try Files.write(try Files.read(process.dumpPath), to: path)
    }

    /// So many strings, some with an expiry, and a few of every other type.
    static func small(_ count: Int = 100) throws -> SavedDump {
        try SavedDump { connection in
            for index in 0..<count {
                try connection.call("SET", "string:\(index)", "value \(index)")
                if index % 3 == 0 { try connection.call("PEXPIREAT", "string:\(index)", 4_000_000_000_000 + index) }
            }
            for index in 0..<max(1, count / 10) {
                try connection.call("RPUSH", "list:\(index)", "a", "b", index)
                try connection.call("SADD", "set:\(index)", "a", "b", index)
                try connection.call("ZADD", "zset:\(index)", 1, "a", "2.5", "b", index, "c")
                try connection.call("HSET", "hash:\(index)", "a", 1, "b", index)
                try connection.call("XADD", "stream:\(index)", "5-\(index + 1)", "field", "value")
                try connection.call("XGROUP", "CREATE", "stream:\(index)", "group", 0)
                try connection.call("XREADGROUP", "GROUP", "group", "reader", "STREAMS", "stream:\(index)", ">")
            }
        }
    }
}

extension ServerProcess {
    /// What it holds, as a `SavedDump` tells it.
    func entries() throws -> [CanonicalEntry] {
        try WireTruth.read(try connect(), of: Scenario(server: server, seed: 3))
    }
}

extension Comparison {
    /// What of the dump is not at the servers as it should be, and what else is there.
    static func differences(
        _ dump: SavedDump, _ servers: [ServerProcess], byCommands: Bool = false
    ) throws -> [Difference] {
        let transfer = Transfer(from: .debian, to: servers[0].server, byCommands ? .mixed : .restore)
        let found = try servers.flatMap { try $0.entries() }
        return differences(expected: transfer.expected(dump.entries), found: transfer.found(found))
    }
}
