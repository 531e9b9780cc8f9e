public import RDBBytes
public import RESPFormat

/// Commands of a log as JSON Lines: `file`, `offset`, `db`, `time`, `transaction`, `command` and `args`, byte strings by
/// the text rule.
public struct CommandJSONWriter: ~Copyable {
    private let file: OutputFile
    private let form: StringForm
    private var out = OutputBuffer()
    /// The beginning of each line, up to the offset.
    private var head: [UInt8] = []
    public private(set) var failure: OutputError?
    public private(set) var writtenCount: UInt64 = 0

    public init(_ file: OutputFile, form: StringForm) {
        self.file = file
        self.form = form
    }

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
        out.append(head)
        out.append(decimal: offset)
        out.append(",\"db\":")
        out.append(decimal: database)
        if let time {
            out.append(",\"time\":")
            out.append(decimal: time)
        }
        if let transaction {
            out.append(",\"transaction\":")
            out.append(decimal: transaction)
        }
        out.append(",\"command\":")
        out.appendJSON(arguments[0], form: form)
        out.append(",\"args\":[")
        for index in 1..<max(1, arguments.count) {
            if index > 1 { out.append(UInt8(ascii: ",")) }
            out.appendJSON(arguments[index], form: form)
            // A command of many large arguments need not be held a second time.
            if out.byteCount >= 1 << 20 { flush() }
        }
        out.append("]}\n")
        writtenCount += 1
        if out.byteCount >= 128 << 10 { flush() }
    }

    public mutating func flush() {
        if failure == nil {
            do throws(OutputError) { try file.write(out.bytes) } catch { failure = error }
        }
        out.truncate(to: 0)
        out.shrink(to: 1 << 20)
    }
}
