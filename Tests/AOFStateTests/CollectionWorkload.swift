import ServerHarness

/// Random commands on lists, sets, sorted sets and hashes, few keys and few words, so that they meet.
struct CollectionWorkload {
    var generator: SeededGenerator
    let server: Server

    init(_ server: Server, seed: UInt64) {
        self.server = server
        generator = SeededGenerator(seed: seed)
    }

    // MARK: - What a version knows

    private var has70: Bool { server.isRedis7 }
    private var hasHSETEX: Bool {
        server.family == .redis ? server.major >= 8 : server.major >= 9
    }
    private var hasHGETDEL: Bool {
        server.family == .redis ? server.major >= 8 : (server.major, server.minor) >= (9, 1)
    }
    private var isValkey9: Bool { server.family == .valkey && server.major >= 9 }

    // MARK: - Words

    mutating func key(_ family: String) -> String {
        if generator.oneIn(25) { return generator.pick(["l0", "s0", "z0", "h0", "str", "none"]) }
        return family + String(generator.number(0...3))
    }

    mutating func word() -> [UInt8] {
        switch generator.number(0...19) {
        case 0...9: Bytes("\(generator.pick(["a", "b", "c", "d", "e", "f", "g"]))\(generator.number(0...3))".utf8)
        case 10...14: Bytes(String(generator.number(-20...200)).utf8)
        case 15: Bytes(String(generator.pick([70_000, -70_000, 5_000_000_000, Int.max, Int.min])).utf8)
        case 16: Bytes(generator.pick(["", " ", "1.5", "01", "-0", "+1", "inf", "x*y", "1e3"]).utf8)
        case 17: Bytes(repeating: 0x78, count: generator.pick([63, 64, 65, 300]))
        // SORT takes what begins with a zero byte for no number in Valkey 9, for 0 in others.
        case 18: [isValkey9 ? 1 : 0, 0xff, UInt8(generator.number(0...3))]
        default: Bytes("word".utf8)
        }
    }

    mutating func words(_ range: ClosedRange<Int>) -> Arguments {
        let count = generator.oneIn(60) ? 140 : generator.number(range)
        return Arguments((0..<count).map { _ in word() })
    }

    mutating func index() -> Int {
        generator.oneIn(30) ? generator.pick([Int.max, Int.min]) : generator.number(-6...6)
    }

    mutating func score() -> String {
        switch generator.number(0...11) {
        case 0...5: String(generator.number(-5...5))
        case 6...7: String(Double(generator.number(-50...50)) / 8)
        case 8: generator.pick(["0.1", "0.2", "0.3", "3.14159265358979", "1e-7", "123456789.125", "9007199254740993"])
        case 9: generator.pick(["inf", "-inf", "+inf", "Infinity", "-INF", "1e308", "-1e308", "0", "-0"])
        case 10: generator.pick(["+5", ".5", "5.", "1e3", "1E3", "007", "-.5", "1e+2", isValkey9 ? "1" : "0x10"])
        default:
            generator.oneIn(3)
                ? generator.pick(["nan", "abc", "", " 1", "1 ", "1e400", "1e-400", "0x", "e3", "1e", "--1", "1,5"])
                : "7"
        }
    }

    mutating func side() -> String { generator.pick(["LEFT", "RIGHT", "left", "Right"]) }
    mutating func keys(_ family: String, _ range: ClosedRange<Int>) -> Arguments {
        Arguments((0..<generator.number(range)).map { _ in key(family) })
    }
    /// `numkeys key …`, rarely a wrong number.
    mutating func countedKeys(_ family: String) -> Arguments {
        let names = (0..<generator.number(1...4)).map { _ in key(generator.oneIn(6) ? "s" : family) }
        let count = generator.oneIn(40) ? generator.pick([0, -1, 100]) : names.count
        return Arguments([String(count)] + names)
    }
    mutating func maybe(_ n: Int, _ words: String...) -> Arguments {
        Arguments(generator.oneIn(n) ? words : [])
    }

