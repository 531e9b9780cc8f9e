import NIOCore
import RDBKit
import ServerHarness
import Testing

@testable import RDBServer

/// The bytes that go to a server, written out by hand.
@Suite("Frames")
struct FrameBuilderTests {
    /// CRC-64 as DUMP payloads have it, a bit at a time. Source: formats/encodings.md §13.
    private static func crc64(_ bytes: [UInt8]) -> [UInt8] {
        var crc: UInt64 = 0
        for byte in bytes {
            crc ^= UInt64(byte)
            // The polynomial 0xad93d23594c935a9, reflected.
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x95ac_9329_ac4b_c9b5 : crc >> 1 }
        }
        return (0..<8).map { UInt8(truncatingIfNeeded: crc >> (8 * $0)) }
    }

    /// A character for each byte.
    private static func latin(_ bytes: [UInt8]) -> String {
        String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    private static func plan(
        _ policy: ConflictPolicy, _ form: EntryForm = .auto, batches: Bool = true, maxByteCount: Int = 1 << 20,
        target: ServerVersion = ServerVersion(.redis, 7, 0)
    ) -> RestorePlan {
        RestorePlan(
            target: target, form: form, onConflict: policy, batches: batches, keepsEvictionHints: false,
            maxByteCount: maxByteCount, maxPayloadByteCount: UInt64(maxByteCount), now: 1_700_000_000_000)
    }

    /// A file of entries as they stand in one: attributes, type byte, key, value.
    private static func file(_ entries: [UInt8]...) -> [UInt8] {
        Array("REDIS0011".utf8) + [0xfe, 0] + entries.flatMap { $0 } + [0xff] + [UInt8](repeating: 0, count: 8)
    }

    private static func string(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }
    /// EXPIRETIME_MS of 1 800 000 000 000.
    private static let expiry: [UInt8] = [0xfc, 0x00, 0x50, 0x5c, 0x18, 0xa3, 0x01, 0x00, 0x00]
    private static let listValue: [UInt8] = [2] + string("a") + string("bc")

    /// The frame of all entries, and its notes.
    private func frame(
        _ plan: RestorePlan, _ entries: [UInt8]..., keys: [String: String] = [:]
    ) throws -> (text: String, notes: [EntryNote], commandCount: Int) {
        var builder = FrameBuilder(plan, EntryEncoder(plan))
        var reader = try RDBReader(MemorySource(Self.file(entries.flatMap { $0 })))
        while true {
            switch try reader.next() {
            case .entry:
                reader.holdValue()
                let key = keys[String(decoding: reader.copyKey(), as: UTF8.self)].map { Array($0.utf8) }
                let name = key ?? reader.copyKey()
                let encoding = try builder.encode(
                    &reader, reader.header, key: name.rawSpan, isUncertain: false, temporaryKey: { Array("tmp".utf8) })
                guard case .done = encoding else { throw HarnessError("\(encoding)") }
                reader.releaseValue()
            case .end:
                let (bytes, notes, commandCount, _) = builder.take()
                return (Self.latin(Array(bytes.readableBytesView)), notes, commandCount)
            default: break
            }
        }
    }

    private func words(_ commands: [String]...) -> String {
        commands.map { words in
            "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
        }.joined()
    }

    // MARK: - Strings

    @Test("plain strings go in one MSETNX, or MSET where keys are replaced")
    func batches() throws {
        let entries = [0] + Self.string("k") + Self.string("v") + [0] + Self.string("key2") + [0xc0, 0x07]
        for (policy, command) in [(ConflictPolicy.error, "MSETNX"), (.skip, "MSETNX"), (.replace, "MSET")] {
            let (text, notes, count) = try frame(Self.plan(policy), entries)
            #expect(text == words([command, "k", "v", "key2", "7"]))
            #expect(count == 1)
            #expect(notes.map(\.form) == [.batched, .batched])
            #expect(notes.map(\.firstCommand) == [0, 0])
        }
    }

    @Test("a string by itself is a SET")
    func sets() throws {
        let entry = [0] + Self.string("k") + Self.string("v")
        let (error, notes, _) = try frame(Self.plan(.error, batches: false), entry)
        #expect(error == words(["SET", "k", "v", "NX"]))
        #expect(notes.map(\.form) == [.set])
        #expect(try frame(Self.plan(.replace, batches: false), entry).text == words(["SET", "k", "v"]))

        let expiring = Self.expiry + entry
        #expect(
            try frame(Self.plan(.skip), expiring).text == words(["SET", "k", "v", "NX", "PXAT", "1800000000000"]))
        #expect(try frame(Self.plan(.replace), expiring).text == words(["SET", "k", "v", "PXAT", "1800000000000"]))
    }

    @Test("batches stand behind what came before them, and their notes with them")
    func order() throws {
        let plain = [0] + Self.string("k") + Self.string("v")
        let expiring = Self.expiry + [0] + Self.string("e") + Self.string("v")
        let (text, notes, count) = try frame(Self.plan(.replace), plain + expiring)
        #expect(text == words(["SET", "e", "v", "PXAT", "1800000000000"], ["MSET", "k", "v"]))
        #expect(count == 2)
        #expect(notes.map(\.form) == [.set, .batched])
        #expect(notes.map(\.firstCommand) == [0, 1])
    }

    // MARK: - RESTORE

    @Test("RESTORE: version 6 for a layout of old, checksum, options by policy and expiry")
    func restore() throws {
        let payload = [1] + Self.listValue + [6, 0]
        let whole = payload + Self.crc64(payload)
        let list = [1] + Self.string("l") + Self.listValue
        func expected(_ key: String, _ ttl: String, _ options: [String]) -> String {
            let count = 4 + options.count
            return "*\(count)\r\n$7\r\nRESTORE\r\n$\(key.utf8.count)\r\n\(key)\r\n$\(ttl.utf8.count)\r\n\(ttl)\r\n"
                + "$\(whole.count)\r\n" + Self.latin(whole) + "\r\n"
                + options.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
        }
        let (text, notes, _) = try frame(Self.plan(.error), list)
        #expect(text == expected("l", "0", []))
        #expect(notes.map(\.form) == [.restore])
        #expect(try frame(Self.plan(.replace), list).text == expected("l", "0", ["REPLACE"]))
        #expect(
            try frame(Self.plan(.replace), Self.expiry + list).text
                == expected("l", "1800000000000", ["REPLACE", "ABSTTL"]))
        #expect(try frame(Self.plan(.skip), list, keys: ["l": "renamed"]).text == expected("renamed", "0", []))
    }

    // MARK: - Transactions

    @Test("commands: under another name and renamed, or in the place of what is there")
    func transactions() throws {
        let list = [1] + Self.string("l") + Self.listValue
        let (text, notes, count) = try frame(Self.plan(.error, .commands), list)
        #expect(
            text
                == words(
                    ["MULTI"], ["RPUSH", "tmp", "a", "bc"], ["RENAMENX", "tmp", "l"], ["DEL", "tmp"], ["EXEC"]))
        #expect(count == 5)
        #expect(notes.map(\.form) == [.commands])
        #expect(notes.map(\.commandCount) == [5])
        #expect(
            try frame(Self.plan(.skip, .commands), Self.expiry + list).text
                == words(
                    ["MULTI"], ["RPUSH", "tmp", "a", "bc"], ["PEXPIREAT", "tmp", "1800000000000"],
                    ["RENAMENX", "tmp", "l"], ["DEL", "tmp"], ["EXEC"]))
        #expect(
            try frame(Self.plan(.replace, .commands), Self.expiry + list).text
                == words(
                    ["MULTI"], ["DEL", "l"], ["RPUSH", "l", "a", "bc"], ["PEXPIREAT", "l", "1800000000000"],
                    ["EXEC"]))
    }

    // MARK: - What a note says of its bytes

    private func slice(_ text: String, _ range: Range<Int>) -> String {
        String(text.unicodeScalars.dropFirst(range.lowerBound).prefix(range.count).map { Character($0) })
    }

    @Test("notes know the bytes, key and name of their entries")
    func places() throws {
        let plain = [0] + Self.string("k") + Self.string("v")
        let expiring = Self.expiry + [0] + Self.string("exp") + Self.string("v")
        let list = [1] + Self.string("ls") + Self.listValue
        for policy in ConflictPolicy.allCases {
            let (text, notes, _) = try frame(Self.plan(policy, .commands), plain + expiring + list)
            #expect(notes.map { slice(text, $0.key) } == ["exp", "ls", "k"])
            #expect(slice(text, notes[0].bytes).hasPrefix("*"))
            #expect(slice(text, notes[1].bytes).hasPrefix("*1\r\n$5\r\nMULTI\r\n"))
            #expect(slice(text, notes[1].bytes).hasSuffix("$4\r\nEXEC\r\n"))
            #expect(slice(text, notes[1].name) == (policy == .replace ? "" : "tmp"))
            #expect(slice(text, notes[2].bytes) == "$1\r\nk\r\n$1\r\nv\r\n")
        }
        let (text, notes, _) = try frame(Self.plan(.error), list)
        #expect(slice(text, notes[0].payload).unicodeScalars.count == 1 + Self.listValue.count + 10)
        #expect(slice(text, notes[0].key) == "ls")
    }

    @Test("what is sent again is the same, a string of a batch by itself")
    func again() throws {
        let plain = [0] + Self.string("k") + Self.string("v")
        let list = [1] + Self.string("ls") + Self.listValue
        for policy in ConflictPolicy.allCases {
            let plan = Self.plan(policy, .commands)
            let (text, notes, _) = try frame(plan, plain + list)
            var builder = FrameBuilder(plan, EntryEncoder(plan))
            for note in notes { builder.append(note, of: ByteBuffer(string: text), asking: false) }
            let (bytes, made, count, _) = builder.take()
            let again = String(buffer: bytes)
            let transaction = slice(text, notes[0].bytes)
            // A name that a transaction left behind, were it carried out in part, must go first.
            let before = policy == .replace ? "" : words(["DEL", "tmp"])
            let set = policy == .replace ? words(["SET", "k", "v"]) : words(["SET", "k", "v", "NX"])
            #expect(again == before + transaction + set)
            #expect(made.map(\.form) == [.commands, .set])
            #expect(made.map { slice(again, $0.key) } == ["ls", "k"])
            #expect(made.map { slice(again, $0.bytes) } == [transaction, set])
            #expect(made.map(\.firstCommand) == (policy == .replace ? [0, 4] : [1, 6]))
            #expect(count == (policy == .replace ? 5 : 7))
        }
    }

    @Test("what is larger than it may be is sent by itself")
    func tooLarge() throws {
        let long = String(repeating: "x", count: 60)
        for (form, entry) in [
            (EntryForm.auto, [0] + Self.string("k") + Self.string(long)),
            (.auto, [1] + Self.string("l") + [1] + Self.string(long)),
            (.commands, [1] + Self.string("l") + [1] + Self.string(long)),
        ] {
            var reader = try RDBReader(MemorySource(Self.file(entry)))
            while true {
                if case .entry = try reader.next() { break }
            }
            reader.holdValue()
            let plan = Self.plan(.error, form, maxByteCount: 50)
            var builder = FrameBuilder(plan, EntryEncoder(plan))
            let key = reader.copyKey()
            let encoding = try builder.encode(
                &reader, reader.header, key: key.rawSpan, isUncertain: false, temporaryKey: { Array("tmp".utf8) })
            guard case .tooLarge = encoding else {
                Issue.record("\(form): \(encoding)")
                continue
            }
            let isEmpty = builder.isEmpty
            #expect(isEmpty)
        }
    }
}
