import AOFFormat
import Glibc
import RDBBytes
import RDBFormat
import RDBKit
import RDBModel
import RDBTestSupport
import Testing

@testable import AOFState

/// Logs that are cut or changed anywhere: the state is what was whole before, the fault is told, nothing crashes.
@Suite("states of damaged logs")
struct LogDamageTests {
    /// A folder of its own for each test.
    private final class Folder {
        let path: String

        init() throws {
            var name = Array("/tmp/rdbkit-XXXXXX".utf8CString)
            path = try name.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress, let path = mkdtemp(base) else { throw CancellationError() }
                return String(cString: path)
            }
        }

        func write(_ bytes: [UInt8], _ name: String) throws -> String {
            let file = "\(path)/\(name)"
            let output = try OutputFile(path: file)
            try output.write(bytes.rawSpan)
            try output.finish()
            return file
        }

        deinit {
            for name in ["log.aof"] { unlink("\(path)/\(name)") }
            rmdir(path)
        }
    }

    /// Keys and strings of the state; what is of another type comes as its type.
    private func read(_ path: String) throws -> (state: [String: String], result: LogStateInput.Result) {
        let result = LogStateInput(try AOFInput(path: path), now: AppliedLog.now).read()
        var state: [String: String] = [:]
        if let source = result.source {
            var reader = try RDBReader(source)
            loop: while true {
                switch try reader.next() {
                case .entry:
                    let name = "\(reader.header.database) \(String(decoding: reader.copyKey(), as: UTF8.self))"
                    var builder = ValueBuilder(maxByteCount: 1 << 24)
                    try reader.readValue(into: &builder)
                    state[name] = "\(builder.value(reader.header.type))"
                case .end: break loop
                default: break
                }
            }
        }
        return (state, result)
    }

    private static let commands: [[UInt8]] = [
        command("SELECT", "0"), command("SET", "a", "1"), command("RPUSH", "l", "x", "y"), command("INCR", "b"),
        annotation(time: 1_700_000_000), command("HSET", "h", "f", "v"), command("SELECT", "3"),
        command("MULTI"), command("SADD", "s", "1", "2"), command("ZADD", "z", "1", "m"), command("EXEC"),
        command("XADD", "x", "5-1", "f", "v"), command("APPEND", "a", "more"), command("DEL", "b"),
        command("SELECT", "0"), command("APPEND", "base", "!"), command("DEL", "b"),
    ]

    private static let base = RDBBuilder.file([
        RDB.aux("redis-ver", "7.2.4"), RDB.aux("aof-base", "1"), RDB.selectDatabase(0),
        RDB.entry(0, "base", RDB.string("b")), RDB.entry(0, "other", RDB.string("o")),
    ])

    @Test("a log cut at any byte has the state of the commands that are whole", arguments: [false, true])
    func cut(hasBase: Bool) throws {
        let folder = try Folder()
        let base = hasBase ? Self.base : []
        let log = base + Self.commands.flatMap { $0 }
        for count in (hasBase ? base.count : 1)...log.count {
            let (state, result) = try read(try folder.write(Array(log.prefix(count)), "log.aof"))
            // The same with only whole commands, and whole groups.
            var whole: [UInt8] = base
            for command in Self.commands {
                if whole.count + command.count > count { break }
                whole += command
            }
            let isWhole = whole.count == count
            if count > base.count {
                #expect((result.outcomes[0].fault == nil) == isWhole, "\(count) bytes")
                if let fault = result.outcomes[0].fault { #expect(fault.error.offset <= UInt64(count)) }
            }
            if whole.isEmpty { continue }
            let expected = try read(try folder.write(whole, "log.aof")).state
            #expect(state == expected, "\(count) of \(log.count) bytes")
        }
    }

    @Test("an RDB base cut at any byte has the state of its entries that are whole")
    func cutBase() throws {
        let folder = try Folder()
        // So that the file is a log by what its head says, the commands are there and the RDB lacks bytes before them.
        for count in 9..<Self.base.count {
            let path = try folder.write(Array(Self.base.prefix(count)), "log.aof")
            let (state, result) = try read(path)
            #expect(result.outcomes[0].fault != nil, "\(count) bytes")
            #expect(state.count <= 2)
        }
    }

    @Test(
        "bytes that are changed are told, refused or part of a value; nothing crashes",
        arguments: [1, 2, 3] as [UInt64])
    func flipped(seed: UInt64) throws {
        let folder = try Folder()
        let log = Self.base + Self.commands.flatMap { $0 }
        var random = SplitMix64(seed: seed)
        for _ in 0..<700 {
            var changed = log
            for _ in 0...Int(random.next() % 3) {
                changed[Int(random.next() % UInt64(log.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            let path = try folder.write(changed, "log.aof")
            guard let input = try? AOFInput(path: path) else { continue }
            let result = LogStateInput(input, now: AppliedLog.now).read()
            guard let source = result.source else { continue }
            do {
                var reader = try RDBReader(source)
                loop: while true {
                    switch try reader.next() {
                    case .entry:
                        var visitor = NullVisitor()
                        try reader.readValue(into: &visitor)
                    case .end: break loop
                    default: break
                    }
                }
            } catch {
                // A value of the base that commands do not touch may be damaged; its place is known.
                #expect(result.places?.origin(of: error.offset) != nil, "seed \(seed): \(error)")
            }
        }
    }

    @Test("counts that no bytes follow cost nothing")
    func lies() throws {
        let folder = try Folder()
        for text in [
            "*1000000000\r\n", "*2\r\n$3\r\nSET\r\n$999999999999\r\n", "*-5\r\n", "*9223372036854775807\r\n$1\r\n",
        ] {
            let log = command("SET", "a", "1") + Array(text.utf8)
            let (state, result) = try read(try folder.write(log, "log.aof"))
            #expect(state == ["0 a": "string([49])"])
            #expect(result.outcomes[0].fault != nil, "\(text)")
        }
    }

    @Test("commands that cannot be run make their keys doubtful, until something certain replaces them")
    func doubts() throws {
        let folder = try Folder()
        func doubtful(_ commands: [[UInt8]]) throws -> (Set<String>, LogState.Report) {
            let (_, result) = try read(try folder.write(commands.flatMap { $0 }, "log.aof"))
            var keys: Set<String> = []
            for key in ["a", "b", "c", "d"]
            where result.doubtfulKeys.contains(database: 0, key: Array(key.utf8).rawSpan) { keys.insert(key) }
            return (keys, result.report)
        }
        let eval = command("EVAL", "return 1", "2", "a", "b", "x")
        #expect(try doubtful([eval]).0 == ["a", "b"])
        #expect(try doubtful([eval, command("SET", "a", "1")]).0 == ["b"])
        #expect(try doubtful([eval, command("SET", "a", "1", "NX")]).0 == ["a", "b"])
        #expect(try doubtful([eval, command("SET", "a", "1", "PXAT", "4000000000000")]).0 == ["b"])
        #expect(try doubtful([eval, command("SET", "a", "1", "IFEQ", "2")]).0 == ["a", "b"])
        #expect(try doubtful([eval, command("SET", "a", "1", "XX", "GET")]).0 == ["a", "b"])
        #expect(try doubtful([eval, command("DEL", "a", "b")]).0 == [])
        #expect(try doubtful([eval, command("APPEND", "a", "1")]).0 == ["a", "b"])
        #expect(try doubtful([eval, command("RPOPLPUSH", "a", "c")]).0 == ["a", "b", "c"])
        #expect(try doubtful([eval, command("SUNIONSTORE", "c", "d", "b")]).0 == ["a", "b", "c"])
        #expect(try doubtful([eval, command("SUNIONSTORE", "a", "d")]).0 == ["b"])
        #expect(try doubtful([eval, command("SET", "a", "1"), command("RENAME", "a", "b")]).0 == [])
        #expect(try doubtful([eval, command("FLUSHALL")]).0 == [])
        #expect(try doubtful([command("JSON.SET", "a", "$", "1")]).0 == ["a"])
        #expect(try doubtful([command("SET", "a")]).1.notRunCount == 1)
        let (keys, report) = try doubtful([command("NOSUCHCOMMAND", "a"), command("GET", "a"), command("PING")])
        #expect(keys == [] && report.notRunCount == 1 && report.unknownKeysCount == 1 && report.appliedCount == 2)
    }
}
