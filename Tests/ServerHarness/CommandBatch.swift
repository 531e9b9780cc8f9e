/// Commands that go to a server some hundred at a time.
package struct CommandBatch {
    private let connection: RESPConnection
    private var commands: [Command] = []
    private var byteCount = 0

    package init(_ connection: RESPConnection) { self.connection = connection }

    package mutating func add(_ command: Command) throws {
        commands.append(command)
        byteCount += command.arguments.reduce(0) { $0 + $1.count }
        if commands.count >= 500 || byteCount > 1 << 20 { try flush() }
    }

    /// Sends what waits.
    /// - Throws: whatever the connection throws; a refused command is an error.
    package mutating func flush() throws {
        _ = try connection.pipeline(commands)
        commands = []
        byteCount = 0
    }
}
