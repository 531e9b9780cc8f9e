/// Fills a server through ordinary commands with data of all types, in all encodings that its version
/// has.
///
/// The commands follow from the seed alone; only what the server itself adds (delivery times of
/// stream entries, the order of hash tables) differs between two runs.
package struct Workload {
    let scenario: Scenario
    var generator: SeededGenerator
    private let connection: RESPConnection
    private let isInOneDatabase: Bool
    private var batch: CommandBatch

    /// The keys made so far by database, with their expiry in Unix milliseconds.
    private var expiries: [Int: [Bytes: Int?]] = [:]
    private var database = 0

    var server: Server { scenario.server }

    /// - Parameter inOneDatabase: whether only database 0 is used, as in a cluster.
    /// - Throws: whatever the connection throws; a refused command is an error.
    package static func fill(
        _ connection: RESPConnection, for scenario: Scenario, inOneDatabase: Bool = false
    ) throws {
        var workload = Workload(scenario: scenario, connection: connection, inOneDatabase: inOneDatabase)
        try workload.run()
    }

    private init(scenario: Scenario, connection: RESPConnection, inOneDatabase: Bool) {
        self.scenario = scenario
        self.connection = connection
        batch = CommandBatch(connection)
        // Not every cluster has more than one database.
        isInOneDatabase = inOneDatabase || scenario.isCluster
        generator = SeededGenerator(seed: scenario.seed)
    }

    private mutating func run() throws {
        try addFunctions()
        let others = isInOneDatabase ? [] : generator.sample([1, 7, 15], generator.number(1...3))
        for database in [0] + others {
            self.database = database
            try add("SELECT", database)
            let share = database == 0 ? 1 : 3
            for maker in generator.shuffled(makers(share: share)) {
                if generator.oneIn(8) { try setThresholds() }
                try make(maker)
            }
            if database == 0 {
                try addLargeValues()
                try addCrowds()
            }
        }
        try addEvictionInformation()
        try flush()
    }

    // MARK: Keys

    private enum Maker: CaseIterable {
        case string, numberString, list, set, sortedSet, hash, expiringHash, stream, hyperLogLog, bitmap, geo, vectors
    }

    private func makers(share: Int) -> [Maker] {
        let counts: [(Maker, Int)] = [
            (.string, 40), (.numberString, 12), (.list, 20), (.set, 24), (.sortedSet, 24), (.hash, 24),
            (.expiringHash, server.hasFieldExpiry ? 16 : 0), (.stream, 18), (.hyperLogLog, 4), (.bitmap, 4), (.geo, 3),
            (.vectors, server.hasVectorSets ? 3 : 0),
        ]
        return counts.flatMap { maker, count in repeatElement(maker, count: (count + share - 1) / share) }
    }

    private mutating func make(_ maker: Maker) throws {
        let key = newKey()
        switch maker {
        case .string: try addString(key)
        case .numberString: try addNumberString(key)
        case .list: try addList(key)
        case .set: try addSet(key)
        case .sortedSet: try addSortedSet(key)
        case .hash: try addHash(key)
        case .expiringHash: try addExpiringHash(key)
        case .stream: try addStream(key)
        case .hyperLogLog: try addHyperLogLog(key)
        case .bitmap: try addBitmap(key)
        case .geo: try addGeo(key)
        case .vectors: try addVectors(key)
        }
        try maybeExpire(key)
    }

    /// A name that this database does not have yet.
    mutating func newKey() -> Bytes {
        let count = expiries[database, default: [:]].count
        while true {
            let key: Bytes =
                switch generator.number(0...19) {
                case 0...5: Bytes("key:\(count)".utf8)
                case 6...8: Bytes("user:\(count):profile".utf8)
                case 9: Bytes("{tag\(count % 4)}:\(count)".utf8)
                case 10: Bytes("ключ:\(count)".utf8)
                case 11: Bytes("$base64:\(count)".utf8)
                case 12: Bytes("q\"uote\\\(count)\n".utf8)
                case 13: [0xff, 0xfe] + Bytes(String(count).utf8)
                case 14: [0] + Bytes("nul\(count)".utf8)
                case 15: Bytes(repeating: UInt8(ascii: "x"), count: 300) + Bytes(String(count).utf8)
                // Keys are stored like values: as integers where that is possible.
                case 16, 17: generator.integerText()
                default: generator.bytes(upTo: 200)
                }
            if expiries[database, default: [:]].updateValue(nil, forKey: key) == nil { return key }
        }
    }

    private mutating func maybeExpire(_ key: Bytes) throws {
        guard generator.oneIn(3) else { return }
        // 2035 to 2100: later than any run of these tests.
        var expiry = generator.number(2_051_222_400_000...4_102_444_800_000)
        if generator.oneIn(3) { expiry -= expiry % 1_000 }
        if generator.oneIn(20) { expiry = 9_007_199_254_740_993 }
        expiries[database, default: [:]][key] = .some(expiry)
        try add("PEXPIREAT", key, expiry)
    }

    // MARK: Commands

    mutating func add(_ parts: any CommandPart...) throws {
        try batch.add(Command(parts))
    }

    mutating func flush() throws { try batch.flush() }

    // MARK: Configuration

    /// Moves the borders between the encodings: to their defaults, far down, far up, or anywhere.
    private mutating func setThresholds() throws {
        let entries: Int
        let value: Int
        switch generator.number(0...3) {
        case 0: (entries, value) = (128, 64)
        case 1: (entries, value) = (generator.number(0...3), generator.number(1...8))
        case 2: (entries, value) = (2_000, 1 << 20)
        default: (entries, value) = (generator.number(1...600), generator.number(1...20_000))
        }
        let packed = server.isRedis7 ? "listpack" : "ziplist"
        for type in server.isRedis72 ? ["hash", "zset", "set"] : ["hash", "zset"] {
            try add("CONFIG", "SET", "\(type)-max-\(packed)-entries", entries)
            try add("CONFIG", "SET", "\(type)-max-\(packed)-value", value)
        }
        try add("CONFIG", "SET", "set-max-intset-entries", generator.pick([0, 16, 512, 4_000]))
        let size = generator.pick([-1, -2, -3, -4, -5, 1, 3, 20, 128, 1_000])
        try add("CONFIG", "SET", "list-max-\(packed)-size", size)
        try add("CONFIG", "SET", "list-compress-depth", generator.pick([0, 0, 1, 2]))
        try add("CONFIG", "SET", "stream-node-max-entries", generator.pick([100, 0, 1, 7]))
        try add("CONFIG", "SET", "stream-node-max-bytes", generator.pick([4_096, 0, 200]))
        try add("CONFIG", "SET", "hll-sparse-max-bytes", generator.pick([3_000, 100]))
        if server.isRedis7 && generator.oneIn(2) {
            // Elements from this size on are nodes of their own, not packed with others.
            try add("DEBUG", "QUICKLIST-PACKED-THRESHOLD", generator.pick(["100b", "1kb", "0"]))
        }
    }

    /// One piece of packed data with more elements than its header can count, of each kind that may
    /// grow so far.
    private mutating func addCrowds() throws {
        if scenario.seed % 6 == 2 { try addCrowdedStream() }
        // Slow to build, so only once for ziplists and once for listpacks.
        if scenario.seed % 6 == 5 && !server.isRedis72 {
            let packed = server.isRedis7 ? "listpack" : "ziplist"
            try add("CONFIG", "SET", "hash-max-\(packed)-entries", 40_000)
            try add("CONFIG", "SET", "hash-max-\(packed)-value", 64)
            try addCrowdedHash()
        }
    }

    // MARK: Around the keys

    private mutating func addFunctions() throws {
        guard server.isRedis7 else { return }
        for index in 0..<generator.number(0...3) {
            let note = String(decoding: generator.unicode(generator.number(0...200)), as: UTF8.self)
            let code = """
                #!lua name=library\(index)
                -- \(note)
                redis.register_function('function\(index)', function(keys, arguments) return \(index) end)
                """
            try add("FUNCTION", "LOAD", code)
        }
    }

    /// Gives some keys an idle time or a frequency that they would not get within a test's time:
    /// only `RESTORE` can set them.
    private mutating func addEvictionInformation() throws {
        let option: String
        switch scenario.eviction {
        case .none: return
        case .leastRecentlyUsed: option = "IDLETIME"
        case .leastFrequentlyUsed: option = "FREQ"
        }
        try flush()
        for (database, keys) in expiries.sorted(by: { $0.key < $1.key }) {
            try connection.call("SELECT", database)
            let names = generator.sample(keys.keys.sorted { $0.precedes($1) }, 25)
            for (key, payload) in zip(names, try connection.pipeline(names.map { Command("DUMP", $0) })) {
                let value = generator.number(0...(scenario.eviction == .leastRecentlyUsed ? 10_000_000 : 255))
                let expiry = keys[key].flatMap { $0 } ?? 0
                try connection.call(
                    "RESTORE", key, expiry, try payload.bytes(), "REPLACE", "ABSTTL", option, value)
            }
        }
    }
}
