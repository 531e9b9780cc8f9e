import AOFFormat
import RDBBytes
import RDBTestSupport
import Testing

@testable import AOFState

@Suite("keys that a log touches")
struct TouchedKeysTests {
    private func touched(_ commands: String) throws -> TouchedKeys {
        var touched = TouchedKeys()
        var log: [UInt8] = []
        for line in commands.split(separator: "\n") {
            log += AppliedLog.command(line.split(separator: " ").map { Array($0.utf8) })
        }
        var reader = AOFReader(ByteWindow(MemorySource(log)), delivery: .committed)
        while let record = try reader.next() { touched.note(record, reader.arguments) }
        return touched
    }

    private func contains(_ touched: TouchedKeys, _ database: UInt64, _ key: String) -> Bool {
        touched.contains(database: database, key: Array(key.utf8).rawSpan)
    }

    private func expect(
        _ commands: String, touches: [(UInt64, String)], butNot others: [(UInt64, String)] = [(0, "other")],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let touched = try touched(commands)
        for (database, key) in touches {
            #expect(
                contains(touched, database, key), "\(key) in \(database)",
                sourceLocation: sourceLocation)
        }
        for (database, key) in others {
            #expect(
                !contains(touched, database, key), "\(key) in \(database)",
                sourceLocation: sourceLocation)
        }
    }

    @Test("are those that commands name, where they are")
    func named() throws {
        try expect(
            "SET a 1\nSELECT 2\nSUNIONSTORE b c d", touches: [(0, "a"), (2, "b"), (2, "c"), (2, "d")],
            butNot: [(2, "a"), (0, "b")])
        try expect("MOVE a 3\nCOPY b c DB 4", touches: [(0, "a"), (3, "a"), (0, "b"), (4, "c")], butNot: [(4, "b")])
        try expect("EVAL x 2 a b c", touches: [(0, "a"), (0, "b")], butNot: [(0, "c")])
        try expect("MULTI\nSET a 1", touches: [], butNot: [(0, "a")])
    }

    @Test("are those that SORT reads")
    func patterns() throws {
        try expect(
            "SORT l BY w_*->f GET d_*_x GET # STORE r",
            touches: [(0, "l"), (0, "r"), (0, "w_7"), (0, "d_7_x")], butNot: [(0, "d_7"), (1, "w_7"), (0, "x")])
    }

    @Test("go by what a database was called in the RDB")
    func databases() throws {
        let swapped = try touched("SWAPDB 0 1\nSET a 1\nSELECT 1\nFLUSHDB\nSET b 1")
        #expect(contains(swapped, 1, "a"))
        #expect(!contains(swapped, 0, "a"))
        #expect(swapped.destination(of: 1) == 0)
        #expect(swapped.destination(of: 0) == nil)
        #expect(swapped.destination(of: 5) == 5)
        let flushed = try touched("SET a 1\nFLUSHALL\nSET b 1")
        #expect(flushed.destination(of: 0) == nil && flushed.destination(of: 3) == nil)
        #expect(!contains(flushed, 0, "b"))
    }

    @Test("are all of a slot that is emptied")
    func slots() throws {
        try expect("CLUSTER FLUSHSLOT 15495", touches: [(0, "a"), (3, "{a}x")], butNot: [(0, "b")])
    }
}
