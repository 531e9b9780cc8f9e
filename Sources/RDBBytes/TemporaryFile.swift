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
