/// Writes that end up in a log in many forms: several databases, transactions, scripts, commands that servers rewrite.
/// The commands follow from the seed alone.
package struct LogWorkload {
    private var generator: SeededGenerator
    private let server: Server

    package init(server: Server, seed: UInt64) {
        self.server = server
        generator = SeededGenerator(seed: seed)
    }

    /// Sends so many steps; what the server refuses (a wrong type, an ID that is too small) is part of the game.
    package mutating func run(_ connection: RESPConnection, steps: Int) throws {
        var commands: [Command] = []
        for _ in 0..<steps {
            switch generator.number(0...19) {
            case 0: commands.append(Command(["SELECT", generator.pick([0, 0, 1, 7, 15])]))
            case 1: commands += transaction()
            case 2: commands.append(script())
            default: commands.append(write())
            }
        }
        _ = try connection.exchange(commands)
    }

    private mutating func transaction() -> [Command] {
        let writes = (0..<generator.number(0...4)).map { _ in write() }
        return [Command(["MULTI"])] + writes + [Command([generator.oneIn(10) ? "DISCARD" : "EXEC"])]
    }

    private mutating func script() -> Command {
        Command([
            "EVAL",
            "for i = 1, tonumber(ARGV[1]) do redis.call('rpush', KEYS[1], i) end redis.call('set', KEYS[2], ARGV[1])",
            2,
            key("l"), key("s"), generator.number(0...3),
        ])
    }

    private mutating func key(_ type: String) -> Bytes {
        switch generator.number(0...9) {
        case 0: Bytes("ключ:\(type)".utf8)
        case 1: [0, 0x0d, 0x0a, 0xff] + Bytes(type.utf8)
        default: Bytes("\(type):\(generator.number(0...12))".utf8)
        }
    }

    private mutating func value() -> Bytes {
        switch generator.number(0...9) {
        case 0: []
        case 1: generator.bytes(upTo: 3000)
        case 2: Bytes("*3\r\n$3\r\nSET\r\n".utf8)
        default: generator.bytes(upTo: 40)
        }
    }

    private mutating func write() -> Command {
        let number = generator.number(-100...1000)
        switch generator.number(0...24) {
        case 0: return Command(["SET", key("s"), value()])
        case 1: return Command(["SET", key("s"), value(), "EX", 100_000 + number])
        case 2: return Command(["INCRBY", key("n"), number])
        case 3: return Command(["INCRBYFLOAT", key("n"), "1.5"])
        case 4: return Command(["APPEND", key("s"), value()])
        case 5: return Command(["RPUSH", key("l"), value(), value()])
        case 6: return Command([generator.pick(["LPOP", "RPOP"]), key("l")])
        case 7: return Command(["LMOVE", key("l"), key("l"), "LEFT", "RIGHT"])
        case 8: return Command(["SADD", key("t"), value(), number])
        case 9: return Command(["SPOP", key("t"), 2])
        case 10: return Command(["SREM", key("t"), number])
        case 11: return Command(["ZADD", key("z"), number, value(), "1e3", "m"])
        case 12: return Command(["ZINCRBY", key("z"), "0.5", "m"])
        case 13: return Command(["ZPOPMIN", key("z")])
        case 14: return Command(["HSET", key("h"), "f", value(), "g", number])
        case 15: return Command(["HINCRBYFLOAT", key("h"), "g", "0.25"])
        case 16: return Command(["HDEL", key("h"), "f"])
        case 17: return Command(["DEL", key("s"), key("l"), key("h")])
        case 18: return Command(["PEXPIRE", key(generator.pick(["s", "h", "z"])), 100_000_000 + number])
        case 19: return Command(["XADD", key("x"), "*", "f", value()])
        case 20: return Command(["XADD", key("x"), "MAXLEN", "~", 5, "*", "f", value()])
        case 21: return Command(["GEOADD", key("g"), "13.4", "52.5", value()])
        case 22: return Command(["RENAME", key("s"), key("s")])
        case 23: return Command(["COPY", key("h"), key("h"), "REPLACE"])
        default: return Command(["PFADD", key("p"), value(), value()])
        }
    }
}

extension RESPConnection {
    /// Rewrites the log and waits until that is done.
    package func rewriteLog() throws {
        try call("BGREWRITEAOF")
        let deadline = now() + 30
        while true {
            let information = try call("INFO", "persistence").text()
            if information.contains("aof_rewrite_in_progress:0"), information.contains("aof_rewrite_scheduled:0") {
                return
            }
            if now() > deadline { throw HarnessError("the log is not rewritten") }
            pause(milliseconds: 5)
        }
    }
}
