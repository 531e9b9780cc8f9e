import Glibc
import RDBKit

/// A nameless file that output goes to and is read back from.
final class Capture {
    private let descriptor: Int32

    init() {
        var path = Array("/tmp/rdbkit-fuzz-XXXXXX".utf8CString)
        descriptor = mkstemp(&path)
        precondition(descriptor >= 0, "no temporary file")
        unlink(path)
    }

    deinit { close(descriptor) }

    /// The same file, emptied.
    var file: OutputFile {
        ftruncate(descriptor, 0)
        lseek(descriptor, 0, SEEK_SET)
        return OutputFile(descriptor: descriptor)
    }

    var bytes: [UInt8] {
        let count = Int(lseek(descriptor, 0, SEEK_CUR))
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(0, pread(descriptor, buffer.baseAddress, count, 0))
        }
    }
}
