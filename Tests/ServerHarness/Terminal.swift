internal import Glibc

/// A terminal that a program is run on; the test is the person in front of it.
package final class Terminal {
    package let name: String
    private let descriptor: Int32

    package init() throws {
        descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        // The C library's calls for this are not in scope: TIOCSPTLCK unlocks the other end, TIOCGPTN tells its number.
        var (unlocked, number): (Int32, UInt32) = (0, 0)
        guard descriptor >= 0, ioctl(descriptor, 0x4004_5431, &unlocked) == 0,
            ioctl(descriptor, 0x8004_5430, &number) == 0
        else { throw SystemError("open a terminal") }
        name = "/dev/pts/\(number)"
    }

    /// Waits until the terminal shows this text.
    ///
    /// - Returns: all that was shown since the last call.
    package func awaitText(_ text: String, seconds: Double = 10) throws -> String {
        let deadline = now() + seconds
        var shown = Bytes()
        while !String(decoding: shown, as: UTF8.self).contains(text) {
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if now() > deadline { throw HarnessError("the terminal shows no \(text), but \(shown.quoted)") }
            guard poll(&ready, 1, 100) > 0 else { continue }
            var bytes = Bytes(repeating: 0, count: 4096)
            let count = read(descriptor, &bytes, bytes.count)
            // Nobody has opened the other end yet, or the last one has closed it.
            if count <= 0 { usleep(10_000) } else { shown += bytes.prefix(count) }
        }
        return String(decoding: shown, as: UTF8.self)
    }

    package func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(descriptor, bytes, bytes.count)
    }

    deinit { close(descriptor) }
}
