import RDBBytes
import Testing

@testable import AOFState

@Suite("commands on strings, bits and keys")
struct StringCommandTests {
    /// The strings in database 0, with their expiries; other types as their names.
    static func state(_ log: AppliedLog, _ database: UInt64 = 0) -> [String: String] {
        var state: [String: String] = [:]
        log.keyspace.databases[database]?.entries.forEachInOrder { key, entry in
            var text: String
            switch entry.value {
            case .string(let bytes): text = String(decoding: bytes, as: UTF8.self)
            default: text = "?"
            }
            if entry.expiresAt != KeyspaceEntry.never { text += " @\(entry.expiresAt)" }
            state[String(decoding: key.array, as: UTF8.self)] = text
        }
        return state
    }

    private func expect(
        _ commands: String, _ expected: [String: String], _ outcomes: [CommandOutcome]? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let log = try AppliedLog(commands)
        #expect(Self.state(log) == expected, sourceLocation: sourceLocation)
        if let outcomes { #expect(log.outcomes == outcomes, sourceLocation: sourceLocation) }
    }

    @Test("SET replaces value and expiry, as its words say")
    func set() throws {
        try expect("SET k a PXAT 5000\nSET k b", ["k": "b"])
        try expect("SET k a PXAT 5000\nSET k b KEEPTTL", ["k": "b @5000"])
        try expect("SET k a PXAT 5000\nset k b exat 7", ["k": "b @7000"])
        try expect("SET k a NX\nSET k b NX", ["k": "a"])
        try expect("SET k a XX", [:])
        try expect("SET k a\nSET k b XX GET", ["k": "b"])
        try expect("SET k a\nSET k b IFEQ x\nSET k c IFEQ a", ["k": "c"])
        try expect("SET k a IFNE x", ["k": "a"])
        try expect("SET k a EX 10", ["k": "a @\(AppliedLog.now + 10_000)"])
        try expect("SET k a PX 0", [:], [.refused])
        try expect("SET k a EX 9223372036854775807", [:], [.refused])
        try expect("SET k a KEEPTTL PXAT 5", [:], [.refused])
        try expect("SET k a NX XX", [:], [.refused])
        try expect("SET k", [:], [.wrongArgumentCount])
        try expect(
            "SETEX k 10 a\nPSETEX l 10 a",
            [
                "k": "a @\(AppliedLog.now + 10_000)", "l": "a @\(AppliedLog.now + 10)",
            ])
        try expect("MSET a 1 b 2\nMSETNX b 3 c 4\nMSETNX c 5 d 6", ["a": "1", "b": "2", "c": "5", "d": "6"])
        try expect("SET a 1 PXAT 9\nMSETEX 2 a 2 b 3 XX KEEPTTL\nMSETEX 1 a 4 XX KEEPTTL", ["a": "4 @9"])
        try expect("MSETEX 2 a 1 b 2 PXAT 77", ["a": "1 @77", "b": "2 @77"])
        try expect("SET a 1\nGETDEL a\nSETNX b 1\nSETNX b 2\nGETSET b 3", ["b": "3"])
        try expect("SET a 1 PXAT 9\nGETEX a PERSIST\nSET b 2\nGETEX b PXAT 8", ["a": "1", "b": "2 @8"])
    }

    @Test("numbers are decimal texts of 64 bits")
    func numbers() throws {
        try expect("INCR n\nINCRBY n 41\nDECR n\nDECRBY n 50", ["n": "-9"])
        try expect("SET n 9223372036854775807\nINCR n", ["n": "9223372036854775807"], [.applied, .refused])
        try expect("SET n -9223372036854775808\nDECR n", ["n": "-9223372036854775808"], [.applied, .refused])
        try expect("INCRBY n 9223372036854775807\nDECRBY n -9223372036854775808", ["n": "9223372036854775807"])
        for text in ["01", "+1", "1.0", "x", "-0"] {
            try expect("SET n \(text)\nINCR n", ["n": text], [.applied, .refused])
        }
        try expect("SET n \"\"\nINCR n", ["n": ""], [.applied, .refused])
        try expect("INCR n\nPEXPIREAT n 5\nINCR n", ["n": "2 @5"])
        try expect("INCRBYFLOAT f 1.5\nINCRBYFLOAT f -0.1\nINCRBYFLOAT f 1e2", ["f": "101.4"])
        try expect("SET f 3.0e3\nINCRBYFLOAT f 200", ["f": "3200"])
        try expect("INCRBYFLOAT f 0.1\nINCRBYFLOAT f 0.2", ["f": "0.3"])
        try expect("INCRBYFLOAT f inf", [:], [.refused])
        try expect("INCRBYFLOAT f -0.0", ["f": "0"])
        try expect("INCREX n\nINCREX n BYINT 5 PXAT 9", ["n": "6 @9"])
    }

    @Test("parts of strings")
    func parts() throws {
        try expect("APPEND s ab\nAPPEND s cd\nAPPEND t \"\"", ["s": "abcd", "t": ""])
        try expect("SETRANGE s 3 x\nSETRANGE t 5 \"\"", ["s": "\0\0\0x"])
        try expect("SET s abcdef\nSETRANGE s 2 XY", ["s": "abXYef"])
        try expect("SETRANGE s -1 x", [:], [.refused])
        // A server that loads would do this; here no byte of a log stands for so many zeros.
        try expect("SETRANGE s 900000000 x\nSETBIT s 99999999999 1", [:], [.tooLarge, .tooLarge])
    }

    @Test("bits count from the highest")
    func bits() throws {
        try expect("SETBIT b 1 1\nSETBIT b 7 1", ["b": "A"])
        try expect("SETBIT b 9 0", ["b": "\0\0"])
        try expect("SETBIT b 1 2", [:], [.refused])
        try expect(
            "SET a abc\nSET b b\nBITOP AND d a b\nBITOP OR e a b missing",
            ["a": "abc", "b": "b", "d": "`\0\0", "e": "cbc"])
        try expect("SET a abc\nBITOP XOR a missing", ["a": "abc"].filter { _ in false })
        try expect(
            "SET a 5\nSET b 3\nBITOP DIFF d a b\nBITOP DIFF1 e a b\nBITOP ANDOR f a b\nBITOP ONE g a b",
            [
                "a": "5", "b": "3", "d": "\u{4}", "e": "\u{2}", "f": "1", "g": "\u{6}",
            ])
        try expect("BITFIELD b SET u8 0 65 INCRBY u8 0 1", ["b": "B"])
        try expect(
            "BITFIELD b OVERFLOW SAT SET u8 #1 300", ["b": "\0" + String(decoding: [0xff] as [UInt8], as: UTF8.self)])
        try expect("BITFIELD b OVERFLOW FAIL SET u4 0 16 GET u4 0", ["b": "\0"])
        try expect("BITFIELD b SET i8 0 127 INCRBY i8 0 1 INCRBY i8 0 -63", ["b": "A"])
        try expect("BITFIELD b SET u64 0 1", [:], [.refused])
    }

    @Test("keys move, expire and go with their expiry")
    func keys() throws {
        try expect("SET a 1 PXAT 5\nSET b 2\nRENAME a b", ["b": "1 @5"])
        try expect("RENAME a b", [:], [.refused])
        try expect("SET a 1\nRENAME a a\nSET b 2\nRENAMENX a b", ["a": "1", "b": "2"])
        try expect("SET a 1 PXAT 5\nCOPY a b\nAPPEND b x", ["a": "1 @5", "b": "1x @5"])
        try expect("SET a 1\nCOPY a a", ["a": "1"], [.applied, .refused])
        try expect("SET a 1\nSET b 2\nCOPY a b\nCOPY b a REPLACE", ["a": "2", "b": "2"])
        try expect("SET a 1\nPEXPIREAT a 10 XX\nPEXPIREAT a 10 NX\nPEXPIREAT a 9 GT\nPEXPIREAT a 11 GT", ["a": "1 @11"])
        try expect("SET a 1\nPEXPIREAT a 10 GT\nPEXPIREAT a 10 LT\nPEXPIREAT a 12 LT", ["a": "1 @10"])
        try expect("SET a 1\nPEXPIREAT a 10 NX XX", ["a": "1"], [.applied, .refused])
        try expect("SET a 1\nEXPIRE a -5\nINCR a", ["a": "2 @\(AppliedLog.now - 5000)"])
        // What expired long ago can be used, and rescued, as long as a log is loaded.
        try expect("SET n 5\nPEXPIREAT n 1\nINCR n\nPERSIST n", ["n": "6"])
        try expect("SET a 1\nDELEX a IFEQ 2\nSET b 1\nDELEX b IFEQ 1\nSET c 1\nDELIFEQ c 1", ["a": "1"])
        try expect("SET {a}1 x\nSET b y\nTRIMSLOTS RANGES 1 15495 15495", ["b": "y"])
    }

    @Test("databases are moved, exchanged and emptied")
    func databases() throws {
        let log = try AppliedLog(
            "SET a 0\nSELECT 1\nSET a 1\nSELECT 0\nSWAPDB 0 1\nSET b 0\nMOVE b 3\nMOVE a 3\nSELECT 3\nCOPY a c DB 5")
        #expect(Self.state(log, 0) == [:])
        #expect(Self.state(log, 1) == ["a": "0"])
        #expect(Self.state(log, 3) == ["a": "1", "b": "0"])
        #expect(Self.state(log, 5) == ["c": "1"])
        let emptied = try AppliedLog("SET a 0\nSELECT 1\nSET a 1\nFLUSHDB\nSET b 2")
        #expect(Self.state(emptied, 0) == ["a": "0"])
        #expect(Self.state(emptied, 1) == ["b": "2"])
        let all = try AppliedLog("SET a 0\nSELECT 1\nSET a 1\nFLUSHALL ASYNC\nSET b 2")
        #expect(Self.state(all, 0) == [:])
        #expect(Self.state(all, 1) == ["b": "2"])
    }
}
