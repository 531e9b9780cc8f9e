import FoundationEssentials

/// What the program says of its own command line.
struct CommandHelp: Decodable {
    struct Argument: Decodable {
        struct Name: Decodable {
            var kind: String
            var name: String
            var text: String { kind == "long" ? "--\(name)" : "-\(name)" }
        }
        var kind: String
        var names: [Name]?
        var preferredName: Name?
        var valueName: String?
        var abstract: String?
        var sectionTitle: String?
        var allValues: [String]?
        var shouldDisplay: Bool
    }

    var commandName: String
    var abstract: String?
    var discussion: String?
    private var arguments: [Argument]?
    private var listed: [CommandHelp]?

    var shownArguments: [Argument] { (arguments ?? []).filter(\.shouldDisplay) }
    var subcommands: [CommandHelp] { (listed ?? []).filter { $0.commandName != "help" } }

    /// The commands that do something, by their names as they are typed: `json`, `aof list`.
    var leaves: [String: CommandHelp] {
        var leaves: [String: CommandHelp] = [:]
        for command in subcommands {
            if command.subcommands.isEmpty { leaves[command.commandName] = command }
            for (name, leaf) in command.leaves { leaves["\(command.commandName) \(name)"] = leaf }
        }
        return leaves
    }

    private enum CodingKeys: String, CodingKey {
        case commandName, abstract, discussion, arguments
        case listed = "subcommands"
    }

    static func load() throws -> CommandHelp {
        struct Dump: Decodable { var command: CommandHelp }
        let run = try Program.run(["--experimental-dump-help"])
        return try JSONDecoder().decode(Dump.self, from: Data(run.output)).command
    }
}
