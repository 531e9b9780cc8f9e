public import RDBBytes
public import RDBFormat
import RDBModel

/// Keys as they are, each followed by a byte.
public struct KeysConsumer: EntryConsumer, ~Copyable {
    public static var rereadsValues: Bool { false }

    private let file: OutputFile
    private let terminator: UInt8
    private var out = OutputBuffer()
    public private(set) var failure: OutputError?
    public private(set) var writtenCount: UInt64 = 0

    /// - Parameter terminator: a line feed, or NUL where keys may hold line feeds.
    public init(_ file: OutputFile, terminator: UInt8) {
        self.file = file
        self.terminator = terminator
    }

    public var isDone: Bool { failure != nil }

    public mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        // The line belongs to the entry: it stays only if the value can be stepped over.
        let start = out.byteCount
        out.append(reader.key)
        out.append(terminator)
        do throws(DecodeError) { try reader.skipValue() } catch {
            out.truncate(to: start)
            throw error
        }
        writtenCount += 1
        if out.byteCount >= 128 << 10 { flush() }
    }

    public mutating func flush() {
        if failure == nil {
            do throws(OutputError) { try file.write(out.bytes) } catch { failure = error }
        }
        out.truncate(to: 0)
    }
}
