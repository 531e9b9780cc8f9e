public import ArgumentParser
public import RDBKit

/// Which entries a command takes; the same on every command that reads entries.
struct SelectionOptions: ParsableArguments {
    @Option(
        name: .customLong("db"), parsing: .singleValue,
        help: ArgumentHelp("Only this database, or a range of them such as 0-3.", valueName: "n"))
    var databases: [NumberRange] = []

    @Option(
        name: .customLong("key"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Only keys that match this glob (*, ?, [a-z], \\x), as the servers match it over raw bytes.",
            valueName: "glob"))
    var globs: [String] = []

    @Option(
        name: .customLong("key-regex"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Only keys in which this regular expression (Perl's syntax, over raw bytes) matches.", valueName: "regex"))
    var regexes: [String] = []

    @Option(
        name: .customLong("not-key"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("No keys that match this glob.", valueName: "glob"))
    var excludedGlobs: [String] = []

    @Option(
        name: .customLong("not-key-regex"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("No keys in which this regular expression matches.", valueName: "regex"))
    var excludedRegexes: [String] = []

    @Option(
        name: .customLong("type"), parsing: .singleValue,
        help: ArgumentHelp(
            "Only this type: string, list, set, zset, hash, stream, module, array, path-hash.", valueName: "type"))
    var types: [ValueType] = []

    @Option(
        name: .customLong("not-type"), parsing: .singleValue, help: ArgumentHelp("Not this type.", valueName: "type"))
    var excludedTypes: [ValueType] = []

    @Option(
        name: .customLong("slot"), parsing: .singleValue,
        help: ArgumentHelp(
            "Only keys of this cluster slot (0 to 16383), or of a range such as 0-5460.", valueName: "n[-m]"))
    var slots: [NumberRange] = []

    @Option(
        help: ArgumentHelp(
            "Only values of at least this many bytes in the file; suffixes KB MB GB KiB MiB GiB.", valueName: "bytes"))
    var minSize: ByteAmount?

    @Option(help: ArgumentHelp("Only values of at most this many bytes in the file.", valueName: "bytes"))
    var maxSize: ByteAmount?

    @Option(help: ArgumentHelp("Only values of at least this many elements.", valueName: "n"))
    var minElements: UInt64?

    @Option(help: ArgumentHelp("Only values of at most this many elements.", valueName: "n"))
    var maxElements: UInt64?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Only keys whose expiry is absent (none), present (any), over (past) or to come (future).",
            valueName: "state"))
    var expires: [Selection.ExpiryState] = []

    // A time may begin with a dash: -2h.
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Only keys that expire before this time: RFC 3339, Unix seconds, or relative such as +7d.",
            valueName: "time"))
    var expiresBefore: Moment?

    @Option(parsing: .unconditional, help: ArgumentHelp("Only keys that expire after this time.", valueName: "time"))
    var expiresAfter: Moment?

    @Option(
        help: ArgumentHelp("Only this share of the keys, 0.01 or 1%; the same keys in every file.", valueName: "share"))
    var sample: Share?

    @Option(help: ArgumentHelp("Stop after this many entries.", valueName: "n"))
    var limit: UInt64?

    // A time may begin with a dash: -2h.
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            """
            Of an append-only log, the state as of this time, included: RFC 3339, Unix seconds, or relative such as -2h. \
            Logs bear times where aof-timestamp-enabled is set.
            """, valueName: "time"))
    var at: Moment?

    @Option(
        help: ArgumentHelp(
            "Of an append-only log, the state as of this byte offset of its last file, or of the one named.",
            valueName: "[file:]n"))
    var atOffset: AOFPlace?

    /// The state of a log that is wanted; nil for the one at its end.
    var moment: LogMoment? {
        at == nil && atOffset == nil ? nil : LogMoment(at: at, atOffset: atOffset)
    }

    func validate() throws {
        if at != nil, atOffset != nil { throw ValidationError("--at and --at-offset exclude each other") }
        for pattern in regexes + excludedRegexes {
            do { _ = try RegexPattern(pattern) } catch {
                throw ValidationError("the regular expression '\(pattern)' is wrong: \(error)")
            }
        }
        for slot in slots where slot.range.upperBound >= UInt64(HashSlot.count) {
            throw ValidationError("slots are 0 to \(HashSlot.count - 1)")
        }
    }

    /// Whether every entry is taken.
    var isEmpty: Bool {
        databases.isEmpty && globs.isEmpty && regexes.isEmpty && excludedGlobs.isEmpty && excludedRegexes.isEmpty
            && types.isEmpty && excludedTypes.isEmpty && slots.isEmpty && minSize == nil && maxSize == nil
            && minElements == nil && maxElements == nil && expires.isEmpty && expiresBefore == nil
            && expiresAfter == nil && sample == nil && limit == nil
    }

    /// - Parameter time: what relative times count from; nil for the present.
    func selection(now time: Int64? = nil) -> Selection {
        let now = time ?? currentMilliseconds()
        var selection = Selection(now: now)
        selection.databases = databases.map(\.range)
        selection.globs = globs.map { GlobPattern($0) }
        selection.excludedGlobs = excludedGlobs.map { GlobPattern($0) }
        // Each was compiled once in validate().
        selection.regexes = regexes.compactMap { try? RegexPattern($0) }
        selection.excludedRegexes = excludedRegexes.compactMap { try? RegexPattern($0) }
        selection.types = Set(types)
        selection.excludedTypes = Set(excludedTypes)
        selection.slots = slots.map { Int($0.range.lowerBound)...Int($0.range.upperBound) }
        selection.byteCounts = Self.range(minSize?.byteCount, maxSize?.byteCount)
        selection.elementCounts = Self.range(minElements, maxElements)
        selection.expiryStates = Set(expires)
        selection.expiresBefore = expiresBefore?.milliseconds(now: now)
        selection.expiresAfter = expiresAfter?.milliseconds(now: now)
        selection.sample = sample?.value
        selection.limit = limit
        return selection
    }

    /// Bounds that exclude each other admit nothing, which no closed range says: the empty case is a range above all.
    private static func range(_ lower: UInt64?, _ upper: UInt64?) -> ClosedRange<UInt64>? {
        if lower == nil, upper == nil { return nil }
        let (low, high) = (lower ?? 0, upper ?? .max)
        return low <= high ? low...high : UInt64.max...UInt64.max
    }
}

extension ValueType: ExpressibleByArgument {}
extension Selection.ExpiryState: ExpressibleByArgument {}
extension StringForm: ExpressibleByArgument {}
