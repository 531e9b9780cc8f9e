import RDBBytes
public import RDBModel

/// What becomes of databases, keys and expiries on their way to a target.
public struct EntryChanges: Sendable {
    /// Numbers of databases, and what they become.
    public var databases: [UInt64: UInt64] = [:]
    /// What all other databases become; nil leaves them.
    public var otherDatabases: UInt64?
    public var strippedPrefix: [UInt8] = []
    public var substitution: KeySubstitution?
    public var addedPrefix: [UInt8] = []
    public var expiry = ExpiryChange.keep

    public enum ExpiryChange: Equatable, Sendable {
        case keep, drop
        /// Milliseconds later (or, negative, earlier); what has no expiry gets none.
        case shift(Int64)
        /// Unix time in milliseconds, for every key.
        case set(Int64)
    }

    public init() {}

    public var renames: Bool { !strippedPrefix.isEmpty || substitution != nil || !addedPrefix.isEmpty }
    /// Whether databases or expiries change.
    var rewritesHeaders: Bool { !databases.isEmpty || otherDatabases != nil || expiry != .keep }
    /// Whether entries stay as they are.
    public var isEmpty: Bool { !renames && !rewritesHeaders }

    public func database(_ number: UInt64) -> UInt64 { databases[number] ?? otherDatabases ?? number }

    public func expiry(_ expiresAt: Int64?) -> Int64? {
        switch expiry {
        case .keep: expiresAt
        case .drop: nil
        case .shift(let delta): expiresAt.map { $0.addingReportingOverflow(delta).overflow ? $0 : $0 + delta }
        case .set(let time): time
        }
    }
}

/// `s/pattern/replacement/flags` over the bytes of a key; flags `g` (all matches) and `i` (any case).
public struct KeySubstitution: Sendable, Equatable {
    public var pattern: String
    /// `$1` or `\1` is a group, `$0` the match.
    public var replacement: String
    public var replacesAll = false
    public var ignoresCase = false

    /// From its text; nil where that is none. Any character after `s` separates the parts; `\` takes its meaning away.
    public init?(_ text: String) {
        guard text.first == "s", let separator = text.dropFirst().first, !separator.isLetter, separator != "\\" else {
            return nil
        }
        var parts = [""]
        var isEscaped = false
        for character in text.dropFirst(2) {
            if isEscaped {
                if character != separator { parts[parts.count - 1].append("\\") }
                parts[parts.count - 1].append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == separator {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        guard parts.count == 3, !isEscaped, !parts[0].isEmpty, parts[2].allSatisfy({ "gi".contains($0) }) else {
            return nil
        }
        pattern = parts[0]
        replacement = Self.withDollars(parts[1])
        replacesAll = parts[2].contains("g")
        ignoresCase = parts[2].contains("i")
    }

    /// `\1` as `${1}`.
    private static func withDollars(_ text: String) -> String {
        var out = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                out += character.isASCII && character.isNumber ? "${\(character)}" : "\(character)"
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                out.append(character)
            }
        }
        return out
    }
}

/// Applies changes to one entry after another. Used by one thread.
public struct EntryRewriter: ~Copyable {
    public let changes: EntryChanges
    /// Of the changes: found once, asked for each entry.
    public let renames: Bool
    private let rewritesHeaders: Bool
    private let pattern: RegexPattern?
    private var renamed = OutputBuffer(capacity: 256)

    /// - Throws: what is wrong with the substitution's pattern.
    public init(_ changes: EntryChanges) throws(RegexPattern.SyntaxError) {
        self.changes = changes
        renames = changes.renames
        rewritesHeaders = changes.rewritesHeaders
        if let substitution = changes.substitution {
            pattern = try RegexPattern(substitution.pattern, ignoresCase: substitution.ignoresCase)
        } else {
            pattern = nil
        }
    }

    /// The key under which an entry arrives, valid until the next call.
    @_lifetime(&self)
    public mutating func rename(_ key: RawSpan) -> RawSpan {
        renamed.truncate(to: 0)
        renamed.append(changes.addedPrefix)
        let bare = Self.strip(changes.strippedPrefix, from: key)
        if let pattern, let substitution = changes.substitution {
            pattern.replace(
                in: bare, with: substitution.replacement, all: substitution.replacesAll, into: &renamed)
        } else {
            renamed.append(bare)
        }
        return renamed.bytes
    }

    @_lifetime(copy key)
    private static func strip(_ prefix: [UInt8], from key: RawSpan) -> RawSpan {
        guard !prefix.isEmpty, key.byteCount >= prefix.count else { return key }
        for index in prefix.indices where key.byte(at: index) != prefix[index] { return key }
        return key.extracting(droppingFirst: prefix.count)
    }

    public func rewrite(_ header: EntryHeader) -> EntryHeader {
        guard rewritesHeaders else { return header }
        var header = header
        header.database = changes.database(header.database)
        header.expiresAt = changes.expiry(header.expiresAt)
        return header
    }
}
