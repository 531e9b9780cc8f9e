public import RDBBytes
public import RDBFormat
import RDBModel

/// One string value's bytes as they are. The value is checked to its end before its first byte is written.
public struct RawConsumer: EntryConsumer, ~Copyable {
    private var writer: RawWriter
    /// Set when the key was met: whether it holds a string.
    public private(set) var foundString: Bool?

    public init(_ file: OutputFile) { writer = RawWriter(file: file) }

    public var failure: OutputError? { writer.failure }
    public var isDone: Bool { foundString != nil }

    public mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        guard reader.header.type == .string else {
            foundString = false
            return try reader.skipValue()
        }
        var nobody = NullVisitor()
        try reader.readValue(into: &nobody)
        try reader.rewindToValue()
        try reader.readValue(into: &writer)
        foundString = true
    }

    private struct RawWriter: ValueVisitor {
        let file: OutputFile
        var failure: OutputError?

        mutating func text(_ bytes: RawSpan, as role: TextRole) {
            if failure != nil { return }
            do throws(OutputError) { try file.write(bytes) } catch { failure = error }
        }
        mutating func integer(_ value: Int64, as role: TextRole) {
            text(Array(String(value).utf8).rawSpan, as: role)
        }
        mutating func largeTextChunk(_ bytes: RawSpan) { text(bytes, as: .string) }
    }
}
