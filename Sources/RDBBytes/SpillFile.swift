import Glibc

/// A temporary file could not be made, written or read.
public struct SpillError: Error, Equatable, Sendable {
    /// errno; nil after a request to stop.
    public var number: Int32?
    /// Where temporary files are made.
    public var folder: String

    public static let interrupted = SpillError(number: nil, folder: "")

    public var sourceError: SourceError { number.map { .system($0) } ?? .interrupted }
}

/// A temporary file without a name, in `$TMPDIR` or else /var/tmp: written front to back, read anywhere. However the
/// program ends, nothing of it is left behind. It comes into being with the first byte.
///
/// One thread at a time writes; reads may come from several once all is written.
public final class SpillFile: @unchecked Sendable {
    private var descriptor: Int32 = -1
    public private(set) var byteCount: UInt64 = 0

    public init() {}

    deinit {
        if descriptor >= 0 { _ = close(descriptor) }
    }

    /// - Returns: the offset of the first byte.
    @discardableResult
    public func append(_ bytes: RawSpan) throws(SpillError) -> UInt64 {
        let start = byteCount
        if descriptor < 0 {
            do throws(SourceError) { descriptor = try makeTemporaryFile() } catch {
                throw SpillError(number: errno, folder: temporaryFolder)
            }
        }
        var done = 0
        while done < bytes.byteCount {
            let rest = bytes.extracting(done..<bytes.byteCount)
            let count = unsafe rest.withUnsafeBytes {
                unsafe pwrite(descriptor, $0.baseAddress, $0.count, Int(byteCount))
            }
            if count < 0 {
                if errno == EINTR, !Interrupt.isRequested { continue }
                throw failure()
            }
            done += count
            byteCount += UInt64(count)
        }
        return start
    }

    /// Fills the whole buffer with what begins at `offset`, which must have been written.
    public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SpillError) {
        precondition(offset <= byteCount && UInt64(buffer.count) <= byteCount - offset, "reads what was written")
        var done = 0
        while done < buffer.count {
            // The slice lies within the buffer.
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = unsafe pread(descriptor, rest.baseAddress, rest.count, Int(offset) + done)
            if count > 0 {
                done += count
            } else if count == 0 {
                throw SpillError(number: EIO, folder: temporaryFolder)
            } else if errno != EINTR || Interrupt.isRequested {
                throw failure()
            }
        }
    }

    /// A copy of what was written there.
    public func bytes(_ range: Range<UInt64>) throws(SpillError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        let result = unsafe bytes.withUnsafeMutableBytes { buffer -> Result<Void, SpillError> in
            do throws(SpillError) { return .success(unsafe try read(at: range.lowerBound, into: buffer)) } catch {
                return .failure(error)
            }
        }
        try result.get()
        return bytes
    }

    /// A part of what was written, as a source.
    public func source(_ range: Range<UInt64>) -> any ByteSource {
        PartSource(descriptor: descriptor, of: self, range)
    }

    private func failure() -> SpillError {
        SpillError(number: Interrupt.isRequested ? nil : errno, folder: temporaryFolder)
    }
}

/// A part of a file as a source, which leaves the file's own position alone.
public final class PartSource: ByteSource {
    private let descriptor: Int32
    /// Keeps the descriptor open.
    private let owner: AnyObject
    private let range: Range<UInt64>
    private var position: UInt64 = 0

    init(descriptor: Int32, of owner: AnyObject, _ range: Range<UInt64>) {
        self.descriptor = descriptor
        self.owner = owner
        self.range = range
    }

    public var byteCount: UInt64? { UInt64(range.count) }
    public var consumedByteCount: UInt64 { position }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SourceError) -> Int {
        let wanted = Int(min(UInt64(buffer.count), UInt64(range.count) - position))
        while wanted > 0 {
            // At most as much as the buffer holds.
            let count = unsafe pread(descriptor, buffer.baseAddress, wanted, Int(range.lowerBound + position))
            if count >= 0 {
                position += UInt64(count)
                return count
            }
            if Interrupt.isRequested { throw .interrupted }
            if errno != EINTR { throw .system(errno) }
        }
        return 0
    }

    public func hold(from offset: UInt64, delivered: UnsafeRawBufferPointer) {}
    public func rewind(to offset: UInt64) { position = offset }
    public func release() {}
}
