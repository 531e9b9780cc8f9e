import ServerHarness

/// Commands on a few streams that often meet: the same IDs, groups and consumers come again and again. They follow from
/// the seed alone.
struct StreamWorkload {
    private var generator: SeededGenerator
    private let server: Server
    /// Whether `*` and idle times are used, whose outcome depends on the clock; a log has them no more.
    private let usesClock: Bool
    private var clock: [String: Int] = [:]

    static let keys = ["s1", "s2", "s3"]

    init(server: Server, seed: UInt64, usesClock: Bool) {
        generator = SeededGenerator(seed: seed)
        self.server = server
        self.usesClock = usesClock
    }

    mutating func commands(_ count: Int) -> [Command] { (0..<count).map { _ in command() } }

    private mutating func key() -> String { generator.oneIn(60) ? "no-stream" : generator.pick(Self.keys) }
    private mutating func group() -> String { generator.oneIn(30) ? "nobody" : generator.pick(["g1", "g2", "g3"]) }
    private mutating func consumer() -> String { generator.pick(["alice", "bob", "carol", "dave"]) }

    /// An ID near the end of what was added.
    private mutating func id(_ key: String) -> String {
        let top = clock[key, default: 0]
        let milliseconds = max(0, top - generator.number(0...24) + generator.number(0...2))
        return generator.oneIn(8) ? String(milliseconds) : "\(milliseconds)-\(generator.number(0...2))"
    }

    private mutating func ids(_ key: String) -> [String] { (0..<generator.number(1...4)).map { _ in id(key) } }

    private mutating func newID(_ key: String) -> String {
        let step = generator.pick([0, 0, 1, 1, 1, 2, 5])
        clock[key, default: 0] += step
        let milliseconds = clock[key, default: 0]
        if server.isRedis7, generator.oneIn(6) { return "\(milliseconds)-*" }
        if usesClock, generator.oneIn(400) { return "*" }
        return generator.oneIn(8) ? String(milliseconds) : "\(milliseconds)-\(generator.number(0...3))"
    }

    private mutating func policy() -> [String] {
        guard server.family == .redis, server.major >= 8, generator.oneIn(2) else { return [] }
        return [generator.pick(["KEEPREF", "DELREF", "ACKED"])]
    }

    private mutating func trim(_ key: String) -> [String] {
        let sign = generator.pick([[], ["="], ["~"]])
        var words: [String]
        if generator.oneIn(2) || server.major == 5 {
            words = ["MAXLEN"] + sign + [String(generator.pick([0, 1, 3, 8, 20, 40]))]
        } else {
            words = ["MINID"] + sign + [id(key)]
        }
        if sign == ["~"], generator.oneIn(2) { words += ["LIMIT", String(generator.pick([0, 5, 100]))] }
        return policy() + words
    }

    private mutating func fields() -> [String] {
        let count = generator.pick([1, 1, 1, 2, 3])
        let names = generator.oneIn(3) ? ["x", "long name of a field", "7"] : ["a", "b", "c"]
        return (0..<count).flatMap {
            [names[$0], generator.oneIn(3) ? "v\(generator.number(0...99))" : "\(generator.number(-5000...99999))"]
        }
    }

    private mutating func command() -> Command {
        let key = key()
        switch generator.number(0...33) {
        case 0...9:
            var words = ["XADD", key]
            if generator.oneIn(8) { words.append("NOMKSTREAM") }
            if generator.oneIn(3) { words += trim(key) }
            return Command(words + [newID(key)] + fields())
        case 10: return Command(["XTRIM", key] + trim(key))
        case 11, 12: return Command(["XDEL", key] + ids(key))
        case 13, 14:
            var words = ["XGROUP", "CREATE", key, group(), generator.pick(["0", "$", id(key)])]
            if generator.oneIn(2) { words.append("MKSTREAM") }
            if server.isRedis7, generator.oneIn(3) { words += ["ENTRIESREAD", String(generator.number(-1...30))] }
            return Command(words)
        case 15:
            var words = ["XGROUP", "SETID", key, group(), generator.pick(["0", "$", id(key)])]
            if server.isRedis7, generator.oneIn(2) { words += ["ENTRIESREAD", String(generator.number(-1...30))] }
            return Command(words)
        case 16: return Command(["XGROUP", "CREATECONSUMER", key, group(), consumer()])
        case 17: return Command(["XGROUP", "DELCONSUMER", key, group(), consumer()])
        case 18:
            if generator.oneIn(3) { return Command(["XGROUP", "DESTROY", key, group()]) }
            if generator.oneIn(4) { return Command(["DEL", key]) }
            return Command(["COPY", generator.pick(Self.keys), key, "REPLACE"])
        case 19...23:
            var words = ["XREADGROUP", "GROUP", group(), consumer()]
            if generator.oneIn(2) { words += ["COUNT", String(generator.number(1...6))] }
            if generator.oneIn(6) { words.append("NOACK") }
            let isHistory = generator.oneIn(5)
            if generator.oneIn(6) {
                let last = isHistory ? ["0", id(key)] : [">", ">"]
                return Command(words + ["STREAMS"] + Self.keys.prefix(2) + last)
            }
            return Command(words + ["STREAMS", key, isHistory ? generator.pick(["0", id(key)]) : ">"])
        case 24...26: return Command(["XACK", key, group()] + ids(key))
        case 27, 28: return claim(key)
        case 29:
            var words = [
                "XAUTOCLAIM", key, group(), consumer(), generator.pick(["0", "0", "1000000"]),
                generator.pick(["0", "-", id(key), "(" + id(key)]),
            ]
            if generator.oneIn(2) { words += ["COUNT", String(generator.number(1...5))] }
            if generator.oneIn(3) { words.append("JUSTID") }
            return Command(words)
        case 30:
            var words = ["XSETID", key, generator.pick([id(key), "\(clock[key, default: 0] + 3)-0"])]
            if server.isRedis7, generator.oneIn(2) {
                words += ["ENTRIESADDED", String(generator.number(0...200)), "MAXDELETEDID", id(key)]
            }
            return Command(words)
        default:
            guard server.family == .redis, server.major >= 8 else { return Command(["XDEL", key] + ids(key)) }
            let ids = ids(key)
            let list = ["IDS", String(ids.count)] + ids
            if generator.oneIn(2) { return Command(["XDELEX", key] + policy() + list) }
            return Command(["XACKDEL", key, group()] + policy() + list)
        }
    }

    private mutating func claim(_ key: String) -> Command {
        var words = ["XCLAIM", key, group(), consumer(), generator.pick(["0", "0", "1000000"])] + ids(key)
        if generator.oneIn(2) { words += ["TIME", String(generator.pick([1, 1000, 1_600_000_000_000, -5]))] }
        if generator.oneIn(2) { words += ["RETRYCOUNT", String(generator.number(0...9))] }
        if generator.oneIn(2) { words.append("FORCE") }
        if generator.oneIn(3) { words.append("JUSTID") }
        if generator.oneIn(4) { words += ["LASTID", id(key)] }
        return Command(words)
    }
}