    // MARK: - Commands

    mutating func next() -> Command {
        switch generator.number(0...99) {
        case 0...21: list()
        case 22...34: set()
        case 35...62: sortedSet()
        case 63...82: hash()
        case 83...88: sort()
        case 89...96: geo()
        default: other()
        }
    }

    mutating func other() -> Command {
        switch generator.number(0...5) {
        case 0: Command("SET", generator.pick(["str", "w_1", "w_a1", "w_7"]), word())
        case 1, 2: Command("PEXPIREAT", key(generator.pick(["l", "s", "z", "h"])), 4_102_444_800_000)
        case 3: Command("DEL", key(generator.pick(["l", "s", "z", "h", "g"])))
        case 4: Command("SET", "w_" + String(generator.number(-3...9)), score())
        default: Command("HSET", "wh_" + String(generator.number(-3...9)), "f", score())
        }
    }

    mutating func list() -> Command {
        switch generator.number(0...21) {
        case 0...3: Command(generator.pick(["RPUSH", "LPUSH"]), key("l"), words(0...5))
        case 4: Command(generator.pick(["RPUSHX", "LPUSHX"]), key("l"), words(1...3))
        case 5, 6: Command(generator.pick(["LPOP", "RPOP"]), key("l"))
        case 7: Command(generator.pick(["LPOP", "RPOP"]), key("l"), generator.number(-1...4))
        case 8, 9: Command("LINSERT", key("l"), generator.pick(["BEFORE", "AFTER", "before", "x"]), word(), word())
        case 10: Command("LSET", key("l"), generator.number(-6...6), word())
        case 11: Command("LREM", key("l"), generator.number(-3...3), word())
        case 12: Command("LTRIM", key("l"), index(), generator.oneIn(2) ? 30 : index())
        case 13: Command("RPOPLPUSH", key("l"), key("l"))
        case 14, 15: Command("LMOVE", key("l"), key("l"), side(), side())
        case 16: Command("BLPOP", keys("l", 1...2), "0.01")
        case 17: Command("BRPOP", keys("l", 1...2), generator.oneIn(4) ? "-1" : "0.01")
        case 18: Command("BLMOVE", key("l"), key("l"), side(), side(), "0.01")
        case 19: Command("BRPOPLPUSH", key("l"), key("l"), "0.01")
        case 20 where has70:
            Command("LMPOP", countedKeys("l"), side(), maybe(2, "COUNT", String(generator.number(0...4))))
        case 21 where has70:
            Command("BLMPOP", "0.01", countedKeys("l"), side(), maybe(2, "COUNT", String(generator.number(0...4))))
        default: Command("RPUSH", key("l"), words(1...9))
        }
    }

    mutating func set() -> Command {
        switch generator.number(0...9) {
        case 0...3: Command("SADD", key("s"), words(0...6))
        case 4: Command("SADD", key("s"), Arguments((0..<6).map { _ in String(generator.number(-9...99_999)) }))
        case 5: Command("SREM", key("s"), words(1...4))
        case 6: Command("SMOVE", key("s"), key("s"), word())
        case 7, 8:
            Command(generator.pick(["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"]), key("s"), keys("s", 0...3))
        default: Command("SPOP", key("s"), 100_000)
        }
    }

    mutating func pairs(_ range: ClosedRange<Int>) -> Arguments {
        let count = generator.oneIn(60) ? 140 : generator.number(range)
        return Arguments((0..<count).flatMap { _ in [Bytes(score().utf8), word()] })
    }

    mutating func flags() -> Arguments {
        var words: [String] = []
        for word in ["NX", "XX", "GT", "LT", "CH", "INCR"] where generator.oneIn(7) { words.append(word) }
        return Arguments(generator.shuffled(words))
    }

