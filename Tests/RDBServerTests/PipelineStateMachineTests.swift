import RDBBytes
import RESPFormat
import ServerHarness
import Testing

@testable import RDBServer

@Suite("Replies find their commands")
struct PipelineStateMachineTests {
    private func machine() -> PipelineStateMachine { PipelineStateMachine(limits: .init()) }

    private func receive(
        _ machine: inout PipelineStateMachine, _ text: String
    ) throws -> [PipelineStateMachine.Output] {
        var outputs: [PipelineStateMachine.Output] = []
        try machine.receive(Array(text.utf8).rawSpan, &outputs)
        return outputs
    }

    @Test("frames end in order, with the remarkable replies by command")
    func frames() throws {
        var machine = machine()
        machine.submit(.events(frame: 7), commandCount: 3)
        machine.submit(.events(frame: 8), commandCount: 1)
        machine.submit(.caller(token: 1), commandCount: 2)
        machine.submit(.events(frame: 9), commandCount: 4)
        #expect(try receive(&machine, "+OK\r\n:1\r") == [])
        #expect(
            try receive(&machine, "\n-ERR no\r\n:5\r\n+O") == [
                .completed(frame: 7, remarkable: [.init(command: 2, reply: .error("ERR no"))]),
                .completed(frame: 8, remarkable: []),
            ])
        // Whoever waits gets all of them, and events of the connection count for nothing.
        #expect(
            try receive(&machine, "K\r\n>1\r\n+invalidate\r\n$1\r\nx\r\n:0\r\n+OK\r\n*2\r\n:1\r\n") == [
                .answered(token: 1, replies: [.simple("OK"), .bulk([0x78])])
            ])
        #expect(
            try receive(&machine, "$-1\r\n$3\r\nabc\r\n") == [
                .completed(
                    frame: 9,
                    remarkable: [
                        .init(command: 0, reply: .integer(0)), .init(command: 2, reply: .array([.integer(1), .null])),
                    ])
            ])
        #expect(!machine.isWaiting)
    }

    @Test("an end in the middle tells what was answered")
    func close() throws {
        var machine = machine()
        machine.submit(.events(frame: 1), commandCount: 3)
        machine.submit(.caller(token: 4), commandCount: 1)
        machine.submit(.events(frame: 2), commandCount: 1)
        #expect(try receive(&machine, "+OK\r\n:0\r\n+O") == [])
        let (unfinished, callers) = machine.close()
        #expect(
            unfinished == [
                UnfinishedFrame(frame: 1, answeredCount: 2, remarkable: [.init(command: 1, reply: .integer(0))]),
                UnfinishedFrame(frame: 2, answeredCount: 0, remarkable: []),
            ])
        #expect(callers == [4])
        #expect(!machine.isWaiting)
    }

    @Test("what nobody asked for ends the connection")
    func unasked() throws {
        var idle = machine()
        #expect(throws: PipelineStateMachine.Violation.unaskedError("ERR max number of clients reached")) {
            try receive(&idle, "-ERR max number of clients reached\r\n")
        }
        var other = machine()
        other.submit(.events(frame: 1), commandCount: 1)
        var outputs: [PipelineStateMachine.Output] = []
        #expect(throws: PipelineStateMachine.Violation.unaskedReply) {
            try other.receive(Array("+OK\r\n+OK\r\n".utf8).rawSpan, &outputs)
        }
        // What came before counts.
        #expect(outputs == [.completed(frame: 1, remarkable: [])])
        var malformed = machine()
        malformed.submit(.events(frame: 1), commandCount: 1)
        #expect(throws: PipelineStateMachine.Violation.self) { try receive(&malformed, "HTTP/1.1 400\r\n") }
    }

    @Test("random bytes come to the same end however they arrive", arguments: 1...200 as ClosedRange<UInt64>)
    func randomBytes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let parts = [
            "+OK\r\n", ":1\r\n", ":0\r\n", "*2\r\n", "*3\r\n", "$3\r\nabc\r\n", "$-1\r\n", "_\r\n", "-E\r\n", ">1\r\n",
            "|1\r\n", "%1\r\n", "$2\r\n", "ab", "\r\n", "+", ":",
        ]
        let bytes = (0..<120).flatMap { _ in
            random.oneIn(200) ? [UInt8(random.number(0...255))] : Array(random.pick(parts).utf8)
        }
        func outcome(_ pieces: [Int]) -> String {
            var machine = machine()
            for frame in 0..<40 as Range<UInt64> {
                machine.submit(frame % 5 == 4 ? .caller(token: frame) : .events(frame: frame), commandCount: 2)
            }
            var outputs: [PipelineStateMachine.Output] = []
            var start = 0
            var violation: PipelineStateMachine.Violation?
            for piece in pieces where start < bytes.count && violation == nil {
                do throws(PipelineStateMachine.Violation) {
                    try machine.receive(Array(bytes[start..<min(bytes.count, start + piece)]).rawSpan, &outputs)
                } catch { violation = error }
                start += piece
            }
            return "\(outputs) \(violation.map { "\($0)" } ?? "") \(machine.close())"
        }
        let whole = outcome([bytes.count])
        #expect(outcome(bytes.map { _ in random.number(1...9) }) == whole, "seed \(seed)")
        #expect(outcome(bytes.map { _ in 1 }) == whole, "seed \(seed)")
    }

    @Test("the same outcome however replies arrive", arguments: 1...30 as ClosedRange<UInt64>)
    func arrival(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let forms = [
            "+OK\r\n", "+OK\r\n", "+OK\r\n", ":3\r\n", ":0\r\n", "-ERR a\r\n", "*2\r\n+OK\r\n:1\r\n", "*1\r\n:0\r\n",
            "_\r\n",
            "$4\r\n+OK\r\r\n", "%1\r\n+a\r\n:1\r\n",
        ]
        var wire = ""
        var counts: [Int] = []
        for _ in 0..<60 {
            let count = random.number(1...40)
            for _ in 0..<count {
                if random.oneIn(10) { wire += ">1\r\n+push\r\n" }
                wire += random.pick(forms)
            }
            counts.append(count)
        }
        func run(_ pieces: [Int]) throws -> [PipelineStateMachine.Output] {
            var machine = machine()
            for (index, count) in counts.enumerated() {
                machine.submit(
                    index % 7 == 3 ? .caller(token: UInt64(index)) : .events(frame: UInt64(index)), commandCount: count)
            }
            var outputs: [PipelineStateMachine.Output] = []
            let bytes = Array(wire.utf8)
            var start = 0
            for piece in pieces where start < bytes.count {
                try machine.receive(Array(bytes[start..<min(bytes.count, start + piece)]).rawSpan, &outputs)
                start += piece
            }
            #expect(!machine.isWaiting)
            return outputs
        }
        let whole = try run([wire.utf8.count])
        #expect(whole.count == counts.count)
        let pieces = (0..<wire.utf8.count).map { _ in random.number(1...60) }
        #expect(try run(pieces) == whole, "seed \(seed)")
        #expect(try run(Array(repeating: 1, count: wire.utf8.count)) == whole, "seed \(seed)")
    }
}
