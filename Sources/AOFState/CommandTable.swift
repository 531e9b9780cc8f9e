import AOFFormat
import RESPFormat

/// Finds a command by its name: by one multiplication and, as a rule, one comparison.
enum CommandTable {
    private struct Place {
        var name: CommandName
        var command: WriteCommand
    }

    /// Names by their hash, open addressing; at most a quarter is taken.
    private static let places: [Place?] = {
        var places = [Place?](repeating: nil, count: 1 << bitCount)
        for (name, command) in WriteCommand.table {
            var at = hash(name)
            while places[at] != nil { at = (at + 1) & (places.count - 1) }
            places[at] = Place(name: name, command: command)
        }
        return places
    }()

    private static let bitCount: UInt64 = 10

    private static func hash(_ name: CommandName) -> Int {
        Int(truncatingIfNeeded: (name.folded &* 0x9e37_79b9_7f4a_7c15) >> (64 - bitCount))
    }

    /// The command that the first argument names; nil for what changes no data, and for what cannot be run.
    static func command(_ arguments: CommandArguments) -> WriteCommand? {
        guard let name = arguments.name else { return nil }
        var at = hash(name)
        while let place = places[at] {
            if place.name == name { return place.command }
            at = (at + 1) & (places.count - 1)
        }
        return nil
    }
}
