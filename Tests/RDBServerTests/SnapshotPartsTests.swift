import RDBKit
import RESPFormat
import ServerHarness
import Testing

@testable import RDBServer

/// The parts of reading a live server, without one.
@Suite("Live servers as inputs: parts")
struct SnapshotPartsTests {
    private let address = ServerAddress.tcp(host: "h", port: 1)

    private func plan(
        transactions: Bool = true, expiry: SnapshotPlan.Expiry = .absolute, number: Int = 11
    ) -> SnapshotPlan {
        var description = TargetDescription(address: address)
        description.redisVersion = ReleaseNumber(7, 2)
        var plan = SnapshotPlan([], description, way: .auto)
        plan.usesTransactions = transactions
        plan.expiry = expiry
        plan.version = RDBVersion(number: number, family: .redis)
        return plan
    }

    @Test("what a user may do decides how values are asked for")
    func probes() {
        var description = TargetDescription(address: address)
        description.redisVersion = ReleaseNumber(6, 2)
        let all: [RESPReply] = [
            .simple("OK"), .simple("OK"), .null, .integer(-2),
            .array([.bulk(Array("1".utf8)), .bulk(Array("2".utf8))]), .null,
        ]
        let free = SnapshotPlan(all, description, way: .auto)
        #expect(free.dumps && free.canDump && free.usesTransactions && free.tellsMemoryUsage)
        #expect(free.expiry == .absolute)
        #expect(!SnapshotPlan(all, description, way: .types).dumps)
        func with(_ index: Int, _ words: String) -> SnapshotPlan {
            var replies = all
            replies[index] = .error(words)
            return SnapshotPlan(replies, description, way: .auto)
        }
        let denied = "NOPERM this user has no permissions to run the 'x' command"
        #expect(!with(2, denied).dumps)
        #expect(with(2, "NOPERM this user has no permissions to access one of the keys").dumps)
        #expect(with(2, "MOVED 1 other:1").dumps)
        #expect(!with(0, denied).usesTransactions)
        #expect(!with(1, "ERR DISCARD without MULTI").usesTransactions)
        #expect(with(3, "ERR unknown command 'PEXPIRETIME'").expiry == .bracketed)
        #expect(!with(5, denied).tellsMemoryUsage)
        var old = all
        (old[3], old[4]) = (.error("ERR unknown command"), .error(denied))
        #expect(SnapshotPlan(old, description, way: .auto).expiry == .relative)
    }

    @Test("expiries: exact where the clock stood still between two TIME")
    func expiries() {
        func time(_ seconds: String, _ microseconds: String) -> RESPReply {
            .array([.bulk(Array(seconds.utf8)), .bulk(Array(microseconds.utf8))])
        }
        let absolute = plan()
        #expect(absolute.expiry([.integer(5)]) == .at(5))
        #expect(absolute.expiry([.integer(-1)]) == .none)
        #expect(absolute.expiry([.integer(-2)]) == .gone)
        #expect(absolute.expiry([.null]) == .malformed)
        #expect(absolute.expiry([]) == .malformed)
        let bracketed = plan(expiry: .bracketed)
        #expect(bracketed.expiry([time("7", "12999"), .integer(30), time("7", "12999")]) == .at(7042))
        #expect(bracketed.expiry([time("7", "12999"), .integer(30), time("7", "13000")]) == .blurred(7042))
        #expect(bracketed.expiry([time("7", "0"), .integer(-1), time("8", "0")]) == .none)
        for bad in [time("x", "0"), time("-1", "0"), time("7", "1000000"), time("9223372036854775807", "0"), .null] {
            #expect(bracketed.expiry([bad, .integer(30), time("7", "0")]) == .malformed)
        }
    }

