import RDBBytes
import RDBFormat
import RDBKit
import RDBModel
import RDBSinks
import RDBTestSupport
import RDBTransforms
import Testing

/// Several threads make the digests that one makes, in the order of the file, and tell the same fault.
@Suite("digests on several threads")
struct ParallelDigestTests {
    struct Outcome: Equatable {
        var totals: [String] = []
        var fault: EntryFault?
        var hasTooManyDatabases = false
    }

    static func outcome<V: DigestVisitor>(
        _ file: [UInt8], _ visitor: V, threads: Int, onError: EntryLoop.OnError = .stop
    ) throws -> Outcome {
        var reader = try RDBReader(MemorySource(file))
        var consumer = DigestConsumer(visitor, lines: DigestLineWriter(nil, format: .text), writesKeys: false)
        var loop = EntryLoop(selection: Selection(now: 0))
        loop.onError = onError
        var outcome = Outcome()
        do throws(EntryFault) { _ = try loop.run(&reader, &consumer, threads: threads) } catch { outcome.fault = error }
        outcome.totals = consumer.totals.byNumber.map {
            "\($0.number): \($0.total.count) \(visitor.combine([$0], functions: consumer.functions))"
        }
        outcome.hasTooManyDatabases = consumer.hasTooManyDatabases
        return outcome
    }

    static func check(_ file: [UInt8], _ onError: EntryLoop.OnError = .stop) throws {
        func check<V: DigestVisitor>(_ visitor: V) throws {
            let alone = try outcome(file, visitor, threads: 1, onError: onError)
            for threads in [2, 5] {
                let together = try outcome(file, visitor, threads: threads, onError: onError)
                #expect(together == alone, "\(threads) threads")
            }
        }
        try check(EntryDigest())
        try check(RedisDigest(RedisDigest.Rules(writesShortScores: true, marksFieldExpiries: true)))
    }

    @Test("the same totals")
    func totals() throws {
        let file = RDBBuilder.file("REDIS0015", ParallelJSONTests.items(300), checksum: .zero)
        try Self.check(file)
        let digest = EntryDigest()
        #expect(try Self.outcome(file, digest, threads: 4).totals.count == 3)
    }

    @Test("the same fault", arguments: [EntryLoop.OnError.stop, .skip])
    func faults(_ onError: EntryLoop.OnError) throws {
        let first = ParallelJSONTests.items(51)
        for fault in [
            RDB.entry(11, "bad", RDB.string(RDB.intset(width: 3, [1]))), RDB.entry(0, "bad", hex("c4")),
            RDB.entry(8, "bad", []), RDB.entry(28, "refused by one", hex("00 00")),
        ] {
            try Self.check(RDBBuilder.file("REDIS0015", first + [fault] + first, checksum: .zero), onError)
        }
    }

    @Test("more databases than are told apart are told")
    func databases() throws {
        let items = (0..<65_600).map { RDB.selectDatabase(UInt64($0)) + RDB.entry(0, "k", RDB.string("v")) }
        for threads in [1, 3] {
            let most = RDBBuilder.file(Array(items.prefix(65_536)), checksum: .zero)
            #expect(try !Self.outcome(most, EntryDigest(), threads: threads).hasTooManyDatabases)
            let more = RDBBuilder.file(items, checksum: .zero)
            #expect(try Self.outcome(more, EntryDigest(), threads: threads).hasTooManyDatabases)
        }
    }
}
