import RDBBytes

/// A key's value and expiry.
struct KeyspaceEntry {
    /// What stands for no expiry, here as in the servers: a key that is made to expire at -1 never does.
    static let never: Int64 = -1

    var value: KeyspaceValue
    /// Unix time in milliseconds, or `never`.
    var expiresAt: Int64
}

/// One database.
final class Database {
    var entries = ByteTable<KeyspaceEntry>()
}

/// A library of functions.
struct FunctionLibrary {
    var name: [UInt8]
    /// The whole text, its `#!` line included.
    var source: [UInt8]
}

/// What a server holds: databases and functions. Nothing expires in it; time is for who reads it.
///
/// Memory: the keys and values that commands named.
final class Keyspace {
    /// By number; those that were never used are missing.
    private(set) var databases: [UInt64: Database] = [:]
    /// The sources of libraries by name, in the order in which they were loaded.
    var functions = ByteTable<[UInt8]>()

    func database(_ number: UInt64) -> Database {
        if let database = databases[number] { return database }
        let database = Database()
        databases[number] = database
        return database
    }

    func swapDatabases(_ first: UInt64, _ second: UInt64) {
        let old = databases[first]
        databases[first] = databases[second]
        databases[second] = old
    }

    func removeDatabase(_ number: UInt64) { databases[number] = nil }

    func removeAllDatabases() { databases = [:] }
}
