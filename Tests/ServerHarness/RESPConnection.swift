internal import Glibc

/// A blocking connection to a server on a unix socket.
///
/// Commands may be sent many at a time: a server keeps its replies in memory until they are read, so
/// writing everything before reading anything does not block for ever.
package final class RESPConnection {
    private let descriptor: Int32
    private var parser = RESPParser()

    /// - Parameters:
    ///   - path: of the socket.
    ///   - protocolVersion: 2, or 3 to greet the server with `HELLO 3`.
    ///   - timeoutSeconds: how long one read or write may take.
    /// - Throws: `SystemError` if nobody listens there.
    package init(path: String, protocolVersion: Int = 2, timeoutSeconds: Int = 60) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("make a socket") }
        // All that is stored is there: what is thrown from here on still ends in deinit, which closes it.
        try Self.connect(descriptor, to: path)
        var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
        }
        if protocolVersion == 3 { try call("HELLO", "3") }
    }

    private static func connect(_ descriptor: Int32, to path: String) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(path.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw HarnessError("too long for a unix socket: \(path)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else { throw SystemError("connect to \(path)") }
    }

    deinit {
        close(descriptor)
    }

    /// Sends one command and waits for its reply.
    ///
    /// - Throws: `HarnessError` if the server answers with an error.
    @discardableResult
    package func call(_ parts: any CommandPart...) throws -> RESPValue {
        try pipeline([Command(parts)])[0]
    }

    /// Sends many commands at once and gives their replies in order.
    ///
    /// - Throws: `HarnessError` at the first error reply, with the command that caused it.
    package func pipeline(_ commands: [Command]) throws -> [RESPValue] {
        let replies = try exchange(commands)
        for (command, reply) in zip(commands, replies) {
            if case .error(let message) = reply { throw HarnessError("\(message)\n  answers \(command)") }
        }
        return replies
    }

    /// Like `pipeline`, but an error is a reply like any other.
    package func exchange(_ commands: [Command]) throws -> [RESPValue] {
        try send(commands)
        return try commands.map { _ in try receive() }
    }

    /// Sends commands as they stand in a file, and gives the replies that are errors.
    ///
    /// - Throws: `HarnessError` if the bytes end within a command.
    package func replay(_ commands: Bytes) throws -> [String] {
        let marker = Bytes("the end of what was replayed".utf8)
        try send(commands + Self.encoded([Command("ECHO", marker)]))
        var errors: [String] = []
        while true {
            switch try receive() {
            case .bulk(marker): return errors
            case .error(let message): errors.append(message)
            default: break
            }
        }
    }

    private func send(_ commands: [Command]) throws { try send(Self.encoded(commands)) }

    private static func encoded(_ commands: [Command]) -> Bytes {
        var bytes = Bytes()
        bytes.reserveCapacity(commands.reduce(0) { $0 + $1.arguments.reduce(16) { $0 + $1.count + 16 } })
        for command in commands {
            bytes += "*\(command.arguments.count)\r\n".utf8
            for argument in command.arguments {
                bytes += "$\(argument.count)\r\n".utf8
                bytes += argument
                bytes += "\r\n".utf8
            }
        }
        return bytes
    }

    private func send(_ bytes: Bytes) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw SystemError("send to the server") }
            sent += count
        }
    }

    private func receive() throws -> RESPValue {
        while true {
            if let value = try parser.next() { return value }
            try parser.fill { buffer in
                var filled = 0
                while filled < buffer.count {
                    // As much as is there: each look at an unfinished reply begins at its start.
                    let flags = filled == 0 ? 0 : Int32(MSG_DONTWAIT)
                    let count = recv(descriptor, buffer.baseAddress! + filled, buffer.count - filled, flags)
                    if count < 0 && errno == EINTR { continue }
                    if count <= 0 && filled > 0 { break }
                    if count < 0 { throw SystemError("read the server's reply") }
                    if count == 0 { throw HarnessError("the server closed the connection") }
                    filled += count
                }
                return filled
            }
        }
    }
}
