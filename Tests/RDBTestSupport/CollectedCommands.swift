public import RDBBytes
public import RDBSinks

/// Keeps the commands that it takes.
public final class CollectedCommands: CommandSink {
    public private(set) var bytes: [UInt8] = []
    public private(set) var commandCount = 0

    public init() {}

    public func take(_ commands: RawSpan, commandCount: Int) throws(OutputError) {
        bytes += commands.array
        self.commandCount += commandCount
    }

    /// The arguments of each command; nil where the bytes are anything but whole commands in their one form.
    public static func parse(_ bytes: [UInt8]) -> [[[UInt8]]]? {
        var index = 0
        /// A marker, decimal digits without a leading zero, CRLF.
        func number(_ marker: Character) -> Int? {
            guard index < bytes.count, bytes[index] == marker.asciiValue else { return nil }
            index += 1
            let start = index
            while index < bytes.count, (0x30...0x39).contains(bytes[index]) { index += 1 }
            guard let value = Int(String(decoding: bytes[start..<index], as: UTF8.self)),
                index - start == String(value).utf8.count, isEndOfLine()
            else { return nil }
            return value
        }
        func isEndOfLine() -> Bool {
            guard index + 1 < bytes.count, bytes[index] == 0x0d, bytes[index + 1] == 0x0a else { return false }
            index += 2
            return true
        }
        var commands: [[[UInt8]]] = []
        while index < bytes.count {
            guard let count = number("*"), count > 0 else { return nil }
            var arguments: [[UInt8]] = []
            for _ in 0..<count {
                guard let length = number("$"), length <= bytes.count - index else { return nil }
                arguments.append(Array(bytes[index..<index + length]))
                index += length
                guard isEndOfLine() else { return nil }
            }
            commands.append(arguments)
        }
        return commands
    }
}
