import RDBBytes
import Testing

@testable import AOFState

/// Commands on collections, worked out by hand from formats/commands.md part C.
@Suite("commands on collections")
struct CollectionCommandTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let commands: String
        /// What key `k` holds; lists and sorted sets in order, sets and hashes by bytes; nil for no such key.
        let expected: String?
        let outcome: CommandOutcome

        init(_ commands: String, _ expected: String?, _ outcome: CommandOutcome = .applied) {
            self.commands = commands
            self.expected = expected
            self.outcome = outcome
        }

        var testDescription: String { commands.replacing("\n", with: "; ") }
    }

    private func check(_ test: Case) throws {
        let applied = try AppliedLog(test.commands)
        #expect(applied.outcomes.last == test.outcome, "\(test.testDescription)")
        let held = HeldEntry.read(applied.runner.database)[Array("k".utf8)]
        let found = held.map { entry in
            entry.parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
                + entry.fieldTimes.map { " @\(String(decoding: $0.key, as: UTF8.self))=\($0.value)" }.sorted().joined()
        }
        #expect(found == test.expected, "\(test.testDescription)")
    }

    static let lists = [
        Case("RPUSH k a b\nLPUSH k c d", "d c a b"),
        Case("RPUSHX k a", nil), Case("RPUSH k a\nLPUSHX k b c", "c b a"),
        Case("RPUSH k a b c\nLPOP k", "b c"), Case("RPUSH k a b c\nRPOP k 2", "a"),
        Case("RPUSH k a b c\nRPOP k 0", "a b c"), Case("RPUSH k a b c\nLPOP k 9", nil),
        Case("RPUSH k a\nLPOP k -1", "a", .refused), Case("RPUSH k a\nLPOP k 1 2", "a", .refused),
        Case("RPUSH k a b a\nLINSERT k AFTER a x", "a x b a"), Case("RPUSH k a b\nLINSERT k BEFORE z x", "a b"),
        Case("RPUSH k a b c\nLSET k -1 x", "a b x"), Case("RPUSH k a\nLSET k 1 x", "a", .refused),
        Case("LSET k 0 x", nil, .refused),
        Case("RPUSH k a b a b a\nLREM k 2 a", "b b a"), Case("RPUSH k a b a b a\nLREM k -2 a", "a b b"),
        Case("RPUSH k a b a\nLREM k 0 a", "b"), Case("RPUSH k a a\nLREM k 0 a", nil),
        Case("RPUSH k a b c d\nLTRIM k 1 -2", "b c"), Case("RPUSH k a b\nLTRIM k 2 5", nil),
        Case("RPUSH k a b\nLTRIM k -9 0", "a"), Case("RPUSH k a b\nLTRIM k 01 1", "a b", .refused),
        Case("RPUSH k a b c\nRPOPLPUSH k k", "c a b"), Case("RPUSH s a b\nRPUSH k c\nRPOPLPUSH s k", "b c"),
        Case("RPUSH k a b\nSADD t x\nRPOPLPUSH k t", "a b", .refused),
        Case("RPUSH s a b\nLMOVE s k RIGHT LEFT\nLMOVE s k LEFT LEFT", "a b"),
        Case("LMOVE s k LEFT UP", nil, .refused),
        Case("RPUSH k a b c\nLMPOP 2 x k RIGHT COUNT 2", "a"), Case("RPUSH k a\nLMPOP 0 k LEFT", "a", .refused),
        Case("RPUSH k a b\nBLPOP x k 0", "b"), Case("RPUSH k a b\nBRPOP k 0", "a"),
        Case("RPUSH s a\nBLMOVE s k LEFT RIGHT 0", "a"), Case("RPUSH s a\nBRPOPLPUSH s k 1.5", "a"),
        Case("RPUSH k a b\nBLMPOP 0 1 k LEFT", "b"), Case("RPUSH k a b\nBLPOP k -1", "a b", .refused),
        // Blocks keep their order with BULK and are turned round by single moves to the same side.
        Case("RPUSH s 1 2 3 4\nRPUSH k x\nLMOVEM s k LEFT RIGHT COUNT 3 OBO", "x 1 2 3"),
        Case("RPUSH s 1 2 3 4\nRPUSH k x\nLMOVEM s k LEFT LEFT COUNT 3 OBO", "3 2 1 x"),
        Case("RPUSH s 1 2 3 4\nRPUSH k x\nLMOVEM s k LEFT LEFT COUNT 3 BULK", "1 2 3 x"),
        Case("RPUSH s 1 2 3 4\nRPUSH k x\nLMOVEM s k RIGHT RIGHT COUNT 3 BULK", "x 2 3 4"),
        Case("RPUSH s 1 2 3 4\nRPUSH k x\nLMOVEM s k RIGHT LEFT COUNT 9 BULK", "1 2 3 4 x"),
        Case("RPUSH s 1 2\nLMOVEM s k LEFT RIGHT EXACTLY 3 BULK", nil), Case("RPUSH s 1 2\nLMOVEM s k LEFT RIGHT", "1"),
        Case("RPUSH s 1 2\nBLMOVEM s k LEFT RIGHT 0 EXACTLY 2 OBO", "1 2"),
        Case("RPUSH s 1 2\nLMOVEM s k LEFT RIGHT COUNT 2", nil, .refused),
        Case("RPUSH k", nil, .wrongArgumentCount), Case("SADD k a\nRPUSH k b", "a", .refused),
    ]
    @Test("lists", arguments: lists)
    func list(_ test: Case) throws { try check(test) }

    static let sets = [
        Case("SADD k b a b", "a b"), Case("SADD k a b\nSREM k a x", "b"), Case("SADD k a\nSREM k a", nil),
        Case("SADD s a\nSMOVE s k a", "a"), Case("SADD s a\nSMOVE s k x", nil), Case("SADD k a\nSMOVE k k a", "a"),
        Case("SADD a 1 2 3\nSADD b 2 3 4\nSINTERSTORE k a b", "2 3"), Case("SADD a 1\nSINTERSTORE k a none", nil),
        Case("SADD a 1 2\nSADD b 2 3\nSUNIONSTORE k a none b", "1 2 3"),
        Case("SADD a 1 2 3\nSADD b 2\nSDIFFSTORE k a b none", "1 3"), Case("SADD k 1\nSDIFFSTORE k none k", nil),
        Case("RPUSH k x\nSADD a 1\nSUNIONSTORE k a a", "1"),
        Case("SADD k 1\nRPUSH l x\nSUNIONSTORE k l", "1", .refused),
        Case("SADD k a b\nSPOP k 2", nil), Case("SADD k a b\nSPOP k 0", "a b"),
        Case("SADD k a b\nSPOP k", "a b", .cannotRun),
    ]
    @Test("sets", arguments: sets)
    func set(_ test: Case) throws { try check(test) }

    /// Scores as the bits of their doubles: 1 is 3ff0000000000000, 2 is 4000000000000000, 3 is 4008000000000000.
    private static let one = "3ff0000000000000"
    private static let two = "4000000000000000"
    private static let three = "4008000000000000"
    private static let infinity = "7ff0000000000000"
    static let sortedSets = [
        Case("ZADD k 2 b 1 c 1 a", "a \(one) c \(one) b \(two)"), Case("ZADD k 1 a 2 a", "a \(two)"),
        Case("ZADD k 1 a\nZADD k NX 2 a 2 b", "a \(one) b \(two)"), Case("ZADD k 1 a\nZADD k XX 2 a 2 b", "a \(two)"),
        Case("ZADD k XX 1 a", nil), Case("ZADD k 2 a\nZADD k GT CH 1 a 1 b", "b \(one) a \(two)"),
        Case("ZADD k 2 a\nZADD k LT 1 a", "a \(one)"), Case("ZADD k GT LT 1 a", nil, .refused),
        Case("ZADD k NX XX 1 a", nil, .refused), Case("ZADD k 1 a\nZADD k INCR 1 a", "a \(two)"),
        Case("ZADD k INCR 1 a 1 b", nil, .refused), Case("ZADD k 1 a x b", nil, .refused),
        Case("ZADD k inf a\nZADD k INCR -inf a", "a \(infinity)", .refused), Case("ZADD k nan a", nil, .refused),
        Case(
            "ZADD k 1e3 a 0x10 b +5 c .5 d",
            "d 3fe0000000000000 c 4014000000000000 b 4030000000000000 a 408f400000000000"),
        Case("ZADD k 1e400 a", nil, .refused), Case("ZADD k 1e-400 a", nil, .refused),
        Case("ZADD k 1", nil, .wrongArgumentCount), Case("ZADD k 1 a 2", nil, .refused),
        Case("ZADD k 1 a\nZINCRBY k 2 a\nZINCRBY k 1 b", "b \(one) a \(three)"),
        Case("ZADD k 1 a 2 b\nZREM k a x", "b \(two)"), Case("ZADD k 1 a\nZREM k a", nil),
        Case("ZADD k 1 a 2 b 3 c\nZREMRANGEBYRANK k 0 -2", "c \(three)"),
        Case("ZADD k 1 a 2 b 3 c\nZREMRANGEBYSCORE k (1 3", "a \(one)"),
        Case("ZADD k 1 a 2 b 3 c\nZREMRANGEBYSCORE k -inf (3", "c \(three)"),
        Case("ZADD k 1 a\nZREMRANGEBYSCORE k x 3", "a \(one)", .refused),
        Case("ZADD k 1 a 1 b 1 c\nZREMRANGEBYLEX k [b +", "a \(one)"),
        Case("ZADD k 1 a 1 b 1 c\nZREMRANGEBYLEX k - (c", "c \(one)"),
        Case("ZADD k 1 a\nZREMRANGEBYLEX k a +", "a \(one)", .refused),
        Case("ZADD k 1 a 2 b\nZPOPMIN k", "b \(two)"), Case("ZADD k 1 a 2 b 3 c\nZPOPMAX k 2", "a \(one)"),
        Case("ZADD k 1 a 2 b\nZMPOP 2 x k MAX", "a \(one)"), Case("ZADD k 1 a\nBZPOPMIN x k 0", nil),
        Case("ZADD k 1 a 2 b\nBZPOPMAX k 0", "a \(one)"), Case("ZADD k 1 a 2 b\nBZMPOP 0 1 k MIN COUNT 1", "b \(two)"),
        Case("ZADD a 1 m 2 n\nSADD b m\nZUNIONSTORE k 2 a b", "m \(two) n \(two)"),
        Case("ZADD a 1 m\nZADD b 1 m\nZUNIONSTORE k 2 a b WEIGHTS 2 1", "m \(three)"),
        Case("ZADD a inf m\nZADD b -inf m\nZUNIONSTORE k 2 a b", "m 0"),
        Case("ZADD a inf m\nZUNIONSTORE k 1 a WEIGHTS 0", "m 0"),
        Case("ZADD a 1 m 1 x\nZADD b 3 m\nZINTERSTORE k 2 a b AGGREGATE MAX", "m \(three)"),
        Case("ZADD a 9 m 9 x\nZADD b 9 m\nZUNIONSTORE k 2 a b WEIGHTS 1 2 AGGREGATE COUNT", "x \(one) m \(three)"),
        Case("ZADD a 1 m 2 n\nZADD b 7 m\nZDIFFSTORE k 2 a b", "n \(two)"),
        Case("ZADD k 1 a\nZINTERSTORE k 2 k none", nil),
        Case("ZADD k 1 a\nZUNIONSTORE k 0 k", "a \(one)", .refused),
        Case("ZADD k 1 a\nZUNIONSTORE k 1 k WEIGHTS x", "a \(one)", .refused),
        Case("ZADD s 1 a 2 b 3 c\nZRANGESTORE k s 0 1", "a \(one) b \(two)"),
        Case("ZADD s 1 a 2 b 3 c\nZRANGESTORE k s 0 1 REV", "b \(two) c \(three)"),
        Case("ZADD s 1 a 2 b 3 c\nZRANGESTORE k s +inf (1 BYSCORE REV LIMIT 1 1", "b \(two)"),
        Case("ZADD s 1 a 1 b 1 c\nZRANGESTORE k s [b + BYLEX", "b \(one) c \(one)"),
        Case("ZADD s 1 a\nZADD k 1 x\nZRANGESTORE k s 5 9", nil),
        Case("ZADD s 1 a\nZRANGESTORE k s 0 1 LIMIT 0 1", nil, .refused),
    ]
    @Test("sorted sets", arguments: sortedSets)
    func sortedSet(_ test: Case) throws { try check(test) }

    static let hashes = [
        Case("HSET k b 2 a 1\nHMSET k a 3", "a 3 b 2"), Case("HSET k a", nil, .wrongArgumentCount),
        Case("HSET k a 1 b", nil, .refused), Case("HSETNX k a 1\nHSETNX k a 2", "a 1"),
        Case("HSET k a 1 b 2\nHDEL k a x", "b 2"), Case("HSET k a 1\nHDEL k a", nil),
        Case("HINCRBY k a 5\nHINCRBY k a -7", "a -2"), Case("HSET k a x\nHINCRBY k a 1", "a x", .refused),
        Case("HSET k a 9223372036854775807\nHINCRBY k a 1", "a 9223372036854775807", .refused),
        Case("HINCRBY k a 01", nil, .refused), Case("HINCRBYFLOAT k a 10.5\nHINCRBYFLOAT k a 0.1", "a 10.6"),
        Case("HINCRBYFLOAT k a 5.0e3", "a 5000"), Case("HINCRBYFLOAT k a x", nil, .refused),
        Case("HSET k a 1 b 2\nHPEXPIREAT k 5000 FIELDS 2 a x", "a 1 b 2 @a=5000"),
        Case("HSET k a 1\nHEXPIREAT k 5 FIELDS 1 a", "a 1 @a=5000"),
        Case("HSET k a 1\nHPEXPIRE k 5 FIELDS 1 a", "a 1 @a=\(AppliedLog.now + 5)"),
        Case("HSET k a 1\nHEXPIRE k 5 FIELDS 1 a", "a 1 @a=\(AppliedLog.now + 5000)"),
        Case("HSET k a 1\nHPEXPIREAT k 5 FIELDS 2 a", "a 1", .refused),
        Case("HSET k a 1\nHPEXPIREAT k -5 FIELDS 1 a", "a 1", .refused),
        Case("HSET k a 1 b 2\nHPEXPIREAT k 5 FIELDS 1 a\nHPEXPIREAT k 9 NX FIELDS 2 a b", "a 1 b 2 @a=5 @b=9"),
        Case("HSET k a 1 b 2\nHPEXPIREAT k 5 FIELDS 1 a\nHPEXPIREAT k 9 XX FIELDS 2 a b", "a 1 b 2 @a=9"),
        Case("HSET k a 1 b 2\nHPEXPIREAT k 5 FIELDS 1 a\nHPEXPIREAT k 9 GT FIELDS 2 a b", "a 1 b 2 @a=9"),
        Case("HSET k a 1 b 2\nHPEXPIREAT k 5 FIELDS 1 a\nHPEXPIREAT k 3 LT FIELDS 2 a b", "a 1 b 2 @a=3 @b=3"),
        Case("HSET k a 1\nHPEXPIREAT k 5 FIELDS 1 a\nHSET k a 2", "a 2"),
        Case("HSET k a 1\nHPEXPIREAT k 5 FIELDS 1 a\nHINCRBY k a 1", "a 2 @a=5"),
        Case("HSET k a 1\nHPEXPIREAT k 5 FIELDS 1 a\nHPERSIST k FIELDS 1 a", "a 1"),
        Case("HSET k a 1\nHPEXPIREAT k 5 FIELDS 1 a\nHDEL k a\nHSET k a 1", "a 1"),
        Case("HSETEX k PXAT 5 FIELDS 2 a 1 b 2", "a 1 b 2 @a=5 @b=5"),
        Case("HSETEX k PXAT 5 FIELDS 1 a 1\nHSETEX k KEEPTTL FIELDS 1 a 2", "a 2 @a=5"),
        Case("HSETEX k PXAT 5 FIELDS 1 a 1\nHSETEX k FIELDS 1 a 2", "a 2"),
        Case("HSET k a 1\nHSETEX k FNX EXAT 5 FIELDS 2 a 2 b 2", "a 1"), Case("HSETEX k FXX EXAT 5 FIELDS 1 a 2", nil),
        Case("HSET k a 1\nHSETEX k FXX EXAT 5 FIELDS 1 a 2", "a 2 @a=5000"),
        Case("HSET k a 1\nHSETEX k NX FIELDS 1 b 2", "a 1"), Case("HSETEX k XX FIELDS 1 b 2", nil),
        Case("HSETEX k EX 5 KEEPTTL FIELDS 1 b 2", nil, .refused),
        Case("HSET k a 1 b 2\nHGETDEL k FIELDS 2 a x", "b 2"), Case("HSET k a 1\nHGETDEL k FIELDS 1 a", nil),
        Case("HSET k a 1\nHGETEX k PXAT 5 FIELDS 1 a", "a 1 @a=5"),
        Case("HSETEX k PXAT 5 FIELDS 1 a 1\nHGETEX k PERSIST FIELDS 1 a", "a 1"),
        Case("HSETEX k PXAT 5 FIELDS 1 a 1\nHGETEX k FIELDS 1 a", "a 1 @a=5"),
    ]
    @Test("hashes", arguments: hashes)
    func hash(_ test: Case) throws { try check(test) }

    static let sorting = [
        Case("RPUSH s 10 9 2\nSORT s STORE k", "2 9 10"), Case("RPUSH s 10 9 2\nSORT s ALPHA DESC STORE k", "9 2 10"),
        Case("RPUSH s 3 x\nRPUSH k z\nSORT s STORE k", "z", .refused), Case("RPUSH k z\nSORT none STORE k", nil),
        Case("SADD s c a b\nSORT s BY nosort STORE k", "a b c"),
        Case("ZADD s 2 x 1 y\nSORT s BY nosort STORE k", "y x"),
        Case("ZADD s 2 x 1 y\nSORT s BY nosort DESC STORE k", "x y"),
        Case("RPUSH s 1 2 3 4\nSORT s LIMIT 1 2 STORE k", "2 3"), Case("RPUSH s 1 2\nSORT s LIMIT 5 2 STORE k", nil),
        Case("RPUSH s a b c\nMSET w_a 3 w_b 1\nSORT s BY w_* STORE k", "c b a"),
        Case("RPUSH s a b\nHSET h_a f 2\nHSET h_b f 1\nSORT s BY h_*->f GET # GET h_*->f STORE k", "b 1 a 2"),
        Case("RPUSH s a b\nSET w_a 1\nSORT s ALPHA GET w_* STORE k", "1 "),
        Case("RPUSH s a b\nSORT s ALPHA BY w_* STORE k", nil, .cannotRun),
        Case("SET s x\nSORT s STORE k", nil, .refused),
        Case("RPUSH s b a\nSORT s ALPHA", nil),
    ]
    @Test("SORT", arguments: sorting)
    func sort(_ test: Case) throws { try check(test) }

    /// 3479099956230698 is the score that servers give Palermo (formats/encodings.md §14.2), 3479447370796909 Catania.
    private static let sicily = "GEOADD s 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\n"
    private static let palermo = "Palermo \(String(Double(3_479_099_956_230_698).bitPattern, radix: 16))"
    private static let catania = "Catania \(String(Double(3_479_447_370_796_909).bitPattern, radix: 16))"
    /// As redis-7.0 has it: a longitude of 180 has one bit more than others.
    private static let edge = "e \(String(Double(10_138_940_401_276_180).bitPattern, radix: 16))"
    static let geo = [
        Case(sicily + "ZRANGESTORE k s 0 -1", "\(palermo) \(catania)"),
        Case("GEOADD k 181 0 a", nil, .refused), Case("GEOADD k 0 86 a", nil, .refused),
        Case("GEOADD k XX 1 1 a", nil), Case("GEOADD k 1 1", nil, .wrongArgumentCount),
        Case(sicily + "GEORADIUS s 15 37 100 km STORE k", catania),
        Case(sicily + "GEORADIUSBYMEMBER s Palermo 100 km STORE k", palermo),
        Case(sicily + "GEOSEARCHSTORE k s FROMLONLAT 15 37 BYBOX 400 400 km COUNT 1", catania),
        Case(sicily + "GEOSEARCHSTORE k s FROMLONLAT 15 37 BYBOX 400 400 km DESC COUNT 1", palermo),
        Case(sicily + "GEOSEARCHSTORE k s FROMLONLAT 15 37 BYRADIUS 400 km COUNT 1 ANY", nil, .cannotRun),
        Case(sicily + "GEOSEARCHSTORE k s FROMMEMBER none BYRADIUS 400 km", nil, .refused),
        Case("ZADD k 1 a\nGEOSEARCHSTORE k none FROMLONLAT 1 1 BYRADIUS 1 m", nil),
        Case(sicily + "GEOSEARCHSTORE k s BYPOLYGON 3 14 36 16 36 15 39", catania),
        Case(sicily + "GEORADIUS s 15 37 100 km WITHDIST STORE k", nil, .refused),
        Case("GEOADD s 180 10 e\nGEOSEARCHSTORE k s FROMMEMBER e BYRADIUS 1 km", edge),
        Case("GEOADD s 180 10 e\nGEOSEARCHSTORE k s FROMMEMBER e BYBOX 0 0 km", edge),
        Case("ZADD k 1 a\nGEORADIUSBYMEMBER none m 1 x STORE k", nil),
        Case(sicily + "GEORADIUSBYMEMBER s Palermo 1 x STORE k", nil, .refused),
    ]
    @Test("geo", arguments: geo)
    func positions(_ test: Case) throws { try check(test) }
}
