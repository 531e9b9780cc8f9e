import ServerHarness
import Testing

@Suite("reading a server's replies")
struct RESPParserTests {
    private static let replies: [(String, RESPValue)] = [
        ("+OK\r\n", .simple("OK")),
        ("-ERR no\r\n", .error("ERR no")),
        (":-9223372036854775808\r\n", .integer(.min)),
        ("$5\r\na\r\nbc\r\n", .bulk(Bytes("a\r\nbc".utf8))),
        ("$0\r\n\r\n", .bulk([])),
        ("$-1\r\n", .null),
        ("*-1\r\n", .null),
        ("_\r\n", .null),
        ("*2\r\n:1\r\n*1\r\n$1\r\nx\r\n", .array([.integer(1), .array([.bulk([0x78])])])),
        ("%1\r\n+a\r\n,1.5\r\n", .map([.simple("a"), .double(1.5)])),
        ("~2\r\n#t\r\n#f\r\n", .set([.boolean(true), .boolean(false)])),
        (",-inf\r\n", .double(-.infinity)),
        (",5e-324\r\n", .double(.leastNonzeroMagnitude)),
        ("(3492890328409238509324850943850943825024385\r\n", .bigNumber("3492890328409238509324850943850943825024385")),
        ("=8\r\ntxt:text\r\n", .verbatim("txt", Bytes("text".utf8))),
        ("!6\r\nERR no\r\n", .error("ERR no")),
        (">1\r\n+message\r\n", .push([.simple("message")])),
        ("|1\r\n+ttl\r\n:5\r\n+value\r\n", .simple("value")),
    ]

    @Test("each form of reply, whole and byte by byte", arguments: replies)
    func forms(text: String, value: RESPValue) throws {
        var whole = RESPParser()
        whole.append(Bytes(text.utf8))
        #expect(try whole.next() == value)
        #expect(try whole.next() == nil)

        var slow = RESPParser()
        for byte in text.utf8.dropLast() {
            slow.append([byte])
            #expect(try slow.next() == nil)
        }
        slow.append(Bytes(text.utf8.suffix(1)))
        #expect(try slow.next() == value)
    }

    @Test("pairs are the same in RESP2 and RESP3")
    func pairs() throws {
        let flat = RESPValue.array([.bulk([1]), .bulk([0x32]), .bulk([3]), .bulk([0x34])])
        let map = RESPValue.map([.bulk([1]), .double(2), .bulk([3]), .double(4)])
        let nested = RESPValue.array([.array([.bulk([1]), .double(2)]), .array([.bulk([3]), .double(4)])])
        for reply in [flat, map, nested] {
            let pairs = try reply.pairs().map { (try $0.bytes(), try $1.double()) }
            #expect(pairs.map(\.0) == [[1], [3]])
            #expect(pairs.map(\.1) == [2, 4])
        }
    }

    @Test("bytes that are no reply are refused", arguments: ["x\r\n", "\r\n", ":x\r\n", "$x\r\n"])
    func refused(text: String) {
        var parser = RESPParser()
        parser.append(Bytes(text.utf8))
        #expect(throws: HarnessError.self) { try parser.next() }
    }
}
