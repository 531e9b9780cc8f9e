public import RDBBytes
public import RDBFormat
import RDBModel

/// Keys as they are, each followed by a byte.
public struct KeysConsumer: EntryConsumer, ~Copyable {
    public static var rereadsValues: Bool { false }

    private let terminator: UInt8
    private var lines: LineBuffer
    public private(set) var writtenCount: UInt64 = 0

    /// - Parameter terminator: a line feed, or NUL where keys may hold line feeds.
    public init(_ file: OutputFile, terminator: UInt8) {
        lines = LineBuffer(file)
        self.terminator = terminator
    }

    public var failure: OutputError? { lines.failure }
    public var isDone: Bool { failure != nil }

    public mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        // The line belongs to the entry: it stays only if the value can be stepped over.
        let start = lines.text.byteCount
        lines.text.append(reader.key)
        lines.text.append(terminator)
        do throws(DecodeError) { try reader.skipValue() } catch {
            lines.text.truncate(to: start)
            throw error
        }
        writtenCount += 1
        lines.relieve()
    }

    public mutating func flush() { lines.flush() }
}
