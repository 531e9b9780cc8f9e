public import RDBBytes
public import RESPFormat

/// Commands of a log as JSON Lines: `file`, `offset`, `db`, `time`, `transaction`, `command` and `args`, byte strings by
/// the text rule.
public struct CommandJSONWriter: ~Copyable {
    private let form: StringForm
    private var lines: LineBuffer
    /// The beginning of each line, up to the offset.
    private var head: [UInt8] = []
    public private(set) var writtenCount: UInt64 = 0

    public init(_ file: OutputFile, form: StringForm) {
        lines = LineBuffer(file)
        self.form = form
    }

    public var failure: OutputError? { lines.failure }

    /// Names the file that the commands to come stand in.
    public mutating func begin(fileName: String) {
        var text = OutputBuffer(capacity: 256)
        text.append("{\"file\":")
        JSONValue.text(fileName).append(to: &text)
        text.append(",\"offset\":")
        head = text.bytes.array
    }

    public mutating func write(
        offset: UInt64, database: UInt64, time: Int64?, transaction: UInt64?, _ arguments: CommandArguments
    ) {
        lines.text.append(head)
        lines.text.append(decimal: offset)
        lines.text.append(",\"db\":")
        lines.text.append(decimal: database)
        if let time {
            lines.text.append(",\"time\":")
            lines.text.append(decimal: time)
        }
        if let transaction {
            lines.text.append(",\"transaction\":")
            lines.text.append(decimal: transaction)
        }
        lines.text.append(",\"command\":")
        lines.text.appendJSON(arguments[0], form: form)
        lines.text.append(",\"args\":[")
        for index in 1..<max(1, arguments.count) {
            if index > 1 { lines.text.append(UInt8(ascii: ",")) }
            lines.text.appendJSON(arguments[index], form: form)
            // A command of many large arguments need not be held a second time.
            if lines.text.byteCount >= 1 << 20 { flush() }
        }
        lines.text.append("]}\n")
        writtenCount += 1
        lines.relieve()
    }

    public mutating func flush() { lines.flush() }
}
