/// Digests by key: as `rdbkit digest --per-key --format json` writes them, and as a server tells them.
package enum KeyDigests {
    /// - Throws: `HarnessError` for a line that is not as the schema says, and for a key that comes twice.
    package static func parse(_ lines: Bytes) throws -> [CanonicalEntry.Name: String] {
        var digests: [CanonicalEntry.Name: String] = [:]
        for line in lines.split(separator: 0x0a) {
            let fields = try JSONFields(try JSONValue(parsing: Bytes(line)))
            guard fields.names == ["db", "key", "digest"] else { throw HarnessError("the names are \(fields.names)") }
            let name = CanonicalEntry.Name(database: Int(try fields.integer("db")), key: try fields.text("key"))
            guard digests.updateValue(try fields.plainText("digest"), forKey: name) == nil else {
                throw HarnessError("twice: \(name)")
            }
        }
        return digests
    }

    /// What `DEBUG DIGEST-VALUE` answers for every key of every database.
    package static func ask(_ connection: RESPConnection, databases: Int = 16) throws -> [CanonicalEntry.Name: String] {
        var digests: [CanonicalEntry.Name: String] = [:]
        for database in 0..<databases {
            try connection.call("SELECT", database)
            let keys = try connection.call("KEYS", "*").elements().map { try $0.bytes() }
            let replies = try connection.pipeline(keys.map { Command("DEBUG", "DIGEST-VALUE", $0) })
            for (key, reply) in zip(keys, replies) {
                let digest = try reply.elements().first.map { try $0.text() } ?? ""
                digests[CanonicalEntry.Name(database: database, key: key)] = digest
            }
        }
        return digests
    }

    /// Keys that are on one side only, or differ.
    package static func differences(
        _ expected: [CanonicalEntry.Name: String], _ found: [CanonicalEntry.Name: String]
    ) -> [Difference] {
        Set(expected.keys).union(found.keys).sorted().compactMap { name in
            let (left, right) = (expected[name], found[name])
            if left == right { return nil }
            return Difference(name: name, path: "digest", expected: left ?? "no key", found: right ?? "no key")
        }
    }
}
