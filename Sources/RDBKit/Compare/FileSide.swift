public import RDBBytes

/// A file as a side of a comparison, or standard input that is one.
public final class FileSide: SnapshotSide {
    public let name: String
    private let path: String

    /// - Parameter path: `-` is standard input, which must be able to go back.
    public init(path: String) {
        self.path = path
        name = path == "-" ? "standard input" : path
    }

    public func open(wanting wants: KeyFilter?, isLast: Bool) throws -> any ByteSource {
        if path != "-" { return try Input(path: path).source }
        do throws(SourceError) {
            let file = try DescriptorSource(descriptor: 0, closes: false)
            try file.rewind(to: 0)
            return try Input(file).source
        } catch { throw InputError(path: name, cause: error) }
    }
}
