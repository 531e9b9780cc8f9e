import RDBKit

/// Options as they would be typed, in an order of their own: two runs with the same text choose and change the same.
struct ChosenOptions {
    private(set) var text = ""

    mutating func add(_ name: String, _ value: (some CustomStringConvertible)?) {
        guard let value else { return }
        if !text.isEmpty { text += " " }
        text += "\(name) \(Self.quoted("\(value)"))"
    }

    mutating func add(_ name: String, _ values: [some CustomStringConvertible]) {
        for value in values.map({ "\($0)" }).sorted() { add(name, value) }
    }

    mutating func add(_ name: String, _ isSet: Bool) {
        if isSet { text += text.isEmpty ? name : " \(name)" }
    }

    /// As a shell takes it.
    private static func quoted(_ text: String) -> String {
        let plain = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            default: "-_.,:/+=%@".utf8.contains(byte)
            }
        }
        if plain, !text.isEmpty { return text }
        return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}

extension RestoreCommand {
    /// What decides which entries are sent, and as what.
    /// - Parameter database: the URL's.
    func choices(database: Int?) -> String {
        var chosen = ChosenOptions()
        changes.add(to: &chosen)
        if changes.databaseMap == nil, let database, database > 0 { chosen.add("--db-map", "*:\(database)") }
        selection.add(to: &chosen)
        chosen.add("--keep-expired", keepExpired)
        return chosen.text
    }
}

extension ChangeOptions {
    func add(to chosen: inout ChosenOptions) {
        chosen.add("--db-map", databaseMap)
        chosen.add("--add-prefix", addPrefix)
        chosen.add("--strip-prefix", stripPrefix)
        chosen.add("--rename-regex", renameRegex)
        chosen.add("--ttl", expiry.isKeep ? nil : expiry)
    }
}

extension SelectionOptions {
    func add(to chosen: inout ChosenOptions) {
        chosen.add("--db", databases)
        chosen.add("--key", globs)
        chosen.add("--key-regex", regexes)
        chosen.add("--not-key", excludedGlobs)
        chosen.add("--not-key-regex", excludedRegexes)
        chosen.add("--type", types.map(\.name))
        chosen.add("--not-type", excludedTypes.map(\.name))
        chosen.add("--slot", slots)
        chosen.add("--min-size", minSize?.byteCount)
        chosen.add("--max-size", maxSize?.byteCount)
        chosen.add("--min-elements", minElements)
        chosen.add("--max-elements", maxElements)
        chosen.add("--expires", expires.map(\.rawValue))
        chosen.add("--expires-before", expiresBefore)
        chosen.add("--expires-after", expiresAfter)
        chosen.add("--sample", sample?.value)
        chosen.add("--limit", limit)
        chosen.add("--at", at)
        chosen.add("--at-offset", atOffset.map { ($0.fileName.map { "\($0):" } ?? "") + "\($0.offset)" })
    }
}

extension DatabaseMap: CustomStringConvertible {
    var description: String {
        let pairs = databases.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }
        return (pairs + (others.map { ["*:\($0)"] } ?? [])).joined(separator: ",")
    }
}

extension RenameRule: CustomStringConvertible {
    var description: String {
        let flags = (substitution.replacesAll ? "g" : "") + (substitution.ignoresCase ? "i" : "")
        return "s/\(substitution.pattern)/\(substitution.replacement)/\(flags)"
    }
}

extension ExpiryRule: CustomStringConvertible {
    var isKeep: Bool { if case .keep = self { true } else { false } }

    var description: String {
        switch self {
        case .keep: "keep"
        case .drop: "drop"
        case .shift(let milliseconds): "\(milliseconds < 0 ? "" : "+")\(milliseconds / 1000)s"
        case .fromNow(let milliseconds): "=\(milliseconds / 1000)s"
        }
    }
}

extension NumberRange: CustomStringConvertible {
    var description: String {
        range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }
}

extension Moment: CustomStringConvertible {
    var description: String {
        switch form {
        case .absolute(let time): "\(time / 1000).\(String(abs(time % 1000) + 1000).dropFirst())"
        case .relative(let delta): "\(delta < 0 ? "" : "+")\(delta / 1000)s"
        }
    }
}
