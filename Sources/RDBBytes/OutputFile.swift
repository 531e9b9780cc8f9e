internal import CZlib
import Glibc

/// Why output could not be made or finished.
public enum OutputError: Error, Equatable, Sendable {
    /// The file cannot be created: its path and errno.
    case cannotCreate(String, Int32)
    /// Writing failed: errno. `EPIPE` means that the reader has gone.
    case system(Int32)
    case interrupted

    public var isClosedPipe: Bool { self == .system(EPIPE) }
}

/// Where results go: standard output, or a file that appears under its name only when it is whole. A name that ends in
/// `.gz` is compressed.
public final class OutputFile {
    private let descriptor: Int32
    /// Of a file with a temporary path: whether the descriptor is still its own.
    private var isOpen = true
    private var temporaryPath: String?
    private let path: String?
    private var deflater: Deflater?

    /// Standard output.
    public convenience init() { self.init(descriptor: STDOUT_FILENO) }

    /// An open descriptor, which stays its owner's to close.
    public init(descriptor: Int32) {
        self.descriptor = descriptor
        path = nil
    }

    /// A file beside `path` that `finish()` renames to it; what is at `path` stays until then. A link is followed; what
    /// is no regular file (a device, a named pipe) is written to as it is.
    public convenience init(path: String) throws(OutputError) {
        try self.init(uncompressed: path)
        if path.hasSuffix(".gz") {
            do { deflater = try Deflater() } catch { throw .cannotCreate(path, ENOMEM) }
        }
    }

    /// The same, whatever the name.
    public init(uncompressed path: String) throws(OutputError) {
        var status = stat()
        if unsafe stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw .cannotCreate(path, errno) }
            self.path = nil
        } else {
            let target = Self.resolved(path)
            guard let file = makeUniqueFile(prefix: "\(target).rdbkit-") else { throw .cannotCreate(path, errno) }
            descriptor = file.descriptor
            temporaryPath = file.path
            self.path = target
            // A unique file is its owner's alone; a result is an ordinary file.
            let mask = umask(0)
            _ = umask(mask)
            _ = fchmod(descriptor, 0o666 & ~mask)
        }
    }

    /// Where a link leads, so that the link itself stays.
    private static func resolved(_ path: String) -> String {
        guard let found = unsafe realpath(path, nil) else { return path }
        // realpath's text is NUL-terminated and ours to free.
        defer { unsafe free(found) }
        return unsafe String(cString: found)
    }

    deinit { discard() }

    /// Removes an unfinished file. What stood at the path before is untouched.
    public func discard() {
        guard let temporary = temporaryPath else { return }
        if isOpen { _ = close(descriptor) }
        isOpen = false
        _ = unsafe unlink(temporary)
        temporaryPath = nil
    }

    public func write(_ bytes: RawSpan) throws(OutputError) {
        guard let deflater else { return try writeOut(bytes) }
        try deflater.deflate(bytes, finish: false, into: self)
    }

    /// Completes the output and gives the file its name.
    public func finish() throws(OutputError) {
        if let deflater { try deflater.deflate(RawSpan(), finish: true, into: self) }
        guard let temporary = temporaryPath, let path else { return }
        if fsync(descriptor) != 0, errno != EINVAL { throw .system(errno) }
        // Even where that fails, the number may be another file's afterwards.
        isOpen = false
        if close(descriptor) != 0 { throw .system(errno) }
        if unsafe rename(temporary, path) != 0 { throw .system(errno) }
        temporaryPath = nil
    }

    fileprivate func writeOut(_ bytes: RawSpan) throws(OutputError) {
        var done = 0
        while done < bytes.byteCount {
            let rest = bytes.extracting(done..<bytes.byteCount)
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR {
                    if Interrupt.isRequested { throw .interrupted }
                    continue
                }
                if errno == EAGAIN {
                    // A non-blocking standard output (another program set it so): wait until it takes more.
                    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = unsafe poll(&request, 1, 1000)
                    continue
                }
                throw .system(errno)
            }
            done += count
        }
    }
}

/// gzip compression into an output file, 64 KiB at a time.
@safe private final class Deflater {
    private var stream = unsafe z_stream()
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)

    init() throws(SourceError) {
        let status = unsafe deflateInit2_(
            &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw .system(ENOMEM) }
    }

    deinit {
        unsafe deflateEnd(&stream)
        unsafe buffer.deallocate()
    }

    func deflate(_ bytes: RawSpan, finish: Bool, into file: OutputFile) throws(OutputError) {
        var rest = 0..<bytes.byteCount
        repeat {
            // zlib counts in 32 bits.
            let piece = rest.prefix(1 << 30)
            rest = piece.upperBound..<rest.upperBound
            try deflatePiece(bytes.extracting(piece), finish: finish && rest.isEmpty, into: file)
        } while !rest.isEmpty
    }

    private func deflatePiece(_ bytes: RawSpan, finish: Bool, into file: OutputFile) throws(OutputError) {
        var failure: OutputError?
        unsafe bytes.withUnsafeBytes { input in
            // zlib does not write through next_in; its type only predates const.
            unsafe stream.next_in = unsafe UnsafeMutablePointer(
                mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
            unsafe stream.avail_in = UInt32(input.count)
            repeat {
                unsafe stream.next_out = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
                unsafe stream.avail_out = UInt32(buffer.count)
                _ = unsafe CZlib.deflate(&stream, finish ? Z_FINISH : Z_NO_FLUSH)
                let made = unsafe UnsafeRawBufferPointer(
                    rebasing: buffer[..<(buffer.count - Int(stream.avail_out))])
                do throws(OutputError) { try file.writeOut(unsafe made.bytes) } catch {
                    failure = error
                    return
                }
            } while unsafe stream.avail_out == 0
        }
        if let failure { throw failure }
    }
}
