import ServerHarness
import Testing

/// The state behind logs of servers that are not at hand, against what the server that wrote each answered at its end.
@Suite("recorded logs of servers")
struct RecordedLogTests {
    static let names = ["redis-2.8", "redis-5.0", "redis-7.4", "redis-8.8", "valkey-9.2"]

    private static let folder = "\(Checkout.testdata)/servers/aof"

    private func path(_ name: String) -> String {
        "\(Self.folder)/\(name)/\(["redis-2.8", "redis-5.0"].contains(name) ? "appendonly.aof" : "appendonlydir")"
    }

    /// Without what a log does not keep: times of deliveries and consumers, and consumers that own nothing.
    private func logged(_ entry: CanonicalEntry) -> CanonicalEntry {
        var entry = entry
        entry.encodings = nil
        guard case .stream(var stream) = entry.value else { return entry }
        // The records leave it out.
        stream.firstID = nil
        for group in stream.groups.indices {
            let owners = Set(stream.groups[group].pending.map(\.consumer))
            stream.groups[group].consumers.removeAll { !owners.contains($0.name) }
            for index in stream.groups[group].consumers.indices {
                stream.groups[group].consumers[index].seenAt = 0
                stream.groups[group].consumers[index].activeAt = nil
            }
            for index in stream.groups[group].pending.indices { stream.groups[group].pending[index].deliveredAt = 0 }
        }
        entry.value = .stream(stream)
        return entry
    }

    private func truth(_ name: String) throws -> [CanonicalEntry] {
        try JSONLines.parse(try Gzip.expand("\(Self.folder)/\(name).expected.jsonl.gz"), as: .truth).map(logged)
    }

    @Test("come out as the server answered", arguments: names.filter { $0 != "redis-2.8" })
    func contents(name: String) throws {
        let run = try RDBKitProgram.locate().run(["json", path(name)])
        #expect(run.status == 0 && run.errors == "", "\(name): \(run.errors)")
        var found = try JSONLines.parse(run.output, as: .program).map(logged)
        if name == "redis-5.0" {
            // Its record has none.
            let all = found.count
            found.removeAll { if case .stream = $0.value { true } else { false } }
            #expect(all - found.count == 9)
        }
        let truth = try truth(name)
        #expect(truth.count > 100)
        expectNone(Comparison.differences(expected: truth, found: found), name)
    }

    @Test("what scripts may have changed is told, and all else comes out as the server answered")
    func scripts() throws {
        let name = "redis-2.8"
        let run = try RDBKitProgram.locate().run(["json", path(name)])
        #expect(run.status == 1, "\(run.errors)")
        let lines = run.output.split(separator: 0x0a)
        let mark = Bytes("\"doubtful\":true,".utf8)
        let certain = lines.filter { !$0.contains(mark) }
        #expect(certain.count > 80 && certain.count < lines.count)

        // What a plain reader finds that scripts were given as keys.
        let log = try Files.read(path(name))
        var time: Int?
        let commands = try #require(LoggedCommand.read(log, from: 0, time: &time))
        var named: Set<CanonicalEntry.Name> = []
        for command in commands where command.arguments[0].count == 4 && command.arguments.count > 3 {
            guard String(decoding: command.arguments[0], as: UTF8.self).uppercased() == "EVAL",
                let count = Int(String(decoding: command.arguments[2], as: UTF8.self))
            else { continue }
            for key in command.arguments[3...].prefix(count) {
                named.insert(CanonicalEntry.Name(database: Int(command.database), key: key))
            }
        }
        #expect(named.count > 10)

        let found = try JSONLines.parse(Bytes(certain.joined(separator: [0x0a])) + [0x0a], as: .program).map(logged)
        let known = Set(found.map(\.name))
        let truth = try truth(name).map(registers)
        // Nothing is missing but what scripts may have made.
        let told = String(decoding: run.output, as: UTF8.self).split(separator: "\"doubtful\":true,").joined()
        let all = Set(try JSONLines.parse(Bytes(told.utf8), as: .program).map(\.name))
        #expect(all.count == lines.count)
        for entry in truth where !all.contains(entry.name) { #expect(named.contains(entry.name), "\(entry.name)") }
        expectNone(
            Comparison.differences(expected: truth.filter { known.contains($0.name) }, found: found.map(registers)),
            name)
    }

    /// A HyperLogLog as the list of its registers: old servers keep some dense that could be sparse.
    private func registers(_ entry: CanonicalEntry) -> CanonicalEntry {
        guard case .string(let bytes) = entry.value, bytes.count > 16, bytes.starts(with: Bytes("HYLL".utf8)) else {
            return entry
        }
        var registers = Bytes()
        if bytes[4] == 0 {
            for index in 0..<16384 {
                let bit = index * 6
                let low = Int(bytes[16 + bit / 8])
                let high = 17 + bit / 8 < bytes.count ? Int(bytes[17 + bit / 8]) : 0
                registers.append(UInt8((low | high << 8) >> (bit % 8) & 63))
            }
        } else {
            var index = 16
            while index < bytes.count {
                let byte = Int(bytes[index])
                if byte & 0x80 != 0 {
                    registers += Bytes(repeating: UInt8(byte >> 2 & 31) + 1, count: byte & 3 + 1)
                } else if byte & 0x40 != 0 {
                    index += 1
                    registers += Bytes(repeating: 0, count: (byte & 63) << 8 + Int(bytes[index]) + 1)
                } else {
                    registers += Bytes(repeating: 0, count: byte + 1)
                }
                index += 1
            }
        }
        var entry = entry
        entry.value = .string(registers)
        return entry
    }

    @Test("commands of Redis 8.8 that came with it")
    func newest() throws {
        let folder = "\(Checkout.testdata)/servers/newest/redis-8.8-appendonlydir"
        let run = try RDBKitProgram.locate().run(["json", folder])
        #expect(run.status == 0 && run.errors == "", "\(run.errors)")
        let found = try JSONLines.parse(run.output, as: .program)
        func value(_ key: String) -> CanonicalEntry.Value? { found.first { $0.name.key == Bytes(key.utf8) }?.value }
        // ARSET a9 of three, ARDEL a1 5, SET n, XADD with an ID of a producer, and its duplicate.
        guard case .array(let ninth)? = value("a9"), case .array(let first)? = value("a1"),
            case .stream(let stream)? = value("s1"), case .string(let number)? = value("n")
        else {
            Issue.record("\(found.map(\.name))")
            return
        }
        #expect(ninth.elements.map(\.index) == [0, 1, 2])
        #expect(ninth.elements.map { String(decoding: $0.value, as: UTF8.self) } == ["x", "y", "z"])
        #expect(first.elements.map(\.index) == [0, 1, 6, 7, 8] && first.insertIndex == 1)
        #expect(number == Bytes("5".utf8))
        #expect(stream.entries.count == 4 && stream.entriesAdded == 4)
        #expect(stream.lastID == StreamID(milliseconds: 1_795_235_066_264, sequence: 0))
        let text = String(decoding: run.output, as: UTF8.self)
        #expect(
            text.contains("\"iids_added\":4,\"iids_duplicates\":2"),
            "\(text.split(separator: "\n").first { $0.contains("\"s1\"") } ?? "")")
        expectNone(
            Comparison.differences(
                expected: NewestTypesTests.others + NewestTypesTests.arrays.filter { $0.name.key != Bytes("a1".utf8) },
                found: found.filter { !["a1", "a9", "n", "s1", "s2"].map { Bytes($0.utf8) }.contains($0.name.key) }),
            "newest")
    }
}
