public import ArgumentParser
public import RDBKit

/// Which commands of a log are taken.
struct LogSelectionOptions: ParsableArguments {
    @Option(
        name: .customLong("command"), parsing: .singleValue,
        help: ArgumentHelp("Only commands of this name, in any letter case.", valueName: "name"))
    var names: [CommandName] = []

    @Option(
        name: .customLong("key"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Only commands with a key that matches this glob (*, ?, [a-z], \\x), as the servers match it.",
            valueName: "glob"))
    var globs: [String] = []

    @Option(
        name: .customLong("db"), parsing: .singleValue,
        help: ArgumentHelp("Only commands in this database, or in a range of them such as 0-3.", valueName: "n"))
    var databases: [NumberRange] = []

    // A time may begin with a dash: -2h.
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            """
            Only commands after this time: RFC 3339, Unix seconds, or relative such as -2h. Logs bear times where \
            aof-timestamp-enabled is set.
            """, valueName: "time"))
    var after: Moment?

    @Option(parsing: .unconditional, help: ArgumentHelp("Only commands before this time.", valueName: "time"))
    var before: Moment?

    @Option(
        help: ArgumentHelp(
            "Only commands behind this byte offset of the last file, or of the one named.", valueName: "[file:]n"))
    var afterOffset: AOFPlace?

    @Option(help: ArgumentHelp("Only commands before this byte offset.", valueName: "[file:]n"))
    var beforeOffset: AOFPlace?

    @Option(help: ArgumentHelp("Stop after this many commands.", valueName: "n"))
    var limit: UInt64?

    /// - Throws: a usage error if a place names no file of the input.
    func selection(_ input: AOFInput) throws(ValidationError) -> CommandSelection {
        let now = currentMilliseconds()
        var selection = CommandSelection()
        selection.names = Set(names)
        selection.globs = globs.map { GlobPattern($0) }
        selection.databases = databases.map(\.range)
        selection.after = after?.milliseconds(now: now)
        selection.before = before?.milliseconds(now: now)
        selection.afterPosition = try afterOffset.map { (place) throws(ValidationError) in
            try place.position(in: input)
        }
        selection.beforePosition = try beforeOffset.map { (place) throws(ValidationError) in
            try place.position(in: input)
        }
        selection.limit = limit
        return selection
    }
}

extension AOFPlace {
    func position(in input: AOFInput) throws(ValidationError) -> CommandSelection.Position {
        guard let index = fileIndex(in: input) else {
            throw ValidationError("\(input.path) has no file \(fileName ?? "at all")")
        }
        return CommandSelection.Position(fileIndex: index, offset: offset)
    }
}

extension AOFPlace: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension CommandName: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
