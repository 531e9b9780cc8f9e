import ServerHarness
import Testing

/// The judge itself: each fact, changed alone, must be noticed and named.
@Suite("comparison")
struct ComparisonTests {
    private static func entry(_ value: CanonicalEntry.Value) -> CanonicalEntry {
        CanonicalEntry(name: .init(database: 0, key: [0x6b]), value: value)
    }

    private static let pending = CanonicalStream.Pending(id: .zero, consumer: [1], deliveredAt: 5, deliveries: 2)
    private static let consumer = CanonicalStream.Consumer(name: [1], seenAt: 6, activeAt: 7)
    private static let stream = CanonicalStream(
        entries: [.init(id: .zero, fields: [[1], [2]])], length: 1, lastID: .zero, firstID: .zero,
        maxDeletedID: .zero, entriesAdded: 1,
        groups: [.init(name: [3], lastID: .zero, entriesRead: 1, pending: [pending], consumers: [consumer])])

    private func paths(_ expected: CanonicalEntry, _ found: CanonicalEntry) -> [String] {
        Comparison.differences(expected: [expected], found: [found]).map(\.path)
    }

    @Test("what belongs to the key is compared")
    func metadata() {
        var expected = Self.entry(.string([1]))
        expected.expiresAt = 5...7
        expected.idleSeconds = 1...1
        expected.encodings = ["raw", "lzf"]
        expected.fieldExpiries = [[1]: 5]
        var found = expected
        found.expiresAt = 6...6
        found.encodings = ["lzf"]
        #expect(paths(expected, found) == [])
        found.expiresAt = 8...8
        found.idleSeconds = nil
        found.frequency = 3...3
        found.encodings = ["int"]
        found.fieldExpiries = [[1]: 6]
        #expect(
            paths(expected, found) == [
                "expires_at_ms", "idle_seconds", "lfu_freq", "encoding", "field_expires_at_ms[\"\\x01\"]",
            ])
    }

    @Test("values are compared")
    func values() {
        let member = { (score: Double) in ScoredMember(member: [1], score: score) }
        let array = { (index: UInt64?) in
            CanonicalEntry.Value.array(CanonicalArray(elements: [], insertIndex: index))
        }
        let pairs: [(CanonicalEntry.Value, CanonicalEntry.Value, String)] = [
            (.string([1, 2]), .string([1, 3]), "value"),
            (.list([[1], [2]]), .list([[1], [3]]), "value[1]"),
            (.list([[1], [2]]), .list([[1]]), "value.count"),
            (.set([[0x61]]), .set([[0x62]]), "value[\"a\"]"),
            (.sortedSet([member(0)]), .sortedSet([member(-0.0)]), "value[0]"),
            (.hash([[0x61]: [1]]), .hash([[0x61]: [2]]), "value[\"a\"]"),
            (array(nil), array(0), "value.insert_index"),
            (.module("a"), .module("b"), "value.module"),
            (.list([[1]]), .set([[1]]), "type"),
        ]
        for (expected, found, path) in pairs {
            #expect(paths(Self.entry(expected), Self.entry(expected)) == [])
            #expect(paths(Self.entry(expected), Self.entry(found)).first == path)
        }
    }

    @Test("a sorted set may be stored forwards or backwards, but not otherwise")
    func sortedSetOrder() {
        let members = [1.0, 2, 3].map { ScoredMember(member: [UInt8($0)], score: $0) }
        let shuffled = [members[1], members[0], members[2]]
        let entry = Self.entry(.sortedSet(members))
        #expect(paths(entry, Self.entry(.sortedSet(members.reversed()))) == [])
        #expect(paths(entry, Self.entry(.sortedSet(shuffled))) == ["value[0]"])
        let anyOrder = Comparison.differences(
            expected: [entry], found: [Self.entry(.sortedSet(shuffled))], order: .any)
        #expect(anyOrder.isEmpty)
    }

    @Test("every fact of a stream is compared")
    func streams() {
        let changes: [(String, (inout CanonicalStream) -> Void)] = [
            ("value.length", { $0.length = 2 }),
            ("value.last_id", { $0.lastID.sequence = 1 }),
            ("value.first_id", { $0.firstID = nil }),
            ("value.max_deleted_id", { $0.maxDeletedID = nil }),
            ("value.entries_added", { $0.entriesAdded = nil }),
            ("value.entries[0].id", { $0.entries[0].id.milliseconds = 1 }),
            ("value.entries[0].fields[1]", { $0.entries[0].fields[1] = [] }),
            ("value.groups.name[0]", { $0.groups[0].name = [] }),
            ("value.groups[0].last_id", { $0.groups[0].lastID.sequence = 1 }),
            ("value.groups[0].entries_read", { $0.groups[0].entriesRead = nil }),
            ("value.groups[0].pending.count", { $0.groups[0].pending = [] }),
            ("value.groups[0].pending[0].id", { $0.groups[0].pending[0].id.sequence = 1 }),
            ("value.groups[0].pending[0].consumer", { $0.groups[0].pending[0].consumer = [2] }),
            ("value.groups[0].pending[0].delivered_at_ms", { $0.groups[0].pending[0].deliveredAt = 0 }),
            ("value.groups[0].pending[0].deliveries", { $0.groups[0].pending[0].deliveries = 1 }),
            ("value.groups[0].consumers[0].name", { $0.groups[0].consumers[0].name = [] }),
            ("value.groups[0].consumers[0].seen_at_ms", { $0.groups[0].consumers[0].seenAt = 0 }),
            ("value.groups[0].consumers[0].active_at_ms", { $0.groups[0].consumers[0].activeAt = nil }),
        ]
        #expect(paths(Self.entry(.stream(Self.stream)), Self.entry(.stream(Self.stream))) == [])
        for (path, change) in changes {
            var found = Self.stream
            change(&found)
            #expect(paths(Self.entry(.stream(Self.stream)), Self.entry(.stream(found))) == [path])
        }
    }

    @Test("missing, invented and repeated keys are told")
    func keys() {
        let entry = Self.entry(.string([]))
        #expect(Comparison.differences(expected: [entry], found: []).map(\.found) == ["nothing"])
        #expect(Comparison.differences(expected: [], found: [entry]).map(\.expected) == ["nothing"])
        #expect(Comparison.differences(expected: [entry], found: [entry, entry]).map(\.found) == ["twice"])
    }
}
