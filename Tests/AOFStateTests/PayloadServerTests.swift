import RDBBytes
import RDBFormat
import RDBModel
import ServerHarness
import Testing

@testable import AOFState

/// Streams as they are written for a server, loaded by that server.
@Suite("written streams and functions, as servers read them", .serialized)
struct PayloadServerTests {
    static let servers = ServerCatalog.available

    @Test("RESTORE takes each stream, and tells of it what was written", arguments: servers)
    func streams(server: Server) throws {
        let version = try #require(ServerVersion(server.name)).rdbVersion
        let process = try ServerProcess(server, options: [(name: "sanitize-dump-payload", value: "yes")])
        defer { process.stop() }
        let connection = try process.connect()
        for seed in 1...3 as ClosedRange<UInt64> {
            var workload = StreamWorkload(server: server, seed: seed &+ 3000, usesClock: false)
            var log: [UInt8] = []
            for command in workload.commands(800) { log += AppliedLog.command(command.arguments) }
            // Many nodes; texts of every length form, among them those whose back-length differs by version.
            for number in 1...350 {
                log += AppliedLog.command(
                    ["XADD", "s1", "\(1000 + number)-1", "n", "\(number * number * 7919)"].map { Array($0.utf8) })
            }
            for (number, count) in [0, 63, 64, 4095, 4096, 16377, 16378, 16379, 70000].enumerated() {
                let text = [UInt8](repeating: UInt8(ascii: "x"), count: count)
                log += AppliedLog.command([
                    Array("XADD".utf8), Array("s2".utf8), Array("\(2000 + number)-1".utf8), Array("f".utf8), text,
                ])
            }
            log += AppliedLog.command(["XDEL", "s1", "1100-1", "1101-1", "1250-1"].map { Array($0.utf8) })
            var applied = AppliedLog(server: ServerVersion(server.name))
            try applied.apply(log: log)
            for key in StreamWorkload.keys {
                guard
                    case .stream(let stream)? = applied.keyspace.database(0).entries.find(Array(key.utf8).rawSpan).map({
                        applied.keyspace.database(0).entries[$0].value
                    })
                else { continue }
                var out = OutputBuffer(capacity: 1024)
                let layout = stream.layout(in: version)
                out.append(try #require(layout.byte(in: version)))
                stream.append(to: &out, as: layout, in: version)
                out.append(littleEndian: UInt16(layout.payloadVersion(writtenBy: version)))
                var crc = CRC64()
                crc.update(out.bytes)
                out.append(littleEndian: crc.value)
                try connection.call("RESTORE", key, 0, out.bytes.array, "REPLACE")
                let truth = try CanonicalStream(
                    information: connection.call("XINFO", "STREAM", key, "FULL", "COUNT", 0))
                let found = try #require(try applied.stream(key, RDBVersion(number: 14, family: .redis)))
                // All times were written.
                let expected = StreamLines.of(found, recent: .max, server)
                #expect(StreamLines.of(truth, recent: .max, server) == expected, "\(server), \(key), seed \(seed)")
                // Every node is walked by the server's own iterator.
                let count = try connection.call("XRANGE", key, "-", "+").elements().count
                #expect(count == found.entries.count, "\(server), \(key), seed \(seed)")
            }
        }
    }

    @Test("libraries of functions are what the server has", arguments: servers.filter(\.isRedis7))
    func functions(server: Server) throws {
        let process = try ServerProcess(server, options: ServerLog.options(server))
        defer { process.stop() }
        let connection = try process.connect()
        func code(_ name: String, _ number: Int) -> String {
            "#!lua name=\(name)\nredis.register_function('\(name)_f', function() return \(number) end)"
        }
        _ = try connection.exchange([
            Command("FUNCTION", "LOAD", code("one", 1)), Command("FUNCTION", "LOAD", code("two", 2)),
            Command("FUNCTION", "LOAD", code("one", 3)), Command("FUNCTION", "LOAD", "REPLACE", code("one", 4)),
            Command("FUNCTION", "LOAD", "no library"), Command("FUNCTION", "DELETE", "nobody"),
        ])
        let dump = try connection.call("FUNCTION", "DUMP").bytes()
        _ = try connection.exchange([
            Command("FUNCTION", "DELETE", "two"), Command("FUNCTION", "LOAD", code("three", 3)),
            Command("FUNCTION", "RESTORE", dump), Command("FUNCTION", "RESTORE", dump, "REPLACE"),
        ])
        try expectFunctions(connection, process, ["one", "three", "two"])
        _ = try connection.exchange([
            Command("FUNCTION", "RESTORE", dump, "FLUSH"), Command("FUNCTION", "LOAD", code("four", 4)),
        ])
        try expectFunctions(connection, process, ["four", "one", "two"])
        _ = try connection.exchange([Command("FUNCTION", "FLUSH"), Command("FUNCTION", "RESTORE", dump, "APPEND")])
        try expectFunctions(connection, process, ["one", "two"])
    }

    private func expectFunctions(_ connection: RESPConnection, _ process: ServerProcess, _ names: [String]) throws {
        var truth: [String: [UInt8]] = [:]
        for library in try connection.call("FUNCTION", "LIST", "WITHCODE").elements() {
            let fields = try library.fields()
            truth[try fields.required("library_name").text()] = try fields.required("library_code").bytes()
        }
        #expect(truth.keys.sorted() == names, "\(process.server)")
        var found: [String: [UInt8]] = [:]
        // A server puts writing off, for up to two seconds, while the disk is still busy with what it wrote before.
        for _ in 0..<100 where found != truth {
            pause(milliseconds: 50)
            var applied = AppliedLog()
            for file in try process.log.files() {
                let bytes = try Files.read(file.path)
                if let start = LoggedCommand.start(in: bytes) { try applied.apply(log: Array(bytes[start...])) }
            }
            found = [:]
            applied.keyspace.functions.forEachInOrder { name, source in
                found[String(decoding: name.array, as: UTF8.self)] = source
            }
        }
        #expect(found == truth, "\(process.server)")
    }
}
