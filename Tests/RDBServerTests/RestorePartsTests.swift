import RDBKit
import RESPFormat
import ServerHarness
import Testing

@testable import RDBServer

@Suite("What a server's answers mean for an entry")
struct VerdictTests {
    struct Case: Sendable, CustomStringConvertible {
        var form: RestoreForm
        var replies: [RESPReply]
        var verdict: Verdict
        var endsInRename = false
        var description: String { "\(form.rawValue) \(replies)" }
    }

    private static let loading = "LOADING Redis is loading the dataset in memory"
    private static let version = "ERR DUMP payload version or checksum are wrong"
    private static let moved = "MOVED 5798 127.0.0.1:6381"
    private static let memory = "OOM command not allowed when used memory > 'maxmemory'."

    static let cases: [Case] = [
        // Only remarkable replies come this far.
        Case(form: .set, replies: [], verdict: .applied),
        Case(form: .set, replies: [.null], verdict: .conflict),
        Case(form: .set, replies: [.error(memory)], verdict: .hopeless(memory)),
        Case(form: .batched, replies: [.integer(0)], verdict: .splitBatch),
        Case(form: .batched, replies: [.error(loading)], verdict: .later(loading)),
        Case(form: .restore, replies: [.error("BUSYKEY Target key name already exists.")], verdict: .conflict),
        Case(form: .restore, replies: [.error(version)], verdict: .payloadRefused(version)),
        Case(
            form: .restore, replies: [.error("ERR Bad data format")], verdict: .payloadRefused("ERR Bad data format")),
        // The same words say nothing of other commands.
        Case(form: .set, replies: [.error("ERR Bad data format")], verdict: .failed("ERR Bad data format")),
        Case(form: .restore, replies: [.error(moved)], verdict: .moved(moved)),
        Case(form: .set, replies: [.error("ASK 1 h:1")], verdict: .ask("ASK 1 h:1")),
        Case(form: .set, replies: [.error("TRYAGAIN x")], verdict: .later("TRYAGAIN x")),
        Case(form: .set, replies: [.error("CLUSTERDOWN x")], verdict: .later("CLUSTERDOWN x")),
        Case(form: .set, replies: [.error("MASTERDOWN x")], verdict: .later("MASTERDOWN x")),
        Case(form: .set, replies: [.error("BUSY x")], verdict: .later("BUSY x")),
        Case(form: .set, replies: [.error("NOREPLICAS x")], verdict: .later("NOREPLICAS x")),
        Case(form: .set, replies: [.error("READONLY x")], verdict: .hopeless("READONLY x")),
        Case(form: .set, replies: [.error("MISCONF x")], verdict: .hopeless("MISCONF x")),
        Case(form: .set, replies: [.error("NOAUTH x")], verdict: .hopeless("NOAUTH x")),
        Case(form: .set, replies: [.error("WRONGTYPE x")], verdict: .failed("WRONGTYPE x")),
        // What the server says of the first command is the cause of the rest.
        Case(
            form: .commands,
            replies: [.error(memory), .error("EXECABORT Transaction discarded because of previous errors.")],
            verdict: .hopeless(memory)),
        Case(
            form: .commands, replies: [.array([.integer(3), .error("WRONGTYPE x"), .integer(1)])],
            verdict: .failed("WRONGTYPE x")),
        // DEL of a key that was not there.
        Case(form: .commands, replies: [.array([.integer(0), .integer(3)])], verdict: .applied),
        Case(
            form: .commands, replies: [.array([.integer(3), .integer(1), .integer(0)])], verdict: .applied,
            endsInRename: true),
        // RENAMENX found the key, the name went.
        Case(
            form: .commands, replies: [.array([.integer(3), .integer(0), .integer(1)])], verdict: .conflict,
            endsInRename: true),
        // SADD of a member that came twice is no RENAMENX.
        Case(
            form: .commands, replies: [.array([.integer(0), .integer(1), .integer(0)])], verdict: .applied,
            endsInRename: true),
        Case(
            form: .commands, replies: [.array([.integer(3), .integer(1), .error("ERR no such key"), .integer(0)])],
            verdict: .gone("ERR no such key"), endsInRename: true),
    ]

