import Glibc

/// A `redis-server` of our own on a unix socket in a new folder, with nothing saved unless asked for.
///
/// The folder is made beside the corpora, so that the finished file is moved by a rename, and removed at the end.
struct ScratchServer: ~Copyable {
    private let directory: String
    private let process: ChildProcess

    init(in parent: String) throws(BenchError) {
        directory = parent + "/.server-\(getpid())"
        try makeDirectories(directory)
        // The socket and the log are named relative to --dir, where the server goes before it opens them.
        do {
            process = try ChildProcess([
                "redis-server", "--port", "0", "--unixsocket", "server.sock", "--dir", directory,
                "--save", "", "--appendonly", "no", "--databases", "16", "--logfile", "server.log",
            ])
        } catch {
            rmdir(directory)
            throw .missing("\(error.message); Sources/rdbkit-bench/prepare.sh installs it")
        }
    }

    deinit {
        process.signal(SIGKILL)
        _ = try? process.wait()
        for name in ["server.sock", "server.log", "dump.rdb"] {
            unlink(directory + "/" + name)
        }
        rmdir(directory)
    }

    /// A connection to the server, once it is up.
    func connect() throws(BenchError) -> CommandStream {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = directory + "/server.sock"
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw .failed("\(path) is too long for a socket; choose a shorter --dir")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        for _ in 0..<500 {
            let socket = Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
            guard socket >= 0 else { throw .system("make a socket") }
            let size = socklen_t(MemoryLayout<sockaddr_un>.size)
            let status = withUnsafePointer(to: address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(socket, $0, size) }
            }
            if status == 0 {
                return CommandStream(connectedTo: socket)
            }
            close(socket)
            usleep(10_000)
        }
        let log = readText(directory + "/server.log") ?? "it wrote no log"
        throw .failed("redis-server does not answer: \(log.suffix(500))")
    }

    /// Moves what SAVE wrote to `path`.
    func moveDump(to path: String) throws(BenchError) {
        guard rename(directory + "/dump.rdb", path) == 0 else { throw .system("move the dump to \(path)") }
    }
}
