/// Corpus (a): what a server that backs an application may hold, 730 000 keys in 289 MB.
///
/// | type, encoding | keys | bytes | of the bytes LZF-compressed |
/// | --- | ---: | ---: | ---: |
/// | string: JSON documents of 100 to 2000 bytes, counters, session tokens | 77.4 % | 51.4 % | 83 % |
/// | hash, listpack: 5 to 20 fields | 14.0 % | 11.1 % | 73 % |
/// | hash, hashtable: 600 to 2000 fields | 0.04 % | 3.2 % | 0 |
/// | list, quicklist: 5 to 200 elements | 2.5 % | 10.9 % | 99 % |
/// | set, intset: 3 to 400 members of 16, 32 or 64 bits | 1.5 % | 3.5 % | 0 |
/// | set, hashtable: 3 to 120 members | 1.5 % | 2.9 % | 0 |
/// | zset, listpack: 3 to 128 members | 2.5 % | 6.5 % | 98 % |
/// | zset, skiplist: 200 to 2000 members | 0.1 % | 6.8 % | 0 |
/// | stream: 10 to 300 entries, half of them with consumer groups | 0.5 % | 3.6 % | 72 % |
///
/// One key in five expires; 80 % of the keys are in database 0, 15 % in 1, 5 % in 7. Of all bytes 71 % are LZF blocks,
/// which decompress to 1.33 times their size. Redis 7.0 has no listpack sets yet: small sets of words are hashtables.
struct MixedCorpus {
    private var random: SplitMix64
    private var documents: JSONDocuments
    private var key: [UInt8] = []
    private var scratch: [UInt8] = []
    private var serial = 0

    init(random: SplitMix64) {
        self.random = random
        documents = JSONDocuments(random: SplitMix64(seed: 0x6d69_7865_64))
    }

    mutating func fill(_ commands: inout CommandStream, scale: Double) throws(BenchError) {
        let count = Int(730_000 * scale)
        for start in stride(from: 0, to: count, by: 1000) {
            // The databases take turns, so that a smaller scale has them all too: 0 holds 80 %, 1 15 %, 7 5 %.
            let database = start / 1000 % 20
            commands.begin("SELECT")
            commands.argument(database < 16 ? "0" : database < 19 ? "1" : "7")
            try commands.end()
            for _ in start..<min(start + 1000, count) {
                try addEntry(to: &commands)
            }
        }
    }

    private mutating func addEntry(to commands: inout CommandStream) throws(BenchError) {
        serial += 1
        switch random.below(10_000) {
        case ..<3600: try addDocument(to: &commands)
        case ..<5800: try addCounter(to: &commands)
        case ..<7600: try addToken(to: &commands)
        case ..<9000: try addHash(fields: random.within(5...20), to: &commands)
        case ..<9004: try addHash(fields: random.within(600...2000), to: &commands)
        case ..<9250: try addList(elements: random.within(5...200), to: &commands)
        case ..<9400: try addIntegerSet(members: random.within(3...400), to: &commands)
        case ..<9550: try addSet(members: random.within(3...120), to: &commands)
        case ..<9800: try addSortedSet(members: random.within(3...128), to: &commands)
        case ..<9812: try addSortedSet(members: random.within(200...2000), to: &commands)
        case ..<9860: try addStream(entries: random.within(10...300), to: &commands)
        default: try addDocument(to: &commands)
        }
    }

    // MARK: Parts

    private mutating func setKey(_ prefix: StaticString) {
        key.removeAll(keepingCapacity: true)
        key.append(prefix)
        key.append(decimal: serial)
    }

    /// In the year 2100, so that no clock decides what is still there.
    private mutating func expiryMilliseconds() -> Int {
        4_102_444_800_000 + random.below(31_536_000_000)
    }

    private mutating func end(_ commands: inout CommandStream) throws(BenchError) {
        try commands.end()
        try addExpiry(to: &commands)
    }

    /// One key in five expires.
    private mutating func addExpiry(to commands: inout CommandStream) throws(BenchError) {
        if random.chance(20) {
            commands.begin("PEXPIREAT")
            commands.argument(key)
            commands.argument(decimal: expiryMilliseconds())
            try commands.end()
        }
    }

    private mutating func addDocument(to commands: inout CommandStream) throws(BenchError) {
        setKey("user:profile:")
        scratch.removeAll(keepingCapacity: true)
        // Twice: most are short, some are long.
        documents.append(to: &scratch, byteCount: random.within(100...random.within(200...2000)))
        commands.begin("SET")
        commands.argument(key)
        commands.argument(scratch)
        try end(&commands)
    }

    private mutating func addCounter(to commands: inout CommandStream) throws(BenchError) {
        setKey("counter:page:")
        commands.begin("SET")
        commands.argument(key)
        commands.argument(decimal: Int(random.next() >> UInt64(random.within(24...60))))
        try end(&commands)
    }

    private mutating func addToken(to commands: inout CommandStream) throws(BenchError) {
        setKey("session:")
        scratch.removeAll(keepingCapacity: true)
        scratch.append(token: random.within(24...64), from: &random)
        commands.begin("SET")
        commands.argument(key)
        commands.argument(scratch)
        try end(&commands)
    }