    @Test("one verdict for each", arguments: cases)
    func verdict(_ test: Case) {
        #expect(Verdict(test.form, replies: test.replies, endsInRename: test.endsInRename) == test.verdict)
    }
}

@Suite("Checkpoints")
struct CheckpointTests {
    private static let text = """
        rdbkit restore checkpoint 1
        input: 100 bytes, 1f
        target: 127.0.0.1:6379
        options: --key 'a:*'
        started_ms: 1700000000000
        acknowledged_offset: 12
        reserved_offset: 345
        failed: 6
        end

        """

    private static var checkpoint: Checkpoint {
        var checkpoint = Checkpoint(
            input: "100 bytes, 1f", target: "127.0.0.1:6379", options: "--key 'a:*'", startedAt: 1_700_000_000_000)
        (checkpoint.acknowledged, checkpoint.reserved, checkpoint.failed) = (12, 345, 6)
        return checkpoint
    }

    @Test("the text is what it says")
    func text() throws {
        #expect(Self.checkpoint.text == Self.text)
        #expect(try Checkpoint(text: Self.text) == Self.checkpoint)
    }

    @Test("any bytes of names come back", arguments: ["", "a\nend\nb", "back\\slash\\n", "x\r\ny", "é: 中", " "])
    func escapes(_ name: String) throws {
        let checkpoint = Checkpoint(input: name, target: name, options: name, startedAt: -1)
        #expect(try Checkpoint(text: checkpoint.text) == checkpoint)
        #expect(checkpoint.text.split(separator: "\n", omittingEmptySubsequences: false).count == 10)
    }

    @Test("what is cut anywhere is none")
    func cut() {
        for count in 0..<Self.text.utf8.count - 1 {
            #expect(throws: Checkpoint.Mismatch.self) { try Checkpoint(text: String(Self.text.prefix(count))) }
        }
    }

    @Test(
        "numbers that cannot be are none",
        arguments: [
            ("12", "346"), ("12", "-1"), ("12", "12x"), ("345", "99999999999999999999"), ("6", ""),
        ])
    func numbers(_ old: String, _ new: String) {
        let names = ["12": "acknowledged_offset", "345": "reserved_offset", "6": "failed"]
        let name = names[old] ?? ""
        let text = Self.text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("\(name):") ? "\(name): \(new)" : String(line)
        }.joined(separator: "\n")
        #expect(text != Self.text)
        #expect(throws: Checkpoint.Mismatch.unreadable("it is no whole checkpoint of a restore")) {
            try Checkpoint(text: text)
        }
    }

    @Test("the file is replaced as a whole, grows only, and knows its run")
    func file() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("checkpoint")
        func open(_ input: String = "i", _ target: String = "t", _ options: String = "o") throws -> CheckpointFile {
            try CheckpointFile(path: path, input: input, target: target, options: options, now: 7)
        }
        let first = try open()
        #expect(!first.isResumed)
        #expect(!Files.exists(path))
        try first.write(acknowledged: 10, sent: 100, failed: 1)
        try first.write(acknowledged: 5, sent: 50, failed: 2)
        var expected = Checkpoint(input: "i", target: "t", options: "o", startedAt: 7)
        (expected.acknowledged, expected.reserved, expected.failed) = (10, 100, 3)
        #expect(try Checkpoint(text: Files.text(path)) == expected)
        try first.write(acknowledged: 200, sent: 0, failed: 0)
        #expect(first.checkpoint.reserved == 200)

        let second = try open()
        #expect(second.isResumed)
        #expect(second.checkpoint.acknowledged == 200)
        #expect(throws: Checkpoint.Mismatch.otherInput("i")) { try open("j") }
        #expect(throws: Checkpoint.Mismatch.otherTarget("t")) { try open("i", "u") }
        #expect(throws: Checkpoint.Mismatch.otherOptions("o")) { try open("i", "t", "") }
        second.remove()
        #expect(!Files.exists(path))
        #expect(throws: Checkpoint.Mismatch.self) {
            try CheckpointFile(path: folder.path, input: "", target: "", options: "", now: 0)
        }
    }

    @Test("an input is known by its length, its beginning and its end")
    func identity() throws {
        let folder = try TemporaryFolder()
        func identity(_ bytes: [UInt8]) throws -> String? {
            try Files.write(bytes, to: folder.file("x"))
            return InputIdentity.of(path: folder.file("x"))
        }
        var bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let first = try identity(bytes)
        #expect(first?.hasPrefix("200000 bytes, ") == true)
        #expect(try identity(bytes) == first)
        for index in [0, 65_535, 199_999] {
            bytes[index] ^= 1
            #expect(try identity(bytes) != first)
            bytes[index] ^= 1
        }
        #expect(try identity(bytes + [0]) != first)
        #expect(try identity([]) == "0 bytes, 0")
        #expect(InputIdentity.of(path: folder.path) == nil)
        #expect(InputIdentity.of(path: folder.file("none")) == nil)
    }
}

