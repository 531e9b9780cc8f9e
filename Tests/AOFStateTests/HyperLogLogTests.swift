import RDBBytes
import RDBTestSupport
import Testing

@testable import AOFState

/// Bytes from formats/encodings.md §14.1.
@Suite("HyperLogLogs")
struct HyperLogLogTests {
    private func bytes(_ commands: String) throws -> [UInt8]? {
        let log = try AppliedLog(commands)
        guard let index = log.keyspace.database(0).entries.find(Array("p".utf8).rawSpan),
            case .string(let bytes) = log.keyspace.database(0).entries[index].value
        else { return nil }
        return bytes
    }

    @Test("are the bytes that servers keep")
    func examples() throws {
        #expect(try bytes("PFADD p") == hex("48594c4c 01 000000 00000000000000 80 7fff"))
        #expect(try bytes("PFADD p el0") == hex("48594c4c 01 000000 00000000000000 80 7c44a043b9"))
    }

    @Test("count what was added, about, and keep that until something changes")
    func counts() throws {
        let many = (0..<1000).map { "e\($0)" }.joined(separator: " ")
        let counted = try #require(try bytes("PFADD p \(many)\nPFCOUNT p"))
        #expect(counted[15] & 0x80 == 0)
        let count = counted[8..<16].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        #expect(970...1030 ~= count)
        // Nothing new, nothing changed.
        #expect(try bytes("PFADD p \(many)\nPFCOUNT p\nPFADD p e5 e6") == counted)
        #expect(try #require(try bytes("PFADD p \(many)\nPFCOUNT p\nPFADD p f1 f2 f3 f4 f5 f6 f7 f8"))[15] & 0x80 != 0)
    }

    @Test("become dense when they have to, with the same registers")
    func dense() throws {
        var value = HyperLogLog()
        var highest = [UInt8](repeating: 0, count: HyperLogLog.registerCount)
        var random = SplitMix64(seed: 11)
        var wasSparse = true
        for _ in 0..<6000 {
            let register = Int(random.next() % UInt64(HyperLogLog.registerCount))
            let rank = UInt8(random.next() % 6 + 1)
            #expect(value.raise(register, to: rank) == (rank > highest[register] ? .raised : .none))
            highest[register] = max(highest[register], rank)
            if wasSparse, value.isDense {
                wasSparse = false
                #expect(value.registers == highest)
            }
        }
        #expect(value.isDense)
        #expect(value.registers == highest)
        #expect(value.bytes.count == HyperLogLog.denseByteCount)
    }

    @Test("that are damaged are left as they are")
    func damaged() throws {
        #expect(try bytes("SET p HYLLxx\nPFADD p a") == Array("HYLLxx".utf8))
        var log = try AppliedLog("SET q 1")
        // Runs that make fewer registers than there are.
        try log.apply(
            log: command([Array("SET".utf8), Array("p".utf8), hex("48594c4c 01 000000 0000000000000000 00")]))
        try log.apply("PFADD p el0\nPFMERGE q p")
        #expect(log.outcomes.suffix(2) == [.refused, .refused])
    }

    @Test("are merged by the highest of each register")
    func merge() throws {
        let merged = try bytes("PFADD a x y z\nPFADD b u v w\nPFMERGE p a b")
        #expect(merged == (try bytes("PFADD p x y z u v w")))
    }
}