    mutating func scoreBound() -> String {
        // Redis 8 takes no blank before the number and no hexadecimal digits, older ones do.
        var score = score()
        if score == " 1" || score == "0x10" { score = "1" }
        return generator.pick(["", "("]) + (generator.oneIn(4) ? generator.pick(["-inf", "+inf"]) : score)
    }
    mutating func memberBound() -> [UInt8] {
        switch generator.number(0...7) {
        case 0: Bytes("-".utf8)
        case 1: Bytes("+".utf8)
        case 2: Bytes("x".utf8)
        case 3, 4: Bytes("(".utf8) + word()
        default: Bytes("[".utf8) + word()
        }
    }

    mutating func sortedSet() -> Command {
        switch generator.number(0...23) {
        case 0...4: return Command("ZADD", key("z"), pairs(0...5))
        case 5...7: return Command("ZADD", key("z"), flags(), pairs(1...2))
        case 8: return Command("ZINCRBY", key("z"), score(), word())
        case 9: return Command("ZREM", key("z"), words(1...4))
        case 10: return Command("ZREMRANGEBYRANK", key("z"), index(), index())
        case 11: return Command("ZREMRANGEBYSCORE", key("z"), scoreBound(), scoreBound())
        case 12: return Command("ZADD", key("x"), Arguments((0..<4).flatMap { _ in [Bytes("0".utf8), word()] }))
        case 13: return Command("ZREMRANGEBYLEX", "x" + String(generator.number(0...3)), memberBound(), memberBound())
        case 14: return Command(generator.pick(["ZPOPMIN", "ZPOPMAX"]), key("z"))
        case 15: return Command(generator.pick(["ZPOPMIN", "ZPOPMAX"]), key("z"), generator.number(0...4))
        case 16: return Command(generator.pick(["BZPOPMIN", "BZPOPMAX"]), keys("z", 1...2), "0.01")
        case 17 where has70:
            let end = Arguments([generator.pick(["MIN", "MAX", "x"])])
            let count = maybe(2, "COUNT", String(generator.number(0...4)))
            if generator.oneIn(2) { return Command("ZMPOP", countedKeys("z"), end, count) }
            return Command("BZMPOP", "0.01", countedKeys("z"), end, count)
        case 18, 19: return combine()
        case 20: return Command("ZDIFFSTORE", key("z"), countedKeys("z"))
        case 21...22: return rangeStore()
        default: return Command("ZADD", key("z"), pairs(1...9))
        }
    }

    private mutating func combine() -> Command {
        let names = (0..<generator.number(1...4)).map { _ in key(generator.oneIn(5) ? "s" : "z") }
        var options: [String] = []
        if generator.oneIn(2) { options += ["WEIGHTS"] + names.map { _ in score() } }
        if generator.oneIn(2) { options += ["AGGREGATE", generator.pick(["SUM", "MIN", "MAX", "sum", "x"])] }
        return Command(
            generator.pick(["ZUNIONSTORE", "ZINTERSTORE"]), key("z"), names.count, Arguments(names),
            Arguments(options))
    }

    private mutating func rangeStore() -> Command {
        var options: [String] = []
        if generator.oneIn(3) { options.append("REV") }
        let limit = ["LIMIT", String(generator.number(-1...3)), String(generator.number(-1...5))]
        switch generator.number(0...2) {
        case 0:
            if generator.oneIn(15) { options += limit }
            return Command("ZRANGESTORE", key("z"), key("z"), index(), index(), Arguments(options))
        case 1:
            if generator.oneIn(3) { options += limit }
            return Command(
                "ZRANGESTORE", key("z"), key("z"), scoreBound(), scoreBound(), "BYSCORE", Arguments(options))
        default:
            if generator.oneIn(3) { options += limit }
            return Command(
                "ZRANGESTORE", key("z"), "x" + String(generator.number(0...3)), memberBound(), memberBound(), "BYLEX",
                Arguments(options))
        }
    }

    // MARK: - Hashes

