import ServerHarness
import Testing

/// The program under test against the recorded files in `testdata/servers`, whose truth is what the
/// server that saved each file answered.
@Suite("recorded files of servers")
struct FixtureTests {
    struct Fixture: Sendable, CustomStringConvertible {
        let name: String
        /// Before Redis 4 a large sorted set was saved as it lay in its hash table.
        var order = Comparison.SortedSetOrder.byScore

        var path: String { "\(Checkout.testdata)/servers/\(name).rdb" }
        var description: String { name }

        /// What the file holds, as far as the server could tell.
        func truth() throws -> [CanonicalEntry] {
            var entries = try JSONLines.parse(
                try Gzip.expand("\(Checkout.testdata)/servers/\(name).expected.jsonl.gz"), as: .truth)
            for index in entries.indices {
                // The record leaves out the first ID, which follows from the entries. Files have it
                // since they have the count of all entries ever added.
                guard case .stream(var stream) = entries[index].value, stream.entriesAdded != nil else { continue }
                stream.firstID = stream.entries.first?.id ?? .zero
                entries[index].value = .stream(stream)
            }
            return entries
        }
    }

    static let fixtures =
        ["redis-2.4", "redis-2.6", "redis-2.8", "redis-3.0", "redis-3.2"].map { Fixture(name: $0, order: .any) }
        + [
            "redis-4.0", "redis-5.0", "redis-6.0", "redis-6.2", "redis-7.0", "redis-7.2", "redis-7.4", "redis-8.2",
            "redis-8.8", "valkey-8.1", "valkey-9.1", "valkey-9.2",
        ].map { Fixture(name: $0) }

    @Test("json gives what the server answered", arguments: fixtures)
    func contents(fixture: Fixture) throws {
        let program = try RDBKitProgram.locate()
        let entries = try JSONLines.parse(try program.output(["json", fixture.path]), as: .program)
        expectNone(
            Comparison.differences(expected: try fixture.truth(), found: entries, order: fixture.order), fixture.name)
    }

    @Test("check says that the file is sound", arguments: fixtures)
    func soundness(fixture: Fixture) throws {
        let run = try RDBKitProgram.locate().run(["check", fixture.path])
        #expect(run.status == 0, "\(String(decoding: run.output, as: UTF8.self))\(run.errors)")
    }

    @Test("standard input gives the same lines as the file", arguments: fixtures)
    func standardInput(fixture: Fixture) throws {
        let program = try RDBKitProgram.locate()
        #expect(try program.output(["json", "-"], input: fixture.path) == program.output(["json", fixture.path]))
    }

    @Test("each truth is equal to itself and to no other", arguments: fixtures)
    func truth(fixture: Fixture) throws {
        let truth = try fixture.truth()
        #expect(!truth.isEmpty)
        expectNone(Comparison.differences(expected: truth, found: truth), fixture.name)
        #expect(Comparison.differences(expected: truth, found: Array(truth.dropLast())).count == 1)
        #expect(Comparison.differences(expected: Array(truth.dropFirst()), found: truth).count == 1)
    }
}
