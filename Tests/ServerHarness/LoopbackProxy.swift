internal import Glibc
internal import Synchronization

/// Stands between a client and a server on a port of the loopback interface: slow, silent, or cut, as a test wants it.
package final class LoopbackProxy: Sendable {
    package enum Target: Sendable {
        case unix(String)
        case port(Int)
    }

    package let port: Int
    private let threads: ServingThreads
    private let target: Target
    private let rewriting: (found: Bytes, written: Bytes)?
    private let state: Mutex<State>

    private struct State {
        var isSilent = false
        var bytesPerSecond: Int?
        /// Of commands, in all.
        var byteCount = 0
        var cutAt = Int.max
        var cutCount = 0
        var largest = CommandMeter.Largest()
    }

    /// - Parameters:
    ///   - bytesPerSecond: how fast commands are handed on; nil for as fast as they come.
    ///   - rewriting: what replies say, and what the client reads in its place, which is as long.
    package init(to target: Target, bytesPerSecond: Int? = nil, rewriting: (found: String, written: String)? = nil)
        throws
    {
        self.target = target
        self.rewriting = rewriting.map { (Bytes($0.found.utf8), Bytes($0.written.utf8)) }
        state = Mutex(State(bytesPerSecond: bytesPerSecond))
        // What is slow must not hide behind large buffers.
        let listener: Int32
        (listener, port) = try Loopback.listen(receiveBufferByteCount: bytesPerSecond == nil ? nil : 64 << 10)
        threads = ServingThreads(listener)
        try threads.accept { self.serve($0) }
    }

    /// Bytes of commands handed on so far.
    package var byteCount: Int { state.withLock { $0.byteCount } }
    /// What was seen of all commands.
    package var largest: CommandMeter.Largest { state.withLock { $0.largest } }
    package var cutCount: Int { state.withLock { $0.cutCount } }

    /// Whether replies are held back.
    package func setSilent(_ isSilent: Bool) { state.withLock { $0.isSilent = isSilent } }

    /// Cuts all connections when so many more bytes of commands were handed on; those made later live.
    package func cut(after byteCount: Int) { state.withLock { $0.cutAt = $0.byteCount + byteCount } }

    /// Ends everything; returns when all threads are gone.
    package func stop() { threads.stop() }

    deinit { stop() }

    // MARK: - Threads

    private func serve(_ client: Int32) {
        guard let server = try? Loopback.connect(to: target) else {
            close(client)
            return
        }
        let pair = OpenPair(client, server)
        threads.open(pair.descriptors)
        do {
            try threads.start { self.run(pair) { self.passCommands(from: client, to: server) } }
            try threads.start { self.run(pair) { self.passReplies(from: server, to: client) } }
        } catch { fatalError("\(error)") }
    }

    private func run(_ pair: OpenPair, _ body: () -> Void) {
        body()
        pair.shutDown()
        if pair.isLast() { threads.close(pair.descriptors) }
    }

    private func passCommands(from client: Int32, to server: Int32) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var meter = CommandMeter()
        while true {
            let rate = state.withLock { $0.bytesPerSecond }
            let wanted = rate.map { max(1, min(buffer.count, $0 / 50)) } ?? buffer.count
            guard let count = Loopback.receive(client, &buffer, upTo: wanted) else { return }
            let passed = state.withLock { state in
                let passed = min(count, state.cutAt - state.byteCount)
                state.byteCount += passed
                return passed
            }
            meter.take(buffer.prefix(passed))
            state.withLock { $0.largest.formMaximum(meter.largest) }
            guard Loopback.send(server, buffer, passed) else { return }
            if passed < count || state.withLock({ $0.byteCount >= $0.cutAt }) { return cutAll() }
            if let rate { usleep(UInt32(count * 1_000_000 / rate)) }
        }
    }

    private func cutAll() {
        state.withLock { state in
            // Another connection may have got there at the same time.
            if state.cutAt == .max { return }
            state.cutAt = .max
            state.cutCount += 1
            threads.shutDown()
        }
    }

    private func passReplies(from server: Int32, to client: Int32) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while let count = Loopback.receive(server, &buffer, upTo: buffer.count) {
            while state.withLock({ $0.isSilent }), !threads.isStopped { usleep(5_000) }
            if let rewriting { Self.rewrite(&buffer, count, rewriting) }
            guard Loopback.send(client, buffer, count) else { return }
        }
    }
}

extension LoopbackProxy {
    /// Only where it lies within one piece of a reply.
    private static func rewrite(_ buffer: inout [UInt8], _ count: Int, _ rewriting: (found: Bytes, written: Bytes)) {
        precondition(rewriting.found.count == rewriting.written.count)
        var start = 0
        while start + rewriting.found.count <= count {
            if buffer[start] == rewriting.found[0], buffer[start...].starts(with: rewriting.found) {
                buffer.replaceSubrange(start..<start + rewriting.found.count, with: rewriting.written)
            }
            start += 1
        }
    }
}

