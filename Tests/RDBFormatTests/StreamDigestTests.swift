import RDBBytes
import RDBModel
import RDBTestSupport
import RDBTransforms
import Testing

/// Streams in digests: every part counts, old layouts count as servers take them.
@Suite("digests of streams")
struct StreamDigestTests {
    static func digest(_ stream: RDB.Stream, generation: Int = 5, ignoring ignored: EntryDigest.Parts = []) throws
        -> Digest128
    {
        try EntryDigestTests.digest(
            RDB.streamTypes[generation - 1], RDB.stream(stream, generation: generation), ignoring: ignored)
    }

    static func id(_ milliseconds: UInt64, _ sequence: UInt64 = 0) -> RDB.ID { RDB.ID(milliseconds, sequence) }

    /// Entries 1-0 to 4-0 of one field each, in one node.
    static func node(_ values: [String] = ["a", "b", "c", "d"]) -> RDB.StreamNode {
        var entries: [RDB.ListpackEntry] = [
            .uint7(UInt8(values.count)), .uint7(0), .uint7(1), .text("field"), .uint7(0),
        ]
        for (index, value) in values.enumerated() {
            entries += [.uint7(2), .uint7(UInt8(index)), .uint7(0), .text(value), .uint7(4)]
        }
        return RDB.StreamNode(id(1), RDB.listpack(entries))
    }

    static let sample: RDB.Stream = {
        var stream = RDB.Stream()
        stream.nodes = [node()]
        stream.length = 4
        stream.lastID = id(9)
        stream.firstID = id(1)
        stream.entriesAdded = 6
        stream.maxDeletedID = id(9)
        stream.groups = [
            RDB.Group(
                "one", lastID: id(4), entriesRead: 4,
                pending: (1...4).map { RDB.Pending(id($0), time: Int64($0) * 10, count: $0) },
                consumers: [
                    RDB.Consumer("alice", seen: 5, active: 6, ids: [id(1), id(3)]),
                    RDB.Consumer("bob", seen: 7, active: 8, ids: [id(2)]),
                ], unowned: [id(4)]),
            RDB.Group("two", lastID: id(0), entriesRead: .max, pending: [], consumers: []),
        ]
        stream.producers = [
            RDB.Producer("p", [(iid: [1], id: id(1)), (iid: [2], id: id(2))]), RDB.Producer("q", []),
        ]
        stream.idsAdded = 2
        return stream
    }()

    typealias Edit = (name: String, part: EntryDigest.Parts, change: @Sendable (inout RDB.Stream) -> Void)

    /// Single changes, and the part without which each is not seen.
    static let edits: [Edit] = [
        ("value", [], { $0.nodes = [node(["a", "b", "c", "e"])] }),
        ("order of values", [], { $0.nodes = [node(["a", "c", "b", "d"])] }),
        ("entry gone", [], { $0.nodes = [node(["a", "b", "c"])] }),
        ("entry ID", [], { $0.nodes[0].id = id(1, 1) }),
        ("last ID", [], { $0.lastID = id(10) }),
        ("entries added", .streamCounters, { $0.entriesAdded = 7 }),
        ("largest deleted ID", .streamCounters, { $0.maxDeletedID = id(8) }),
        ("entries read", .streamCounters, { $0.groups[0].entriesRead = 5 }),
        ("entries read known", .streamCounters, { $0.groups[1].entriesRead = 0 }),
        ("group gone", .streamGroups, { $0.groups.removeLast() }),
        ("group name", .streamGroups, { $0.groups[1].name = "three" }),
        ("group's last ID", .streamGroups, { $0.groups[0].lastID = id(5) }),
        ("groups exchanged", .streamGroups, { ($0.groups[0].name, $0.groups[1].name) = ("two", "one") }),
        ("delivery count", .streamGroups, { $0.groups[0].pending[2].count += 1 }),
        ("delivery time", .deliveryTimes, { $0.groups[0].pending[2].time += 1 }),
        (
            "pending entry gone", .streamGroups,
            {
                $0.groups[0].pending.removeFirst()
                $0.groups[0].consumers[0].ids.removeFirst()
            }
        ),
        (
            "owners exchanged", .streamGroups,
            { ($0.groups[0].consumers[0].ids, $0.groups[0].consumers[1].ids) = ([id(2), id(3)], [id(1)]) }
        ),
        (
            "owner given up", .streamGroups,
            {
                $0.groups[0].consumers[1].ids = []
                $0.groups[0].unowned.append(id(2))
            }
        ),
        (
            "order of what nobody owns", .streamGroups,
            {
                $0.groups[0].consumers[1].ids = []
                $0.groups[0].unowned = [id(2), id(4)]
            }
        ),
        (
            "consumer without entries", .streamGroups,
            { $0.groups[1].consumers = [RDB.Consumer("c", seen: 0, active: 0, ids: [])] }
        ),
        ("consumer's name", .streamGroups, { $0.groups[0].consumers[1].name = "b" }),
        ("duration of idempotence", .streamProducers, { $0.duration = 101 }),
        ("maximum of idempotence", .streamProducers, { $0.maxEntries = 99 }),
        ("producer", .streamProducers, { $0.producers[1].id = "r" }),
        ("producer's entry", .streamProducers, { $0.producers[0].entries[1].id = id(3) }),
        ("producer's ID of an entry", .streamProducers, { $0.producers[0].entries[1].iid = [3] }),
        ("IDs added", [.streamCounters], { $0.idsAdded = 3 }),
    ]

