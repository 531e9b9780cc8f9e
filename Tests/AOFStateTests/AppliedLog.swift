import AOFFormat
import RDBBytes
import RDBFormat
import RDBModel
import RDBTestSupport
import RESPFormat

@testable import AOFState

/// What commands, as they stand in a log, make of a keyspace.
struct AppliedLog {
    let keyspace = Keyspace()
    var runner: CommandRunner
    /// Of each command, MULTI, EXEC and SELECT left out.
    var outcomes: [CommandOutcome] = []

    /// Some moment of 2026.
    static let now: Int64 = 1_790_000_000_000

    init(server: ServerVersion? = nil, now: Int64 = now) {
        runner = CommandRunner(keyspace, now: now)
        runner.server = server
    }

    /// - Parameter commands: words with blanks between them, one command a line.
    init(_ commands: String, server: ServerVersion? = nil, now: Int64 = now) throws {
        self.init(server: server, now: now)
        try apply(commands)
    }

    mutating func apply(_ commands: String) throws {
        var log: [UInt8] = []
        for line in commands.split(separator: "\n") {
            log += Self.command(line.split(separator: " ").map { $0 == "\"\"" ? [] : Array($0.utf8) })
        }
        try apply(log: log)
    }

    static func command(_ arguments: [[UInt8]]) -> [UInt8] {
        var out = OutputBuffer(capacity: 256)
        out.beginCommand(arguments.count)
        for argument in arguments { out.appendArgument(argument.rawSpan) }
        return out.bytes.array
    }

    mutating func apply(log: [UInt8]) throws {
        var reader = AOFReader(ByteWindow(MemorySource(log)), delivery: .committed)
        while let record = try reader.next() {
            runner.select(record.database)
            if reader.arguments.matches(0, "select") { continue }
            outcomes.append(runner.run(reader.arguments))
        }
    }

    /// An RDB of everything.
    func rdb(_ version: RDBVersion) -> [UInt8] {
        var writer = RDBWriter(version)
        for number in keyspace.databases.keys.sorted() {
            guard let database = keyspace.databases[number] else { continue }
            database.entries.forEachInOrder { key, entry in
                guard let layout = entry.value.layout(in: version), let byte = layout.byte(in: version) else { return }
                writer.beginEntry(EntryHeader(database: number), typeByte: byte, key: key)
                entry.value.append(to: &writer.out, as: layout)
            }
        }
        writer.end()
        return writer.out.bytes.array
    }

    /// The value of a key as a reader of the RDB finds it.
    func value(_ key: String, _ version: RDBVersion) throws -> Value? {
        var reader = try RDBReader(MemorySource(rdb(version)))
        while true {
            switch try reader.next() {
            case .entry:
                var builder = ValueBuilder(maxByteCount: 1 << 30)
                try reader.readValue(into: &builder)
                if reader.copyKey() == Array(key.utf8) { return builder.value(reader.type.valueType) }
            case .end: return nil
            default: break
            }
        }
    }

    func stream(_ key: String, _ version: RDBVersion = .init(number: 14, family: .redis)) throws -> StreamValue? {
        guard case .stream(let stream)? = try value(key, version) else { return nil }
        return stream
    }
}
