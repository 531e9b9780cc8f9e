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

/// A file in `$TMPDIR` (else /var/tmp, which outlives a small /tmp in memory) that has no name any more.
func makeTemporaryFile() throws(SourceError) -> Int32 {
    let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/var/tmp"
    guard let file = makeUniqueFile(prefix: "\(folder)/rdbkit-") else { throw .system(errno) }
    _ = unsafe unlink(file.path)
    return file.descriptor
}
