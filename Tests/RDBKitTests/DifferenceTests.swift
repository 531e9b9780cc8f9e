import RDBKit
import RDBTestSupport
import Testing

@Suite("differences")
struct DifferenceTests {
    static func file(_ entries: [[UInt8]]) -> [UInt8] { RDBBuilder.file("REDIS0013", entries) }

    @Test("every specimen is the same as itself", arguments: Specimen.all)
    func same(_ specimen: Specimen) throws {
        let sink = CollectedChanges()
        let comparison = try Differences.tell(specimen.bytes, specimen.bytes, into: sink)
        #expect(comparison.isSame)
        #expect(sink.lines == [])
        #expect(comparison.differing?.count == 0)
    }

    /// What a digest takes for equal, the comparison by elements must as well, and the other way.
    @Test("elements differ just where digests do, between all specimens of a type")
    func consistent() throws {
        let all = Specimen.all
        var pairs = 0
        for a in all {
            for b in all where a.name < b.name && Self.type(a) == Self.type(b) {
                let sink = CollectedChanges()
                let comparison = try Differences.tell(a.bytes, b.bytes, into: sink)
                let counts = comparison.counts.total
                let isPair = counts.different > 0 && counts.onlyA == 0 && counts.onlyB == 0
                if isPair { pairs += 1 }
                #expect(comparison.isSame == sink.lines.isEmpty, "\(a.name) and \(b.name): \(sink.lines)")
            }
        }
        #expect(pairs > 100)
    }

    /// What stands behind `"type":` in the specimen's JSON.
    private static func type(_ specimen: Specimen) -> String? {
        specimen.json.firstMatch(of: /"type":"([a-z-]+)"/).map { String($0.1) }
    }

