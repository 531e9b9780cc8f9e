import Glibc

/// A `redis-server` of our own on a unix socket in a new folder, with nothing saved unless asked for.
///
/// The folder is made beside the corpora, so that the finished file is moved by a rename, and removed at the end.
struct ScratchServer: ~Copyable {
    private let directory: String
    private let process: ChildProcess

    /// - Parameters:
    ///   - file: a dump that the server loads at its start.
    ///   - log: an append-only file that it loads instead.
    init(in parent: String, loading file: String? = nil, replaying log: String? = nil) throws(BenchError) {
        directory = parent + "/.server-\(getpid())"
        try makeDirectories(directory)
        if let file, link(file, directory + "/dump.rdb") != 0 { throw .system("link \(file) for the server") }
        if let log, link(log, directory + "/appendonly.aof") != 0 { throw .system("link \(log) for the server") }
        // The socket and the log are named relative to --dir, where the server goes before it opens them.
        do {
            process = try ChildProcess([
                "redis-server", "--port", "0", "--unixsocket", "server.sock", "--dir", directory,
                "--save", "", "--appendonly", log == nil ? "no" : "yes", "--databases", "16", "--logfile", "server.log",
            ])
        } catch {
            rmdir(directory)
            throw .missing("\(error.message); Sources/rdbkit-bench/prepare.sh installs it")
        }
    }

    deinit {
        process.signal(SIGKILL)
        _ = try? process.wait()
        // The server moves its log into a folder and begins another file there.
        let parts = ["manifest", "1.incr.aof", "1.base.aof", "1.base.rdb"].map { "appendonlydir/appendonly.aof.\($0)" }
        for name in ["server.sock", "server.log", "dump.rdb", "appendonly.aof", "appendonlydir/appendonly.aof"] + parts
        {
            unlink(directory + "/" + name)
        }
        rmdir(directory + "/appendonlydir")
        rmdir(directory)
    }

    var socketPath: String { directory + "/server.sock" }

    /// Waits until the server has loaded what it found and takes commands.
    func waitUntilReady() throws(BenchError) {
        for _ in 0..<60_000 {
            if readText(directory + "/server.log")?.contains("eady to accept connections") == true { return }
            usleep(2_000)
        }
        throw .failed("redis-server does not get ready: \((readText(directory + "/server.log") ?? "").suffix(500))")
    }

    /// User and system time of the server so far.
    var processorSeconds: Double {
        // Fields 14 and 15 of the line; the name in front may hold blanks, but ends with the last parenthesis.
        guard let text = readText("/proc/\(process.identifier)/stat"), let end = text.lastIndex(of: ")") else {
            return 0
        }
        let fields = text[end...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return 0 }
        return (user + system) / Double(sysconf(CInt(_SC_CLK_TCK)))
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
