public import RDBBytes

/// A file, or standard input, as a side of a comparison. What cannot be read twice is kept in a temporary file.
public final class FileSide: SnapshotSide {
    public let name: String
    private let path: String
    /// Standard input as it was opened first.
    private var standardInput: DescriptorSource?
    private var kept: KeepingSource?

    /// The temporary file is full.
    public var failure: (any Error)? { kept?.failure }

    /// - Parameter path: `-` is standard input.
    public init(path: String) {
        self.path = path
        name = path == "-" ? "standard input" : path
    }

    public func open(wanting wants: KeyFilter?, isLast: Bool) throws -> any ByteSource {
        if path != "-" { return try Input(path: path).source }
        do throws(SourceError) { return try openStandardInput(isLast: isLast) } catch {
            throw InputError(path: name, cause: error)
        }
    }

    private func openStandardInput(isLast: Bool) throws(SourceError) -> any ByteSource {
        if let kept { return try Input(kept.reopened()).source }
        if let standardInput {
            try standardInput.rewind(to: 0)
            return try Input(standardInput).source
        }
        let file = try DescriptorSource(descriptor: 0, closes: false)
        standardInput = file
        if file.canRewind { return try Input(file).source }
        if isLast { return try Input(RecordingSource(file)).source }
        let keeping = KeepingSource(file)
        kept = keeping
        return try Input(RecordingSource(keeping)).source
    }
}

/// Writes what is read of a pipe into a temporary file as well, so that it can be read from its beginning again.
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
