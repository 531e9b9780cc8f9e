public import RDBBytes

/// Writes digests of keys, one a line, as text or as JSON Lines.
///
///     6c8f…  0  "user:17"
///     {"db":0,"key":"user:17","digest":"6c8f…"}
public struct DigestLineWriter: ~Copyable {
    public enum Format: String, Sendable, CaseIterable { case text, json }

    private let format: Format
    /// Written in each line where there are several.
    public var input: String?
    private var lines: LineBuffer

    /// - Parameter file: nil keeps the lines until another writer absorbs them.
    public init(_ file: OutputFile?, format: Format) {
        lines = LineBuffer(file)
        self.format = format
    }

    public var failure: OutputError? { lines.failure }
    public var isFull: Bool { lines.isFull }

    /// A writer of the same lines that keeps them.
    public func detached() -> DigestLineWriter {
        var writer = DigestLineWriter(nil, format: format)
        writer.input = input
        return writer
    }

    /// The digest of a key.
    public mutating func append(_ digest: some HexDigest, database: UInt64, key: RawSpan) {
        begin(digest, database)
        switch format {
        case .text:
            lines.text.append("  ")
            lines.text.appendJSON(key, form: .auto)
        case .json:
            lines.text.append(",\"key\":")
            lines.text.appendJSON(key, form: .auto)
        }
        end(digest)
    }

    /// The digest of a database, or of all of them.
    public mutating func append(_ digest: some HexDigest, database: UInt64?, keys: UInt64, functions: UInt64?) {
        begin(digest, database)
        if format == .json {
            lines.text.append(database == nil && input == nil ? "\"keys\":" : ",\"keys\":")
            lines.text.append(decimal: keys)
            if let functions {
                lines.text.append(",\"functions\":")
                lines.text.append(decimal: functions)
            }
        }
        end(digest)
    }

    private mutating func begin(_ digest: some HexDigest, _ database: UInt64?) {
        switch format {
        case .text:
            digest.appendHex(to: &lines.text)
            if let input {
                lines.text.append("  ")
                lines.text.append(input)
            }
            if let database {
                lines.text.append("  ")
                lines.text.append(decimal: database)
            }
        case .json:
            lines.text.append("{")
            if let input {
                lines.text.append("\"input\":")
                input.withRawSpan { lines.text.appendJSON($0, form: .auto) }
            }
            if let database {
                lines.text.append(input == nil ? "\"db\":" : ",\"db\":")
                lines.text.append(decimal: database)
            }
        }
    }

    private mutating func end(_ digest: some HexDigest) {
        if format == .json {
            lines.text.append(",\"digest\":\"")
            digest.appendHex(to: &lines.text)
            lines.text.append("\"}")
        }
        lines.text.append(UInt8(ascii: "\n"))
        lines.relieve()
    }

    /// Takes over the lines of a writer that keeps them, which is empty afterwards.
    public mutating func absorb(_ other: inout DigestLineWriter) { lines.absorb(&other.lines) }

    public mutating func flush() { lines.flush() }
}
