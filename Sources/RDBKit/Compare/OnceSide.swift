public import RDBBytes

/// A side whose stream is there once: a pipe, the state behind a log. Where it will be read again, what is read of it is
/// kept in a temporary file.
public final class OnceSide: SnapshotSide {
    public let name: String
    private var source: (any ByteSource)?
    private var kept: KeepingSource?

    /// The temporary file is full.
    public var failure: (any Error)? { kept?.failure }

    /// - Parameter source: an RDB from its first byte on, which can go back.
    public init(name: String, _ source: any ByteSource) {
        self.name = name
        self.source = source
    }

    public func open(wanting wants: KeyFilter?, isLast: Bool) throws -> any ByteSource {
        do throws(SourceError) {
            if let kept { return try kept.reopened() }
        } catch { throw InputError(path: name, cause: error) }
        guard let source else { preconditionFailure("a side that is opened once more was not kept") }
        self.source = nil
        if isLast { return source }
        let keeping = KeepingSource(source)
        kept = keeping
        return RecordingSource(keeping)
    }
}
