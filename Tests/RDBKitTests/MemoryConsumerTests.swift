import RDBKit
import RDBTestSupport
import Testing

@Suite("the memory of a file's entries")
struct MemoryConsumerTests {
    private func tableBytes(_ slots: [(keys: UInt64, expires: UInt64)], of keys: Int, threads: Int) throws -> UInt64 {
        let hints = slots.enumerated().map { RDB.slotInfo(UInt64($0), $1.keys, $1.expires) }
        let entries = (0..<keys).map { RDB.entry(0, "key:\($0)", RDB.int8(1)) }
        let bytes = RDBBuilder.file("VALKEY080", [RDB.selectDatabase(0)] + hints + entries)
        var consumer = MemoryConsumer(MemoryAudit.Settings(now: 0), MemoryConsumer.ModelChoice(server: .valkey91))
        var reader = try RDBReader(MemorySource(bytes))
        consumer.begin("file", reader.version)
        _ = try EntryLoop(selection: Selection(now: 0)).run(&reader, &consumer, threads: threads)
        consumer.end()
        let input = try #require(consumer.inputs.first)
        #expect(input.dataset.keyCount == UInt64(keys))
        return input.dataset.tableBytes
    }

    @Test(
        "each slot that a cluster node tells of has tables of its own, if it tells of the same keys", arguments: [1, 4])
    func slots(threads: Int) throws {
        let one = try tableBytes([], of: 1000, threads: threads)
        let quarter = try tableBytes([(keys: 250, expires: 0)], of: 250, threads: threads)
        let four = try tableBytes(Array(repeating: (keys: 250, expires: 0), count: 4), of: 1000, threads: threads)
        #expect(four == 4 * quarter && four > one)
        // Hints of other keys than those that are read count for nothing.
        #expect(try tableBytes([(keys: 999, expires: 0)], of: 1000, threads: threads) == one)
    }
}
