import RDBKit

/// What stands before the keys: facts about the servers, and function libraries.
struct SnapshotHead {
    private let servers: SnapshotServers
    private let notice: (String) -> Void

    init(_ servers: SnapshotServers, _ notice: @escaping (String) -> Void) {
        self.servers = servers
        self.notice = notice
    }

    func write(_ writer: inout RDBWriter) throws(ServerError) {
        if let description = servers.description {
            if let version = description.version {
                let text = "\(version)".utf8
                if description.family == .valkey {
                    writer.append(aux: "valkey-ver", text)
                } else {
                    writer.append(aux: "redis-ver", text)
                }
            }
            writer.append(aux: "ctime", String(currentMilliseconds() / 1000).utf8)
            if let usedMemory = description.usedMemory { writer.append(aux: "used-mem", String(usedMemory).utf8) }
        }
        // Each primary of a cluster has its own, which should be the same.
        var seen: Set<[UInt8]> = []
        for server in servers.servers {
            let link = try servers.link(to: server)
            guard link.description.serverVersion.hasFunctions else { continue }
            let reply = try link.ask("FUNCTION", "LIST", "WITHCODE")
            guard let libraries = reply.array else {
                notice("\(server): function libraries are not read: \(reply.errorText ?? "an unexpected reply")")
                continue
            }
            for library in libraries {
                guard let code = library["library_code"]?.bytes else {
                    throw ServerError(.protocolViolation, "\(server): an unexpected reply to FUNCTION LIST")
                }
                if seen.insert(code).inserted { writer.append(function: code.rawSpan) }
            }
        }
    }

    /// The databases of a server that hold keys and are wanted, in order.
    func databases(of server: ServerAddress) throws(ServerError) -> [UInt64] {
        let link = try servers.link(to: server)
        func isWanted(_ database: UInt64) -> Bool {
            servers.options.databases.isEmpty || servers.options.databases.contains { $0.contains(database) }
        }
        let info = try link.ask("INFO", "keyspace")
        if let text = info.text, !info.isError {
            return InfoFields(text).keyCounts.keys.compactMap { UInt64(exactly: $0) }.filter(isWanted).sorted()
        }
        // Who may not ask which hold keys looks at all there are.
        var found: [UInt64] = []
        for database in 0..<Self.maxDatabaseCount {
            if database > 0 {
                let reply = try link.ask("SELECT", String(database))
                if !reply.isOK { break }
            }
            if isWanted(database) { found.append(database) }
        }
        // The requests that follow name their databases again, except where only database 0 is read.
        if found.contains(where: { $0 != 0 }) == false { _ = try link.ask("SELECT", "0") }
        return found
    }

    /// More than any server has by default.
    private static let maxDatabaseCount: UInt64 = 1024
}
