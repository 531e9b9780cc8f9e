import AOFFormat
import RDBBytes
import RDBFormat
import RESPFormat

/// Applies commands to a keyspace, as a server does that loads a log: nothing expires meanwhile, and commands that a
/// server answers with an error have no effect. Source: formats/aof.md §2, formats/commands.md part C.
struct CommandRunner {
    let keyspace: Keyspace
    /// The selected database.
    private(set) var database: Database
    private(set) var databaseNumber: UInt64 = 0
    /// What relative times count from, and what "now" is: Unix time in milliseconds.
    var now: Int64
    /// Who wrote the log, where that is known; its rules hold. nil: those of the newest release.
    var server: ServerVersion?
    /// What XADD is about to add.
    let streamDraft = StreamDraft()
    var allowance = GrowthAllowance()
    /// Whether there were commands that only Valkey has.
    var isValkey = false

    init(_ keyspace: Keyspace, now: Int64) {
        self.keyspace = keyspace
        self.now = now
        database = keyspace.database(0)
    }

    mutating func select(_ number: UInt64) {
        databaseNumber = number
        database = keyspace.database(number)
    }

    /// Runs a command by its words alone.
    mutating func run(_ arguments: CommandArguments) -> CommandOutcome {
        guard let command = CommandTable.command(arguments) else { return .cannotRun }
        return run(command, arguments)
    }

    mutating func run(_ command: WriteCommand, _ arguments: CommandArguments) -> CommandOutcome {
        switch command {
        case .key(let command): return run(command, arguments)
        case .string(let command): return run(command, arguments)
        case .bit(let command): return run(command, arguments)
        case .hyperLogLog(let command): return run(command, arguments)
        case .list(let command): return run(command, arguments)
        case .set(let command): return run(command, arguments)
        case .sortedSet(let command): return run(command, arguments)
        case .hash(let command): return run(command, arguments)
        case .sort(let command): return run(command, arguments)
        case .geo(let command): return run(command, arguments)
        case .stream(let command): return run(command, arguments)
        case .array(let command): return run(command, arguments)
        case .pathHash(let command): return run(command, arguments)
        case .function(let command): return run(command, arguments)
        }
    }
}

// MARK: - Keys and their values

/// What a command finds at a key.
enum Found<V> {
    case missing
    case wrongType
    case value(V)
}

extension CommandRunner {
    /// The value at a key of the selected database.
    func find<V: StoredValue>(_ key: RawSpan, _: V.Type = V.self) -> Found<V> {
        guard let index = database.entries.find(key) else { return .missing }
        guard let value = V.from(database.entries[index].value) else { return .wrongType }
        return .value(value)
    }

    /// The value at a key, made if it is missing; nil where it is of another type. A command that then puts nothing in
    /// has to call `removeIfEmpty`.
    func findOrCreate<V: StoredValue>(_ key: RawSpan, _: V.Type = V.self) -> V? {
        if let index = database.entries.find(key) { return V.from(database.entries[index].value) }
        let value = V()
        database.entries.insert(
            key, KeyspaceEntry(value: value.keyspaceValue, expiresAt: KeyspaceEntry.never))
        return value
    }

    /// Removes the key if its value, which may have lost its last element, is empty.
    func removeIfEmpty<V: StoredValue>(_ key: RawSpan, _ value: V) {
        if value.isEmpty { database.entries.remove(key) }
    }

    /// Gives a key a new value, of any type, without an expiry.
    func replace(_ key: RawSpan, _ value: KeyspaceValue, expiresAt: Int64 = KeyspaceEntry.never) {
        database.entries.set(key, KeyspaceEntry(value: value, expiresAt: expiresAt))
    }

    /// What a `*STORE` command does with its result: an empty one deletes the key.
    func store<V: StoredValue>(_ key: RawSpan, _ value: V) {
        if value.isEmpty { delete(key) } else { replace(key, value.keyspaceValue) }
    }

    /// - Returns: whether it was there.
    @discardableResult
    func delete(_ key: RawSpan) -> Bool { database.entries.remove(key) != nil }
}
