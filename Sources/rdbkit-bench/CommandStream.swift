import Glibc

/// Commands on their way to a server: RESP-encoded into one large buffer, sent when it is full, replies drained.
///
///     begin; argument; argument; ...; end        *N\r\n  $len\r\n bytes\r\n  ...
///
/// Replies are read only so far as to count them and to notice errors; the first error ends the run.
struct CommandStream: ~Copyable {
    private let socket: CInt
    private var outgoing: [UInt8] = []
    private var arguments: [UInt8] = []
    private var argumentCount = 0
    private var sentCount = 0
    private var replies = ReplyCounter()
    private var incoming = [UInt8](repeating: 0, count: 1 << 16)

    private static let flushBytes = 1 << 20

    /// Takes over the descriptor and closes it at the end.
    init(connectedTo socket: CInt) {
        self.socket = socket
        outgoing.reserveCapacity(Self.flushBytes * 2)
    }

    deinit {
        close(socket)
    }

    mutating func begin(_ name: StaticString) {
        arguments.removeAll(keepingCapacity: true)
        argumentCount = 0
        argument(name)
    }

    mutating func argument(_ text: StaticString) {
        argument(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func argument(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { argument($0) }
    }

    mutating func argument(decimal value: Int) {
        var text: [UInt8] = []
        text.append(decimal: value)
        argument(text)
    }

    private mutating func argument(_ bytes: UnsafeRawBufferPointer) {
        arguments.append(0x24)
        arguments.append(decimal: bytes.count)
        arguments.append("\r\n")
        arguments.append(contentsOf: bytes)
        arguments.append("\r\n")
        argumentCount += 1
    }

    mutating func end() throws(BenchError) {
        outgoing.append(0x2a)
        outgoing.append(decimal: argumentCount)
        outgoing.append("\r\n")
        outgoing.append(contentsOf: arguments)
        sentCount += 1
        if outgoing.count >= Self.flushBytes {
            try send()
            try receive(flags: CInt(MSG_DONTWAIT))
        }
    }

    /// Sends what is left and waits until every command was answered.
    mutating func finish() throws(BenchError) {
        try send()
        while replies.count < sentCount {
            try receive(flags: 0)
        }
    }

    private mutating func send() throws(BenchError) {
        var offset = 0
        while offset < outgoing.count {
            // MSG_NOSIGNAL: a server that died is an error to report, not a SIGPIPE.
            let sent = outgoing.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress! + offset, $0.count - offset, CInt(MSG_NOSIGNAL))
            }
            if sent < 0 {
                if errno == EINTR { continue }
                throw .system("send to the server")
            }
            offset += sent
        }
        outgoing.removeAll(keepingCapacity: true)
    }

    /// Reads until the socket is empty (`MSG_DONTWAIT`), or once (no flags).
    private mutating func receive(flags: CInt) throws(BenchError) {
        while true {
            let received = incoming.withUnsafeMutableBytes { recv(socket, $0.baseAddress!, $0.count, flags) }
            if received < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN { return }
                throw .system("receive from the server")
            }
            if received == 0 {
                throw .failed("the server closed the connection")
            }
            try replies.take(incoming[..<received])
            if flags == 0 { return }
        }
    }
}

/// Counts RESP2 replies without keeping them.
private struct ReplyCounter {
    /// Replies that have ended.
    private(set) var count = 0
    /// Parts of the reply being read that have not ended: an array of N stands for N more.
    private var openParts = 0
    /// Bytes of a bulk string still to be stepped over, its line end included.
    private var bulkBytes = 0
    private var line: [UInt8] = []

    mutating func take(_ bytes: ArraySlice<UInt8>) throws(BenchError) {
        var rest = bytes
        while let byte = rest.first {
            if bulkBytes > 0 {
                let step = min(bulkBytes, rest.count)
                bulkBytes -= step
                rest.removeFirst(step)
                if bulkBytes == 0 { endPart() }
                continue
            }
            rest.removeFirst()
            if byte == 0x0a {
                try takeLine()
                line.removeAll(keepingCapacity: true)
            } else if byte != 0x0d {
                line.append(byte)
            }
        }
    }

    private mutating func takeLine() throws(BenchError) {
        if openParts == 0 {
            openParts = 1
        }
        let text = String(decoding: line.dropFirst(), as: UTF8.self)
        switch line.first {
        case 0x2d:
            throw .failed("the server answered: \(text)")
        case 0x2a:
            openParts += max(0, Int(text) ?? 0)
            endPart()
        case 0x24:
            let byteCount = Int(text) ?? -1
            if byteCount >= 0 {
                bulkBytes = byteCount + 2
            } else {
                endPart()
            }
        default:
            endPart()
        }
    }

    private mutating func endPart() {
        openParts -= 1
        if openParts == 0 {
            count += 1
        }
    }
}
