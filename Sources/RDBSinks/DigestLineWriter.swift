public import RDBBytes

/// Writes digests of keys, one a line, as text or as JSON Lines.
///
///     6c8f…  0  "user:17"
///     {"db":0,"key":"user:17","digest":"6c8f…"}
public struct DigestLineWriter: ~Copyable {
    public enum Format: String, Sendable, CaseIterable { case text, json }

    private let file: OutputFile?
    private let format: Format
    /// Written in each line where there are several.
    public var input: String?
    private var out = OutputBuffer()
    public private(set) var failure: OutputError?

    private static let flushByteCount = 128 << 10

    /// - Parameter file: nil keeps the lines until another writer absorbs them.
    public init(_ file: OutputFile?, format: Format) {
        self.file = file
        self.format = format
    }

    /// A writer of the same lines that keeps them.
    public func detached() -> DigestLineWriter {
        var writer = DigestLineWriter(nil, format: format)
        writer.input = input
        return writer
    }

    public var isFull: Bool { file == nil && out.byteCount > 3 << 19 }

    /// The digest of a key.
    public mutating func append(_ digest: some HexDigest, database: UInt64, key: RawSpan) {
        begin(digest, database)
        switch format {
        case .text:
            out.append("  ")
            out.appendJSON(key, form: .auto)
        case .json:
            out.append(",\"key\":")
            out.appendJSON(key, form: .auto)
        }
        end(digest)
    }

    /// The digest of a database, or of all of them.
    public mutating func append(_ digest: some HexDigest, database: UInt64?, keys: UInt64, functions: UInt64?) {
        begin(digest, database)
        if format == .json {
            out.append(database == nil && input == nil ? "\"keys\":" : ",\"keys\":")
            out.append(decimal: keys)
            if let functions {
                out.append(",\"functions\":")
                out.append(decimal: functions)
            }
        }
        end(digest)
    }

    private mutating func begin(_ digest: some HexDigest, _ database: UInt64?) {
        switch format {
        case .text:
            digest.appendHex(to: &out)
            if let input {
                out.append("  ")
                out.append(input)
            }
            if let database {
                out.append("  ")
                out.append(decimal: database)
            }
        case .json:
            out.append("{")
            if let input {
                out.append("\"input\":")
                input.withRawSpan { out.appendJSON($0, form: .auto) }
            }
            if let database {
                out.append(input == nil ? "\"db\":" : ",\"db\":")
                out.append(decimal: database)
            }
        }
    }

    private mutating func end(_ digest: some HexDigest) {
        if format == .json {
            out.append(",\"digest\":\"")
            digest.appendHex(to: &out)
            out.append("\"}")
        }
        out.append(UInt8(ascii: "\n"))
        if file != nil, out.byteCount >= Self.flushByteCount { flush() }
    }

    /// Takes over the lines of a writer that keeps them, which is empty afterwards.
    public mutating func absorb(_ other: inout DigestLineWriter) {
        flush()
        if failure == nil, other.out.byteCount > 0 {
            do throws(OutputError) { try file?.write(other.out.bytes) } catch { failure = error }
        }
        other.out.truncate(to: 0)
        other.out.shrink(to: 2 << 20)
    }

    public mutating func flush() {
        guard let file, out.byteCount > 0 else { return }
        if failure == nil {
            do throws(OutputError) { try file.write(out.bytes) } catch { failure = error }
        }
        out.truncate(to: 0)
        out.shrink(to: 1 << 20)
    }
}
