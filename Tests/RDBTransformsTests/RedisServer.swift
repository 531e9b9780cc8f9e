import Glibc
import RDBBytes
import RDBTestSupport

/// A server of one test's own on a socket in a folder of its own; it ends with this value.
final class RedisServer {
    static let path = "/usr/bin/redis-server"
    static var isInstalled: Bool { access(path, X_OK) == 0 }

    struct Failure: Error {
        var words: String
    }

    private let folder = TemporaryFolder()
    private var process: pid_t = 0
    private var socket: Int32 = -1
    private var buffered: [UInt8] = []
    private var index = 0

    init() throws {
        let arguments = [
            Self.path, "--port", "0", "--unixsocket", folder.file("socket"), "--save", "", "--dir", folder.path,
            "--logfile", folder.file("log"),
        ]
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        guard posix_spawn(&process, Self.path, nil, nil, &words, environ) == 0 else {
            throw Failure(words: "cannot start the server")
        }
        for _ in 0..<500 {
            if connectToServer() { return }
            usleep(20_000)
        }
        throw Failure(words: "the server does not answer")
    }

    deinit {
        if socket >= 0 { _ = close(socket) }
        if process > 0 {
            _ = kill(process, SIGKILL)
            var status: Int32 = 0
            _ = waitpid(process, &status, 0)
        }
    }

    private func connectToServer() -> Bool {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(folder.file("socket").utf8)) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result == 0 { socket = descriptor } else { _ = close(descriptor) }
        return result == 0
    }

    /// Sends a command; the answer is a status or a flat array of strings.
    func call(_ words: [String]) throws -> [String] {
        var request = Array("*\(words.count)\r\n".utf8)
        for word in words { request += Array("$\(word.utf8.count)\r\n\(word)\r\n".utf8) }
        var rest = request[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw Failure(words: "the server has gone") }
            rest = rest.dropFirst(count)
        }
        let head = try line()
        switch head.first {
        case "+": return [String(head.dropFirst())]
        case "*": return try (0..<(Int(head.dropFirst()) ?? 0)).map { _ in try string() }
        default: throw Failure(words: head)
        }
    }

    private func string() throws -> String {
        let count = Int(try line().dropFirst()) ?? 0
        var bytes: [UInt8] = []
        for _ in 0..<count { bytes.append(try byte()) }
        _ = try (byte(), byte())
        return String(decoding: bytes, as: UTF8.self)
    }

    private func line() throws -> String {
        var bytes: [UInt8] = []
        while true {
            let next = try byte()
            if next == 0x0a { return String(decoding: bytes.dropLast(), as: UTF8.self) }
            bytes.append(next)
        }
    }

    private func byte() throws -> UInt8 {
        if index == buffered.count {
            buffered = [UInt8](repeating: 0, count: 64 << 10)
            let count = buffered.withUnsafeMutableBytes { recv(socket, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { throw Failure(words: "the server has gone") }
            buffered.removeLast(buffered.count - count)
            index = 0
        }
        index += 1
        return buffered[index - 1]
    }
}
