public import NIOCore

/// Several commands that go out in one piece.
public struct CommandFrame: Sendable {
    public var id: UInt64
    public var bytes: ByteBuffer
    /// How many commands begin in the bytes. A frame without one is a further piece of the command before it: it is
    /// completed when it is sent.
    public var commandCount: Int

    public init(id: UInt64, bytes: ByteBuffer, commandCount: Int) {
        self.id = id
        self.bytes = bytes
        self.commandCount = commandCount
    }
}

extension ByteBuffer {
    /// Appends a command in the form that servers read: an array of bulk strings.
    public mutating func writeCommand(_ arguments: [[UInt8]]) {
        writeString("*\(arguments.count)\r\n")
        for argument in arguments {
            writeString("$\(argument.count)\r\n")
            writeBytes(argument)
            writeString("\r\n")
        }
    }

    public mutating func writeCommand(_ arguments: String...) {
        writeCommand(arguments.map { Array($0.utf8) })
    }
}