    mutating func fields() -> Arguments {
        let names = (0..<generator.number(1...3)).map { _ in word() }
        let count = generator.oneIn(40) ? generator.pick([0, -1, 7]) : names.count
        return Arguments([Bytes("FIELDS".utf8), Bytes(String(count).utf8)] + names)
    }

    /// So far apart that times counted from "now" cannot be confused.
    mutating func time() -> Int { 4_000_000_000_000 + 1_000_000 * generator.number(0...20) }

    mutating func timeOption() -> [String] {
        switch generator.number(0...3) {
        case 0: ["PXAT", String(time())]
        case 1: ["EXAT", String(time() / 1000)]
        case 2: ["PX", String(1_000_000_000_000)]
        default: ["EX", String(1_000_000_000)]
        }
    }

    mutating func hash() -> Command {
        switch generator.number(0...19) {
        case 0...3: return Command(generator.pick(["HSET", "HMSET"]), key("h"), fieldPairs(0...4))
        case 4: return Command("HSETNX", key("h"), word(), word())
        case 5, 6: return Command("HDEL", key("h"), words(1...4))
        case 7: return Command("HINCRBY", key("h"), word(), increment())
        case 8: return Command("HINCRBYFLOAT", key("h"), word(), floatIncrement())
        case 9: return Command("HSET", key("h"), word(), score())
        case 10...12 where server.hasFieldExpiry:
            let condition = maybe(2, generator.pick(["NX", "XX", "GT", "LT"]))
            switch generator.number(0...3) {
            case 0: return Command("HPEXPIREAT", key("h"), time(), condition, fields())
            case 1: return Command("HEXPIREAT", key("h"), time() / 1000, condition, fields())
            case 2: return Command("HPEXPIRE", key("h"), 1_000_000_000_000, condition, fields())
            default: return Command("HEXPIRE", key("h"), 1_000_000_000, condition, fields())
            }
        case 13 where server.hasFieldExpiry: return Command("HPERSIST", key("h"), fields())
        case 14 where hasHSETEX: return hsetex()
        case 15 where hasHSETEX: return hsetex()
        case 16 where hasHSETEX:
            let words = generator.oneIn(5) ? [] : generator.oneIn(4) ? ["PERSIST"] : timeOption()
            return Command("HGETEX", key("h"), Arguments(words), fields())
        case 17 where hasHGETDEL: return Command("HGETDEL", key("h"), fields())
        default: return Command("HSET", key("h"), fieldPairs(1...6))
        }
    }

    private mutating func fieldPairs(_ range: ClosedRange<Int>) -> Arguments {
        let count = generator.number(range)
        var words = (0..<2 * count).map { _ in word() }
        if generator.oneIn(30) { words.append(word()) }
        return Arguments(words)
    }

    private mutating func increment() -> String {
        switch generator.number(0...6) {
        case 0: generator.pick(["abc", "1.5", "+1", "01", "", " 1", "9223372036854775807", "-9223372036854775808"])
        default: String(generator.number(-1000...1000))
        }
    }

    private mutating func floatIncrement() -> String {
        switch generator.number(0...6) {
        case 0: generator.pick(["inf", "-inf", "nan", "abc", "", " 1", "1e5", "1e-5", "1.0e2", "-0"])
        case 1: String(generator.number(-9...9))
        default: String(Double(generator.number(-100_000...100_000)) / 100)
        }
    }

    private mutating func hsetex() -> Command {
        var words: [[String]] = []
        if isValkey9, generator.oneIn(6) { words.append([generator.pick(["NX", "XX"])]) }
        if generator.oneIn(3) { words.append([generator.pick(["FNX", "FXX"])]) }
        if generator.oneIn(2) { words.append(generator.oneIn(3) ? ["KEEPTTL"] : timeOption()) }
        let count = generator.number(1...3)
        let pairs = (0..<2 * count).map { _ in word() }
        return Command(
            "HSETEX", key("h"), Arguments(generator.shuffled(words).flatMap { $0 }), "FIELDS", count,
            Arguments(pairs))
    }

