import RDBBytes

/// Writes what is read of a source that cannot go back into a temporary file as well, so that it can be read from its beginning again.
final class KeepingSource: ByteSource {
    private let base: any ByteSource
    private let file = SpillFile()
    private(set) var failure: SpillError?

    init(_ base: any ByteSource) { self.base = base }

    var byteCount: UInt64? { base.byteCount }
    var consumedByteCount: UInt64 { base.consumedByteCount }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SourceError) -> Int {
        let count = unsafe try base.read(into: buffer)
        if count > 0 {
            do throws(SpillError) {
                try file.append(unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes)
            } catch {
                failure = error
                throw error.sourceError
            }
        }
        return count
    }

    /// What was read, and whatever the pipe still holds.
    func reopened() throws(SourceError) -> any ByteSource {
        var rest = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let result = unsafe rest.withUnsafeMutableBytes { buffer -> Result<Int, SourceError> in
                do throws(SourceError) { return .success(unsafe try read(into: buffer)) } catch {
                    return .failure(error)
                }
            }
            if try result.get() == 0 { break }
        }
        return file.source(0..<file.byteCount)
    }

    func hold(from offset: UInt64, delivered: UnsafeRawBufferPointer) throws(SourceError) {
        preconditionFailure("a pipe cannot go back")
    }
    func rewind(to offset: UInt64) throws(SourceError) { preconditionFailure("a pipe cannot go back") }
    func release() {}
}
