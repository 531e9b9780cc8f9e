import RDBBytes
public import RESPFormat

/// Which arguments of a command are keys.
public enum KeyRule: Equatable, Sendable {
    /// It names none.
    case none
    /// From `first` to `last` (negative: counted from the end) in steps.
    case range(first: Int, last: Int, step: Int)
    /// As many keys as the argument at `countAt` says, right behind it; and one more at `destination`.
    case counted(countAt: Int, destination: Int?, step: Int)
    /// The first argument, and the one behind the last STORE that is no operand of another word.
    case sort
    /// The first argument, and the one behind the last STORE or STOREDIST.
    case geoStore
    /// The first half of what follows the word STREAMS.
    case streams
    /// The third argument, or what follows the word KEYS where that is empty.
    case migrate
}

/// The key positions in one command.
public struct KeyPositions: Equatable, Sendable {
    private var first = 0
    private var step = 1
    private var regularCount = 0
    /// A key besides, delivered first (a destination) or last.
    private var destination: Int?

    public var count: Int { regularCount + (destination == nil ? 0 : 1) }

    /// The index of the `number`th key among the arguments.
    public subscript(_ number: Int) -> Int {
        if let destination {
            return number == 0 ? destination : first + (number - 1) * step
        }
        return first + number * step
    }

    /// - Parameter arguments: positions beyond them are left out.
    public init(_ rule: KeyRule, _ arguments: CommandArguments) {
        let count = arguments.count
        switch rule {
        case .none: return
        case .range(let first, let last, let step):
            let last = last < 0 ? count + last : min(last, count - 1)
            setRange(first, last, step)
        case .counted(let countAt, let destination, let step):
            if let destination, destination < count { self.destination = destination }
            guard let number = arguments.integer(countAt), number > 0 else { return }
            let room = (count - countAt - 1 + step - 1) / step
            setRange(countAt + 1, countAt + 1 + (Int(min(number, Int64(room))) - 1) * step, step)
        case .sort:
            setRange(1, min(1, count - 1), 1)
            var index = 2
            while index + 1 < count {
                if arguments.matches(index, "store") { destination = index + 1 }
                let hasOperands = arguments.matches(index, "limit")
                let hasOperand =
                    arguments.matches(index, "store") || arguments.matches(index, "by")
                    || arguments.matches(index, "get")
                index += hasOperands ? 3 : hasOperand ? 2 : 1
            }
        case .geoStore:
            setRange(1, min(1, count - 1), 1)
            var index = 5
            while index + 1 < count {
                let isStore = arguments.matches(index, "store") || arguments.matches(index, "storedist")
                if isStore { destination = index + 1 }
                index += isStore ? 2 : 1
            }
        case .streams:
            for index in 1..<max(1, count) where arguments.matches(index, "streams") {
                setRange(index + 1, index + (count - index - 1) / 2, 1)
                return
            }
        case .migrate:
            guard count > 3, arguments[3].byteCount == 0 else {
                setRange(3, min(3, count - 1), 1)
                return
            }
            for index in 4..<count where arguments.matches(index, "keys") {
                setRange(index + 1, count - 1, 1)
                return
            }
        }
    }

    private mutating func setRange(_ first: Int, _ last: Int, _ step: Int) {
        guard last >= first else { return }
        self.first = first
        self.step = step
        regularCount = (last - first) / step + 1
    }
}

/// The one table of commands and their keys: all that write, and what else can stand in a log.
/// Sources: formats/commands.md, formats/newest.md §10 and §11; redis/redis src/commands.
public enum CommandKeys {
    /// nil for commands that this release does not know.
    public static func rule(_ name: CommandName) -> KeyRule? { table[name] }

    /// The keys of a command. Of an unknown one whose name has the point of a module's, the first argument is taken for
    /// the key, as it is for nearly all; other unknown commands have nil.
    public static func positions(_ arguments: CommandArguments) -> KeyPositions? {
        guard let name = arguments.name else { return nil }
        if let rule = rule(name) { return KeyPositions(rule, arguments) }
        guard name.bytes.contains(UInt8(ascii: ".")) else { return nil }
        return KeyPositions(one, arguments)
    }