    @Test("answers about a key, inside a transaction and without")
    func answers() {
        func answer(_ replies: [RESPReply], transactions: Bool) -> String {
            let plan = plan(transactions: transactions)
            let answer = KeyAnswer(replies[...], questionCount: 2, plan, asked: address)
            return switch answer {
            case .replies(let replies): "\(replies.count) replies"
            case .redirected(let where_): "\(where_.kind) \(where_.slot) \(where_.address)"
            case .later: "later"
            case .refused(let words): words
            }
        }
        let queued: [RESPReply] = [.simple("OK"), .simple("QUEUED"), .simple("QUEUED")]
        #expect(answer(queued + [.array([.null, .integer(-2)])], transactions: true) == "2 replies")
        #expect(answer([.null, .integer(-2)], transactions: false) == "2 replies")
        #expect(answer(queued + [.array([.null])], transactions: true) == "an unexpected reply to EXEC")
        #expect(answer(queued + [.null], transactions: true) == "an unexpected reply to EXEC")
        let moved: [RESPReply] = [.simple("OK"), .error("MOVED 7 :2"), .error("MOVED 7 :2"), .error("EXECABORT no")]
        #expect(answer(moved, transactions: true) == "moved 7 h:2")
        #expect(answer([.error("ASK 7 other:2"), .integer(1)], transactions: false) == "ask 7 other:2")
        #expect(answer([.error("TRYAGAIN x"), .integer(1)], transactions: false) == "later")
        let wrong = RESPReply.array([.error("WRONGTYPE x"), .integer(1)])
        #expect(answer(queued + [wrong], transactions: true) == "WRONGTYPE x")
    }

    @Test("slots on the move, from a server's own line")
    func movingSlots() {
        let text = """
            aa 127.0.0.1:1@2 myself,master - 0 0 1 connected 0-92 94-5460 [93->-bb] [5461-<-cc] [x-<-cc] [99999-<-cc]
            bb 127.0.0.1:2@3 master - 0 0 2 connected 5461-10922 [7->-aa]
            """
        #expect(SnapshotServers.slotsOnTheMove(clusterNodes: text) == [93, 5461])
        #expect(SnapshotServers.slotsOnTheMove(clusterNodes: "nonsense\n\nmyself myself myself") == [])
    }

    /// `hello`, as Redis 7.0 gives it: formats/encodings.md §13.
    private static let payload: Bytes = [
        0x00, 0x05, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x0a, 0x00, 0x63, 0x72, 0xdf, 0x76, 0x65, 0x34, 0x20, 0x0a,
    ]

    @Test("a payload is taken as it is, and nothing else: every prefix, every flipped bit")
    func payloads() throws {
        let check = PayloadCheck(version: RDBVersion(number: 11, family: .redis))
        #expect(try check.valueRange(of: Self.payload) == 1..<7)
        for count in 0..<Self.payload.count {
            #expect(throws: PayloadCheck.Fault.self) { try check.valueRange(of: Array(Self.payload.prefix(count))) }
        }
        for index in Self.payload.indices {
            for bit in 0..<8 {
                var bytes = Self.payload
                bytes[index] ^= 1 << UInt8(bit)
                #expect(throws: PayloadCheck.Fault.badChecksum) { try check.valueRange(of: bytes) }
            }
        }
        // No checksum: what the value says of its own length has to hold.
        func unchecked(_ bytes: Bytes) -> Bytes { bytes + [11, 0] + Bytes(repeating: 0, count: 8) }
        #expect(try check.valueRange(of: unchecked([0, 1, 0x61])) == 1..<3)
        #expect(throws: PayloadCheck.Fault.trailingBytes) { try check.valueRange(of: unchecked([0, 1, 0x61, 0x62])) }
        #expect(throws: PayloadCheck.Fault.unknownType(8)) { try check.valueRange(of: unchecked([8, 1, 0x61])) }
        #expect(throws: PayloadCheck.Fault.self) { try check.valueRange(of: unchecked([0, 2, 0x61])) }
        // A list of 2^64 - 1 elements.
        let many = unchecked([1, 0x81] + Bytes(repeating: 0xff, count: 8))
        #expect(throws: PayloadCheck.Fault.self) { try check.valueRange(of: many) }
    }

