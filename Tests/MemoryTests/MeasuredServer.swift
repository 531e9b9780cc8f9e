import RDBKit
import ServerHarness

/// What a server says of the memory that each key takes, after it has loaded a file.
struct MeasuredServer {
    struct Entry {
        var bytes: Int64
        var encoding: String
        var type: String
    }

    private(set) var entries: [ModelledFile.Name: Entry] = [:]
    /// used_memory with the data, and of the same server without it.
    private(set) var usedBytes: Int64
    private(set) var emptyBytes: Int64
    private(set) var allocator: Allocator

    /// Saves what `filled` holds, and asks a new server that loads it.
    init(_ filled: ServerProcess, options: [(name: String, value: String)] = []) throws {
        let empty = try ServerProcess(filled.server, options: options)
        defer { empty.stop() }
        let dump = try Files.read(filled.dumpPath)
        let process = try ServerProcess(filled.server, options: options, loading: dump)
        defer { process.stop() }
        let memory = try Self.information(empty)
        emptyBytes = memory.used
        let connection = try process.connect()
        usedBytes = try Self.information(connection).used
        allocator = try Self.allocator(memory.allocator, filled.server)
        for database in 0..<16 {
            try connection.call("SELECT", database)
            let keys = try connection.call("KEYS", "*").elements().map { try $0.bytes() }
            let usages = try connection.pipeline(keys.map { Command("MEMORY", "USAGE", $0, "SAMPLES", 0) })
            let encodings = try connection.pipeline(keys.map { Command("OBJECT", "ENCODING", $0) })
            let types = try connection.pipeline(keys.map { Command("TYPE", $0) })
            for (index, key) in keys.enumerated() {
                entries[ModelledFile.Name(database: UInt64(database), key: key)] = Entry(
                    bytes: try usages[index].integer(), encoding: try encodings[index].text(),
                    type: try types[index].text())
            }
        }
    }

    private static func information(_ process: ServerProcess) throws -> (used: Int64, allocator: String) {
        try information(try process.connect())
    }

    private static func fields(_ connection: RESPConnection, _ section: String) throws -> [Substring: Substring] {
        var fields: [Substring: Substring] = [:]
        for line in try connection.call("INFO", section).text().split(whereSeparator: \.isNewline) {
            let words = line.split(separator: ":", maxSplits: 1)
            if words.count == 2 { fields[words[0]] = words[1] }
        }
        return fields
    }

    private static func information(_ connection: RESPConnection) throws -> (used: Int64, allocator: String) {
        // Those who asked in vain while it was loading still have their buffers for a while.
        for _ in 0..<200 {
            if try fields(connection, "clients")["connected_clients"] == "1" { break }
            pause(milliseconds: 10)
        }
        let fields = try fields(connection, "memory")
        guard let used = fields["used_memory"].flatMap({ Int64($0) }), let allocator = fields["mem_allocator"] else {
            throw HarnessError("INFO memory has no used_memory and mem_allocator")
        }
        return (used, String(allocator))
    }

    /// A distribution's server uses the distribution's jemalloc, whose smallest classes are others.
    private static func allocator(_ name: String, _ server: Server) throws -> Allocator {
        if name.hasPrefix("libc") { return .libc }
        guard name.hasPrefix("jemalloc") else { throw HarnessError("\(server) has an allocator unknown here: \(name)") }
        let program = ServerCatalog.program(for: server) ?? ""
        return program.hasPrefix("/usr/") ? .systemJemalloc : .jemalloc
    }
}
