import RDBKit
import RDBTestSupport
import Testing

/// Random data and random edits, known to the test: what is told must be just those edits, and the patch must make one
/// of the other.
@Suite("differences of random data")
struct DifferencePropertyTests {
    private static func text(_ prefix: String, _ count: Int, _ random: inout SplitMix64) -> Bytes {
        Array("\(prefix)\(Int.random(in: 0..<count, using: &random))".utf8)
    }

    private static func value(_ random: inout SplitMix64) -> ModelServer.Value {
        let count = Int.random(in: 1...(random.next() % 10 == 0 ? 400 : 12), using: &random)
        var texts: [Bytes] = []
        for _ in 0..<count { texts.append(text("e", count * 2, &random)) }
        switch random.next() % 5 {
        case 0: return .string(text("v", 1000, &random))
        case 1: return .list(texts)
        case 2: return .set(Set(texts))
        case 3:
            var set: [Bytes: Double] = [:]
            for text in texts { set[text] = Double(Int.random(in: -100...100, using: &random)) / 4 }
            return .sortedSet(set)
        default:
            var hash: [Bytes: ModelServer.Field] = [:]
            for name in texts { hash[name] = field(&random) }
            return .hash(hash)
        }
    }

    private static func field(_ random: inout SplitMix64) -> ModelServer.Field {
        ModelServer.Field(
            value: text("v", 50, &random),
            expiresAt: random.next() % 4 == 0
                ? Int64.random(in: 1_000_000_000_000...1_000_000_009_999, using: &random) : nil)
    }

    private static func expiry(_ random: inout SplitMix64) -> Int64? {
        random.next() % 3 == 0 ? Int64.random(in: 2_000_000_000_000...2_000_000_999_999, using: &random) : nil
    }

    /// Changes a value a little, or leaves it.
    private static func edited(_ value: ModelServer.Value, _ random: inout SplitMix64) -> ModelServer.Value {
        let edits = Int.random(in: 0...4, using: &random)
        switch value {
        case .string: return edits < 2 ? value : .string(text("v", 1000, &random))
        case .list(var list):
            for _ in 0..<edits {
                let place = Int.random(in: 0...list.count, using: &random)
                switch random.next() % 5 {
                case 0 where list.count > 1 && place < list.count: list.remove(at: place)
                case 1: list.insert(text("n", 9, &random), at: place)
                case 2: list.append(text("n", 9, &random))
                case 3: list.insert(text("n", 9, &random), at: 0)
                default: if place < list.count { list[place] = text("n", 9, &random) }
                }
            }
            return .list(list)
        case .set(var set):
            for _ in 0..<edits {
                if random.next() & 1 == 0, set.count > 1 {
                    set.remove(set.sorted { $0.lexicographicallyPrecedes($1) }[0])
                } else {
                    set.insert(text("n", 99, &random))
                }
            }
            return .set(set)
        case .sortedSet(var set):
            for _ in 0..<edits { set[text("e", 20, &random)] = Double(Int.random(in: -9...9, using: &random)) }
            if edits == 4, set.count > 1 { set[set.keys.sorted { $0.lexicographicallyPrecedes($1) }[0]] = nil }
            return .sortedSet(set)
        case .hash(var hash):
            for _ in 0..<edits { hash[text("e", 20, &random)] = field(&random) }
            if edits > 2, hash.count > 1 { hash[hash.keys.sorted { $0.lexicographicallyPrecedes($1) }[0]] = nil }
            return .hash(hash)
        }
    }

