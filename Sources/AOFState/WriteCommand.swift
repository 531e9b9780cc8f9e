import AOFFormat
import RESPFormat

/// The commands that change data, by what they work on. Each family's file has its words and what they do.
enum WriteCommand: Equatable {
    case key(KeyCommand)
    case string(StringCommand)
    case bit(BitCommand)
    case hyperLogLog(HyperLogLogCommand)
    case list(ListCommand)
    case set(SetCommand)
    case sortedSet(SortedSetCommand)
    case hash(HashCommand)
    case sort(SortCommand)
    case geo(GeoCommand)
    case stream(StreamCommand)
    case array(ArrayCommand)
    case pathHash(PathHashCommand)
    case function(FunctionCommand)

    /// nil for what does not change data, and for what cannot be run.
    init?(_ name: CommandName) {
        guard let command = Self.table[name] else { return nil }
        self = command
    }

    static let table: [CommandName: WriteCommand] = {
        var table: [CommandName: WriteCommand] = [:]
        func add<C: RawRepresentable & CaseIterable>(_ wrap: (C) -> WriteCommand) where C.RawValue == String {
            for command in C.allCases {
                guard let name = CommandName(command.rawValue) else { preconditionFailure("a name that is too long") }
                table[name] = wrap(command)
            }
        }
        add(WriteCommand.key)
        add(WriteCommand.string)
        add(WriteCommand.bit)
        add(WriteCommand.hyperLogLog)
        add(WriteCommand.list)
        add(WriteCommand.set)
        add(WriteCommand.sortedSet)
        add(WriteCommand.hash)
        add(WriteCommand.sort)
        add(WriteCommand.geo)
        add(WriteCommand.stream)
        add(WriteCommand.array)
        add(WriteCommand.pathHash)
        add(WriteCommand.function)
        return table
    }()
}
