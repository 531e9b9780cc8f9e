public import RDBBytes

/// A small JSON document, for reports and errors. Entries are written by `JSONEntryWriter`.
public indirect enum JSONValue {
    case object([(name: String, value: JSONValue)])
    case array([JSONValue])
    /// Bytes by the text rule.
    case bytes([UInt8])
    case text(String)
    case integer(Int64)
    case unsigned(UInt64)
    case double(Double)
    case bool(Bool)
    case null

    /// An object whose absent members are left out.
    public static func members(_ pairs: (String, JSONValue?)...) -> JSONValue {
        .object(pairs.compactMap { pair in pair.1.map { (name: pair.0, value: $0) } })
    }

    /// Appends the document on one line, or indented for people.
    public func append(to out: inout OutputBuffer, indent: Int? = nil) {
        switch self {
        case .object(let members):
            out.append("{")
            for (index, member) in members.enumerated() {
                if index > 0 { out.append(",") }
                newLine(&out, indent.map { $0 + 2 })
                member.name.withRawSpan { out.appendJSON($0, form: .auto) }
                out.append(indent == nil ? ":" : ": ")
                member.value.append(to: &out, indent: indent.map { $0 + 2 })
            }
            if !members.isEmpty { newLine(&out, indent) }
            out.append("}")
        case .array(let values):
            out.append("[")
            for (index, value) in values.enumerated() {
                if index > 0 { out.append(",") }
                newLine(&out, indent.map { $0 + 2 })
                value.append(to: &out, indent: indent.map { $0 + 2 })
            }
            if !values.isEmpty { newLine(&out, indent) }
            out.append("]")
        case .bytes(let bytes): out.appendJSON(bytes.rawSpan, form: .auto)
        case .text(let text): text.withRawSpan { out.appendJSON($0, form: .auto) }
        case .integer(let value): out.append(decimal: value)
        case .unsigned(let value): out.append(decimal: value)
        case .double(let value): out.appendJSON(value)
        case .bool(let value): out.append(value ? "true" : "false")
        case .null: out.append("null")
        }
    }

    private func newLine(_ out: inout OutputBuffer, _ indent: Int?) {
        guard let indent else { return }
        out.append("\n")
        for _ in 0..<indent { out.append(" ") }
    }
}
