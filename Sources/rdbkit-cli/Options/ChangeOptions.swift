public import ArgumentParser
public import RDBKit

/// What becomes of databases, keys and expiries; the same on every command that writes entries elsewhere.
struct ChangeOptions: ParsableArguments {
    @Option(
        name: .customLong("db-map"),
        help: ArgumentHelp(
            "Put databases elsewhere: 0:3,1:4; *:0 puts all others into one. Databases that are not named stay.",
            valueName: "from:to"))
    var databaseMap: DatabaseMap?

    @Option(help: ArgumentHelp("Put this before every key.", valueName: "text"))
    var addPrefix: String?

    @Option(
        help: ArgumentHelp("Take this away from keys that begin with it, before anything else.", valueName: "text"))
    var stripPrefix: String?

    @Option(
        help: ArgumentHelp(
            "Rename keys by a regular expression (Perl's syntax, over raw bytes): s/old/new/, flags g and i; $1 is a group.",
            valueName: "s/…/…/"))
    var renameRegex: RenameRule?

    @Option(
        name: .customLong("ttl"), parsing: .unconditional,
        help: ArgumentHelp(
            "keep expiries, drop them, move them by +DURATION or -DURATION, or give every key =DURATION from now (s, m, h, d, w).",
            valueName: "what"))
    var expiry = ExpiryRule.keep

    func validate() throws {
        guard let rule = renameRegex?.substitution else { return }
        do { _ = try RegexPattern(rule.pattern) } catch {
            throw ValidationError("the regular expression '\(rule.pattern)' is wrong: \(error)")
        }
    }

    func changes(now: Int64) -> EntryChanges {
        var changes = EntryChanges()
        if let databaseMap {
            changes.databases = databaseMap.databases
            changes.otherDatabases = databaseMap.others
        }
        changes.addedPrefix = Array((addPrefix ?? "").utf8)
        changes.strippedPrefix = Array((stripPrefix ?? "").utf8)
        changes.substitution = renameRegex?.substitution
        changes.expiry =
            switch expiry {
            case .keep: .keep
            case .drop: .drop
            case .shift(let milliseconds): .shift(milliseconds)
            case .fromNow(let milliseconds): .set(now + milliseconds)
            }
        return changes
    }
}

/// `0:3,1:4,*:0`.
struct DatabaseMap: ExpressibleByArgument {
    var databases: [UInt64: UInt64] = [:]
    var others: UInt64?

    init?(argument: String) {
        for pair in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = pair.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let to = UInt64(parts[1]), to <= UInt64(Int32.max) else { return nil }
            if parts[0] == "*" {
                guard others == nil else { return nil }
                others = to
            } else {
                guard let from = UInt64(parts[0]), databases.updateValue(to, forKey: from) == nil else { return nil }
            }
        }
    }
}

struct RenameRule: ExpressibleByArgument {
    let substitution: KeySubstitution

    init?(argument: String) {
        guard let substitution = KeySubstitution(argument) else { return nil }
        self.substitution = substitution
    }
}

enum ExpiryRule: ExpressibleByArgument {
    case keep, drop
    case shift(Int64)
    case fromNow(Int64)

    init?(argument: String) {
        switch argument {
        case "keep": self = .keep
        case "drop": self = .drop
        default:
            if let delta = Moment.relative(argument) {
                self = .shift(delta)
            } else if argument.hasPrefix("="), let delta = Moment.relative("+" + argument.dropFirst()) {
                self = .fromNow(delta)
            } else {
                return nil
            }
        }
    }

    var defaultValueDescription: String { "keep" }
}

extension ServerVersion: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension EntryForm: ExpressibleByArgument {}
