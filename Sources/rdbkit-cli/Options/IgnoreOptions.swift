import ArgumentParser
import RDBKit

/// What of the data does not count when it is compared; the same on every command that compares.
struct IgnoreOptions: ParsableArguments {
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            """
            Leave these out, separated by commas: expiry, field-expiry, db, stream-groups, stream-counters (entries added \
            and read, largest deleted ID), delivery-times (of pending entries), stream-producers.
            """, valueName: "what"))
    var ignore: [IgnoredParts] = []

    var parts: EntryDigest.Parts {
        ignore.reduce(.data) { $0.subtracting($1.parts) }
    }
}

/// `expiry,stream-groups`
struct IgnoredParts: ExpressibleByArgument {
    let parts: EntryDigest.Parts

    private static let names: [String: EntryDigest.Parts] = [
        "expiry": .expiry, "field-expiry": .fieldExpiry, "db": .database, "stream-groups": .streamGroups,
        "stream-counters": .streamCounters, "delivery-times": .deliveryTimes, "stream-producers": .streamProducers,
    ]

    init?(argument: String) {
        var parts: EntryDigest.Parts = []
        for name in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let part = Self.names[String(name)] else { return nil }
            parts.formUnion(part)
        }
        self.parts = parts
    }
}
