import ServerHarness
import Testing

/// Types and stream parts that came with Redis 8.8: arrays, idempotent producers, entries given back by
/// their consumer, vector sets.
///
/// The truth is transcribed by hand from `redis-8.8-new-types.commands.txt`, which holds the commands
/// and the server's answers.
@Suite("newest types")
struct NewestTypesTests {
    static let path = "\(Checkout.testdata)/servers/newest/redis-8.8-new-types.rdb"

    private static func entry(_ key: String, _ value: CanonicalEntry.Value) -> CanonicalEntry {
        CanonicalEntry(name: .init(database: 0, key: Bytes(key.utf8)), value: value)
    }

    private static func array(_ elements: [(UInt64, String)], insertIndex: UInt64? = nil) -> CanonicalEntry.Value {
        .array(
            CanonicalArray(
                elements: elements.map { .init(index: $0, value: Bytes($1.utf8)) }, insertIndex: insertIndex))
    }

    static let arrays: [CanonicalEntry] = {
        // ARINFO a1: next-insert-index 2; the others have never been inserted into.
        let first = entry(
            "a1", array([(0, "i0"), (1, "i1"), (5, "12"), (6, "3.5"), (7, "-7"), (8, "abc")], insertIndex: 1))
        let second = entry("a2", array([(0, "near"), (1_000_000, "far")]))
        var third = entry(
            "a3",
            array([
                (0, ""), (3, "9223372036854775807"), (4, "-9223372036854775808"), (5, "0.1"), (6, "1e300"),
                (7, "007"), (8, "é中"),
            ]))
        third.expiresAt = 4_102_444_800_000...4_102_444_800_000
        let fourth = entry("a4", array((1...300).map { (UInt64($0 * 3), "v\($0)") }))
        return [first, second, third, fourth]
    }()

    static let streams: [CanonicalEntry] = {
        func added(_ id: String, _ name: String, _ value: String) -> CanonicalStream.Entry {
            .init(id: StreamID(id) ?? .zero, fields: [Bytes(name.utf8), Bytes(value.utf8)])
        }
        let producers = CanonicalStream(
            entries: [
                added("1795235064962-0", "f", "v"), added("1795235064967-0", "f", "w"),
                added("1795235064978-0", "a", "b"),
            ],
            length: 3, lastID: StreamID(milliseconds: 1_795_235_064_978, sequence: 0),
            firstID: StreamID(milliseconds: 1_795_235_064_962, sequence: 0), maxDeletedID: .zero, entriesAdded: 3,
            groups: [])
        // XNACK gave 1-1 back: nobody owns it, and it has no delivery time any more.
        let group = CanonicalStream.Group(
            name: Bytes("g".utf8), lastID: StreamID(milliseconds: 2, sequence: 1), entriesRead: 2,
            pending: [
                .init(id: StreamID(milliseconds: 1, sequence: 1), consumer: [], deliveredAt: 0, deliveries: 1),
                .init(
                    id: StreamID(milliseconds: 2, sequence: 1), consumer: Bytes("c1".utf8),
                    deliveredAt: 1_795_235_065_007, deliveries: 1),
            ],
            consumers: [
                .init(name: Bytes("c1".utf8), seenAt: 1_795_235_065_007, activeAt: 1_795_235_065_007)
            ])
        let givenBack = CanonicalStream(
            entries: [added("1-1", "a", "1"), added("2-1", "a", "2"), added("3-1", "a", "3")], length: 3,
            lastID: StreamID(milliseconds: 3, sequence: 1), firstID: StreamID(milliseconds: 1, sequence: 1),
            maxDeletedID: .zero, entriesAdded: 3, groups: [group])
        return [entry("s1", .stream(producers)), entry("s2", .stream(givenBack))]
    }()

    static let others: [CanonicalEntry] = {
        var hash = entry("h1", .hash([Bytes("f1".utf8): Bytes("v1".utf8), Bytes("f2".utf8): Bytes("v2".utf8)]))
        hash.fieldExpiries = [Bytes("f1".utf8): 4_102_444_800_000]
        return [hash] + ["v1", "v2", "v3"].map { entry($0, .module("vectorset")) }
    }()

    @Test("json gives what the server answered")
    func contents() throws {
        let lines = try RDBKitProgram.locate().output(["json", Self.path])
        let entries = try JSONLines.parse(lines, as: .program)
        expectNone(
            Comparison.differences(expected: Self.arrays + Self.streams + Self.others, found: entries), "newest types")
    }

    @Test("check says that the file is sound")
    func soundness() throws {
        let run = try RDBKitProgram.locate().run(["check", Self.path])
        #expect(run.status == 0, "\(String(decoding: run.output, as: UTF8.self))\(run.errors)")
    }
}
