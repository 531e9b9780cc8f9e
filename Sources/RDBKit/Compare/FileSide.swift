public import RDBBytes

/// A file as a side of a comparison: a path, or standard input that can go back.
public final class FileSide: SnapshotSide {
    public let name: String
    private let path: String
    private let standardInput: DescriptorSource?

    public init(path: String) {
        self.path = path
        name = path
        standardInput = nil
    }

    /// - Parameter standardInput: of a regular file.
    public init(standardInput: DescriptorSource) {
        self.standardInput = standardInput
        path = "-"
        name = "standard input"
    }

    public func open(wanting wants: KeyFilter?, isLast: Bool) throws -> any ByteSource {
        guard let standardInput else { return try Input(path: path).source }
        do throws(SourceError) {
            try standardInput.rewind(to: 0)
            return try Input(standardInput).source
        } catch { throw InputError(path: name, cause: error) }
    }
}
