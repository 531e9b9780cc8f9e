import RDBBytes
import RESPFormat

/// The primary's side of a replica's handshake: what the replica says, and what is answered. Knows no channel.
///
/// ```
/// PING  AUTH …  REPLCONF …  PSYNC ? -1      commands, as arrays of strings or as a line of words
/// \n                                        a replica that loads says so that it lives
/// REPLCONF ACK offset                       after the synchronization; never answered
/// ```
/// Source: formats/replication.md §1 to §4.
struct PrimaryStateMachine {
    enum Output: Equatable {
        case answer(String)
        /// - Parameter oldForm: `SYNC`: the file follows without `+FULLRESYNC`.
        case syncRequested(capabilities: Set<String>, oldForm: Bool)
        case acknowledged(UInt64)
    }

    enum Violation: Error, Equatable {
        case malformed(String)
        /// The first bytes are a TLS handshake's.
        case speaksTLS
    }

    private var parser: RESPReplyParser
    private var line: [UInt8] = []
    private var capabilities: Set<String> = []
    private var hasRequested = false
    private var hasBegun = false

    init() {
        // Nothing that a replica says is long.
        var limits = RESPReplyParser.Limits(maxBulkBytes: 16 << 10)
        (limits.maxReplyBytes, limits.maxElements, limits.maxDepth) = (64 << 10, 1024, 1)
        parser = RESPReplyParser(limits: limits)
    }

    mutating func receive(_ bytes: RawSpan, _ outputs: inout [Output]) throws(Violation) {
        var index = 0
        while index < bytes.byteCount {
            let byte = bytes.byte(at: index)
            if !hasBegun, byte == 0x16 { throw .speaksTLS }
            hasBegun = true
            if parser.isWithinReply || line.isEmpty && byte == UInt8(ascii: "*") {
                let command: RESPReply?
                do throws(RESPReplyError) {
                    command = try parser.next(bytes, at: &index)
                } catch { throw .malformed("\(error)") }
                if let command { try take(words(command), &outputs) }
                continue
            }
            index += 1
            if byte != UInt8(ascii: "\n") {
                line.append(byte)
                guard line.count <= 16 << 10 else { throw .malformed("a line that does not end") }
                continue
            }
            // A line of nothing is a sign of life.
            let words = line.split { $0 == 0x20 || $0 == 0x0d }.map { String(decoding: $0, as: UTF8.self) }
            line = []
            if !words.isEmpty { try take(words, &outputs) }
        }
    }

    private func words(_ command: RESPReply) throws(Violation) -> [String] {
        guard case .array(let arguments) = command, !arguments.isEmpty else {
            throw .malformed("a command without a name")
        }
        var words: [String] = []
        for argument in arguments {
            guard case .bulk(let bytes) = argument else { throw .malformed("a command that is not made of strings") }
            words.append(String(decoding: bytes, as: UTF8.self))
        }
        return words
    }

    private mutating func take(_ words: [String], _ outputs: inout [Output]) throws(Violation) {
        switch words[0].lowercased() {
        case "ping": outputs.append(.answer("+PONG\r\n"))
        case "auth": outputs.append(.answer("+OK\r\n"))
        case "replconf": replicaSays(words, &outputs)
        case "psync", "sync":
            if hasRequested { throw .malformed("a second request to synchronize") }
            hasRequested = true
            let isOld = words[0].lowercased() == "sync"
            outputs.append(.syncRequested(capabilities: capabilities, oldForm: isOld))
        default: outputs.append(.answer("-ERR unknown command\r\n"))
        }
    }

    private mutating func replicaSays(_ words: [String], _ outputs: inout [Output]) {
        var index = 1
        while index + 1 < words.count {
            switch words[index].lowercased() {
            case "ack":
                if let offset = UInt64(words[index + 1]) { outputs.append(.acknowledged(offset)) }
                return
            case "capa":
                if capabilities.count < 64 { capabilities.insert(words[index + 1].lowercased()) }
            default: break  // Ports, addresses and versions change nothing here.
            }
            index += 2
        }
        outputs.append(.answer("+OK\r\n"))
    }
}
