import Glibc
import RDBKit
import RDBServer

/// Asks for a password on the terminal, which does not show it. Where there is no terminal, a line of standard input is
/// the password.
enum PasswordPrompt {
    private static let maxByteCount = 4096

    /// - Throws: `interrupted`, or `authenticationFailed` where nothing is entered.
    static func read() throws(ServerError) -> String {
        let terminal = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        defer { if terminal >= 0 { close(terminal) } }
        guard terminal >= 0 else { return try line(STDIN_FILENO) }
        var settings = termios()
        let hasSettings = unsafe tcgetattr(terminal, &settings) == 0
        let shown = settings
        settings.c_lflag &= ~tcflag_t(ECHO)
        settings.c_lflag |= tcflag_t(ECHONL)
        if hasSettings { _ = unsafe tcsetattr(terminal, TCSAFLUSH, &settings) }
        defer {
            var shown = shown
            if hasSettings { _ = unsafe tcsetattr(terminal, TCSAFLUSH, &shown) }
        }
        "Password: ".withRawSpan { prompt in
            _ = unsafe prompt.withUnsafeBytes { unsafe write(terminal, $0.baseAddress, $0.count) }
        }
        return try line(terminal)
    }

    /// A byte at a time: what follows the line is for others.
    private static func line(_ descriptor: Int32) throws(ServerError) -> String {
        var bytes: [UInt8] = []
        while bytes.count < maxByteCount {
            // Waits for no longer than a request to stop takes to be seen: it may come just before the reading begins.
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let isReady = unsafe poll(&ready, 1, 100)
            if Interrupt.isRequested { throw ServerError(.interrupted, "interrupted") }
            if isReady == 0 || isReady < 0 && errno == EINTR { continue }
            var byte: UInt8 = 0
            let count = unsafe Glibc.read(descriptor, &byte, 1)
            if count < 0, errno == EINTR { continue }
            if count <= 0 || byte == UInt8(ascii: "\n") { break }
            bytes.append(byte)
        }
        if bytes.isEmpty { throw ServerError(.authenticationFailed, "no password was entered") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
