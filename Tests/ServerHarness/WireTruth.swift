/// What a server says it holds: every key of every database, asked over the wire.
package struct WireTruth {
    private let connection: RESPConnection
    private let server: Server
    private let scenario: Scenario

    /// Lets the server save, and reads the state that it saved.
    ///
    /// - Parameters:
    ///   - connection: the only one that the server has; nothing may change in between.
    ///   - scenario: how the server is set up.
    package static func save(_ connection: RESPConnection, of scenario: Scenario) throws -> [CanonicalEntry] {
        let truth = WireTruth(connection: connection, server: scenario.server, scenario: scenario)
        // Reading values touches them, so what eviction knows is asked first, on both sides of SAVE.
        let before = try truth.evictionInformation()
        try connection.call("SAVE")
        let after = try truth.evictionInformation()
        return try truth.read(eviction: before.merging(after) { min($0.lowerBound, $1.lowerBound)...$1.upperBound })
    }

    /// Reads the state without saving.
    package static func read(_ connection: RESPConnection, of scenario: Scenario) throws -> [CanonicalEntry] {
        let truth = WireTruth(connection: connection, server: scenario.server, scenario: scenario)
        return try truth.read(eviction: try truth.evictionInformation())
    }

    // MARK: Keys

    private func databases() throws -> [Int] {
        let keyspace = try connection.call("INFO", "keyspace").text()
        return keyspace.split(whereSeparator: \.isNewline).compactMap { line in
            guard line.hasPrefix("db") else { return nil }
            return Int(line.dropFirst(2).prefix { $0 != ":" })
        }
    }

    private func names(in database: Int) throws -> [CanonicalEntry.Name] {
        try connection.call("SELECT", database)
        return try connection.call("KEYS", "*").elements().map { .init(database: database, key: try $0.bytes()) }
    }

    /// Idle seconds or frequency, whichever the policy keeps.
    private func evictionInformation() throws -> [CanonicalEntry.Name: ClosedRange<Int64>] {
        let question: String
        switch scenario.eviction {
        case .none: return [:]
        case .leastRecentlyUsed: question = "IDLETIME"
        case .leastFrequentlyUsed: question = "FREQ"
        }
        var information: [CanonicalEntry.Name: ClosedRange<Int64>] = [:]
        for database in try databases() {
            let names = try names(in: database)
            let replies = try connection.pipeline(names.map { Command("OBJECT", question, $0.key) })
            for (name, reply) in zip(names, replies) {
                let value = try reply.integer()
                information[name] = value...value
            }
        }
        return information
    }

    private func read(eviction: [CanonicalEntry.Name: ClosedRange<Int64>]) throws -> [CanonicalEntry] {
        var entries: [CanonicalEntry] = []
        for database in try databases() {
            let names = try names(in: database).sorted()
            let types = try connection.pipeline(names.map { Command("TYPE", $0.key) })
            for (name, type) in zip(names, types) {
                var entry = try read(name, type: try type.text())
                switch scenario.eviction {
                case .none: break
                case .leastRecentlyUsed: entry.idleSeconds = eviction[name]
                case .leastFrequentlyUsed: entry.frequency = eviction[name]
                }
                entries.append(entry)
            }
        }
        return entries
    }

    // MARK: Values

    private func read(_ name: CanonicalEntry.Name, type: String) throws -> CanonicalEntry {
        let key = name.key
        let question: Command =
            switch type {
            case "string": Command("GET", key)
            case "list": Command("LRANGE", key, 0, -1)
            case "set": Command("SMEMBERS", key)
            case "zset": Command("ZRANGE", key, 0, -1, "WITHSCORES")
            case "hash": Command("HGETALL", key)
            case "stream": Command("XINFO", "STREAM", key, "FULL", "COUNT", 0)
            case "vectorset": Command("VCARD", key)
            default: throw HarnessError("a type that this harness cannot read: \(type)")
            }
        let expiry =
            server.isRedis7
            ? [Command("PEXPIRETIME", key)] : [Command("TIME"), Command("PTTL", key), Command("TIME")]
        let replies = try connection.pipeline([question, Command("OBJECT", "ENCODING", key)] + expiry)
        var entry = CanonicalEntry(name: name, value: try value(of: type, replies[0]))
        entry.expiresAt = try expiryRange(Array(replies[2...]))
        if case .hash(let hash) = entry.value, server.hasFieldExpiry {
            entry.fieldExpiries = try fieldExpiries(of: key, fields: Array(hash.keys))
        }
        entry.encodings = fileEncodings(of: entry, inMemory: try replies[1].text())
        return entry
    }

    private func value(of type: String, _ reply: RESPValue) throws -> CanonicalEntry.Value {
        switch type {
        case "string": return .string(try reply.bytes())
        case "list": return .list(try reply.elements().map { try $0.bytes() })
        case "set": return .set(Set(try reply.elements().map { try $0.bytes() }))
        case "zset":
            return .sortedSet(
                try reply.pairs().map { ScoredMember(member: try $0.bytes(), score: try $1.double()) })
        case "hash":
            let pairs = try reply.pairs().map { (try $0.bytes(), try $1.bytes()) }
            return .hash(Dictionary(pairs, uniquingKeysWith: { first, _ in first }))
        case "stream": return .stream(try CanonicalStream(information: reply))
        default: return .module(type)
        }
    }

    /// The absolute expiry: as answered, or between the sums of time left and time before and after.
    private func expiryRange(_ replies: [RESPValue]) throws -> ClosedRange<Int64>? {
        if replies.count == 1 {
            let expiry = try replies[0].integer()
            return expiry < 0 ? nil : expiry...expiry
        }
        let left = try replies[1].integer()
        if left < 0 { return nil }
        let times = try [replies[0], replies[2]].map { reply in
            let parts = try reply.elements()
            return try parts[0].integer() * 1_000 + parts[1].integer() / 1_000
        }
        return times[0] + left...times[1] + left
    }

    private func fieldExpiries(of key: Bytes, fields: [Bytes]) throws -> [Bytes: Int64] {
        let reply = try connection.call("HPEXPIRETIME", key, "FIELDS", fields.count, Arguments(fields))
        var expiries: [Bytes: Int64] = [:]
        for (field, expiry) in zip(fields, try reply.elements()) {
            let expiry = try expiry.integer()
            if expiry >= 0 { expiries[field] = expiry }
        }
        return expiries
    }

    // MARK: Encodings

    /// The names that the file's encoding may have, given the one in memory; nil where the file's form
    /// does not follow from it.
    private func fileEncodings(of entry: CanonicalEntry, inMemory: String) -> Set<String>? {
        switch entry.value {
        case .string(let bytes):
            // Whatever the form in memory, short text that is a 32-bit integer is saved as one.
            let text = String(decoding: bytes.prefix(12), as: UTF8.self)
            if bytes.count <= 11, let value = Int32(text), String(value) == text { return ["int"] }
            return bytes.count > 20 && scenario.compresses ? ["raw", "lzf"] : ["raw"]
        case .list:
            return [server.isRedis7 ? "quicklist2" : "quicklist"]
        case .set, .sortedSet:
            return [inMemory]
        case .hash:
            // Field expiries have forms of their own.
            return entry.fieldExpiries.isEmpty && inMemory != "listpackex" ? [inMemory] : nil
        case .stream, .array, .module:
            return nil
        }
    }
}
