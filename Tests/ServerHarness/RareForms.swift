/// Values that a random workload hardly ever makes.
package struct RareForms {
    private let server: Server
    private var commands: [Command] = []
    private var generator = SeededGenerator(seed: 7)

    package static func fill(_ connection: RESPConnection, of server: Server) throws {
        var forms = RareForms(server: server)
        forms.addStreams()
        forms.addPending()
        forms.addOddCounters()
        forms.addScores()
        if server.hasFieldExpiry { forms.addFieldExpiries() }
        _ = try connection.pipeline(forms.commands)
    }

    /// Texts above 1 MiB in every place, and values that have more than is staged in memory.
    package static func fillLarge(_ connection: RESPConnection, of server: Server) throws {
        var forms = RareForms(server: server)
        forms.addLargeTexts()
        forms.addLargeStream()
        if server.hasFieldExpiry { forms.addLargeExpiringFields() }
        _ = try connection.pipeline(forms.commands)
    }

    private init(server: Server) { self.server = server }

    private mutating func add(_ parts: any CommandPart...) { commands.append(Command(parts)) }

    // MARK: Streams

    private mutating func addStreams() {
        add("XGROUP", "CREATE", "never had entries", "g", "0", "MKSTREAM")
        add("XGROUP", "CREATE", "group beyond its end", "g", "7-7", "MKSTREAM")
        add("XADD", "all deleted", "1-1", "f", "v")
        add("XADD", "all deleted", "2-1", "f", "v")
        add("XDEL", "all deleted", "1-1", "2-1")
        add("XADD", "all trimmed", "5-5", "f", "v")
        add("XTRIM", "all trimmed", "MAXLEN", 0)
        add("XADD", "set back", "5-5", "f", "v")
        add("XTRIM", "set back", "MAXLEN", 0)
        add("XSETID", "set back", "0-0")
        add("XADD", "first possible", "0-1", "", "")
        add("XADD", "last possible", "18446744073709551615-18446744073709551615", "f", "v")
        add("XADD", "idle consumers", "1-1", "f", "1")
        add("XGROUP", "CREATE", "idle consumers", "", "0")
        add("XGROUP", "CREATECONSUMER", "idle consumers", "", "")
        add("XGROUP", "CREATECONSUMER", "idle consumers", "", [0, 0xff])
    }

    /// Pending entries that no longer exist: below the first one that does, between, above, all.
    private mutating func addPending() {
        for (key, deleted) in [
            ("pending below", ["1-0", "2-0"]), ("pending between", ["2-0", "4-0"]), ("pending above", ["5-0"]),
            ("pending at both ends", ["1-0", "3-0", "5-0"]), ("nothing but pending", (1...5).map { "\($0)-0" }),
        ] {
            addPending(key)
            add("XDEL", key, Arguments(deleted))
        }
        addPending("pending and trimmed")
        add("XTRIM", "pending and trimmed", "MAXLEN", 2)
        addPending("nothing left but pending")
        add("XTRIM", "nothing left but pending", "MAXLEN", 0)
        addPending("pending beyond the last")
        add("XTRIM", "pending beyond the last", "MAXLEN", 0)
        add("XSETID", "pending beyond the last", "2-5")
        add("XADD", "pending beyond the last", "2-6", "f", "v")
        addPending("all there")
        addManyPending()
    }

    private mutating func addPending(_ key: String, from start: Int = 1) {
        for index in start...start + 4 { add("XADD", key, "\(index)-0", "f", index) }
        for group in ["g", "h"] { add("XGROUP", "CREATE", key, group, "\(start - 1)-99") }
        add("XREADGROUP", "GROUP", "g", "one", "COUNT", 3, "STREAMS", key, ">")
        add("XREADGROUP", "GROUP", "g", "two", "STREAMS", key, ">")
        add("XREADGROUP", "GROUP", "h", "one", "STREAMS", key, ">")
        add("XACK", key, "g", "3-0")
        add("XCLAIM", key, "h", "two", 0, "2-0", "4-0", "TIME", 1_600_000_000_000, "RETRYCOUNT", 7, "JUSTID")
        add("XGROUP", "CREATECONSUMER", key, "h", "three")
    }

    /// More at once than one command claims, deleted in part.
    private mutating func addManyPending() {
        for index in 1...2_000 { add("XADD", "many pending", "\(index)-1", "f", index) }
        add("XGROUP", "CREATE", "many pending", "g", "0")
        add("XREADGROUP", "GROUP", "g", "c", "STREAMS", "many pending", ">")
        add("XDEL", "many pending", Arguments((300...400).map { "\($0)-1" }))
    }

    private mutating func addOddCounters() {
        addPending("unknown count")
        add("XGROUP", "SETID", "unknown count", "g", "2-0")
        // Redis 6.2 and 7.0 let the last ID go back below what was deleted.
        if !server.isRedis72 {
            addPending("last below deleted")
            add("XDEL", "last below deleted", "4-0", "5-0")
            add("XSETID", "last below deleted", "3-0")
        }
        guard server.isRedis7 else { return }
        addPending("counters")
        add("XDEL", "counters", "2-0")
        add("XSETID", "counters", "9-0", "ENTRIESADDED", 1_000, "MAXDELETEDID", "8-0")
        add("XGROUP", "CREATE", "counters", "i", "8-0", "ENTRIESREAD", 900)
        add("XGROUP", "CREATE", "counters", "j", "8-0", "ENTRIESREAD", -1)
        // More than were added; newer servers take no more than that.
        addPending("read more than was added")
        add("XGROUP", "CREATE", "read more than was added", "i", "3-0", "ENTRIESREAD", 77)
    }

    // MARK: Large texts

    private let compressible = Bytes(repeating: UInt8(ascii: "b"), count: 1_400_000)
    private lazy var noise = generator.random(1_100_000)

    private mutating func addLargeTexts() {
        add("SET", "large string", compressible + compressible)
        add("PEXPIREAT", "large string", 4_102_444_800_000)
        add("SET", "large noise", noise + noise)
        add("SET", Bytes("large key ".utf8) + compressible, "v")
        add("RPUSH", "large elements", "a", compressible, "c", 12, noise, noise, "d")
        add("SADD", "large members", "a", compressible, "c", noise)
        add("ZADD", "large members of a sorted set", 1.5, "a", -3, compressible, "inf", noise, 7, "d")
        add("HSET", "large values", "a", compressible, "c", "d", "e", noise, "f", 5)
        add("HSET", "large fields", "a", "1", compressible, "2", noise, "3", "d", "4")
        add("HSET", "large pairs", compressible, noise, "a", "1", noise, Bytes(compressible.prefix(1_048_577)))
        let filler = String(repeating: "and some more of it ", count: 25)
        add("HSET", "many fields", Arguments((0..<9_000).map { "a field or a value \($0) \(filler)" }))
        add("RPUSH", "many elements", Arguments((0..<9_000).map { "an element \($0) \(filler)" }))
    }

    private mutating func addLargeStream() {
        add("XADD", "large stream", "1-1", "f", compressible, noise, 5, "", Bytes(compressible.prefix(1_048_577)))
        add("XADD", "large stream", "2-1", "f", 1)
        let filler = String(repeating: "and more ", count: 40)
        add("XADD", "large stream", "3-1", Arguments((0..<4_000).map { "a field or a value \($0) \(filler)" }))
        add("XADD", "large stream", "5-1", "f", noise)
        addPending("large stream", from: 6)
    }

    // MARK: Scores

    private mutating func addScores() {
        let scores = [
            "inf", "-inf", "0", "-0", "5e-324", "-5e-324", "2.2250738585072014e-308", "2.2250738585072009e-308",
            "1.7976931348623157e308", "0.1", "0.33333333333333331", "1e21", "1e22", "5e-7", "123456789.125", "0.001",
            "0.0005", "1e12", "999999999999.99902", "9007199254740991", "9007199254740992", "9007199254740993",
            "9007199254740994", "-9007199254740995", "9223372036854775807", "18446744073709551615", "4.35",
            "0.30000000000000004", "-1e-300", "17", "-100000000000000000000",
        ]
        add("ZADD", "scores", Arguments(scores.enumerated().flatMap { [$1, "member \($0)"] }))
    }

    // MARK: Expiry of fields

    private mutating func addFieldExpiries() {
        let key = "expiring fields"
        let fields = (0..<1_500).map { "field \($0)" }
        add("HSET", key, Arguments(fields.flatMap { [$0, "v"] }))
        for (index, field) in fields.enumerated() where index % 3 != 0 {
            add("HPEXPIREAT", key, 4_000_000_000_000 + index / 6, "FIELDS", 1, field)
        }
        add("HSET", "latest expiry", "f", "v")
        add("HPEXPIREAT", "latest expiry", 0x3fff_ffff_ffff, "FIELDS", 1, "f")
        add("PEXPIREAT", "latest expiry", 4_102_444_800_000)
    }

    private mutating func addLargeExpiringFields() {
        let key = "large and expiring"
        add("HSET", key, "a", compressible, compressible, "b", noise, compressible, "c", "d", "e", "f")
        for (index, field) in [Bytes("a".utf8), compressible, noise, Bytes("e".utf8)].enumerated() {
            add("HPEXPIREAT", key, 4_000_000_000_000 + index, "FIELDS", 1, field)
        }
        let fields = (0..<8_000).map { "a field \($0) " + String(repeating: "and more ", count: 40) }
        add("HSET", "many expiring fields", Arguments(fields.flatMap { [$0, $0] }))
        add(
            "HPEXPIREAT", "many expiring fields", 4_000_000_000_000, "FIELDS", 5_000,
            Arguments(Array(fields.prefix(5_000))))
    }
}
