import RDBKit

/// Findings of `check`, written as they come.
final class CheckReport {
    let format: CheckFormat
    let quiet: Bool
    var lines: LineBuffer

    init(_ file: OutputFile, format: CheckFormat, quiet: Bool) {
        lines = LineBuffer(file)
        self.format = format
        self.quiet = quiet
        if format == .csv { lines.text.append("input,offset,inner_offset,db,key,code,message\n") }
    }

    func fault(_ fault: EntryFault, input: String) {
        let error = fault.error
        switch format {
        case .text:
            lines.text.append("\(input): \(error.place)")
            if let database = fault.database {
                lines.text.append(" (db \(database)")
                if let key = fault.key {
                    lines.text.append(", key ")
                    JSONValue.bytes(key).append(to: &lines.text)
                }
                lines.text.append(")")
            }
            lines.text.append(": \(error.message)\n")
        case .json:
            JSONValue.members(
                ("input", .text(input)), ("offset", .unsigned(error.offset)),
                ("inner_offset", error.innerOffset.map { .unsigned($0) }),
                ("db", fault.database.map { .unsigned($0) }), ("key", fault.key.map { .bytes($0) }),
                ("code", .text(error.code.rawValue)), ("message", .text(error.message))
            ).append(to: &lines.text)
            lines.text.append("\n")
        case .csv:
            let cells: [String] = [
                input, String(error.offset), error.innerOffset.map { String($0) } ?? "",
                fault.database.map { String($0) } ?? "", fault.key.map { Self.jsonText($0) } ?? "", error.code.rawValue,
                error.message,
            ]
            lines.text.append(cells.map(Self.csvCell).joined(separator: ",") + "\n")
        }
        lines.relieve()
    }

    /// A file that cannot be read, where that is a finding: one that a manifest names.
    func failure(_ failure: InputError) {
        let words = failure.message
        switch format {
        case .text: lines.text.append("\(failure.path): \(words)\n")
        case .json:
            JSONValue.members(
                ("input", .text(failure.path)), ("code", .text("cannotOpen")), ("message", .text(words))
            ).append(to: &lines.text)
            lines.text.append("\n")
        case .csv:
            let cells: [String] = [failure.path, "", "", "", "", "cannotOpen", words]
            lines.text.append(cells.map(Self.csvCell).joined(separator: ",") + "\n")
        }
    }

    func end(
        input: String, version: RDBVersion, consumer: borrowing CheckConsumer, end: RDBEnd?, stopped: DecodeError?,
        byteCount: UInt64
    ) {
        let checksum = ChecksumState(end, stopped)
        let isSound = consumer.faultCount == 0
        switch format {
        case .text:
            if quiet { break }
            let keys = "\(consumer.entryCount) key\(consumer.entryCount == 1 ? "" : "s")"
            if isSound {
                lines.text.append(
                    "\(input): sound: \(version.magic), \(keys), \(byteCount) bytes, checksum \(checksum.words)\n")
                lines.text.append("\(input): \(consumer.compatibility.sentence)\n")
            } else {
                let faults = "\(consumer.faultCount) fault\(consumer.faultCount == 1 ? "" : "s")"
                lines.text.append("\(input): \(faults) in \(keys)")
                lines.text.append(stopped == nil ? "\n" : "; reading ended at byte \(byteCount)\n")
            }
        case .json:
            JSONValue.members(
                ("input", .text(input)), ("sound", .bool(isSound)),
                ("faults", .unsigned(consumer.faultCount)), ("keys", .unsigned(consumer.entryCount)),
                ("rdb_version", .integer(Int64(version.number))), ("family", .text(version.family.rawValue)),
                ("read_bytes", .unsigned(byteCount)), ("whole", .bool(stopped == nil)),
                ("checksum", .text(checksum.rawValue)), ("loadable", isSound ? consumer.compatibility.json : nil)
            ).append(to: &lines.text)
            lines.text.append("\n")
        case .csv: break
        }
    }

    var failure: OutputError? { lines.failure }

    func flush() { lines.flush() }

    static func jsonText(_ bytes: [UInt8]) -> String {
        var text = OutputBuffer(capacity: 256)
        JSONValue.bytes(bytes).append(to: &text)
        // Without the quotes: the CSV has its own.
        return String(decoding: text.bytes.array.dropFirst().dropLast(), as: UTF8.self)
    }

    static func csvCell(_ text: String) -> String {
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}

/// A checksum's state in reports.
enum ChecksumState: String {
    case ok, absent, mismatch
    case notVerified = "not-verified"
    case notReached = "not-reached"

    /// From how the file ended, or the fault that kept it from ending.
    init(_ end: RDBEnd?, _ fault: DecodeError?) {
        switch end?.checksum {
        case .matches: self = .ok
        case .absent: self = .absent
        case .unverified: self = .notVerified
        case nil: self = fault?.code == .checksumMismatch ? .mismatch : .notReached
        }
    }

    var words: String {
        switch self {
        case .ok: "ok"
        case .absent: "absent"
        case .mismatch: "does not match"
        case .notVerified: "not verified"
        case .notReached: "not reached"
        }
    }
}

extension ServerCompatibility {
    var json: JSONValue {
        .members(
            ("redis", redis.map { .text($0) } ?? .null), ("valkey", valkey.map { .text($0) } ?? .null),
            ("modules", .array(modules.sorted().map { .text($0) })))
    }
}
