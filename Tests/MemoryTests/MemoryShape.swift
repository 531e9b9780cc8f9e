import ServerHarness

/// Data sets that differ in what takes the memory.
enum MemoryShape: String, CaseIterable {
    /// All types in all encodings, written with limits that change all the time.
    case mixture
    /// Sizes around each size class of an allocator, and each limit of an encoding.
    case edges
    /// What a cache holds: many small keys, most with an expiry.
    case cache
    /// Tables far beyond the compact forms.
    case tables
    /// Streams with groups, pending entries and consumers.
    case streams

    func fill(_ connection: RESPConnection, _ server: Server, _ seed: UInt64) throws {
        var maker = ShapeMaker(connection, server, seed)
        switch self {
        case .mixture:
            try Workload.fill(connection, for: Scenario(server: server, seed: seed), inOneDatabase: seed % 2 == 0)
        case .edges: try maker.addEdges()
        case .cache: try maker.addCache()
        case .tables: try maker.addTables()
        case .streams: try maker.addStreams()
        }
        try maker.flush()
    }
}

/// Makes the keys of a shape from a seed.
struct ShapeMaker {
    let server: Server
    var generator: SeededGenerator
    private var batch: CommandBatch
    private var number = 0

    init(_ connection: RESPConnection, _ server: Server, _ seed: UInt64) {
        batch = CommandBatch(connection)
        self.server = server
        generator = SeededGenerator(seed: seed &* 0x9e37_79b9 &+ 1)
    }

    mutating func add(_ parts: any CommandPart...) throws {
        try batch.add(Command(parts))
    }

    mutating func flush() throws { try batch.flush() }

    /// A name that no other key has.
    mutating func key(_ name: String = "key") -> String {
        number += 1
        return "\(name):\(number)"
    }

    /// A name of so many bytes at least, which no other key has.
    mutating func key(byteCount: Int) -> String {
        let name = key("k")
        return name + String(repeating: "x", count: max(0, byteCount - name.utf8.count))
    }

    mutating func text(_ count: Int) -> Bytes { generator.letters(count) }

    /// An expiry later than any run of these tests.
    mutating func expiry() -> Int { generator.number(2_051_222_400_000...4_102_444_800_000) }

    // MARK: - Edges

    /// Around multiples of 8 and 16, around headers' limits and around the classes that follow each other by a quarter.
    private static let lengths: [Int] = {
        var lengths = Set(0...140)
        for size in [160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 2048, 4096, 16_384, 65_536] {
            lengths.formUnion((-12)...2 as ClosedRange<Int>)
            for distance in -12...2 { lengths.insert(size + distance) }
        }
        return lengths.filter { $0 >= 0 }.sorted()
    }()

    mutating func addEdges() throws {
        for length in Self.lengths {
            try add("SET", key(), text(length))
            let expiring = key()
            try add("SET", expiring, text(length))
            try add("PEXPIREAT", expiring, expiry())
            if length >= 6, length <= 600 {
                let name = key(byteCount: length)
                try add("SET", name, text(generator.number(0...120)))
                if generator.oneIn(2) { try add("PEXPIREAT", name, expiry()) }
            }
            if length <= 2048 {
                try add("RPUSH", key(), text(length))
                try add("HSET", key(), "field", text(length))
                try add("SADD", key(), text(length))
                try add("ZADD", key(), 1.5, text(length))
                try add("XADD", key(), "1-1", "field", text(length))
            }
        }
        for value in [0, 1, 9_999, 10_000, -1, 127, 32_768, 1 << 31, 1 << 40, Int.max, Int.min] {
            try add("SET", key(), value)
            try add("SADD", key(), value, value / 2 + 1)
        }
        for count in [1, 2, 3, 7, 15, 31, 63, 127, 128, 129, 130, 255, 256, 257, 511, 512, 513, 514, 700, 1024, 1025] {
            for length in [4, 20, 63, 64, 65] { try addCollections(count, length) }
        }
    }

