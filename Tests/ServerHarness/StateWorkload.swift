/// Writes of every kind that can come to stand in a log, on few keys, so that commands meet what others have left.
/// The commands follow from the seed alone.
package struct StateWorkload {
    private var generator: SeededGenerator
    private let server: Server
    /// Whether the commands stand in a file as they are: then nothing may depend on the time or on chance.
    private let isHandMade: Bool
    /// Whether keys and fields expire while the commands are run.
    private let hasShortExpiries: Bool
    private var nextStreamID = 1

    package init(server: Server, seed: UInt64, isHandMade: Bool = false, hasShortExpiries: Bool = true) {
        self.server = server
        self.hasShortExpiries = hasShortExpiries && !isHandMade
        self.isHandMade = isHandMade
        generator = SeededGenerator(seed: seed)
    }

    package static let databases = [0, 1, 7]

    /// So many steps; what the server refuses (a wrong type, an ID that is too small) is part of the game.
    package mutating func commands(steps: Int) -> [Command] {
        var commands = [Command(["SELECT", 0])]
        for _ in 0..<steps {
            switch generator.number(0...29) {
            case 0: commands.append(Command(["SELECT", generator.pick(Self.databases)]))
            case 1:
                let writes = (0..<generator.number(0...5)).flatMap { _ in write() }
                let end = isHandMade || generator.oneIn(8) == false ? "EXEC" : "DISCARD"
                commands += [Command(["MULTI"])] + writes + [Command([end])]
            case 2 where !isHandMade: commands.append(script())
            case 3 where generator.oneIn(12): commands.append(Command([generator.pick(["FLUSHDB", "FLUSHALL"])]))
            case 4 where generator.oneIn(3):
                commands.append(
                    Command(["SWAPDB", generator.pick(Self.databases), generator.pick(Self.databases)]))
            default: commands += write()
            }
        }
        return commands
    }

    private mutating func script() -> Command {
        Command([
            "EVAL",
            "for i = 1, tonumber(ARGV[1]) do redis.call('rpush', KEYS[1], i) end redis.call('SET', KEYS[2], ARGV[1]) "
                + "redis.call('sadd', KEYS[3], ARGV[1], 'x')",
            3, key("l"), key("s"), key("t"), generator.number(0...3),
        ])
    }

    private enum Family: CaseIterable {
        case string, number, bits, hyperLogLog, keys, list, set, sortedSet, hash, fieldExpiry, stream, group, geo, sort
    }

    private mutating func write() -> [Command] {
        switch generator.pick(Family.allCases) {
        case .string: [string()]
        case .number: [number()]
        case .bits: [bits()]
        case .hyperLogLog: [hyperLogLog()]
        case .keys: [keys()]
        case .list: [list()]
        case .set: [set()]
        case .sortedSet: [sortedSet()]
        case .hash: [hash()]
        case .fieldExpiry: server.hasFieldExpiry ? [fieldExpiry()] : [hash()]
        case .stream: [stream()]
        case .group: group()
        case .geo: [geo()]
        case .sort: [sort()]
        }
    }

    // MARK: Words

    private mutating func key(_ type: String) -> Bytes {
        switch generator.number(0...24) {
        case 0: Bytes("ключ:\(type)".utf8)
        case 1: [0, 0x0d, 0x0a, 0xff] + Bytes(type.utf8)
        // A key of another type.
        case 2: Bytes("\(generator.pick(["s", "l", "t", "z", "h", "x"])):\(generator.number(0...5))".utf8)
        default: Bytes("\(type):\(generator.number(0...5))".utf8)
        }
    }

    private mutating func value() -> Bytes {
        switch generator.number(0...11) {
        case 0: []
        case 1: generator.bytes(upTo: 3000)
        case 2: Bytes("*3\r\n$3\r\nSET\r\n".utf8)
        case 3...6: Bytes("\(generator.number(-5...130))".utf8)
        default: generator.bytes(upTo: 40)
        }
    }

    private mutating func small() -> Int { generator.number(-6...12) }
    private mutating func member() -> Bytes {
        generator.oneIn(4) ? value() : Bytes("m\(generator.number(0...20))".utf8)
    }
    private mutating func score() -> String {
        generator.pick([
            "1", "-2.5", "3.14159", "1e3", "inf", "-inf", "0", "-0", "17.25", "1e-5", "0.1", "123456789012",
        ])
    }
    private mutating func side() -> String { generator.pick(["LEFT", "RIGHT", "left", "Right"]) }

    /// Unix milliseconds: far away, or soon over where a server runs.
    private mutating func time() -> Int { 4_000_000_000_000 + generator.number(0...1_000_000) }

    private mutating func several(_ count: ClosedRange<Int>, _ make: (inout StateWorkload) -> Bytes) -> [Bytes] {
        (0..<generator.number(count)).map { _ in make(&self) }
    }

    // MARK: Strings

    private mutating func string() -> Command {
        switch generator.number(0...13) {
        case 0: return Command(["SET", key("s"), value(), generator.pick(["NX", "XX", "nx"])])
        case 1: return Command(["SET", key("s"), value(), "KEEPTTL"])
        case 2: return Command(["SET", key("s"), value(), "PXAT", time()])
        case 3 where !isHandMade: return Command(["SET", key("s"), value(), "EX", 100_000])
        case 4 where !isHandMade: return Command(["SETEX", key("s"), 100_000, value()])
        case 5: return Command(["SETNX", key("s"), value()])
        case 6: return Command(["GETSET", key("s"), value()])
        case 7: return Command(["MSET", key("s"), value(), key("s"), value()])
        case 8: return Command(["MSETNX", key("s"), value(), key("s"), value()])
        case 9: return Command(["APPEND", key("s"), value()])
        case 10: return Command(["SETRANGE", key("s"), generator.number(0...80), value()])
        case 11: return Command(["GETDEL", key("s")])
        case 12: return Command(["GETEX", key("s"), generator.pick(["PERSIST", "persist"])])
        default: return Command(["SET", key("s"), value()])
        }
    }

    private mutating func number() -> Command {
        switch generator.number(0...5) {
        case 0: return Command([generator.pick(["INCR", "DECR", "incr"]), key("n")])
        case 1: return Command(["INCRBY", key("n"), generator.number(-1000...1000)])
        case 2: return Command(["DECRBY", key("n"), generator.number(-1000...1000)])
        case 3: return Command(["INCRBYFLOAT", key("f"), generator.pick(["1.5", "-0.1", "3", "1e2", "0.000001"])])
        case 4: return Command(["INCRBY", key("s"), Int.max - 100])
        default: return Command(["SET", key("n"), generator.number(-100...100_000_000_000)])
        }
    }

    private mutating func bits() -> Command {
        // Redis 6.2 finds overflows of wide numbers as its compiler likes.
        let widths =
            server.family == .valkey || server.isRedis7
            ? ["u8", "i5", "u63", "i64", "i16", "u1"] : ["u8", "i5", "i16", "u1"]
        let width = generator.pick(widths)
        switch generator.number(0...6) {
        case 0, 1: return Command(["SETBIT", key("b"), generator.number(0...400), generator.number(0...1)])
        case 2:
            return Command([
                "BITFIELD", key("b"), "SET", width, generator.number(0...300), generator.number(-300...300), "INCRBY",
                width, "#\(generator.number(0...5))", small(),
            ])
        case 3:
            // The one that may fail does not come last: a change that follows makes the command one to be stored.
            return Command([
                "BITFIELD", key("b"), "OVERFLOW", generator.pick(["SAT", "WRAP", "FAIL"]), "INCRBY", width,
                generator.number(0...100), generator.pick([100, -100, 1 << 40]), "OVERFLOW", "WRAP", "INCRBY", "u4", 0,
                1,
            ])
        case 4: return Command(["BITOP", "NOT", key("b"), key("b")])
        default:
            let operation = generator.pick(["AND", "OR", "XOR", "or"])
            return Command(["BITOP", operation, key("b"), key("b"), key("b"), key("b")])
        }
    }

    private mutating func hyperLogLog() -> Command {
        switch generator.number(0...4) {
        case 0:
            let count = generator.pick([1, 20, 800])
            return Command(
                ["PFADD", key("p")] + several(count...count) { Bytes("\($0.generator.number(0...99999))".utf8) })
        case 1: return Command(["PFMERGE", key("p"), key("p"), key("p")])
        case 2: return Command(["PFCOUNT", key("p")])
        default: return Command(["PFADD", key("p")] + several(0...3) { $0.value() })
        }
    }

    // MARK: Keys

    private mutating func anyKey() -> Bytes {
        key(generator.pick(["s", "n", "b", "p", "l", "t", "z", "h", "e", "x", "g"]))
    }

    private mutating func keys() -> Command {
        let type = generator.pick(["s", "n", "l", "t", "z", "h", "x"])
        switch generator.number(0...13) {
        case 0: return Command(["DEL", anyKey(), anyKey()])
        case 1: return Command(["UNLINK", anyKey()])
        case 2: return Command(["RENAME", key(type), key(type)])
        case 3: return Command(["RENAMENX", key(type), key(type)])
        case 4: return Command(["COPY", key(type), key(type), "REPLACE"])
        case 5: return Command(["COPY", key(type), key(type), "DB", generator.pick(Self.databases)])
        case 6: return Command(["MOVE", key(type), generator.pick(Self.databases)])
        case 7: return Command(["PERSIST", anyKey()])
        case 8 where server.isRedis7:
            return Command(["PEXPIREAT", anyKey(), time(), generator.pick(["NX", "XX", "GT", "LT"])])
        case 9 where hasShortExpiries: return Command(["PEXPIRE", anyKey(), generator.pick([1, 20, 400])])
        case 10 where !isHandMade: return Command(["EXPIRE", anyKey(), generator.pick([-1, 100_000])])
        case 11: return Command(["EXPIREAT", anyKey(), 4_100_000_000 + generator.number(0...1000)])
        default: return Command(["PEXPIREAT", anyKey(), time()])
        }
    }

    // MARK: Collections

    private mutating func list() -> Command {
        switch generator.number(0...15) {
        case 0: return Command(["LPUSH", key("l")] + several(1...4) { $0.value() })
        case 1: return Command(["LPUSHX", key("l"), value()])
        case 2: return Command(["RPUSHX", key("l"), value(), value()])
        case 3: return Command([generator.pick(["LPOP", "RPOP"]), key("l")])
        case 4: return Command([generator.pick(["LPOP", "RPOP"]), key("l"), generator.number(0...3)])
        case 5: return Command(["LINSERT", key("l"), generator.pick(["BEFORE", "after"]), small(), value()])
        case 6: return Command(["LSET", key("l"), small(), value()])
        case 7: return Command(["LREM", key("l"), generator.number(-2...2), small()])
        case 8: return Command(["LTRIM", key("l"), generator.number(-9...3), generator.number(-3...30)])
        case 9: return Command(["RPOPLPUSH", key("l"), key("l")])
        case 10: return Command(["LMOVE", key("l"), key("l"), side(), side()])
        case 11 where server.isRedis7: return Command(["LMPOP", 2, key("l"), key("l"), side(), "COUNT", 2])
        case 12: return Command(["BLMOVE", key("l"), "l:moved", side(), side(), "0.02"])
        case 13: return Command(["BLPOP", key("l"), key("l"), "0.02"])
        case 14: return Command(["RPUSH", key("l")] + several(100...300) { $0.generator.bytes(upTo: 60) })
        default: return Command(["RPUSH", key("l")] + several(1...5) { $0.value() })
        }
    }

    private mutating func set() -> Command {
        switch generator.number(0...10) {
        case 0: return Command(["SREM", key("t"), member(), "\(small())"])
        case 1: return Command(["SMOVE", key("t"), key("t"), member()])
        case 2, 3:
            let operation = generator.pick(["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"])
            return Command([operation, key("t"), key("t"), key("t")])
        case 4 where !isHandMade: return Command(["SPOP", key("t")])
        case 5 where !isHandMade: return Command(["SPOP", key("t"), generator.number(1...5)])
        case 6: return Command(["SADD", key("t")] + several(1...30) { Bytes("\($0.generator.number(-9...900))".utf8) })
        default: return Command(["SADD", key("t")] + several(1...4) { $0.member() })
        }
    }

    /// Redis 6.2 leaves the target where the source is missing, but only logs what changed something.
    private var hasRangeStore: Bool { server.isRedis7 || !isHandMade }

    private mutating func sortedSet() -> Command {
        switch generator.number(0...18) {
        case 0:
            return Command([
                "ZADD", key("z"), generator.pick(["NX", "XX", "GT", "LT", "CH"]), score(), member(), score(), member(),
            ])
        case 1: return Command(["ZADD", key("z"), "INCR", score(), member()])
        case 2: return Command(["ZINCRBY", key("z"), score(), member()])
        case 3: return Command(["ZREM", key("z"), member(), member()])
        case 4: return Command(["ZREMRANGEBYRANK", key("z"), generator.number(-3...2), generator.number(-3...3)])
        case 5:
            return Command([
                "ZREMRANGEBYSCORE", key("z"), generator.pick(["(0", "-inf", "5"]), generator.pick(["2", "(3.5"]),
            ])
        case 6:
            return Command([
                "ZREMRANGEBYLEX", key("z"), generator.pick(["[m1", "-"]), generator.pick(["(m12", "[m10"]),
            ])
        case 7: return Command([generator.pick(["ZPOPMIN", "ZPOPMAX"]), key("z")])
        case 8: return Command([generator.pick(["ZPOPMIN", "ZPOPMAX"]), key("z"), 2])
        case 9, 10:
            let operation = generator.pick(["ZUNIONSTORE", "ZINTERSTORE"])
            let weights: [any CommandPart] = generator.oneIn(2) ? ["WEIGHTS", 2, "0.5"] : []
            let aggregate: [any CommandPart] = ["AGGREGATE", generator.pick(["SUM", "MIN", "max"])]
            return Command([operation, key("z"), 2, key("z"), key(generator.pick(["z", "t"]))] + weights + aggregate)
        case 11: return Command(["ZDIFFSTORE", key("z"), 2, key("z"), key("z")])
        case 12 where hasRangeStore:
            return Command(["ZRANGESTORE", key("z"), key("z"), generator.number(-3...2), generator.number(-2...8)])
        case 13 where hasRangeStore:
            return Command(["ZRANGESTORE", key("z"), key("z"), "(-5", "17.25", "BYSCORE", "LIMIT", 1, 3])
        case 14 where hasRangeStore: return Command(["ZRANGESTORE", key("z"), key("z"), 5, 0, "REV"])
        case 15 where server.isRedis7:
            return Command(["ZMPOP", 2, key("z"), key("z"), generator.pick(["MIN", "MAX"])])
        case 16: return Command(["BZPOPMIN", key("z"), "0.02"])
        case 17:
            return Command(["ZADD", key("z")] + (0..<generator.number(100...200)).flatMap { ["\($0 % 7)", "n\($0)"] })
        default: return Command(["ZADD", key("z"), score(), member(), score(), member()])
        }
    }

    private mutating func hash() -> Command {
        switch generator.number(0...9) {
        case 0: return Command(["HMSET", key("h"), member(), value()])
        case 1: return Command(["HSETNX", key("h"), member(), value()])
        case 2, 3: return Command(["HDEL", key(generator.pick(["h", "e"])), member(), member()])
        case 4: return Command(["HINCRBY", key(generator.pick(["h", "e"])), "m\(generator.number(0...3))", small()])
        case 5:
            return Command(["HINCRBYFLOAT", key(generator.pick(["h", "e"])), "m\(generator.number(0...3))", "0.25"])
        case 6: return Command(["HSET", key("h")] + (0..<generator.number(100...200)).flatMap { ["f\($0)", "\($0)"] })
        default: return Command(["HSET", key("h"), member(), value(), member(), value()])
        }
    }

    private mutating func fieldExpiry() -> Command {
        let fields: [any CommandPart] = ["FIELDS", 2, member(), member()]
        switch generator.number(0...8) {
        case 0, 1: return Command(["HPEXPIREAT", key("e"), time()] + fields)
        case 2: return Command(["HPEXPIREAT", key("e"), time(), generator.pick(["NX", "XX", "GT", "LT"])] + fields)
        case 3: return Command(["HPERSIST", key("e")] + fields)
        case 4 where server.family == .valkey || server.major >= 8:
            return Command(["HSETEX", key("e"), "PXAT", time(), "FIELDS", 1, member(), value()])
        case 5 where server.family == .valkey || server.major >= 8:
            return Command([
                "HSETEX", key("e"), generator.pick(["FNX", "FXX"]), "KEEPTTL", "FIELDS", 1, member(), value(),
            ])
        case 6 where hasShortExpiries: return Command(["HPEXPIRE", key("e"), generator.pick([1, 30, 400])] + fields)
        default:
            return Command([
                "HSET", key("e"), "m\(generator.number(0...9))", value(), "m\(generator.number(0...9))", value(),
            ])
        }
    }

    // MARK: Streams

    private mutating func streamID() -> String {
        nextStreamID += generator.number(1...3)
        return "\(nextStreamID)-\(generator.number(0...2))"
    }

    private mutating func oldID() -> String {
        "\(generator.number(1...max(1, nextStreamID)))-\(generator.number(0...2))"
    }

    private mutating func stream() -> Command {
        switch generator.number(0...9) {
        case 0:
            return Command([
                "XADD", key("x"), "MAXLEN", generator.pick(["=", "~"]), generator.number(0...9), streamID(), "f",
                value(),
            ])
        case 1: return Command(["XADD", key("x"), "MINID", oldID(), streamID(), "f", value(), "g", value()])
        case 2: return Command(["XADD", key("x"), "NOMKSTREAM", streamID(), "f", value()])
        case 3: return Command(["XTRIM", key("x"), "MAXLEN", generator.number(0...9)])
        case 4: return Command(["XDEL", key("x"), oldID(), oldID()])
        case 5: return Command(["XSETID", key("x"), "\(nextStreamID + 5)-0"])
        case 6 where !isHandMade && generator.oneIn(4): return Command(["XADD", key("y"), "*", "f", value()])
        default: return Command(["XADD", key("x"), streamID(), "f", value()])
        }
    }

    private mutating func group() -> [Command] {
        let name = generator.pick(["g1", "g2"])
        let consumer = generator.pick(["alice", "bob", "carol"])
        switch generator.number(0...10) {
        case 0, 1:
            return [Command(["XGROUP", "CREATE", key("x"), name, generator.pick(["0", "$", oldID()]), "MKSTREAM"])]
        case 2: return [Command(["XGROUP", "SETID", key("x"), name, generator.pick(["0", "$", oldID()])])]
        case 3: return [Command(["XGROUP", "CREATECONSUMER", key("x"), name, consumer])]
        case 4: return [Command(["XGROUP", generator.pick(["DELCONSUMER"]), key("x"), name, consumer])]
        case 5: return [Command(["XGROUP", "DESTROY", key("x"), name])]
        case 6: return [Command(["XACK", key("x"), name, oldID(), oldID()])]
        case 7:
            return [
                Command([
                    "XCLAIM", key("x"), name, consumer, 0, oldID(), oldID(), "TIME", 1_600_000_000_000, "RETRYCOUNT", 3,
                    "FORCE", "JUSTID",
                ])
            ]
        case 8 where !isHandMade: return [Command(["XAUTOCLAIM", key("x"), name, consumer, 0, "0", "COUNT", 2])]
        default:
            if isHandMade { return [stream()] }
            let acknowledges: [any CommandPart] = generator.oneIn(4) ? ["NOACK"] : []
            return [
                Command(
                    ["XREADGROUP", "GROUP", name, consumer, "COUNT", generator.number(1...4)] + acknowledges
                        + ["STREAMS", key("x"), ">"])
            ]
        }
    }

    // MARK: Others

    private mutating func geo() -> Command {
        let longitude = "\(generator.number(-100...100)).\(generator.number(0...99))"
        let latitude = "\(generator.number(-60...60)).\(generator.number(0...99))"
        switch hasRangeStore ? generator.number(0...5) : 5 {
        case 0:
            return Command([
                "GEOSEARCHSTORE", key("z"), key("g"), "FROMLONLAT", longitude, latitude, "BYRADIUS",
                generator.number(100...9000), "km", "ASC", "COUNT", 5,
            ])
        case 1:
            return Command([
                "GEOSEARCHSTORE", key("z"), key("g"), "FROMLONLAT", longitude, latitude, "BYBOX",
                generator.number(100...9000), generator.number(100...9000), "mi", "STOREDIST",
            ])
        case 2:
            return Command([
                "GEORADIUS", key("g"), longitude, latitude, generator.number(100...9000), "km", "STORE", key("z"),
            ])
        default:
            return Command(["GEOADD", key("g"), longitude, latitude, member(), latitude, longitude, member()])
        }
    }

    private mutating func sort() -> Command {
        let source = key(generator.pick(["l", "t", "z"]))
        switch generator.number(0...3) {
        case 0: return Command(["SORT", source, "ALPHA", "DESC", "LIMIT", 1, 20, "STORE", key("l")])
        case 1: return Command(["SORT", source, "BY", "n:*", "GET", "#", "GET", "s:*", "STORE", key("l")])
        case 2: return Command(["SORT", source, "BY", "h:*->m1", "DESC", "STORE", key("l")])
        default: return Command(["SORT", source, "STORE", key("l")])
        }
    }
}