    @Test("each kind of change, by hand")
    func byHand() throws {
        var stream = RDB.Stream()
        stream.lastID = RDB.ID(9, 0)
        stream.entriesAdded = 4
        stream.groups = [
            RDB.Group(
                "g", lastID: RDB.ID(2, 0), entriesRead: 2,
                pending: [RDB.Pending(RDB.ID(1, 0), time: 5, count: 1), RDB.Pending(RDB.ID(2, 0), time: 6, count: 1)],
                consumers: [
                    RDB.Consumer("c", seen: 1, active: 1, ids: [RDB.ID(1, 0)]),
                    RDB.Consumer("d", seen: 1, active: 1, ids: [RDB.ID(2, 0)]),
                ])
        ]
        var other = stream
        other.entriesAdded = 5
        other.maxDeletedID = RDB.ID(3, 0)
        other.groups[0].lastID = RDB.ID(4, 0)
        other.groups[0].entriesRead = 3
        other.groups[0].pending[0].count = 7
        other.groups[0].pending[1].time = 9
        // Another owner, and other times, which do not count.
        other.groups[0].consumers = [RDB.Consumer("e", seen: 8, active: 8, ids: [RDB.ID(1, 0), RDB.ID(2, 0)])]
        other.groups.append(RDB.Group("h", lastID: RDB.ID(0, 0), entriesRead: 0, pending: [], consumers: []))
        let a = Self.file([
            RDB.entry(0, "changed", RDB.string("1")), RDB.entry(0, "gone", RDB.string("1")),
            RDB.entry(0, "same", RDB.string("12")), RDB.expireMilliseconds(100), RDB.entry(0, "timed", RDB.string("1")),
            RDB.entry(0, "type", RDB.string("x")),
            RDB.entry(4, "hash", RDB.length(2) + ["f", "1", "g", "2"].flatMap { RDB.string($0) }),
            RDB.entry(2, "set", RDB.length(2) + RDB.string("a") + RDB.string("b")),
            RDB.entry(5, "zset", RDB.length(2) + RDB.string("a") + RDB.double(-0.0) + RDB.string("b") + RDB.double(1)),
            RDB.entry(1, "list", RDB.length(3) + ["a", "b", "c"].flatMap { RDB.string($0) }),
            RDB.entry(21, "stream", RDB.stream(stream, generation: 3)), RDB.selectDatabase(4),
            RDB.entry(0, "gone", RDB.string("1")),
        ])
        let b = Self.file([
            RDB.entry(21, "stream", RDB.stream(other, generation: 3)),
            RDB.entry(1, "list", RDB.length(4) + ["a", "x", "c", "d"].flatMap { RDB.string($0) }),
            RDB.entry(5, "zset", RDB.length(2) + RDB.string("b") + RDB.double(2.5) + RDB.string("a") + RDB.double(0)),
            RDB.entry(2, "set", RDB.length(2) + RDB.string("b") + RDB.string("c")),
            RDB.entry(4, "hash", RDB.length(2) + ["h", "1", "g", "3"].flatMap { RDB.string($0) }),
            RDB.entry(1, "type", RDB.length(1) + RDB.string("x")), RDB.expireMilliseconds(200),
            RDB.entry(0, "timed", RDB.string("1")), RDB.entry(0, "same", RDB.int8(12)),
            RDB.entry(0, "new", RDB.string("1")), RDB.entry(0, "changed", RDB.string("2")),
        ])
        let sink = CollectedChanges()
        let comparison = try Differences.tell(a, b, into: sink)
        #expect(
            sink.lines == [
                #"~ 0 string changed {"what":"value","value":"1"} → {"what":"value","value":"2"}"#,
                #"- 0 string gone"#,
                #"~ 0 hash hash - {"what":"field","field":"f","value":"1"}"#,
                #"~ 0 hash hash {"what":"field","field":"g","value":"2"} → {"what":"field","field":"g","value":"3"}"#,
                #"~ 0 hash hash + {"what":"field","field":"h","value":"1"}"#,
                #"~ 0 list list {"what":"element","index":1,"value":"b"} → {"what":"element","index":1,"value":"x"}"#,
                #"~ 0 list list + {"what":"element","index":3,"value":"d"}"#,
                #"+ 0 string new"#,
                #"~ 0 set set - {"what":"member","member":"a"}"#,
                #"~ 0 set set + {"what":"member","member":"c"}"#,
                #"~ 0 stream stream {"what":"state","value":{"last_id":"9-0","entries_added":4,"max_deleted_id":"0-0"}}"#
                    + #" → {"what":"state","value":{"last_id":"9-0","entries_added":5,"max_deleted_id":"3-0"}}"#,
                #"~ 0 stream stream {"what":"group","group":"g","value":{"last_id":"2-0","entries_read":2}}"#
                    + #" → {"what":"group","group":"g","value":{"last_id":"4-0","entries_read":3}}"#,
                #"~ 0 stream stream + {"what":"group","group":"h","value":{"last_id":"0-0","entries_read":0}}"#,
                #"~ 0 stream stream - {"what":"consumer","group":"g","consumer":"c"}"#,
                #"~ 0 stream stream - {"what":"consumer","group":"g","consumer":"d"}"#,
                #"~ 0 stream stream + {"what":"consumer","group":"g","consumer":"e"}"#,
                #"~ 0 stream stream {"what":"pending","group":"g","id":"1-0","value":{"delivered_at_ms":5,"deliveries":1}}"#
                    + #" → {"what":"pending","group":"g","id":"1-0","value":{"delivered_at_ms":5,"deliveries":7}}"#,
                #"~ 0 stream stream {"what":"pending","group":"g","id":"2-0","value":{"delivered_at_ms":6,"deliveries":1}}"#
                    + #" → {"what":"pending","group":"g","id":"2-0","value":{"delivered_at_ms":9,"deliveries":1}}"#,
                #"~ 0 stream stream {"what":"owner","group":"g","id":"1-0","value":"c"}"#
                    + #" → {"what":"owner","group":"g","id":"1-0","value":"e"}"#,
                #"~ 0 stream stream {"what":"owner","group":"g","id":"2-0","value":"d"}"#
                    + #" → {"what":"owner","group":"g","id":"2-0","value":"e"}"#,
                #"~ 0 string timed expiry 100 → 200"#,
                #"~ 0 string type → list"#,
                #"~ 0 zset zset {"what":"member","member":"b","value":1} → {"what":"member","member":"b","value":2.5}"#,
                #"- 4 string gone"#,
            ])
        let total = comparison.counts.total
        #expect(total.same == 1 && total.onlyA == 2 && total.onlyB == 1 && total.different == 8)
    }

    @Test("expiries within the tolerance do not differ, of keys and of fields")
    func tolerance() throws {
        func file(_ key: Int64, _ field: Int64) -> [UInt8] {
            let hash =
                RDB.littleEndian(Int64(1000)) + RDB.length(2) + RDB.length(UInt64(field - 999)) + RDB.string("f")
                + RDB.string("v") + RDB.length(0) + RDB.string("g") + RDB.string("w")
            return Self.file([
                RDB.expireMilliseconds(key), RDB.entry(0, "s", RDB.string("1")), RDB.entry(24, "h", hash),
            ])
        }
        var options = ComparisonOptions()
        let a = file(5000, 3000)
        for (b, differs) in [
            (a, []), (file(5400, 3400), []), (file(5400, 3600), ["h"]), (file(4400, 3000), ["s"]),
        ] {
            options.expiryTolerance = 500
            let sink = CollectedChanges()
            let comparison = try Differences.tell(a, b, options, into: sink)
            #expect(comparison.isSame == differs.isEmpty, "\(sink.lines)")
            #expect(sink.lines.count == differs.count)
            options.expiryTolerance = nil
            #expect(try Differences.compare(a, b, options).isSame == (a == b))
        }
        // Without an expiry is never near to one.
        options.expiryTolerance = .max
        let none = Self.file([RDB.entry(0, "s", RDB.string("1"))])
        let some = Self.file([RDB.expireMilliseconds(1), RDB.entry(0, "s", RDB.string("1"))])
        #expect(try !Differences.compare(none, some, options).isSame)
    }

    @Test("of a key that comes twice the last one counts, and that is counted")
    func duplicates() throws {
        let a = Self.file(["1", "2", "3"].map { RDB.entry(0, "k", RDB.string($0)) })
        let comparison = try Differences.compare(a, Self.file([RDB.entry(0, "k", RDB.string("3"))]))
        #expect(comparison.isSame)
        #expect(comparison.duplicateCounts == [2, 0])
        let sink = CollectedChanges()
        _ = try Differences.tell(a, Self.file([RDB.entry(0, "k", RDB.string("2"))]), into: sink)
        #expect(
            sink.lines == [#"~ 0 string k {"what":"value","value":"3"} → {"what":"value","value":"2"}"#])
    }

    @Test("texts of more than a mebibyte are compared without being held")
    func long() throws {
        var text = [UInt8](repeating: 7, count: 3 << 20)
        func file(_ text: [UInt8]) -> [UInt8] {
            Self.file([
                RDB.entry(0, "string", RDB.string(text)), RDB.entry(2, "set", RDB.length(1) + RDB.string(text)),
                RDB.entry(1, "list", RDB.length(2) + RDB.string("x") + RDB.string(text)),
                RDB.entry(
                    4, "hash", RDB.length(2) + RDB.string(text) + RDB.string("1") + RDB.string("f") + RDB.string(text)),
            ])
        }
        let a = file(text)
        #expect(try Differences.compare(a, a).isSame)
        text[2 << 20] = 8
        let sink = CollectedChanges()
        _ = try Differences.tell(a, file(text), into: sink)
        let long = #"{"text_bytes":3145728,"begins":"\#(String(repeating: "\\u0007", count: 64))"}"#
        #expect(
            Set(sink.lines.map { $0.replacing(long, with: "LONG") }) == [
                #"~ 0 hash hash {"what":"field","field":"f","value":LONG} → {"what":"field","field":"f","value":LONG}"#,
                #"~ 0 hash hash - {"what":"field","field":LONG,"value":"1"}"#,
                #"~ 0 hash hash + {"what":"field","field":LONG,"value":"1"}"#,
                #"~ 0 list list {"what":"element","index":1,"value":LONG} → {"what":"element","index":1,"value":LONG}"#,
                #"~ 0 set set - {"what":"member","member":LONG}"#, #"~ 0 set set + {"what":"member","member":LONG}"#,
                #"~ 0 string string {"what":"value","value":LONG} → {"what":"value","value":LONG}"#,
            ])
    }
}
