import Glibc

/// A new file whose name begins with `prefix`, readable by its owner only, closed in child processes.
func makeUniqueFile(prefix: String) -> (descriptor: Int32, path: String)? {
    var template = Array("\(prefix)XXXXXX".utf8CString)
    // mkstemp fills in the six places at the end of its NUL-terminated argument.
    return unsafe template.withUnsafeMutableBufferPointer { name in
        let descriptor = unsafe mkstemp(name.baseAddress!)
        guard descriptor >= 0 else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return unsafe (descriptor, String(cString: name.baseAddress!))
    }
}

/// `$TMPDIR`, else /var/tmp, which outlives a small /tmp in memory.
var temporaryFolder: String { unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/var/tmp" }

/// A file in the temporary folder that has no name: where the file system can, it never had one.
func makeTemporaryFile() throws(SourceError) -> Int32 {
    // O_TMPFILE, which the C library's headers keep for those who ask for GNU's own names.
    let nameless = unsafe open(temporaryFolder, 0o20000000 | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0o600)
    if nameless >= 0 { return nameless }
    guard let file = makeUniqueFile(prefix: "\(temporaryFolder)/rdbkit-") else { throw .system(errno) }
    _ = unsafe unlink(file.path)
    return file.descriptor
}

/// Makes a descriptor one that can be read more than once: what a pipe still delivers goes into a temporary file, as
/// `makeTemporaryFile` makes them, and that takes the pipe's place. A regular file stays what it is.
///
/// Disk: as much as the pipe delivers. Memory: 256 KiB.
/// - Returns: the offset in the file where reading begins, to go back to.
public func makeRereadable(_ descriptor: Int32) throws(SourceError) -> Int {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .system(errno) }
    let here = lseek(descriptor, 0, SEEK_CUR)
    if status.st_mode & S_IFMT == S_IFREG, here >= 0 { return here }
    let file = try makeTemporaryFile()
    defer { _ = close(file) }
    var buffer = [UInt8](repeating: 0, count: 256 << 10)
    while true {
        if Interrupt.isRequested { throw .interrupted }
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        if count == 0 { break }
        if count < 0 {
            if errno == EINTR { continue }
            throw .system(errno)
        }
        var done = 0
        while done < count {
            // done < count <= the buffer's length.
            let written = unsafe buffer.withUnsafeBytes { unsafe write(file, $0.baseAddress! + done, count - done) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw .system(errno) }
            done += written
        }
    }
    guard lseek(file, 0, SEEK_SET) == 0, dup2(file, descriptor) == descriptor else { throw .system(errno) }
    return 0
}
