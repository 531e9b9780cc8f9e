import RDBKit

/// How one server is asked, as far as its version and the user's rights decide.
struct SnapshotPlan: Sendable, Equatable {
    /// Where a key's expiry comes from.
    enum Expiry: Sendable {
        /// `PEXPIRETIME` (7.0): the time itself.
        case absolute
        /// `PTTL` between two `TIME`: exact where both tell the same millisecond, otherwise it is asked again.
        case bracketed
        /// `PTTL` and this machine's clock: off by the difference of the clocks and the time the reply took.
        case relative
    }

    /// Whether values come by `DUMP`.
    var dumps: Bool
    /// Whether `DUMP` may be used, for what no other command reads.
    var canDump: Bool
    /// Whether what is asked about one key stands in MULTI and EXEC, so that nothing comes between.
    var usesTransactions: Bool
    var expiry: Expiry
    /// Whether `MEMORY USAGE` tells what a value is like before it is asked for.
    var tellsMemoryUsage: Bool
    var hasFieldExpiry: Bool
    /// What the server's payloads and layouts belong to.
    var version: RDBVersion
}

extension SnapshotPlan {
    /// Names no key, or if it does, nothing happens to it.
    private static let probeKey = "rdbkit:probe"

    static let probes: [[String]] = [
        ["MULTI"], ["DISCARD"], ["DUMP", probeKey], ["PEXPIRETIME", probeKey], ["TIME"],
        ["MEMORY", "USAGE", probeKey],
    ]

    /// - Parameter replies: those to `probes`.
    init(_ replies: [RESPReply], _ description: TargetDescription, way: SnapshotOptions.Way) {
        func isAllowed(_ index: Int) -> Bool {
            guard index < replies.count, let words = replies[index].errorText else { return index < replies.count }
            if words.hasPrefix("NOPERM") { return !Self.isAboutCommand(words) }
            return !words.hasPrefix("ERR unknown") && !words.contains("DISCARD without MULTI")
        }
        canDump = isAllowed(2)
        dumps = way == .dump || way == .auto && canDump
        usesTransactions = isAllowed(0) && isAllowed(1)
        expiry = isAllowed(3) ? .absolute : isAllowed(4) ? .bracketed : .relative
        tellsMemoryUsage = isAllowed(5)
        hasFieldExpiry = description.serverVersion.hasFieldExpiry
        // Of a server that does not tell its version: the layouts below 22 mean the same everywhere.
        version = description.newestRDBVersion ?? RDBVersion(number: RDBVersion.newestRedis, family: .redis)
    }

    /// Whether a NOPERM is about the command, whatever its keys.
    static func isAboutCommand(_ words: String) -> Bool { words.contains("run the") }

    // MARK: - Questions about a key

    /// Whether a key's value comes by `DUMP`: all do, or those that nothing else reads.
    func readsByDump(_ listed: ListedKey) -> Bool {
        if listed.isUnknownLayout { return false }
        if dumps { return true }
        if case .readable? = listed.type { return false }
        return canDump
    }

    /// Whether a key cannot be read beside others.
    func needsOtherWay(_ listed: ListedKey) -> Bool {
        if dumps { return false }
        guard case .readable? = listed.type else { return true }
        return false
    }

    /// What reads a key's value and expiry.
    func questions(_ listed: ListedKey) -> [[[UInt8]]] {
        if readsByDump(listed) { return [words("DUMP", listed.key)] + expiryCommands(listed.key) }
        guard case .readable(let type)? = listed.type else { return expiryCommands(listed.key) }
        return [type.reading(listed.key)] + expiryCommands(listed.key)
    }

    /// What tells a key's expiry, to be put behind what reads its value.
    func expiryCommands(_ key: [UInt8]) -> [[[UInt8]]] {
        switch expiry {
        case .absolute: [[Array("PEXPIRETIME".utf8), key]]
        case .bracketed: [[Array("TIME".utf8)], [Array("PTTL".utf8), key], [Array("TIME".utf8)]]
        case .relative: [[Array("PTTL".utf8), key]]
        }
    }

    var expiryCommandCount: Int { expiry == .bracketed ? 3 : 1 }

    /// What the replies to `expiryCommands` say.
    func expiry(_ replies: ArraySlice<RESPReply>) -> KeyExpiry {
        let at = replies.startIndex + (expiry == .bracketed ? 1 : 0)
        guard replies.count == expiryCommandCount, let number = replies[at].integer else { return .malformed }
        if number == -2 { return .gone }
        if number < 0 { return .none }
        switch expiry {
        case .absolute: return .at(number)
        case .relative: return .at(currentMilliseconds() &+ number)
        case .bracketed:
            guard let before = replies[at - 1].serverTime, let after = replies[at + 1].serverTime
            else { return .malformed }
            return before == after ? .at(before &+ number) : .blurred(before &+ number)
        }
    }
}

enum KeyExpiry: Equatable {
    case none
    /// Unix time in milliseconds.
    case at(Int64)
    /// The clock went on while it was asked: one millisecond less or more.
    case blurred(Int64)
    case gone
    case malformed
}
