/// The four data sets that are measured. What each holds is said where it is filled.
enum Corpus: String, CaseIterable {
    case mixed = "a-mixed"
    case tiny = "b-tiny"
    case huge = "c-huge"
    case incompressible = "d-incompressible"

    /// How `--only` names it.
    var letter: String { String(rawValue.prefix(1)) }

    var summary: String {
        switch self {
        case .mixed: "small keys of all types, JSON-like values, part of them LZF-compressed"
        case .tiny: "millions of tiny strings"
        case .huge: "few huge strings and collections"
        case .incompressible: "random binary strings of 1 to 64 KiB"
        }
    }

    func path(in directory: String) -> String {
        "\(directory)/\(rawValue).rdb"
    }

    /// Sends the data to a server that is empty.
    ///
    /// - Parameter scale: 1 for the full size; the number of keys, or of elements, goes with it.
    func fill(_ commands: inout CommandStream, scale: Double) throws(BenchError) {
        // One seed for each, so that a change to one corpus leaves the others as they were.
        let random = SplitMix64(seed: 0x7264_626b_6974 &+ UInt64(rawValue.utf8.first!) << 48)
        switch self {
        case .mixed:
            var corpus = MixedCorpus(random: random)
            try corpus.fill(&commands, scale: scale)
        case .tiny:
            try TinyCorpus.fill(&commands, random: random, scale: scale)
        case .huge:
            var corpus = HugeCorpus(random: random, scale: scale)
            try corpus.fill(&commands)
        case .incompressible:
            try IncompressibleCorpus.fill(&commands, random: random, scale: scale)
        }
    }
}

/// Corpus (b): 5 million keys such as `k:1234567` in one database, 85 MB. Two in five values are integers that the server
/// keeps as such, the others 1 to 12 letters; none is long enough for LZF.
enum TinyCorpus {
    static func fill(
        _ commands: inout CommandStream, random seed: SplitMix64, scale: Double
    ) throws(BenchError) {
        var random = seed
        let count = Int(5_000_000 * scale)
        var key: [UInt8] = []
        var value: [UInt8] = []
        var index = 0
        while index < count {
            commands.begin("MSET")
            for _ in 0..<min(200, count - index) {
                key.removeAll(keepingCapacity: true)
                key.append("k:")
                key.append(decimal: index)
                value.removeAll(keepingCapacity: true)
                if random.chance(40) {
                    // As many of few digits as of many: shifts of a random number, not the number.
                    value.append(decimal: Int(random.next() >> UInt64(random.within(30...63))))
                } else {
                    value.append(token: random.within(1...12), from: &random)
                }
                commands.argument(key)
                commands.argument(value)
                index += 1
            }
            try commands.end()
        }
    }
}

/// Corpus (d): random binary strings of 1 to 64 KiB, 300 MB in all. The server tries LZF on each and stores it raw;
/// a JSON writer has to tell that they are not UTF-8.
enum IncompressibleCorpus {
    static func fill(
        _ commands: inout CommandStream, random seed: SplitMix64, scale: Double
    ) throws(BenchError) {
        var random = seed
        var left = Int(300_000_000 * scale)
        var key: [UInt8] = []
        var value: [UInt8] = []
        var index = 0
        while left > 0 {
            key.removeAll(keepingCapacity: true)
            key.append("blob:")
            key.append(decimal: index, width: 6)
            value.removeAll(keepingCapacity: true)
            value.append(randomBytes: random.within(1024...65536), from: &random)
            commands.begin("SET")
            commands.argument(key)
            commands.argument(value)
            try commands.end()
            left -= value.count
            index += 1
        }
    }
}