    private static func pair(_ random: inout SplitMix64) -> (ModelServer, ModelServer) {
        var a = ModelServer()
        for _ in 0..<Int.random(in: 0...60, using: &random) {
            let key = ModelServer.Key(
                database: Int.random(in: 0...2, using: &random), name: text("key:", 80, &random))
            a.entries[key] = ModelServer.Entry(value: value(&random), expiresAt: expiry(&random))
        }
        var b = a
        for (key, entry) in a.entries.sorted(by: { $0.key < $1.key }) {
            switch random.next() % 8 {
            case 0: b.entries[key] = nil
            case 1: b.entries[key] = ModelServer.Entry(value: value(&random), expiresAt: expiry(&random))
            case 2: b.entries[key]!.expiresAt = expiry(&random)
            case 3, 4: b.entries[key]!.value = edited(entry.value, &random)
            default: break
            }
        }
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            let key = ModelServer.Key(database: Int.random(in: 0...2, using: &random), name: text("new:", 80, &random))
            b.entries[key] = ModelServer.Entry(value: value(&random), expiresAt: expiry(&random))
        }
        return (a, b)
    }

    // MARK: - What must be told

    private static func expected(_ a: ModelServer, _ b: ModelServer) -> [String] {
        Set(a.entries.keys).union(b.entries.keys).sorted().flatMap { key -> [String] in
            let name = { (type: String) in "\(key.database) \(type) \(CollectedChanges.words(key.name))" }
            guard let old = a.entries[key] else { return ["+ \(name(b.entries[key]!.value.type))"] }
            guard let new = b.entries[key] else { return ["- \(name(old.value.type))"] }
            if old.value.type != new.value.type { return ["~ \(name(old.value.type)) → \(new.value.type)"] }
            var lines: [String] = []
            if old.expiresAt != new.expiresAt {
                func words(_ expiry: Int64?) -> String { expiry.map { "\($0)" } ?? "none" }
                lines.append("~ \(name(old.value.type)) expiry \(words(old.expiresAt)) → \(words(new.expiresAt))")
            }
            return lines + changes(old.value, new.value).map { "~ \(name(old.value.type)) \($0)" }
        }
    }

    private static func changes(_ a: ModelServer.Value, _ b: ModelServer.Value) -> [String] {
        func merge<V: Equatable>(_ a: [Bytes: V], _ b: [Bytes: V], _ element: (Bytes, V) -> Element) -> [String] {
            Set(a.keys).union(b.keys).sorted { $0.lexicographicallyPrecedes($1) }.compactMap { name in
                let old = a[name].map { CollectedChanges.words(element(name, $0)) }
                let new = b[name].map { CollectedChanges.words(element(name, $0)) }
                if old == new { return nil }
                guard let old else { return "+ \(new!)" }
                return new.map { "\(old) → \($0)" } ?? "- \(old)"
            }
        }
        switch (a, b) {
        case (.string(let a), .string(let b)):
            return merge([[]: a], [[]: b]) { .string(.inMemory($1)) }
        case (.set(let a), .set(let b)):
            func map(_ set: Set<Bytes>) -> [Bytes: Bool] { Dictionary(uniqueKeysWithValues: set.map { ($0, true) }) }
            return merge(map(a), map(b)) { name, _ in .member(.inMemory(name)) }
        case (.sortedSet(let a), .sortedSet(let b)): return merge(a, b) { .scoredMember(.inMemory($0), $1) }
        case (.hash(let a), .hash(let b)):
            return merge(a, b) { .field(.inMemory($0), value: .inMemory($1.value), expiresAt: $1.expiresAt) }
        default: return []
        }
    }

    @Test("just the edits are told", arguments: [256 << 20, 1 << 20])
    func edits(_ memory: Int) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        var options = ComparisonOptions()
        options.memory = memory
        for round in 0..<40 {
            let (a, b) = Self.pair(&random)
            let sink = CollectedChanges()
            let comparison = try Differences.tell(a.file(&random), b.file(&random), options, into: sink)
            #expect(comparison.isSame == (a == b), "seed \(seed) round \(round)")
            let isList = { (line: String) in line.contains(" list ") && line.contains(#"{"what":"element""#) }
            #expect(sink.lines.filter { !isList($0) } == Self.expected(a, b), "seed \(seed) round \(round)")
            // Of lists, which edits is not settled, but that there are some, and how many at least.
            for (key, old) in a.entries {
                guard case .list(let first) = old.value, case .list(let second)? = b.entries[key]?.value else {
                    continue
                }
                let prefix = "~ \(key.database) list \(CollectedChanges.words(key.name)) "
                let told = sink.lines.filter { $0.hasPrefix(prefix) && isList($0) }
                let edits = told.reduce(0) { $0 + ($1.contains(" → ") ? 2 : 1) }
                #expect(edits == Self.editCount(first, second), "seed \(seed) round \(round): \(told)")
            }
        }
    }

    private static func editCount(_ a: [Bytes], _ b: [Bytes]) -> Int {
        var row = [Int](repeating: 0, count: b.count + 1)
        for x in a {
            var diagonal = 0
            for (index, y) in b.enumerated() {
                let above = row[index + 1]
                row[index + 1] = x == y ? diagonal + 1 : max(above, row[index])
                diagonal = above
            }
        }
        return a.count + b.count - 2 * row[b.count]
    }

    @Test("the patch makes B of A")
    func patch() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        var rebuilt = 0
        var total = 0
        for round in 0..<40 {
            let (a, b) = Self.pair(&random)
            let commands = CollectedCommands()
            var options = CommandOptions()
            options.target = ServerVersion(.redis, 8, 2)
            let patch = try PatchWriter(commands, options: options, hasTarget: false, now: 0)
            _ = try Differences.tell(a.file(&random), b.file(&random), into: patch)
            patch.flush()
            #expect(!patch.losses.isOfData)
            let words = try #require(CollectedCommands.parse(commands.bytes), "seed \(seed) round \(round)")
            var server = a
            try server.run(words)
            #expect(server == b, "seed \(seed) round \(round)")
            if a == b { #expect(words.isEmpty) }
            // Values of the same type are seldom made anew.
            rebuilt += words.count { $0[0] == Array("DEL".utf8) }
            total += words.count
        }
        #expect(rebuilt * 4 < total, "seed \(seed): \(rebuilt) of \(total)")
    }

    @Test("on several threads the same is found")
    func threads() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        for _ in 0..<10 {
            let (a, b) = Self.pair(&random)
            let counts = try [1, 4].map {
                try Differences.compare(a.file(&random), b.file(&random), threads: $0).counts.byPlace.map(\.counts)
            }
            #expect(counts[0] == counts[1], "seed \(seed)")
        }
    }
}
