internal import Glibc
internal import Synchronization

/// Stands between a client and a server, and cuts each connection after some bytes.
///
/// It listens on a unix socket and hands everything on to another one, by two threads for each connection. What is cut
/// is the replies: the server has still been given, and carries out, all that came before. So a client sees a
/// connection that ends, and cannot know what of it was done.
package final class CuttingProxy: Sendable {
    /// After how many bytes a connection is cut; nil lets all through.
    package struct Limits: Sendable {
        /// From the server.
        package var replies: Int?
        /// To the server, of which no more than these arrive.
        package var commands: Int?

        package init(replies: Int? = nil, commands: Int? = nil) {
            self.replies = replies
            self.commands = commands
        }
    }

    package let path: String
    private let folder: TemporaryFolder
    private let threads: ServingThreads
    private let target: String
    private let limits: @Sendable (Int) -> Limits
    private let state = Mutex(State())

    private struct State {
        var connectionCount = 0
        var cutCount = 0
    }

    /// - Parameters:
    ///   - target: the server's unix socket.
    ///   - limits: of the connection of this number, from 0.
    package init(to target: String, limits: @escaping @Sendable (Int) -> Limits) throws {
        self.target = target
        self.limits = limits
        folder = try TemporaryFolder()
        path = folder.file("proxy")
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw SystemError("make a socket") }
        var address = UnixAddress.make(path)
        let status = UnixAddress.with(&address) { bind(listener, $0, $1) }
        guard status == 0, listen(listener, 64) == 0 else { throw SystemError("listen on \(path)") }
        threads = ServingThreads(listener)
        try threads.accept { self.serve($0) }
    }

    /// How many connections were cut.
    package var cutCount: Int { state.withLock { $0.cutCount } }
    package var connectionCount: Int { state.withLock { $0.connectionCount } }

    /// Ends everything; returns when all threads are gone.
    package func stop() { threads.stop() }

    deinit { stop() }

    // MARK: - Threads

    private func serve(_ client: Int32) {
        let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = UnixAddress.make(target)
        guard server >= 0, UnixAddress.with(&address, { connect(server, $0, $1) }) == 0 else {
            // The server is gone: so is the client's connection.
            close(client)
            if server >= 0 { close(server) }
            return
        }
        let number = state.withLock { state in
            defer { state.connectionCount += 1 }
            return state.connectionCount
        }
        let limits = limits(number)
        let pair = OpenPair(client, server)
        threads.open(pair.descriptors)
        do {
            try threads.start {
                self.pass(from: client, to: server, limits.commands)
                // What was sent arrives; the replies to it still come back, up to their limit.
                shutdown(server, Int32(SHUT_WR))
                if limits.commands != nil { shutdown(client, Int32(SHUT_RD)) }
                self.end(pair)
            }
            try threads.start {
                self.pass(from: server, to: client, limits.replies)
                shutdown(client, Int32(SHUT_RDWR))
                // Nothing more is read from it, but it has everything that was sent so far.
                shutdown(server, Int32(SHUT_RDWR))
                self.end(pair)
            }
        } catch { fatalError("\(error)") }
    }

    private func pass(from source: Int32, to target: Int32, _ limit: Int?) {
        var left = limit ?? .max
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = buffer.withUnsafeMutableBytes { recv(source, $0.baseAddress, $0.count, 0) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return }
            let passed = min(count, left)
            var sent = 0
            while sent < passed {
                let step = buffer.withUnsafeBytes {
                    send(target, $0.baseAddress! + sent, passed - sent, Int32(MSG_NOSIGNAL))
                }
                if step < 0, errno == EINTR { continue }
                if step <= 0 { return }
                sent += step
            }
            left -= passed
            if left == 0 {
                state.withLock { $0.cutCount += 1 }
                return
            }
        }
    }

    private func end(_ pair: OpenPair) {
        if pair.isLast() { threads.close(pair.descriptors) }
    }
}

/// Addresses of unix sockets.
enum UnixAddress {
    static func make(_ path: String) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(path.utf8)
        precondition(name.count < MemoryLayout.size(ofValue: address.sun_path), "too long for a unix socket: \(path)")
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        return address
    }

    static func with<Result>(
        _ address: inout sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// A thread that nobody waits for.
enum Thread {
    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    static func start(_ body: @escaping @Sendable () -> Void) throws {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { pthread_attr_destroy(&attributes) }
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work(body))
        let code = pthread_create(
            &thread, &attributes,
            { pointer in
                Unmanaged<Work>.fromOpaque(pointer!).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        if code != 0 {
            work.release()
            throw SystemError("start a thread", code: code)
        }
    }
}