@Suite("Rates")
struct RateLimitTests {
    /// Sends as fast as it is let, and gives what was sent after each time.
    private func run(_ perSecond: UInt64, _ units: Int, count: Int) -> [(time: Int64, sent: Int)] {
        var limit = RateLimit(perSecond: perSecond, now: 1000)
        var now: Int64 = 1000
        var sent: [(Int64, Int)] = []
        for index in 1...count {
            sent.append((now - 1000, index * units))
            now += limit.take(units, now: now)
        }
        return sent
    }

    @Test(
        "over any time the rate is kept",
        arguments: [(1, 1), (10, 1), (5000, 1), (1_000_000, 4096), (20_000_000, 196_608)])
    func kept(_ perSecond: Int, _ units: Int) {
        let sent = run(UInt64(perSecond), units, count: 1000)
        for (time, total) in sent {
            let most = Double(perSecond) * (Double(time) / 1000 + 0.2) + 2 * Double(units)
            #expect(Double(total) <= most, "\(total) after \(time) ms")
        }
        // And not much less: only the time to wait is rounded.
        let (time, total) = sent[sent.count - 1]
        #expect(Double(total) >= Double(perSecond) * Double(time) / 1000 * 0.95 - 1, "\(total) after \(time) ms")
    }

    @Test("a pause saves up no more than a tenth of a second")
    func pause() {
        var limit = RateLimit(perSecond: 1000, now: 0)
        #expect(limit.take(100, now: 0) == 0)
        // An hour later: 100 are there, 100 may be owed.
        #expect(limit.take(199, now: 3_600_000) == 0)
        #expect(limit.take(1, now: 3_600_000) == 100)
        // A clock that goes back gives nothing.
        #expect(limit.take(1, now: 0) == 101)
    }
}

@Suite("Names for a time")
struct SlotTagsTests {
    @Test("every slot has one of its own")
    func everySlot() {
        let tags = SlotTags()
        var seen: Set<[UInt8]> = []
        for slot in 0..<16_384 {
            let key = tags.temporaryKey(slot: slot, run: .max, number: 255)
            #expect(HashSlot.of(key.rawSpan) == slot)
            #expect(key.starts(with: Array("rdbkit:{".utf8)))
            #expect(String(decoding: key, as: UTF8.self).hasSuffix("}:ffffffffffffffff:ff"))
            seen.insert(key)
        }
        #expect(seen.count == 16_384)
    }
}

@Suite("Where commands end")
struct CommandScannerTests {
    private static let commands = [
        "*1\r\n$5\r\nMULTI\r\n", "*2\r\n$3\r\nGET\r\n$12\r\n*1\r\n$1\r\nx\r\n\n\r\n", "*2\r\n$1\r\na\r\n$0\r\n\r\n",
    ]

    @Test("in any pieces")
    func pieces() {
        let bytes = Array(Self.commands.joined().utf8)
        var ends: [Int] = []
        for command in Self.commands { ends.append((ends.last ?? 0) + command.utf8.count) }
        let starts = [0] + ends.dropLast()
        for size in 1...bytes.count {
            var scanner = CommandScanner()
            for start in stride(from: 0, to: bytes.count, by: size) {
                let end = min(bytes.count, start + size)
                let found = scanner.scan(bytes.rawSpan.extracting(start..<end))
                let lastEnd = ends.last { $0 > start && $0 <= end }
                #expect(found.lastEnd == lastEnd.map { $0 - start })
                #expect(found.begun == starts.count { $0 >= start && $0 < end })
                #expect(found.begunBeforeEnd == starts.count { $0 >= start && $0 < lastEnd ?? 0 })
            }
        }
    }
}