    /// Each type of so many elements of so many bytes.
    private mutating func addCollections(_ count: Int, _ length: Int) throws {
        let texts = (0..<count).map { Bytes("\($0):".utf8) + text(max(0, length - 5)) }
        try add("SADD", key("set"), Arguments(texts))
        try add("HSET", key("hash"), Arguments(texts.flatMap { [$0, text(length)] }))
        let scores = texts.enumerated().flatMap { [Bytes(String($0.offset).utf8), $0.element] }
        try add("ZADD", key("zset"), Arguments(scores))
        try add("RPUSH", key("list"), Arguments(texts))
        let numbers = (0..<count).map { String(($0 &* 7919) << (length > 20 ? 20 : 0)) }
        try add("SADD", key("intset"), Arguments(numbers))
        guard server.hasFieldExpiry else { return }
        let name = key("hash")
        let fields = Array(texts.prefix(generator.number(1...count)))
        try add("HSET", name, Arguments(texts.flatMap { [$0, text(length)] }))
        try add("HPEXPIREAT", name, expiry(), "FIELDS", fields.count, Arguments(fields))
    }

    // MARK: - Cache

    mutating func addCache() throws {
        for index in 0..<12_000 {
            let name = "session:\(generator.number(0...999_999_999)):\(index)"
            switch generator.number(0...9) {
            case 0: try add("SET", name, generator.number(0...20_000))
            case 1: try add("HSET", name, "user", index, "name", text(generator.number(3...30)), "seen", expiry())
            default: try add("SET", name, text(generator.length(upTo: 400)))
            }
            if !generator.oneIn(4) { try add("PEXPIREAT", name, expiry()) }
        }
    }

    // MARK: - Tables

    mutating func addTables() throws {
        for _ in 0..<24 {
            let count = generator.number(1_000...9_000)
            let length = generator.number(4...120)
            let members = (0..<count).map { Bytes("\($0):".utf8) + text(generator.number(0...length)) }
            switch generator.number(0...(server.hasFieldExpiry ? 4 : 3)) {
            case 0: try add("SADD", key("set"), Arguments(members))
            case 1:
                try add("HSET", key("hash"), Arguments(members.flatMap { [$0, text(generator.number(0...length))] }))
            case 2:
                try add(
                    "ZADD", key("zset"), Arguments(members.flatMap { [Bytes(String(generator.score()).utf8), $0] }))
            case 3: try add("RPUSH", key("list"), Arguments(members))
            default: try addExpiringTable(members, length)
            }
        }
    }

    /// Expiries of fields: all at one time, within an hour, or anywhere.
    private mutating func addExpiringTable(_ members: [Bytes], _ length: Int) throws {
        let name = key("hash")
        try add("HSET", name, Arguments(members.flatMap { [$0, text(generator.number(0...length))] }))
        let start = expiry()
        let width = generator.pick([0, 3_600_000, 86_400_000, 1 << 40])
        let share = generator.pick([1, 2, 8])
        for part in stride(from: 0, to: members.count, by: width == 0 ? members.count : share) {
            let fields = width == 0 ? members : [members[part]]
            let time = start + (width == 0 ? 0 : generator.number(0...width))
            try add("HPEXPIREAT", name, time, "FIELDS", fields.count, Arguments(fields))
        }
    }

    // MARK: - Streams

    mutating func addStreams() throws {
        for _ in 0..<60 {
            let name = key("stream")
            let count = generator.pick([1, 5, 40, 100, 101, 300, 1_500])
            let step = generator.pick([0, 1, 17, 60_000, 40_000_000])
            let fields = generator.number(1...6)
            var milliseconds = generator.number(1_600_000_000_000...1_700_000_000_000)
            var identifiers: [String] = []
            for index in 0..<count {
                milliseconds += step == 0 ? 0 : generator.number(1...step)
                let identifier = "\(milliseconds)-\(index)"
                identifiers.append(identifier)
                let pairs = (0..<fields).flatMap { [Bytes("field\($0)".utf8), text(generator.number(0...40))] }
                try add("XADD", name, identifier, Arguments(pairs))
            }
            for group in 0..<generator.pick([0, 0, 1, 3]) {
                try add("XGROUP", "CREATE", name, "group\(group)", 0)
                for consumer in 0..<generator.number(1...8) {
                    try add(
                        "XREADGROUP", "GROUP", "group\(group)", "consumer:\(consumer)", "COUNT",
                        generator.number(1...200), "STREAMS", name, ">")
                }
            }
            if generator.oneIn(4), identifiers.count >= 4 {
                try add("XDEL", name, Arguments(generator.sample(identifiers, identifiers.count / 4)))
            }
            if generator.oneIn(5) { try add("XTRIM", name, "MAXLEN", max(1, count / 2)) }
        }
    }
}
