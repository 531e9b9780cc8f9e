import Glibc

// What the benchmark does with files and folders.

/// The size of a regular file, or nil when there is none.
func fileSize(_ path: String) -> Int? {
    var information = stat()
    guard stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return nil }
    return information.st_size
}

/// Makes `path` and the folders above it.
func makeDirectories(_ path: String) throws(BenchError) {
    var prefix = path.hasPrefix("/") ? "/" : ""
    for component in path.split(separator: "/") {
        prefix += component
        guard mkdir(prefix, 0o755) == 0 || errno == EEXIST else { throw .system("make \(prefix)") }
        prefix += "/"
    }
}

/// The whole of a small text file, or nil when it cannot be read.
func readText(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        if count < 0 && errno == EINTR { continue }
        if count < 0 { return nil }
        if count == 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes.append(contentsOf: buffer[..<count])
    }
}

/// Writes a small file beside `path` and renames it, so that no half of one is ever seen.
func writeBytes(_ bytes: [UInt8], to path: String) throws(BenchError) {
    let temporary = path + ".new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system("write \(path)") }
    let isWritten = writeAll(bytes, to: descriptor)
    guard close(descriptor) == 0, isWritten, rename(temporary, path) == 0 else { throw .system("write \(path)") }
}

/// Returns whether all of `bytes` could be written.
func writeAll(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
    }
    return true
}