    @Test("every single edit is seen, unless its part is ignored")
    func everyEdit() throws {
        let plain = try Self.digest(Self.sample)
        var found: Set<Digest128> = [plain]
        for edit in Self.edits {
            var stream = Self.sample
            edit.change(&stream)
            found.insert(try Self.digest(stream))
            guard !edit.part.isEmpty else { continue }
            #expect(
                try Self.digest(stream, ignoring: edit.part) == Self.digest(Self.sample, ignoring: edit.part),
                "\(edit.name)")
        }
        #expect(found.count == Self.edits.count + 1)
    }

    @Test("order of groups, consumers, pending entries and producers does not count, nor do times of consumers")
    func reordering() throws {
        var stream = Self.sample
        stream.groups.reverse()
        stream.groups[1].consumers.reverse()
        stream.groups[1].consumers[1].ids.reverse()
        stream.groups[1].pending.reverse()
        stream.producers.reverse()
        stream.producers[1].entries.reverse()
        stream.firstID = Self.id(2)
        stream.groups[1].consumers[0].seen += 1
        stream.groups[1].consumers[0].active += 1
        #expect(try Self.digest(stream) == Self.digest(Self.sample))
        let parts = EntryDigest.Parts.data.union(.consumerTimes)
        let files = [stream, Self.sample].map {
            RDBBuilder.file("REDIS0015", [RDB.entry(27, "k", RDB.stream($0, generation: 5))], checksum: .zero)
        }
        #expect(try EntryDigestTests.digests(files[0], parts) != EntryDigestTests.digests(files[1], parts))
    }

    @Test("entries in several nodes are the same as in one")
    func nodes() throws {
        var stream = Self.sample
        stream.nodes = [Self.node(["a", "b"])]
        // Fields of their own, one entry marked as deleted.
        stream.nodes.append(
            RDB.StreamNode(
                Self.id(3),
                RDB.listpack([
                    .uint7(2), .uint7(1), .uint7(1), .text("other"), .uint7(0),
                    .uint7(0), .uint7(0), .uint7(0), .uint7(1), .text("field"), .text("c"), .uint7(6),
                    .uint7(3), .uint7(0), .uint7(5), .text("gone"), .uint7(4),
                    .uint7(0), .uint7(1), .uint7(0), .uint7(1), .text("field"), .text("d"), .uint7(6),
                ])))
        #expect(try Self.digest(stream) == Self.digest(Self.sample))
    }

    @Test("generations that hold the same are the same")
    func generations() throws {
        var stream = Self.sample
        stream.groups[0].unowned = []
        stream.groups[0].consumers[0].ids.append(Self.id(4))
        stream.producers = []
        stream.idsAdded = 0
        let newest = try Self.digest(stream)
        for generation in 2...4 { #expect(try Self.digest(stream, generation: generation) == newest) }
        #expect(try Self.digest(stream, generation: 1) != newest)
        #expect(
            try Self.digest(stream, generation: 1, ignoring: .streamCounters)
                == Self.digest(stream, ignoring: .streamCounters))
    }

    @Test(
        "what old files lack is what a server fills in",
        arguments: [
            (0, 0), (1, 1), (2, nil), (3, nil), (4, 4), (5, nil),
        ] as [(UInt64, UInt64?)])
    func old(_ lastRead: UInt64, _ entriesRead: UInt64?) throws {
        var stream = RDB.Stream()
        stream.nodes = [Self.node()]
        stream.length = 4
        stream.lastID = Self.id(4)
        stream.firstID = Self.id(1)
        stream.entriesAdded = 4
        stream.groups = [
            RDB.Group("g", lastID: Self.id(lastRead), entriesRead: entriesRead ?? .max, pending: [], consumers: [])
        ]
        #expect(try Self.digest(stream, generation: 1) == Self.digest(stream, generation: 3))
        stream.groups[0].entriesRead = 3
        #expect(try Self.digest(stream, generation: 1) != Self.digest(stream, generation: 3))
    }

    @Test("the documents' example is the same in Redis 7.2 and 8.6")
    func examples() throws {
        func digest(_ name: String, _ parts: EntryDigest.Parts = .data) throws -> Digest128? {
            let specimen = try #require(Specimen.all.first { $0.name == name })
            return try EntryDigestTests.digests(specimen.bytes, parts).first
        }
        #expect(try digest("stream of Redis 7.2") == digest("stream of Redis 8.6"))
        #expect(try digest("stream of Redis 7.2") != digest("stream of Redis 7.0"))
        let parts = EntryDigest.Parts.data.subtracting(.streamCounters)
        #expect(try digest("stream of Redis 5", parts) == digest("stream of Redis 7.2", parts))
        #expect(try digest("stream of Redis 7.0", parts) == digest("stream of Redis 7.2", parts))
    }

    @Test("a group of many pending entries takes no more memory than one of few")
    func many() throws {
        var stream = RDB.Stream()
        stream.lastID = Self.id(1 << 40)
        let ids = (1...300_000 as ClosedRange<UInt64>).map { Self.id($0) }
        stream.groups = [
            RDB.Group(
                "g", lastID: Self.id(1 << 40), entriesRead: 0, pending: ids.map { RDB.Pending($0, time: 1, count: 1) },
                consumers: [
                    RDB.Consumer("a", seen: 0, active: 0, ids: ids.filter { $0.milliseconds % 2 == 0 }),
                    RDB.Consumer("b", seen: 0, active: 0, ids: ids.filter { $0.milliseconds % 2 == 1 }),
                ])
        ]
        let all = try Self.digest(stream)
        stream.groups[0].consumers[0].ids.swapAt(0, 1000)
        #expect(try Self.digest(stream) == all)
        stream.groups[0].consumers[0].ids.append(stream.groups[0].consumers[1].ids.removeLast())
        #expect(try Self.digest(stream) != all)
        #expect(MemoryLayout<EntryDigest>.size < 2048)
    }
}
