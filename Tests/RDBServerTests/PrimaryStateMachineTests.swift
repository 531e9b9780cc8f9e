import RDBBytes
import ServerHarness
import Testing

@testable import RDBServer

@Suite("What a replica says to its primary")
struct PrimaryStateMachineTests {
    private func receive(
        _ pieces: [[UInt8]]
    ) throws(PrimaryStateMachine.Violation) -> [PrimaryStateMachine.Output] {
        var machine = PrimaryStateMachine()
        var outputs: [PrimaryStateMachine.Output] = []
        for piece in pieces { try machine.receive(piece.rawSpan, &outputs) }
        return outputs
    }

    private func command(_ words: String...) -> String {
        "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
    }

    /// As Valkey 9.1 was seen to say it, with what comes after the file.
    private var conversation: String {
        command("PING") + command("AUTH", "me", "secret") + command("REPLCONF", "listening-port", "6379")
            + command("REPLCONF", "ip-address", "10.0.0.1")
            + command("REPLCONF", "capa", "eof", "capa", "psync2", "capa", "dual-channel")
            + command("REPLCONF", "version", "9.1.2")
            + command("PSYNC", "1f72ed8b6912117056e071b8d7eaf22e9a3c242c", "1") + "\n\n\n"
            + command("REPLCONF", "ACK", "38") + "\n" + command("REPLCONF", "ACK", "52", "FACK", "0")
    }

    private let expected: [PrimaryStateMachine.Output] = [
        .answer("+PONG\r\n"), .answer("+OK\r\n"), .answer("+OK\r\n"), .answer("+OK\r\n"), .answer("+OK\r\n"),
        .answer("+OK\r\n"), .syncRequested(capabilities: ["eof", "psync2", "dual-channel"], oldForm: false),
        .acknowledged(38), .acknowledged(52),
    ]

    @Test("a whole handshake, in one piece and byte by byte")
    func handshake() throws {
        let bytes = Array(conversation.utf8)
        #expect(try receive([bytes]) == expected)
        #expect(try receive(bytes.map { [$0] }) == expected)
    }

    @Test("the same however it arrives", arguments: 1...30 as ClosedRange<UInt64>)
    func arrival(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var rest = Array(conversation.utf8)[...]
        var pieces: [[UInt8]] = []
        while !rest.isEmpty {
            let piece = rest.prefix(random.number(1...50))
            pieces.append(Array(piece))
            rest = rest.dropFirst(piece.count)
        }
        #expect(try receive(pieces) == expected, "seed \(seed)")
    }

    @Test("lines of words, the old request, unknown commands")
    func lines() throws {
        #expect(
            try receive([Array("PING\r\nreplconf capa eof\r\nINFO\r\nSYNC\r\n".utf8)]) == [
                .answer("+PONG\r\n"), .answer("+OK\r\n"), .answer("-ERR unknown command\r\n"),
                .syncRequested(capabilities: ["eof"], oldForm: true),
            ])
    }

    @Test("what is no replica")
    func strangers() {
        let wrong = [
            "\u{16}\u{3}\u{1}", "*1\r\n:5\r\n", "*0\r\n", "*1\r\n$99999999\r\n", "*1\r\n*1\r\n*1\r\n", "*-1\r\n",
            "*x\r\n",
            command("PSYNC", "?", "-1") + command("PSYNC", "?", "-1"), String(repeating: "x", count: 20_000),
        ]
        for text in wrong {
            #expect(throws: PrimaryStateMachine.Violation.self) { try receive([Array(text.utf8)]) }
        }
        #expect(throws: PrimaryStateMachine.Violation.speaksTLS) { try receive([[0x16, 3, 1, 2, 0]]) }
    }

    @Test("random bytes are answered or refused", arguments: 1...200 as ClosedRange<UInt64>)
    func randomBytes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let words = [
            "*2\r\n", "$4\r\n", "PING", "REPLCONF", "\r\n", "\n", "ACK", "capa", " ", "-1", "*", "$", "PSYNC", "0",
        ]
        let bytes = (0..<300).flatMap { _ in
            random.oneIn(20) ? [UInt8(random.number(0...255))] : Array(random.pick(words).utf8)
        }
        func outcome(_ pieces: [[UInt8]]) -> String {
            do throws(PrimaryStateMachine.Violation) { return "\(try receive(pieces))" } catch { return "\(error)" }
        }
        #expect(outcome([bytes]) == outcome(bytes.map { [$0] }), "seed \(seed)")
    }
}
