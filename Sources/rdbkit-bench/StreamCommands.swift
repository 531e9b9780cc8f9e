/// What the corpora with streams share: entry IDs, consumer groups and their pending entries.
///
/// The server stamps each consumer with its own clock; that is the one thing in a corpus that no seed rules, and its
/// size is fixed.
enum StreamCommands {
    private static let firstMilliseconds = 1_700_000_000_000

    /// Replaces `text` by the ID of the entry at `index`: IDs 37 ms apart.
    static func appendID(_ index: Int, to text: inout [UInt8]) {
        text.removeAll(keepingCapacity: true)
        text.append(decimal: firstMilliseconds + index * 37)
        text.append("-0")
    }

    /// Makes consumer groups at the stream's end, each with `pending` entries shared by three consumers.
    ///
    /// The first entries become pending by XCLAIM with FORCE and TIME, not by XREADGROUP: that one would give them the
    /// time of the clock and answer with their content.
    static func addGroups(
        _ groupCount: Int, pending: Int, entries: Int, key: [UInt8], to commands: inout CommandStream
    ) throws(BenchError) {
        var name: [UInt8] = []
        var identifier: [UInt8] = []
        for group in 0..<groupCount {
            name.removeAll(keepingCapacity: true)
            name.append("group-")
            name.append(decimal: group)
            commands.begin("XGROUP")
            commands.argument("CREATE")
            commands.argument(key)
            commands.argument(name)
            appendID(entries - 1, to: &identifier)
            commands.argument(identifier)
            try commands.end()
            for start in stride(from: 0, to: pending, by: 100) {
                commands.begin("XCLAIM")
                commands.argument(key)
                commands.argument(name)
                commands.argument(consumers[start / 100 % consumers.count])
                commands.argument("0")
                for index in start..<min(start + 100, pending) {
                    appendID(index, to: &identifier)
                    commands.argument(identifier)
                }
                commands.argument("TIME")
                commands.argument(decimal: firstMilliseconds + start)
                commands.argument("FORCE")
                commands.argument("JUSTID")
                try commands.end()
            }
        }
    }

    private static let consumers: [StaticString] = ["worker-north", "worker-south", "worker-east"]
}
