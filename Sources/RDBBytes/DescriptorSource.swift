import Glibc

/// A file descriptor: a regular file (can go back), a pipe or a terminal (cannot).
public final class DescriptorSource: ByteSource {
    private let descriptor: Int32
    private let closes: Bool
    public let byteCount: UInt64?
    public private(set) var consumedByteCount: UInt64 = 0

    /// True for regular files: `hold` and `rewind` work.
    public var canRewind: Bool { byteCount != nil }

    /// - Parameter closes: whether the descriptor is closed with this source.
    public init(descriptor: Int32, closes: Bool) throws(SourceError) {
        self.descriptor = descriptor
        self.closes = closes
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .system(errno) }
        if status.st_mode & S_IFMT == S_IFDIR { throw .system(EISDIR) }
        let here = lseek(descriptor, 0, SEEK_CUR)
        if status.st_mode & S_IFMT == S_IFREG, here >= 0 {
            start = UInt64(here)
            byteCount = UInt64(max(0, status.st_size - here))
            _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
        } else {
            start = 0
            byteCount = nil
        }
    }

    /// Opens a file for reading.
    public convenience init(path: String) throws(SourceError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(errno) }
        try self.init(descriptor: descriptor, closes: true)
    }

    /// Standard input that a shell opened in the middle of a file begins there.
    private let start: UInt64

    deinit {
        if closes { _ = close(descriptor) }
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SourceError) -> Int {
        while true {
            if Interrupt.isRequested { throw .interrupted }
            // The pointer and count are those of `buffer`.
            let count = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 {
                consumedByteCount += UInt64(count)
                return count
            }
            if errno != EINTR { throw .system(errno) }
        }
    }

    public func hold(from offset: UInt64, delivered: UnsafeRawBufferPointer) throws(SourceError) {
        if !canRewind { throw .system(ESPIPE) }
    }

    public func rewind(to offset: UInt64) throws(SourceError) {
        guard let target = Int(exactly: start + offset), lseek(descriptor, target, SEEK_SET) >= 0 else {
            throw .system(errno)
        }
        consumedByteCount = offset
    }

    public func release() {}

    /// A part of a regular file, as a source of its own.
    public func part(_ range: Range<UInt64>) -> (any ByteSource)? {
        canRewind
            ? PartSource(
                descriptor: descriptor, of: self, start + range.lowerBound..<start + range.upperBound) : nil
    }
}
