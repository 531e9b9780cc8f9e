import RDBBytes
import RDBTestSupport
import RESPFormat
import Testing

@Suite("Replies in RESP form")
struct RESPReplyTests {
    struct Example: Sendable, CustomStringConvertible {
        var wire: String
        var reply: RESPReply
        var isRemarkable = false

        var description: String { wire.debugDescription }
        var bytes: [UInt8] { Array(wire.utf8) }
    }

    /// Forms and meanings from the RESP3 specification and from what servers answer.
    static let examples: [Example] = [
        Example(wire: "+OK\r\n", reply: .simple("OK")),
        Example(wire: "+\r\n", reply: .simple("")),
        Example(wire: "+QUEUED\r\n", reply: .simple("QUEUED")),
        Example(wire: "-ERR unknown command\r\n", reply: .error("ERR unknown command"), isRemarkable: true),
        Example(wire: ":1\r\n", reply: .integer(1)),
        Example(wire: ":+7\r\n", reply: .integer(7)),
        Example(wire: ":0\r\n", reply: .integer(0), isRemarkable: true),
        Example(wire: ":-1\r\n", reply: .integer(-1), isRemarkable: true),
        Example(wire: ":9223372036854775807\r\n", reply: .integer(.max)),
        Example(wire: ":-9223372036854775808\r\n", reply: .integer(.min), isRemarkable: true),
        Example(wire: "$0\r\n\r\n", reply: .bulk([])),
        Example(wire: "$5\r\na\r\nbc\r\n", reply: .bulk(Array("a\r\nbc".utf8))),
        Example(wire: "$-1\r\n", reply: .null, isRemarkable: true),
        Example(wire: "*-1\r\n", reply: .null, isRemarkable: true),
        Example(wire: "_\r\n", reply: .null, isRemarkable: true),
        Example(wire: "*0\r\n", reply: .array([])),
        Example(wire: "*2\r\n:1\r\n+OK\r\n", reply: .array([.integer(1), .simple("OK")])),
        Example(
            wire: "*2\r\n*2\r\n:1\r\n$-1\r\n+a\r\n", reply: .array([.array([.integer(1), .null]), .simple("a")]),
            isRemarkable: true),
        Example(wire: "*1\r\n*1\r\n*0\r\n", reply: .array([.array([.array([])])])),
        Example(wire: "~2\r\n+a\r\n+b\r\n", reply: .set([.simple("a"), .simple("b")])),
        Example(
            wire: "%2\r\n+a\r\n:1\r\n+b\r\n#f\r\n",
            reply: .map([.simple("a"), .integer(1), .simple("b"), .boolean(false)]), isRemarkable: true),
        Example(wire: "%0\r\n", reply: .map([])),
        Example(wire: ">2\r\n+message\r\n$1\r\nx\r\n", reply: .push([.simple("message"), .bulk([0x78])])),
        Example(wire: ",1.5\r\n", reply: .double(1.5)),
        Example(wire: ",-3e2\r\n", reply: .double(-300)),
        Example(wire: ",10\r\n", reply: .double(10)),
        Example(wire: ",inf\r\n", reply: .double(.infinity)),
        Example(wire: ",-inf\r\n", reply: .double(-.infinity)),
        Example(wire: "#t\r\n", reply: .boolean(true)),
        Example(
            wire: "(-3492890328409238509324850943850943825024385\r\n",
            reply: .bigNumber("-3492890328409238509324850943850943825024385")),
        Example(wire: "=15\r\ntxt:Some string\r\n", reply: .verbatim(form: "txt", Array("Some string".utf8))),
        Example(wire: "!5\r\nERR x\r\n", reply: .error("ERR x"), isRemarkable: true),
        // An attribute belongs to what follows it, at any depth, and is thrown away.
        Example(
            wire: "|1\r\n+ttl\r\n:3600\r\n*2\r\n:1\r\n|1\r\n+a\r\n*1\r\n_\r\n:2\r\n",
            reply: .array([.integer(1), .integer(2)])),
        Example(wire: "|0\r\n+OK\r\n", reply: .simple("OK")),
    ]

    private func parse(_ bytes: [UInt8], pieces: [Int]) throws -> [RESPReply] {
        var parser = RESPReplyParser()
        var replies: [RESPReply] = []
        var start = 0
        for piece in pieces + [bytes.count] where start < bytes.count {
            let end = min(start + max(1, piece), bytes.count)
            let part = Array(bytes[start..<end])
            var index = 0
            while let reply = try parser.next(part.rawSpan, at: &index) { replies.append(reply) }
            #expect(index == part.count)
            start = end
        }
        #expect(!parser.isWithinReply)
        return replies
    }

