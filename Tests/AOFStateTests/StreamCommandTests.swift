import RDBFormat
import RDBModel
import Testing

@testable import AOFState

@Suite("stream commands")
struct StreamCommandTests {
    private func stream(_ commands: String, server: String? = nil) throws -> StreamValue {
        try #require(try AppliedLog(commands, server: server.flatMap { ServerVersion($0) }).stream("s"))
    }

    private func ids(_ stream: StreamValue) -> [String] { stream.entries.map(\.id.description) }

    @Test("IDs: partial, in sequence, too small, the last there is")
    func ids() throws {
        let log = try AppliedLog(
            """
            XADD s 5 a 1
            XADD s 5-* a 2
            XADD s 5-1 a 3
            XADD s 4-9 a 4
            XADD s 0-0 a 5
            XADD t 0-0 a 5
            XADD s 6-18446744073709551615 a 6
            XADD s 6-* a 7
            XADD s 7-x a 8
            XADD s 18446744073709551616-0 a 9
            XADD s 18446744073709551615-18446744073709551615 a 10
            XADD s * a 11
            XADD t * a 12
            XADD n NOMKSTREAM 1-1 a 1
            """)
        let stream = try #require(try log.stream("s"))
        #expect(
            ids(stream) == ["5-0", "5-1", "6-18446744073709551615", "18446744073709551615-18446744073709551615"])
        #expect(stream.state.entriesAdded == 4)
        #expect(try log.stream("t").map(ids) == ["\(AppliedLog.now)-0"])
        #expect(try log.stream("n") == nil)
        #expect(log.outcomes.filter { $0 == .refused }.count == 8)
    }

    @Test("what is counted: entries added, first and highest deleted ID")
    func counters() throws {
        let value = try stream(
            """
            XADD s 1-1 a 1
            XADD s 2-1 a 1
            XADD s 3-1 a 1
            XADD s MAXLEN 3 4-1 a 1
            XDEL s 3-1 9-9
            XTRIM s MINID = 3
            """)
        #expect(ids(value) == ["4-1"])
        #expect(
            value.state
                == StreamState(
                    length: 1, lastID: StreamID(milliseconds: 4, sequence: 1),
                    firstID: StreamID(milliseconds: 4, sequence: 1),
                    maxDeletedID: StreamID(milliseconds: 3, sequence: 1),
                    entriesAdded: 4))
        let empty = try stream("XADD s MAXLEN 0 7-1 a 1\nXSETID s 9-0 ENTRIESADDED 12 MAXDELETEDID 8-0\nXSETID s 7-9")
        #expect(empty.entries.isEmpty && empty.state.firstID == StreamID(milliseconds: 0, sequence: 0))
        #expect(empty.state.lastID == StreamID(milliseconds: 9, sequence: 0) && empty.state.entriesAdded == 12)
        #expect(empty.state.maxDeletedID == StreamID(milliseconds: 8, sequence: 0))
    }

    @Test("entries that groups refer to are deleted by policy")
    func policies() throws {
        // 1-1 is acknowledged, 2-1 is pending, 3-1 was not delivered.
        let start = """
            XADD s 1-1 a 1
            XADD s 2-1 a 1
            XADD s 3-1 a 1
            XGROUP CREATE s g 0
            XREADGROUP GROUP g c COUNT 2 STREAMS s >
            XACK s g 1-1

            """
        let acked = try stream(start + "XDELEX s ACKED IDS 3 1-1 2-1 3-1")
        #expect(ids(acked) == ["2-1", "3-1"] && acked.groups[0].pending.count == 1)
        let kept = try stream(start + "XDELEX s KEEPREF IDS 1 2-1")
        #expect(ids(kept) == ["1-1", "3-1"] && kept.groups[0].pending.count == 1)
        let deleted = try stream(start + "XDELEX s DELREF IDS 1 2-1")
        #expect(ids(deleted) == ["1-1", "3-1"] && deleted.groups[0].pending.isEmpty)
        // Acknowledged first, then no longer referred to.
        let both = try stream(start + "XACKDEL s g ACKED IDS 2 2-1 3-1")
        #expect(ids(both) == ["1-1", "3-1"] && both.groups[0].pending.isEmpty)
        #expect(both.state.maxDeletedID == StreamID(milliseconds: 2, sequence: 1))
        let trimmed = try stream(start + "XTRIM s ACKED MAXLEN = 0")
        #expect(ids(trimmed) == ["2-1", "3-1"])
        let cleaned = try stream(start + "XADD s DELREF MAXLEN = 1 4-1 a 1")
        #expect(ids(cleaned) == ["4-1"] && cleaned.groups[0].pending.isEmpty)
    }

    @Test("entries given back lose their owner, in order, and count as they are told")
    func givenBack() throws {
        // As observed: formats/newest.md §4.1 and §10.4.
        let value = try stream(
            """
            XADD s 1-1 a 1
            XADD s 2-1 a 1
            XADD s 3-1 a 1
            XGROUP CREATE s g 0
            XREADGROUP GROUP g alice STREAMS s >
            XNACK s g FAIL IDS 1 2-1
            XNACK s g SILENT IDS 1 1-1
            XNACK s g FATAL IDS 1 3-1
            """)
        let group = value.groups[0]
        #expect(group.unowned.map(\.description) == ["2-1", "1-1", "3-1"])
        #expect(group.pending.map(\.deliveryCount) == [0, 1, UInt64(Int64.max)])
        #expect(group.pending.map(\.deliveredAt) == [0, 0, 0])
        #expect(group.consumers.map(\.pending) == [[]])

        let claimed = try stream(
            """
            XADD s 1-1 a 1
            XADD s 2-1 a 1
            XGROUP CREATE s g 0
            XNACK s g FAIL IDS 2 1-1 9-9 FORCE
            XNACK s g FAIL IDS 1 2-1 RETRYCOUNT 7 FORCE
            XCLAIM s g bob 0 1-1 TIME 1000
            """)
        #expect(claimed.groups[0].unowned.map(\.description) == ["2-1"])
        #expect(claimed.groups[0].pending.map(\.deliveryCount) == [1, 7])
        #expect(claimed.groups[0].consumers.map(\.pending.count) == [1])
    }

    @Test("idempotent producers: pairs are noted, a duplicate adds nothing, other settings forget")
    func idempotence() throws {
        let start = """
            XADD s IDMP p1 i1 1-1 f v
            XADD s IDMP p1 i1 * f v
            XADD s IDMPAUTO p2 2-1 f v3
            XADD s IDMPAUTO p2 * f v3

            """
        let value = try stream(start)
        #expect(ids(value) == ["1-1", "2-1"])
        #expect(
            value.idempotence
                == IdempotenceState(durationSeconds: 100, maxEntries: 100, idsAdded: 2, idsDuplicate: 2))
        #expect(value.producers.map { String(decoding: $0.id, as: UTF8.self) } == ["p1", "p2"])
        #expect(value.producers[0].records.map(\.entry.description) == ["1-1"])
        #expect(value.producers[1].records.first?.id.count == 16)

        let same = try stream(start + "XCFGSET s IDMP-DURATION 100")
        #expect(same.producers.count == 2)
        let other = try stream(start + "XCFGSET s IDMP-MAXSIZE 2\nXIDMPRECORD s p i 1-1\nXIDMPRECORD s p j 5-5")
        #expect(other.producers.map(\.records.count) == [1])
        #expect(other.idempotence?.maxEntries == 2 && other.idempotence?.idsAdded == 2)
        // The oldest goes.
        let full = try stream(
            "XADD s 1-1 f v\nXCFGSET s IDMP-MAXSIZE 2\nXADD s IDMP p a 2-1 f v\nXADD s IDMP p b 3-1 f v\n"
                + "XADD s IDMP p c 4-1 f v")
        #expect(full.producers[0].records.map { String(decoding: $0.id, as: UTF8.self) } == ["b", "c"])
    }

    @Test("what is malformed has no effect")
    func malformed() throws {
        let log = try AppliedLog(
            """
            XADD s 1-1 a 1
            XGROUP CREATE s g 0
            XADD s 2-1 a
            XADD s MAXLEN -1 2-1 a 1
            XADD s LIMIT 5 2-1 a 1
            XADD s MAXLEN 1 MINID 1 2-1 a 1
            XTRIM s MAXLEN x
            XTRIM s
            XDEL s 1-1 x
            XDELEX s IDS 2 1-1
            XDELEX s KEEPREF
            XACK s g 1-1 -
            XGROUP CREATE s g 0
            XGROUP CREATE t g 0
            XGROUP SETID s h 0
            XGROUP SETID s g 0 ENTRIESREAD -2
            XCLAIM s g c 0 1-1 TIME
            XCLAIM s h c 0 1-1
            XREADGROUP GROUP g c STREAMS s t > >
            XREADGROUP GROUP g c COUNT 1 STREAMS s $
            XSETID s 0-5
            XSETID s 5-0 MAXDELETEDID 6-0
            XCFGSET s IDMP-DURATION 0
            XNACK s g OTHER IDS 1 1-1
            """)
        #expect(log.outcomes.dropFirst(2).allSatisfy { $0 != .applied }, "\(log.outcomes)")
        #expect(try log.stream("s").map(ids) == ["1-1"])
        #expect(try log.stream("t") == nil)
        #expect(try log.stream("s")?.groups.map(\.pending.count) == [0])
    }

    @Test("a copy does not change with its origin")
    func copies() throws {
        let log = try AppliedLog(
            """
            XADD s 1-1 a 1
            XGROUP CREATE s g 0
            XREADGROUP GROUP g c STREAMS s >
            XADD s IDMP p i 2-1 a 1
            COPY s t
            XACK s g 1-1
            XADD s IDMP p j 3-1 a 1
            XDEL s 1-1
            XGROUP DELCONSUMER s g c
            """)
        let copy = try #require(try log.stream("t"))
        #expect(ids(copy) == ["1-1", "2-1"] && copy.groups[0].pending.count == 1)
        #expect(copy.groups[0].consumers.map(\.pending.count) == [1] && copy.producers[0].records.count == 1)
        #expect(try log.stream("s").map(ids) == ["2-1", "3-1"])
    }
}