    @Test("scores, in turn and in pairs")
    func scores() {
        func text(_ words: String) -> RESPReply { .bulk(Array(words.utf8)) }
        let inTurn = ScoredMembers(.array([text("a"), text("1.5"), text("b"), text("-inf")]))
        #expect(inTurn?.count == 2)
        #expect(inTurn?[1]?.score == -.infinity)
        let pairs = ScoredMembers(.array([.array([text("a"), .double(1.5)]), .array([text("b"), .integer(3)])]))
        #expect(pairs?.count == 2)
        #expect(pairs?[1]?.score == 3)
        #expect(ScoredMembers(.array([text("a")])) == nil)
        #expect(ScoredMembers(.null) == nil)
        #expect(ScoredMembers(.array([text("a"), text("x")]))?[0] == nil)
        #expect(ScoredMembers(.array([.array([]), text("x")]))?[0] == nil)
    }

    @Test("streams whose report is malformed are none")
    func streams() {
        func text(_ words: String) -> RESPReply { .bulk(Array(words.utf8)) }
        func report(_ changes: [String: RESPReply] = [:], without missing: String? = nil) -> RESPReply {
            let plain: [(String, RESPReply)] = [
                ("length", .integer(1)), ("last-generated-id", text("5-1")), ("max-deleted-entry-id", text("0-0")),
                ("entries-added", .integer(1)), ("recorded-first-entry-id", text("5-1")),
                ("entries", .array([.array([text("5-1"), .array([text("f"), text("v")])])])),
                (
                    "groups",
                    .array([
                        .array([
                            text("name"), text("g"), text("last-delivered-id"), text("5-1"), text("entries-read"),
                            .null,
                            text("pel-count"), .integer(1), text("pending"),
                            .array([.array([text("5-1"), text("c"), .integer(1000), .integer(2)])]), text("consumers"),
                            .array([
                                .array([
                                    text("name"), text("c"), text("seen-time"), .integer(900), text("active-time"),
                                    .integer(-1), text("pending"),
                                    .array([.array([text("5-1"), .integer(1000), .integer(2)])]),
                                ])
                            ]),
                        ])
                    ])
                ),
            ]
            var all: [RESPReply] = []
            for (name, value) in plain where name != missing {
                all += [text(name), changes[name] ?? value]
            }
            return .array(all)
        }
        let whole = StreamReport(report())
        #expect(
            whole?.groups.first?.pending == [
                PendingEntry(id: StreamID(milliseconds: 5, sequence: 1), deliveredAt: 1000, deliveryCount: 2)
            ])
        #expect(whole?.groups.first?.state.entriesRead == .unknown)
        // Before 7.0.
        #expect(StreamReport(report(without: "entries-added"))?.state.entriesAdded == nil)
        for name in ["length", "last-generated-id", "entries", "groups", "recorded-first-entry-id"] {
            let found = StreamReport(report(without: name)) == nil
            #expect(found, "\(name)")
        }
        let bad: [(String, RESPReply)] = [
            ("length", .integer(-1)), ("last-generated-id", text("5")), ("last-generated-id", text("-")),
            ("entries", .null), ("groups", .array([.integer(1)])),
        ]
        for (name, value) in bad {
            let isNone = StreamReport(report([name: value])) == nil
            #expect(isNone, "\(name)")
        }

        var nodes = StreamNodes(RDBVersion(number: 11, family: .redis))
        var taken: Bool
        taken = nodes.append(.array([text("5-1"), .array([text("f"), text("v")])]))
        #expect(taken)
        // Not behind the one before, half a pair, no ID.
        taken = nodes.append(.array([text("5-1"), .array([])]))
        #expect(!taken)
        taken = nodes.append(.array([text("5-2"), .array([text("f")])]))
        #expect(!taken)
        taken = nodes.append(.array([text("five"), .array([])]))
        #expect(!taken)
    }

    @Test("expiries of fields: one number for each")
    func fields() {
        #expect(
            FieldExpiry.all(.array([.integer(-1), .integer(-2), .integer(5)]), count: 3) == [.none, .gone, .at(5)])
        #expect(FieldExpiry.all(.null, count: 2) == [.gone, .gone])
        #expect(FieldExpiry.all(.array([.integer(-1)]), count: 2) == nil)
        #expect(FieldExpiry.all(.array([.integer(-3)]), count: 1) == nil)
        #expect(FieldExpiry.all(.array([.integer(.max)]), count: 1) == nil)
        #expect(FieldExpiry.all(.error("ERR"), count: 1) == nil)
    }
}