    @Test("Every form gives its reply, whole and byte by byte", arguments: examples)
    func forms(_ example: Example) throws {
        #expect(try parse(example.bytes, pieces: []) == [example.reply])
        #expect(try parse(example.bytes, pieces: Array(repeating: 1, count: example.bytes.count)) == [example.reply])
        #expect(example.reply.isRemarkable == example.isRemarkable)
    }

    @Test("Every prefix of a reply is no reply yet", arguments: examples)
    func prefixes(_ example: Example) throws {
        for count in 1..<example.bytes.count {
            var parser = RESPReplyParser()
            let part = Array(example.bytes[..<count])
            var index = 0
            #expect(try parser.next(part.rawSpan, at: &index) == nil)
            #expect(parser.isWithinReply || part.first == UInt8(ascii: "|"))
        }
    }

    @Test("Replies come out the same however they arrive", arguments: 1...40 as ClosedRange<UInt64>)
    func arrival(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let chosen = (0..<200).map { _ in Self.examples.randomElement(using: &random)! }
        let bytes = chosen.flatMap(\.bytes)
        let pieces = (0..<bytes.count).map { _ in Int.random(in: 1...40, using: &random) }
        #expect(try parse(bytes, pieces: pieces) == chosen.map(\.reply), "seed \(seed)")
    }

    @Test("The scanner steps over exactly what is neither remarkable nor rare", arguments: examples)
    func scanner(_ example: Example) {
        let bytes = example.bytes + Array("+".utf8)
        let (end, count) = RESPReplyScanner.skip(bytes.rawSpan, from: 0, limit: 5)
        let isCommon = "+:$*".utf8.contains(bytes[0]) && example.wire != ":+7\r\n"
        // Numbers of more than 15 digits go to the parser as well.
        let isShort = example.wire != ":9223372036854775807\r\n"
        #expect(count == (isCommon && isShort && !example.isRemarkable ? 1 : 0))
        #expect(end == (count == 1 ? example.bytes.count : 0))
    }

    @Test("Scanner and parser together see what the parser alone sees", arguments: 1...40 as ClosedRange<UInt64>)
    func scannerAgrees(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let chosen = (0..<300).map { _ in
            Int.random(in: 0...2, using: &random) > 0 ? Self.examples[0] : Self.examples.randomElement(using: &random)!
        }
        let bytes = chosen.flatMap(\.bytes)
        var parser = RESPReplyParser()
        var index = 0
        var seen = 0
        while seen < chosen.count {
            let (end, count) = RESPReplyScanner.skip(
                bytes.rawSpan, from: index, limit: Int.random(in: 1...9, using: &random))
            #expect(chosen[seen..<seen + count].allSatisfy { !$0.isRemarkable }, "seed \(seed)")
            #expect(end - index == chosen[seen..<seen + count].reduce(0) { $0 + $1.bytes.count }, "seed \(seed)")
            (index, seen) = (end, seen + count)
            if seen < chosen.count {
                #expect(try parser.next(bytes.rawSpan, at: &index) == chosen[seen].reply, "seed \(seed)")
                seen += 1
            }
        }
        #expect(index == bytes.count)
    }

    struct Fault: Sendable, CustomStringConvertible {
        var wire: String
        var code: RESPReplyError.Code

        var description: String { wire.prefix(40).debugDescription }
    }