    // MARK: - SORT

    mutating func sort() -> Command {
        var words: [String] = []
        switch generator.number(0...7) {
        case 0: words += ["BY", "w_*"]
        case 1: words += ["BY", "wh_*->f"]
        case 2: words += ["BY", "nosort"]
        default: break
        }
        if generator.oneIn(3) {
            words += ["LIMIT", String(generator.number(-1...3)), String(generator.number(-1...6))]
        }
        for pattern in ["#", "w_*", "wh_*->f", "x", "*"] where generator.oneIn(7) { words += ["GET", pattern] }
        if generator.oneIn(3) { words.append(generator.pick(["DESC", "ASC"])) }
        if generator.oneIn(2) { words.append("ALPHA") }
        words += ["STORE", key("l")]
        return Command("SORT", key(generator.pick(["l", "s", "z", "n"])), Arguments(words))
    }

    // MARK: - Geo

    private mutating func longitude() -> String {
        if generator.oneIn(60) { return generator.pick(["180", "-180", "180.1", "abc", "nan", "0"]) }
        return String(Double(generator.number(-180_000_000...180_000_000)) / 1e6)
    }
    private mutating func latitude() -> String {
        if generator.oneIn(60) { return generator.pick(["85.05112878", "-85.05112878", "86", "90", "", "0"]) }
        return String(Double(generator.number(-85_000_000...85_000_000)) / 1e6)
    }
    private mutating func place() -> String { "p" + String(generator.number(0...40)) }
    private mutating func geoKey() -> String { generator.oneIn(25) ? "l0" : "g" + String(generator.number(0...1)) }
    private mutating func unit() -> String {
        generator.pick(["m", "km", "ft", "mi", has70 ? "KM" : "km", generator.oneIn(9) ? "x" : "km"])
    }
    private mutating func distance() -> String {
        String(generator.pick([0, 1, 100, 1_000, 5_000, 9_000, 20_000, 1_000_000]))
    }

    mutating func geo() -> Command {
        switch generator.number(0...7) {
        case 0...3:
            let triples = (0..<generator.number(1...6)).flatMap { _ in [longitude(), latitude(), place()] }
            let flags = Arguments(["NX", "XX", "CH"].filter { _ in generator.oneIn(6) })
            return Command("GEOADD", geoKey(), flags, Arguments(triples))
        case 4:
            return Command(
                "GEORADIUS", geoKey(), longitude(), latitude(), distance(), unit(), Arguments(order()),
                generator.pick(["STORE", "STOREDIST"]), "gs" + String(generator.number(0...1)))
        case 5:
            return Command(
                "GEORADIUSBYMEMBER", geoKey(), place(), distance(), unit(), Arguments(order()),
                generator.pick(["STORE", "STOREDIST"]), "gs" + String(generator.number(0...1)))
        default:
            var words = generator.oneIn(2) ? ["FROMMEMBER", place()] : ["FROMLONLAT", longitude(), latitude()]
            if isValkey9, generator.oneIn(4) {
                words = ["BYPOLYGON", "4"] + (0..<4).flatMap { _ in [longitude(), latitude()] }
            } else if generator.oneIn(2) {
                words += ["BYRADIUS", distance(), unit()]
            } else {
                words += ["BYBOX", distance(), distance(), unit()]
            }
            words += order()
            if generator.oneIn(3) { words.append("STOREDIST") }
            return Command("GEOSEARCHSTORE", "gs" + String(generator.number(0...1)), geoKey(), Arguments(words))
        }
    }

    private mutating func order() -> [String] {
        var words: [String] = []
        if generator.oneIn(3) {
            words += ["COUNT", String(generator.number(0...6))]
            if generator.oneIn(6) { words.append("ANY") }
        }
        if generator.oneIn(3) { words.append(generator.pick(["ASC", "DESC"])) }
        return words
    }
}