/// Measures the commands of one connection: arrays of bulk strings.
package struct CommandMeter {
    package struct Largest: Sendable {
        /// All arguments of a command, and one of them; those of a transaction, from MULTI to EXEC.
        package var command = 0
        package var argument = 0
        package var transaction = 0

        mutating func formMaximum(_ other: Largest) {
            command = max(command, other.command)
            argument = max(argument, other.argument)
            transaction = max(transaction, other.transaction)
        }
    }

    private(set) var largest = Largest()
    private var number = 0
    private var isLine = true
    private var argumentsLeft = 0
    private var bytesLeft = 0
    private var command = 0
    private var transaction: Int?
    private var name = Bytes()

    mutating func take(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while let byte = rest.first {
            if bytesLeft > 0 {
                let step = min(bytesLeft, rest.count)
                if command <= 16 { name += rest.prefix(step) }
                bytesLeft -= step
                rest = rest.dropFirst(step)
                if bytesLeft == 0 { endArgument() }
                continue
            }
            rest = rest.dropFirst()
            switch byte {
            case UInt8(ascii: "*"):
                command = 0
                name = []
                isLine = true
            case UInt8(ascii: "$"): isLine = false
            case UInt8(ascii: "\n"):
                if isLine { argumentsLeft = number } else { beginArgument() }
                number = 0
            case 0x30...0x39: number = number * 10 + Int(byte - 0x30)
            default: break
            }
        }
    }

    private mutating func beginArgument() {
        largest.argument = max(largest.argument, number)
        command += number
        bytesLeft = number + 2
    }

    private mutating func endArgument() {
        argumentsLeft -= 1
        if argumentsLeft > 0 { return }
        largest.command = max(largest.command, command)
        if let size = transaction {
            transaction = size + command
            largest.transaction = max(largest.transaction, size + command)
        }
        if name.starts(with: Bytes("MULTI".utf8)) { transaction = 0 }
        if name.starts(with: Bytes("EXEC".utf8)) { transaction = nil }
    }
}

/// Somebody who listens on a port of the loopback interface and is no Redis server.
package final class LoopbackListener: Sendable {
    package enum Manner: Sendable {
        /// Takes everything and answers nothing.
        case silent
        /// Gives back what it gets.
        case echo
        /// Ends each connection at once.
        case hangingUp
        /// Takes no connection: those that wait already are all that may.
        case full
        /// Answers the first bytes of a connection with these and ends it.
        case saying(String)
        /// Answers each command.
        case answering(@Sendable ([Bytes]) -> Bytes)
    }

    package let port: Int
    private let threads: ServingThreads

    package init(_ manner: Manner) throws {
        if case .full = manner {
            let (listener, port) = try Loopback.listen(backlog: 0)
            (threads, self.port) = (ServingThreads(listener), port)
            // The second one may find no place any more.
            threads.open(try [Loopback.begin(port), Loopback.begin(port)])
            return
        }
        let listener: Int32
        (listener, port) = try Loopback.listen()
        threads = ServingThreads(listener)
        let threads = threads
        try threads.accept { Self.accept($0, manner, threads) }
    }

    package func stop() { threads.stop() }

    deinit { stop() }

    private static func accept(_ client: Int32, _ manner: Manner, _ threads: ServingThreads) {
        threads.open([client])
        do {
            try threads.start {
                serve(client, manner)
                threads.close([client])
            }
        } catch { fatalError("\(error)") }
    }

    private static func serve(_ client: Int32, _ manner: Manner) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        if case .hangingUp = manner { return }
        if case .answering(let answer) = manner { return serve(client, answer) }
        while let count = Loopback.receive(client, &buffer, upTo: buffer.count) {
            switch manner {
            case .silent, .hangingUp, .full, .answering: break
            case .echo: guard Loopback.send(client, buffer, count) else { return }
            case .saying(let text):
                let bytes = Array(text.utf8)
                _ = Loopback.send(client, bytes, bytes.count)
                return
            }
        }
    }

    private static func serve(_ client: Int32, _ answer: ([Bytes]) -> Bytes) {
        var parser = RESPParser()
        while true {
            do {
                while let command = try parser.next() {
                    let bytes = answer(try command.elements().map { try $0.bytes() })
                    guard Loopback.send(client, bytes, bytes.count) else { return }
                }
                try parser.fill { buffer in
                    let count = recv(client, buffer.baseAddress, buffer.count, 0)
                    if count <= 0 { throw HarnessError("the client is gone") }
                    return count
                }
            } catch { return }
        }
    }
}

private enum Loopback {
    /// On a free port.
    static func listen(receiveBufferByteCount: Int? = nil, backlog: Int32 = 64) throws -> (Int32, Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("make a socket") }
        if let receiveBufferByteCount {
            var size = Int32(receiveBufferByteCount)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && Glibc.listen(descriptor, backlog) == 0
                    ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard status == 0 else {
            close(descriptor)
            throw SystemError("listen on the loopback interface")
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    static func connect(to target: LoopbackProxy.Target) throws -> Int32 {
        let family = if case .unix = target { AF_UNIX } else { AF_INET }
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("make a socket") }
        let status: Int32
        switch target {
        case .unix(let path):
            var address = UnixAddress.make(path)
            status = UnixAddress.with(&address) { Glibc.connect(descriptor, $0, $1) }
        case .port(let port):
            var address = address(port)
            status = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        guard status == 0 else {
            close(descriptor)
            throw SystemError("connect")
        }
        return descriptor
    }

    /// A connection that nobody waits for.
    static func begin(_ port: Int) throws -> Int32 {
        let descriptor = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("make a socket") }
        var address = address(port)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return descriptor
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        return address
    }

    /// - Returns: nil at the end.
    static func receive(_ descriptor: Int32, _ buffer: inout [UInt8], upTo wanted: Int) -> Int? {
        while true {
            let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, min($0.count, wanted), 0) }
            if count < 0, errno == EINTR { continue }
            return count > 0 ? count : nil
        }
    }

    static func send(_ descriptor: Int32, _ bytes: [UInt8], _ count: Int) -> Bool {
        var sent = 0
        while sent < count {
            let step = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL))
            }
            if step < 0, errno == EINTR { continue }
            if step <= 0 { return false }
            sent += step
        }
        return true
    }
}