    private static let one = KeyRule.range(first: 1, last: 1, step: 1)
    private static let two = KeyRule.range(first: 1, last: 2, step: 1)
    private static let all = KeyRule.range(first: 1, last: -1, step: 1)

    private static let table: [CommandName: KeyRule] = {
        var table: [CommandName: KeyRule] = [:]
        func add(_ rule: KeyRule, _ names: String) {
            for name in names.split(separator: " ") {
                if let name = CommandName(String(name)) { table[name] = rule }
            }
        }
        add(
            .none,
            """
            SELECT MULTI EXEC DISCARD FLUSHDB FLUSHALL SWAPDB FUNCTION SCRIPT TRIMSLOTS SFLUSH CLUSTER PING REPLCONF \
            PUBLISH SPUBLISH WATCH UNWATCH
            """)
        add(
            one,
            """
            SET SETEX PSETEX SETNX GETSET GETDEL GETEX APPEND SETRANGE INCR DECR INCRBY DECRBY INCRBYFLOAT INCREX SETBIT \
            BITFIELD DELEX DELIFEQ EXPIRE PEXPIRE EXPIREAT PEXPIREAT PERSIST MOVE RESTORE RESTORE-ASKING LPUSH RPUSH \
            LPUSHX RPUSHX LPOP RPOP LINSERT LSET LREM LTRIM SADD SREM SPOP ZADD ZINCRBY ZREM ZREMRANGEBYRANK \
            ZREMRANGEBYSCORE ZREMRANGEBYLEX ZPOPMIN ZPOPMAX HSET HMSET HSETNX HDEL HINCRBY HINCRBYFLOAT HEXPIRE HPEXPIRE \
            HEXPIREAT HPEXPIREAT HPERSIST HSETEX HGETDEL HGETEX GEOADD PFADD XADD XTRIM XDEL XDELEX XACK XACKDEL \
            XSETID XCLAIM XAUTOCLAIM XNACK XCFGSET XIDMPRECORD ARSET ARMSET ARINSERT ARRING ARSEEK ARDEL ARDELRANGE VADD \
            VREM VSETATTR PHSET PHMSET PHDEL PHDELPREFIX
            """)
        add(
            two,
            "RENAME RENAMENX COPY RPOPLPUSH BRPOPLPUSH LMOVE BLMOVE LMOVEM BLMOVEM SMOVE ZRANGESTORE GEOSEARCHSTORE")
        add(all, "DEL UNLINK TOUCH PFMERGE PFCOUNT SINTERSTORE SUNIONSTORE SDIFFSTORE")
        add(.range(first: 1, last: -1, step: 2), "MSET MSETNX")
        add(.range(first: 1, last: -2, step: 1), "BLPOP BRPOP BZPOPMIN BZPOPMAX")
        add(.range(first: 2, last: -1, step: 1), "BITOP")
        add(.range(first: 2, last: 2, step: 1), "XGROUP")
        add(.counted(countAt: 1, destination: nil, step: 2), "MSETEX")
        add(.counted(countAt: 1, destination: nil, step: 1), "LMPOP ZMPOP")
        add(
            .counted(countAt: 2, destination: nil, step: 1),
            "BLMPOP BZMPOP EVAL EVALSHA FCALL EVAL_RO EVALSHA_RO FCALL_RO")
        add(.counted(countAt: 2, destination: 1, step: 1), "ZUNIONSTORE ZINTERSTORE ZDIFFSTORE TDIGEST.MERGE CMS.MERGE")
        add(.sort, "SORT")
        add(.geoStore, "GEORADIUS GEORADIUSBYMEMBER")
        add(.streams, "XREADGROUP XREAD")
        add(.migrate, "MIGRATE")
        // Modules: where the key is not just the first argument.
        add(.range(first: 1, last: -1, step: 3), "JSON.MSET TS.MADD")
        add(two, "TS.CREATERULE TS.DELETERULE")
        return table
    }()

    /// All commands of the table.
    public static var names: [CommandName] { Array(table.keys) }
}
