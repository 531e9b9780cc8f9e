internal import Glibc

/// A running server on a unix socket in a folder of its own.
///
/// The server never outlives the tests: a shell beside it waits on a socket whose other end only this
/// process holds, and kills the server when that end closes, be it by `stop()`, by `deinit` or
/// because the test process died.
package final class ServerProcess {
    package let server: Server
    package let folder: TemporaryFolder
    private let guardian: ChildProcess
    private var lifeline: Int32

    /// A line `kill` or `start` on the socket does that, and is answered by a line.
    private static let script = """
        "$@" </dev/null &
        server=$!
        while read -r line; do
            case $line in
            kill) kill -KILL "$server"; wait "$server" 2>/dev/null ;;
            start) "$@" </dev/null & server=$! ;;
            esac
            echo done >&0
        done
        kill -KILL "$server"
        wait "$server" 2>/dev/null
        rm -rf "$RDBKIT_SERVER_FOLDER"
        """

    /// Starts the server and waits until it answers.
    ///
    /// - Parameters:
    ///   - options: configuration beyond what every test needs, by name.
    ///   - dump: the bytes of an RDB file that the server loads; nil for an empty data set.
    ///   - commands: the bytes of an append-only file that it loads instead.
    ///   - prepare: puts further files into the server's folder before it starts.
    /// - Throws: `HarnessError` with the end of the server's log if it does not answer in time.
    package init(
        _ server: Server, options: [(name: String, value: String)] = [], loading dump: Bytes? = nil,
        replaying commands: Bytes? = nil, prepare: (TemporaryFolder) throws -> Void = { _ in }
    ) throws {
        guard let program = ServerCatalog.program(for: server) else {
            throw HarnessError("\(server) is not in \(ServerCatalog.folder); run Tests/fetch-servers.sh")
        }
        self.server = server
        folder = try TemporaryFolder()
        if let dump { try Files.write(dump, to: folder.file("dump.rdb")) }
        // Redis 7.0 and later take a single file of this name for the first part of theirs.
        if let commands { try Files.write(commands, to: folder.file("appendonly.aof")) }
        try prepare(folder)
        var arguments = [
            "--port", "0", "--unixsocket", folder.file("socket"), "--dir", folder.path, "--dbfilename", "dump.rdb",
            "--save", "", "--appendonly", commands == nil ? "no" : "yes", "--databases", "16", "--logfile",
            folder.file("server.log"),
            "--proto-max-bulk-len", "512mb",
        ]
        if server.isRedis7 { arguments += ["--enable-debug-command", "local"] }
        for option in options { arguments += ["--\(option.name)", option.value] }

        var ends: [Int32] = [-1, -1]
        // Not a pipe: only sockets can be made with CLOEXEC in one step, and any other child that held
        // the end would keep the server alive.
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw SystemError("make a pair of sockets")
        }
        defer { close(ends[0]) }
        lifeline = ends[1]
        let command = "RDBKIT_SERVER_FOLDER='\(folder.path)'\n" + Self.script
        guardian = try ChildProcess(
            "/bin/sh", ["-c", command, "sh", program] + arguments, input: .descriptor(ends[0]),
            output: folder.file("server.out"), errors: folder.file("server.err"))
        do {
            try waitUntilReady(seconds: 30)
        } catch {
            stop()
            throw error
        }
    }

    private func waitUntilReady(seconds: Double) throws {
        let deadline = now() + seconds
        while true {
            if let connection = try? connect(), let reply = try? connection.exchange([Command("PING")]).first {
                // Who wants a password is there as well; who loads is not yet.
                guard case .error(let text) = reply, !text.hasPrefix("NOAUTH") else { return }
            }
            if now() > deadline {
                let log = ["server.log", "server.err", "server.out"].compactMap { try? Files.text(folder.file($0)) }
                throw HarnessError("\(server) did not start:\n\(log.joined(separator: "\n").suffix(2000))")
            }
            usleep(5_000)
        }
    }

    /// Starts the server that a scenario asks for, as a cluster if it says so.
    package static func start(for scenario: Scenario) throws -> ServerProcess {
        guard scenario.isCluster else { return try ServerProcess(scenario.server, options: scenario.options) }
        // The bus between nodes cannot use a unix socket, though nobody ever connects to it here.
        let bus = [
            (name: "cluster-enabled", value: "yes"), (name: "bind", value: "127.0.0.1"),
            (name: "cluster-port", value: String(try freePort())),
        ]
        let process = try ServerProcess(scenario.server, options: scenario.options + bus)
        do {
            let connection = try process.connect()
            try connection.call("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
            // A node takes two seconds before it believes that it may be written to.
            let deadline = now() + 20
            while try !connection.call("CLUSTER", "INFO").text().contains("cluster_state:ok") {
                if now() > deadline { throw HarnessError("the cluster of one \(scenario.server) does not come up") }
                usleep(20_000)
            }
            return process
        } catch {
            process.stop()
            throw error
        }
    }

    /// A port of the loopback interface that nobody listened on a moment ago.
    package static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("make a socket") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard status == 0 else { throw SystemError("find a free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// Ends the server as a crash would; its folder stays. Returns when it is gone.
    package func kill() throws { try tellGuardian("kill") }

    /// Starts the server again after `kill()`, with the same options, and waits until it answers.
    package func restart() throws {
        try beginRestart()
        try waitUntilReady(seconds: 30)
    }

    private func tellGuardian(_ word: String) throws {
        let line = Bytes("\(word)\n".utf8)
        guard line.withUnsafeBytes({ send(lifeline, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }) == line.count
        else {
            throw SystemError("tell the server's shell to \(word)")
        }
        var answer: [UInt8] = [0]
        while answer[0] != 0x0a {
            let count = answer.withUnsafeMutableBytes { recv(lifeline, $0.baseAddress, 1, 0) }
            if count < 0 && errno == EINTR { continue }
            guard count == 1 else { throw SystemError("hear from the server's shell") }
        }
    }

    /// The same without waiting: it may take its time to load its data.
    package func beginRestart() throws { try tellGuardian("start") }

    package func connect(protocolVersion: Int = 2) throws -> RESPConnection {
        try RESPConnection(path: socketPath, protocolVersion: protocolVersion)
    }

    /// The unix socket that it listens on.
    package var socketPath: String { folder.file("socket") }

    /// The file that `SAVE` writes.
    package var dumpPath: String { folder.file("dump.rdb") }

    /// Ends the server and removes its folder.
    package func stop() {
        if lifeline < 0 { return }
        close(lifeline)
        lifeline = -1
        if guardian.wait(seconds: 30) == nil { guardian.kill() }
    }

    deinit {
        stop()
    }
}
