import Glibc

/// Gives a source that cannot go back (a pipe, a compressed stream) the means to: while something is held, what is read
/// is also kept, in memory up to `memoryLimit` bytes and beyond that in an unlinked temporary file.
public final class RecordingSource: ByteSource {
    private let base: any ByteSource
    private let memoryLimit: Int

    /// The input's offset of the first kept byte, and how many are kept.
    private var keptFrom: UInt64 = 0
    private var keptCount: UInt64 = 0
    private var isHolding = false
    /// Set while kept bytes are delivered again: the offset to deliver next.
    private var replayFrom: UInt64?
    private var memory: [UInt8] = []
    private var file: Int32 = -1

    public init(_ base: any ByteSource, memoryLimit: Int = 4 << 20) {
        self.base = base
        self.memoryLimit = memoryLimit
    }

    deinit {
        if file >= 0 { _ = close(file) }
    }

    public var byteCount: UInt64? { base.byteCount }
    public var consumedByteCount: UInt64 { base.consumedByteCount }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SourceError) -> Int {
        if let offset = replayFrom {
            if offset < keptFrom + keptCount {
                let count = unsafe try readKept(at: offset - keptFrom, into: buffer)
                replayFrom = offset + UInt64(count)
                return count
            }
            replayFrom = nil
        }
        let count = unsafe try base.read(into: buffer)
        if isHolding { unsafe try keep(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
        return count
    }

    public func hold(from offset: UInt64, delivered: UnsafeRawBufferPointer) throws(SourceError) {
        if isHolding { return }
        if let next = replayFrom, next < keptFrom + keptCount {
            // What is still to be replayed from an earlier hold lies behind `delivered` and is kept with it.
            isHolding = true
            return try forget(before: offset)
        }
        forget()
        isHolding = true
        keptFrom = offset
        unsafe try keep(delivered)
    }

    public func rewind(to offset: UInt64) throws(SourceError) {
        precondition(offset >= keptFrom && offset <= keptFrom + keptCount, "rewind to a byte that is not held")
        replayFrom = offset
    }

    public func release() {
        isHolding = false
        // Bytes still to be replayed stay until they have been delivered.
        if let offset = replayFrom, offset < keptFrom + keptCount { return }
        forget()
    }

    private func forget() {
        replayFrom = nil
        keptCount = 0
        memory = []
        if file >= 0 {
            _ = close(file)
            file = -1
        }
    }

    /// Keeps no more than is wanted, so that holds that follow each other closely do not add up.
    private func forget(before offset: UInt64) throws(SourceError) {
        let drop = offset - keptFrom
        let left = keptCount - drop
        // Mostly what was read beyond a value's end, less than a window holds.
        guard left <= UInt64(memoryLimit) else { return }
        var rest = [UInt8](repeating: 0, count: Int(left))
        var done = 0
        while done < rest.count {
            let result = unsafe rest.withUnsafeMutableBytes { buffer -> Result<Int, SourceError> in
                do throws(SourceError) {
                    // done < rest.count, and drop + rest.count == keptCount.
                    return .success(
                        unsafe try readKept(
                            at: drop + UInt64(done), into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...])))
                } catch { return .failure(error) }
            }
            done += try result.get()
        }
        if file >= 0 {
            _ = close(file)
            file = -1
        }
        memory = rest
        keptFrom = offset
        keptCount = left
    }

    private func keep(_ bytes: UnsafeRawBufferPointer) throws(SourceError) {
        keptCount += UInt64(bytes.count)
        if file < 0, memory.count + bytes.count <= memoryLimit {
            unsafe memory.append(contentsOf: bytes)
            return
        }
        if file < 0 {
            file = try makeTemporaryFile()
            let first = memory
            memory = []
            try write(first.rawSpan)
        }
        unsafe try write(bytes.bytes)
    }

    private func write(_ span: RawSpan) throws(SourceError) {
        var done = 0
        while done < span.byteCount {
            let rest = span.extracting(done..<span.byteCount)
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR, !Interrupt.isRequested { continue }
                throw Interrupt.isRequested ? .interrupted : .system(errno)
            }
            done += count
        }
    }

    private func readKept(at index: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SourceError) -> Int {
        let count = Int(min(UInt64(buffer.count), keptCount - index))
        guard file >= 0 else {
            // index + count <= keptCount == memory.count while there is no file.
            unsafe memory.withUnsafeBytes { all in
                let from = Int(index)
                unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: all[from..<from + count]))
            }
            return count
        }
        let got = unsafe pread(file, buffer.baseAddress, count, Int(index))
        guard got > 0 else { throw .system(got == 0 ? EIO : errno) }
        return got
    }
}
