/// Corpus (c): seven keys in 424 MB, each too large to be held while it is decoded.
///
/// | key | holds |
/// | --- | --- |
/// | `text` | a string of 200 MB, a log in JSON Lines; the server compresses it to about 70 % with LZF |
/// | `binary` | a string of 100 MB, random bytes, stored raw |
/// | `hash` | 2 million fields |
/// | `list` | 2 million elements in quicklist nodes of 8 KiB, the nodes LZF-compressed |
/// | `zset` | 1 million members, half of the scores with fractions |
/// | `set` | 1.5 million members |
/// | `stream` | 500 000 entries, two consumer groups with pending entries |
struct HugeCorpus {
    private var random: SplitMix64
    private var documents: JSONDocuments
    private let scale: Double
    private var scratch: [UInt8] = []

    init(random: SplitMix64, scale: Double) {
        self.random = random
        self.scale = scale
        documents = JSONDocuments(random: SplitMix64(seed: 0x646f_6373))
    }

    mutating func fill(_ commands: inout CommandStream) throws(BenchError) {
        try addText(to: &commands)
        try addBinary(to: &commands)
        try addHash(to: &commands)
        try addList(to: &commands)
        try addSortedSet(to: &commands)
        try addSet(to: &commands)
        try addStream(to: &commands)
    }

    private func scaled(_ count: Int) -> Int {
        max(1, Int(Double(count) * scale))
    }

    private mutating func addText(to commands: inout CommandStream) throws(BenchError) {
        var left = scaled(200_000_000)
        while left > 0 {
            let chunk = min(left, 4_000_000)
            scratch.removeAll(keepingCapacity: true)
            while scratch.count < chunk {
                scratch.append(#"{"at":""#)
                documents.appendDate(to: &scratch)
                scratch.append(#"","trace":""#)
                scratch.append(token: 64, from: &random)
                scratch.append(#"","text":""#)
                documents.appendWord(to: &scratch)
                scratch.append(0x20)
                documents.appendWord(to: &scratch)
                scratch.append(#"","bytes":"#)
                scratch.append(decimal: random.below(1_000_000_000))
                scratch.append("}\n")
            }
            commands.begin("APPEND")
            commands.argument("text")
            commands.argument(scratch)
            try commands.end()
            left -= scratch.count
        }
    }

    private mutating func addBinary(to commands: inout CommandStream) throws(BenchError) {
        var left = scaled(100_000_000)
        while left > 0 {
            scratch.removeAll(keepingCapacity: true)
            scratch.append(randomBytes: min(left, 4_000_000), from: &random)
            commands.begin("APPEND")
            commands.argument("binary")
            commands.argument(scratch)
            try commands.end()
            left -= scratch.count
        }
    }

    private mutating func addHash(to commands: inout CommandStream) throws(BenchError) {
        let count = scaled(2_000_000)
        for start in stride(from: 0, to: count, by: 100) {
            commands.begin("HSET")
            commands.argument("hash")
            for index in start..<min(start + 100, count) {
                scratch.removeAll(keepingCapacity: true)
                scratch.append("member:")
                scratch.append(decimal: index)
                commands.argument(scratch)
                scratch.removeAll(keepingCapacity: true)
                if random.chance(30) {
                    scratch.append(decimal: random.below(1_000_000))
                } else {
                    documents.appendWord(to: &scratch)
                    scratch.append(0x20)
                    scratch.append(token: random.within(4...40), from: &random)
                }
                commands.argument(scratch)
            }
            try commands.end()
        }
    }

    private mutating func addList(to commands: inout CommandStream) throws(BenchError) {
        let count = scaled(2_000_000)
        for start in stride(from: 0, to: count, by: 100) {
            commands.begin("RPUSH")
            commands.argument("list")
            for index in start..<min(start + 100, count) {
                scratch.removeAll(keepingCapacity: true)
                scratch.append("job:")
                scratch.append(decimal: index)
                scratch.append(0x3a)
                documents.appendWord(to: &scratch)
                scratch.append(0x3a)
                scratch.append(hex: random.next())
                commands.argument(scratch)
            }
            try commands.end()
        }
    }

    private mutating func addSortedSet(to commands: inout CommandStream) throws(BenchError) {
        let count = scaled(1_000_000)
        for start in stride(from: 0, to: count, by: 100) {
            commands.begin("ZADD")
            commands.argument("zset")
            for index in start..<min(start + 100, count) {
                scratch.removeAll(keepingCapacity: true)
                scratch.append(decimal: random.below(10_000_000))
                if random.chance(50) {
                    scratch.append(0x2e)
                    scratch.append(decimal: random.below(1_000_000), width: 6)
                }
                commands.argument(scratch)
                scratch.removeAll(keepingCapacity: true)
                scratch.append("player:")
                scratch.append(decimal: index)
                commands.argument(scratch)
            }
            try commands.end()
        }
    }

    private mutating func addSet(to commands: inout CommandStream) throws(BenchError) {
        let count = scaled(1_500_000)
        for start in stride(from: 0, to: count, by: 100) {
            commands.begin("SADD")
            commands.argument("set")
            for _ in start..<min(start + 100, count) {
                scratch.removeAll(keepingCapacity: true)
                scratch.append(hex: random.next())
                commands.argument(scratch)
            }
            try commands.end()
        }
    }

    private mutating func addStream(to commands: inout CommandStream) throws(BenchError) {
        let count = scaled(500_000)
        for index in 0..<count {
            commands.begin("XADD")
            commands.argument("stream")
            StreamCommands.appendID(index, to: &scratch)
            commands.argument(scratch)
            commands.argument("level")
            commands.argument(random.chance(90) ? "info" : "warning")
            commands.argument("host")
            scratch.removeAll(keepingCapacity: true)
            scratch.append("web-")
            scratch.append(decimal: random.below(40))
            commands.argument(scratch)
            commands.argument("trace")
            scratch.removeAll(keepingCapacity: true)
            scratch.append(hex: random.next())
            commands.argument(scratch)
            try commands.end()
        }
        scratch.removeAll(keepingCapacity: true)
        scratch.append("stream")
        try StreamCommands.addGroups(
            2, pending: min(count, 20_000), entries: count, key: scratch, to: &commands)
    }
}