    private static let fieldNames: [StaticString] = [
        "id", "name", "email", "created_at", "updated_at", "status", "plan", "country", "city", "visits", "balance",
        "score", "last_seen", "referrer", "locale", "theme", "token", "owner", "group", "note",
    ]

    private mutating func addHash(fields count: Int, to commands: inout CommandStream) throws(BenchError) {
        setKey(count > 512 ? "index:" : "account:")
        commands.begin("HSET")
        commands.argument(key)
        for index in 0..<count {
            if count <= Self.fieldNames.count {
                commands.argument(Self.fieldNames[index])
            } else {
                scratch.removeAll(keepingCapacity: true)
                scratch.append("item-")
                scratch.append(decimal: index)
                commands.argument(scratch)
            }
            setHashValue()
            commands.argument(scratch)
        }
        try end(&commands)
    }

    private mutating func setHashValue() {
        scratch.removeAll(keepingCapacity: true)
        switch random.below(10) {
        case ..<3:
            scratch.append(decimal: Int(random.next() >> UInt64(random.within(32...62))))
        case ..<4:
            documents.appendDate(to: &scratch)
        case ..<5:
            scratch.append(token: random.within(8...24), from: &random)
        default:
            for word in 0...random.below(5) {
                if word > 0 { scratch.append(0x20) }
                documents.appendWord(to: &scratch)
            }
        }
    }

    private mutating func addList(elements count: Int, to commands: inout CommandStream) throws(BenchError) {
        setKey("queue:")
        commands.begin("RPUSH")
        commands.argument(key)
        for _ in 0..<count {
            scratch.removeAll(keepingCapacity: true)
            switch random.below(10) {
            case ..<3:
                scratch.append(decimal: random.below(10_000_000))
            case ..<9:
                scratch.append("task:")
                documents.appendWord(to: &scratch)
                scratch.append(0x3a)
                scratch.append(decimal: random.below(1_000_000))
            default:
                documents.append(to: &scratch, byteCount: 120)
            }
            commands.argument(scratch)
        }
        try end(&commands)
    }

    private mutating func addIntegerSet(members count: Int, to commands: inout CommandStream) throws(BenchError) {
        setKey("followers:")
        commands.begin("SADD")
        commands.argument(key)
        // Intsets of 16, 32 and 64 bits.
        let bits = [15, 31, 31, 62][random.below(4)]
        for _ in 0..<count {
            commands.argument(decimal: Int(random.next() >> UInt64(64 - bits)))
        }
        try end(&commands)
    }

    private mutating func addSet(members count: Int, to commands: inout CommandStream) throws(BenchError) {
        setKey("tags:")
        commands.begin("SADD")
        commands.argument(key)
        for _ in 0..<count {
            scratch.removeAll(keepingCapacity: true)
            documents.appendWord(to: &scratch)
            scratch.append(0x2d)
            scratch.append(decimal: random.below(100_000))
            commands.argument(scratch)
        }
        try end(&commands)
    }

    private mutating func addSortedSet(members count: Int, to commands: inout CommandStream) throws(BenchError) {
        setKey("board:")
        commands.begin("ZADD")
        commands.argument(key)
        let hasFractions = random.chance(40)
        for index in 0..<count {
            scratch.removeAll(keepingCapacity: true)
            scratch.append(decimal: random.below(1_000_000))
            if hasFractions {
                scratch.append(0x2e)
                scratch.append(decimal: random.below(10_000), width: 4)
            }
            commands.argument(scratch)
            scratch.removeAll(keepingCapacity: true)
            scratch.append("user:")
            scratch.append(decimal: index * 1000 + random.below(1000))
            commands.argument(scratch)
        }
        try end(&commands)
    }

    private mutating func addStream(entries count: Int, to commands: inout CommandStream) throws(BenchError) {
        setKey("events:")
        for index in 0..<count {
            commands.begin("XADD")
            commands.argument(key)
            StreamCommands.appendID(index, to: &scratch)
            commands.argument(scratch)
            commands.argument("kind")
            commands.argument(random.chance(70) ? "view" : "click")
            commands.argument("user")
            commands.argument(decimal: random.below(1_000_000))
            // One entry in ten has a field more, so that it does not share the master entry's fields.
            if random.chance(10) {
                commands.argument("referrer")
                scratch.removeAll(keepingCapacity: true)
                documents.appendWord(to: &scratch)
                commands.argument(scratch)
            }
            try commands.end()
        }
        // Some entries deleted: they stay in the listpack, marked.
        for index in stride(from: 3, to: count, by: 17) {
            commands.begin("XDEL")
            commands.argument(key)
            StreamCommands.appendID(index, to: &scratch)
            commands.argument(scratch)
            try commands.end()
        }
        if random.chance(50) {
            try StreamCommands.addGroups(
                random.within(1...3), pending: random.below(min(count, 40)), entries: count, key: key, to: &commands)
        }
        try addExpiry(to: &commands)
    }
}