    @Test(
        "What is no reply is an error",
        arguments: [
            Fault(wire: "\r\n", code: .badType), Fault(wire: "HTTP/1.1 400 Bad Request\r\n", code: .badType),
            Fault(wire: "+OK\n", code: .badEnd), Fault(wire: "\n", code: .badEnd),
            Fault(wire: ":\r\n", code: .badNumber), Fault(wire: ":1x\r\n", code: .badNumber),
            Fault(wire: ":9223372036854775808\r\n", code: .badNumber), Fault(wire: ":++1\r\n", code: .badNumber),
            Fault(wire: "$-2\r\n", code: .badNumber), Fault(wire: "$?\r\n", code: .badNumber),
            Fault(wire: "$3\r\nabcd\r\n", code: .badEnd), Fault(wire: "$3\r\nabc\n\r", code: .badEnd),
            Fault(wire: "$3\r\nabc\rx", code: .badEnd), Fault(wire: "_x\r\n", code: .badEnd),
            Fault(wire: "#y\r\n", code: .badNumber), Fault(wire: ",0x10\r\n", code: .badNumber),
            Fault(wire: ",infinity\r\n", code: .badNumber), Fault(wire: ",\r\n", code: .badNumber),
            Fault(wire: "(\r\n", code: .badNumber), Fault(wire: "(1a\r\n", code: .badNumber),
            Fault(wire: "=3\r\ntxt\r\n", code: .badEnd), Fault(wire: "*-2\r\n", code: .badNumber),
            Fault(wire: "$67108865\r\n", code: .limitExceeded), Fault(wire: "*1048577\r\n", code: .limitExceeded),
            Fault(wire: "%600000\r\n", code: .limitExceeded),
            Fault(wire: "*9223372036854775807\r\n", code: .limitExceeded),
            Fault(wire: "+" + String(repeating: "x", count: 70_000), code: .limitExceeded),
            Fault(wire: String(repeating: "*1\r\n", count: 33), code: .limitExceeded),
            Fault(wire: "*2\r\n*600000\r\n+a\r\n*600000\r\n", code: .limitExceeded),
        ])
    func faults(_ fault: Fault) {
        let bytes = Array(fault.wire.utf8)
        for pieces in [bytes.count, 1] {
            var parser = RESPReplyParser()
            var code: RESPReplyError.Code?
            var start = 0
            while start < bytes.count, code == nil {
                let part = Array(bytes[start..<min(bytes.count, start + pieces)])
                start += part.count
                var index = 0
                do throws(RESPReplyError) {
                    while try parser.next(part.rawSpan, at: &index) != nil {}
                } catch { code = error.code }
            }
            #expect(code == fault.code)
        }
    }

    @Test("All strings of a reply together are bounded")
    func replyLimit() throws {
        var limits = RESPReplyParser.Limits(maxBulkBytes: 10)
        limits.maxReplyBytes = 40
        var parser = RESPReplyParser(limits: limits)
        let string = "$10\r\n0123456789\r\n"
        var index = 0
        #expect(try parser.next(Array("*2\r\n\(string)\(string)".utf8).rawSpan, at: &index) != nil)
        index = 0
        #expect(throws: RESPReplyError.self) {
            while try parser.next(Array("*4\r\n\(string)\(string)\(string)".utf8).rawSpan, at: &index) == nil {}
        }
    }

    @Test("Random bytes give replies or an error", arguments: 1...300 as ClosedRange<UInt64>)
    func randomBytes(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let alphabet = Array("+-:$*_#,(!=~>%|0123456789-1\r\n\r\n\r\ntxt:f.e".utf8)
        let bytes = (0..<400).map { _ in
            Int.random(in: 0...30, using: &random) == 0
                ? UInt8.random(in: 0...255, using: &random) : alphabet.randomElement(using: &random)!
        }
        // The same from one piece and from random pieces: replies, then perhaps an error.
        func outcome(_ pieces: [Int]) -> ([RESPReply], RESPReplyError?) {
            var parser = RESPReplyParser()
            var replies: [RESPReply] = []
            var start = 0
            for piece in pieces where start < bytes.count {
                let part = Array(bytes[start..<min(bytes.count, start + piece)])
                start += part.count
                var index = 0
                do throws(RESPReplyError) {
                    while let reply = try parser.next(part.rawSpan, at: &index) { replies.append(reply) }
                } catch { return (replies, error) }
            }
            return (replies, nil)
        }
        let whole = outcome([bytes.count])
        let parts = outcome((0..<bytes.count).map { _ in Int.random(in: 1...9, using: &random) })
        // NaN differs from itself, so texts are compared.
        #expect("\(whole)" == "\(parts)", "seed \(seed)")
        for start in bytes.indices {
            let (end, count) = RESPReplyScanner.skip(bytes.rawSpan, from: start, limit: 100)
            #expect(end >= start && (end == start) == (count == 0))
        }
    }

    @Test("Names are looked up in maps and in flat arrays")
    func lookup() {
        let pairs: [RESPReply] = [
            .bulk(Array("ip".utf8)), .bulk(Array("::1".utf8)), .simple("port"), .integer(7000),
        ]
        for reply in [RESPReply.map(pairs), .array(pairs)] {
            #expect(reply["ip"]?.text == "::1")
            #expect(reply["port"]?.integer == 7000)
            #expect(reply["none"] == nil)
        }
        #expect(RESPReply.integer(1)["ip"] == nil)
        #expect(RESPReply.bulk(Array("12".utf8)).integer == 12)
        #expect(RESPReply.error("MOVED 1 a:1").errorCode == "MOVED")
    }
}
