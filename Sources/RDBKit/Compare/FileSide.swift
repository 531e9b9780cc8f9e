public import RDBBytes

/// A regular file as a side of a comparison: it stays open, so that every pass reads the same one.
public final class FileSide: SnapshotSide {
    public let name: String
    private let file: DescriptorSource

    public var canReadAgain: Bool { true }

    /// - Parameter file: which can go back; plain or compressed.
    public init(name: String, _ file: DescriptorSource) {
        self.name = name
        self.file = file
    }

    public func open(wanting wants: KeyFilter?, isLast: Bool) throws -> any ByteSource {
        do throws(SourceError) {
            try file.rewind(to: 0)
            return try Input(file).source
        } catch { throw InputError(path: name, cause: error) }
    }
}
