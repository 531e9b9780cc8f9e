import AOFFormat
import RDBBytes
import RDBFormat
import RDBTestSupport
import Testing

@Suite("Reading logs")
struct AOFReaderTests {
    @Test("databases, times and groups")
    func state() {
        let log =
            command("SELECT", "0") + annotation(time: 100) + command("SET", "a", "1") + command("select", "3")
            + command("DEL", "a") + annotation(time: 200) + command("MULTI") + command("SELECT", "5")
            + command("SET", "b", "2") + command("exec") + command("SET", "c", "3") + command("MULTI") + command("EXEC")
        let found = ReadLog(log)
        #expect(found.error == nil)
        #expect(
            found.commands.map(\.description) == [
                "0+23 db 0: SELECT 0", "32+27 db 0 time 100: SET a 1", "59+23 db 3 time 100: select 3",
                "82+20 db 3 time 100: DEL a", "111+15 db 3 time 200 in 1: MULTI",
                "126+23 db 5 time 200 in 1: SELECT 5", "149+27 db 5 time 200 in 1: SET b 2",
                "176+14 db 5 time 200 in 1: exec", "190+27 db 5 time 200: SET c 3", "217+15 db 5 time 200 in 2: MULTI",
                "232+14 db 5 time 200 in 2: EXEC",
            ])
        #expect(found.safeCut == UInt64(log.count))
        var context = AOFContext()
        context.time = 200
        context.transactionCount = 2
        #expect(found.context == context)
        // The next file begins in database 0, at the time and count of this one.
        let next = ReadLog(command("MULTI") + command("EXEC"), context: found.context)
        #expect(next.commands[0].description == "0+15 db 0 time 200 in 3: MULTI")
    }

    @Test("a SELECT of what is no database changes nothing")
    func wrongSelect() {
        let words = [
            "SELECT 2", "SELECT -1", "SELECT x", "SELECT 2147483648", "SELECT 03", "SELECT", "SELECT 1 1", "PING",
        ]
        let found = ReadLog(words.flatMap { command($0.split(separator: " ").map { Array($0.utf8) }) })
        #expect(found.commands.map(\.record.database) == Array(repeating: 2, count: words.count))
    }

    @Test("a MULTI within a group and an EXEC outside have no effect and are told")
    func misplaced() {
        let log = ["EXEC", "MULTI", "SET a 1", "MULTI", "SET b 2", "EXEC", "EXEC", "SET c 3"]
        let bytes = log.flatMap { command($0.split(separator: " ").map { Array($0.utf8) }) }
        let found = ReadLog(bytes)
        #expect(found.words == log)
        #expect(found.commands.map(\.isIrregular) == [true, false, false, true, false, false, true, false])
        #expect(found.commands.map(\.record.transaction) == [nil, 1, 1, 1, 1, 1, nil, nil])
        #expect(ReadLog(bytes, delivery: .committed).words == ["SET a 1", "SET b 2", "SET c 3"])
    }

    @Test("of committed commands, groups come when they are complete, and without their frame")
    func committed() {
        let log = [
            "SET a 1", "MULTI", "SET b 2", "SELECT 4", "SET c 3", "EXEC", "SET d 4", "MULTI", "EXEC", "MULTI", "X",
        ]
        let bytes = log.flatMap { command($0.split(separator: " ").map { Array($0.utf8) }) }
        let all = ReadLog(bytes)
        let found = ReadLog(bytes, delivery: .committed)
        #expect(found.words == ["SET a 1", "SET b 2", "SELECT 4", "SET c 3", "SET d 4"])
        #expect(found.commands == [0, 2, 3, 4, 6].map { all.commands[$0] })
        #expect(found.error == nil)
        #expect(found.openTransaction == all.commands[9].record.offset)
        #expect(found.safeCut == all.commands[9].record.offset)
        // A fault within a group: nothing of it comes.
        let faulty = ReadLog(Array(bytes.prefix(Int(all.commands[4].record.offset) + 3)), delivery: .committed)
        #expect(faulty.words == ["SET a 1"])
        #expect(faulty.error?.code == .truncated)
        #expect(faulty.safeCut == all.commands[1].record.offset)
    }

    @Test("a group larger than its limit is a fault")
    func largeGroup() {
        let bytes = command("MULTI") + command("SET", "k", String(repeating: "v", count: 5000)) + command("EXEC")
        var reader = AOFReader(
            ByteWindow(MemorySource(bytes)), delivery: .committed, maxTransactionByteCount: 4000)
        #expect(throws: DecodeError.self) { try reader.next() }
    }

    @Test("every prefix: whole commands come, and the cut is behind the last that is safe")
    func prefixes() {
        let parts: [(bytes: [UInt8], isSafeBehind: Bool)] = [
            (command("SELECT", "1"), true), (annotation(time: 5), false), (command("SET", "a", "1"), true),
            (command("MULTI"), false), (command("SET", "b", "2"), false), (annotation(time: 6), false),
            (command("DEL", "a"), false), (command("EXEC"), true),
            (command("SET", "long", "value of some length"), true),
        ]
        let bytes = parts.flatMap(\.bytes)
        for count in 0...bytes.count {
            var end = 0
            var wholeCount = 0
            var safe = 0
            for part in parts {
                end += part.bytes.count
                if end > count { break }
                if part.bytes[0] == UInt8(ascii: "*") { wholeCount += 1 }
                if part.isSafeBehind { safe = end }
            }
            for piece in [1, 1000] {
                let found = ReadLog(Array(bytes.prefix(count)), window: 16, piece: piece)
                #expect(found.commands.count == wholeCount)
                #expect(found.safeCut == UInt64(safe))
                if let error = found.error {
                    #expect(error.code == .truncated && error.offset == UInt64(count))
                }
            }
        }
    }

    @Test("lines that are no time are passed over")
    func annotations() {
        let lines = ["#", "#TS:", "#TS:x", "#TS:12x", "# TS:1", "#ts:1", "#TS:-5"]
        let log = lines.flatMap { Array("\($0)\r\n".utf8) } + command("PING") + Array("#TS:7\n".utf8) + command("PING")
        let found = ReadLog(log)
        #expect(found.commands.map(\.record.time) == [-5, 7])
        #expect(found.error == nil)
    }

    @Test("commands behind an RDB", arguments: [1, 100, Int.max])
    func preamble(piece: Int) throws {
        let rdb = RDBBuilder.file([RDB.entry(0, "k", RDB.string("v"))])
        let log = rdb + command("SELECT", "2") + command("SET", "k", "w") + command("DEL")
        var preamble = try RDBReader(MemorySource(log, pieceByteCount: piece), windowByteCount: 16)
        #expect(try preamble.next() == .entry)
        try preamble.skipValue()
        guard case .end(let end) = try preamble.next() else {
            Issue.record("no end")
            return
        }
        #expect(end.byteCount == UInt64(rdb.count))
        let found = ReadLog(AOFReader(behind: preamble))
        #expect(found.commands.map(\.record.offset) == [rdb.count, rdb.count + 23, rdb.count + 50].map { UInt64($0) })
        #expect(found.safeCut == UInt64(log.count))
        #expect(found.error == nil)
    }
}
