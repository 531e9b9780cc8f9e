public import AOFFormat
public import RDBSinks
public import RESPFormat

/// Commands to JSON Lines.
public struct CommandListConsumer: CommandConsumer, ~Copyable {
    public var writer: CommandJSONWriter
    private let selection: CommandSelection
    private var fileIndex = -1
    private var isPast = false

    public init(_ writer: consuming CommandJSONWriter, selection: CommandSelection) {
        self.writer = writer
        self.selection = selection
    }

    public var isDone: Bool {
        isPast || writer.failure != nil || writer.writtenCount >= selection.limit ?? .max
    }

    public mutating func begin(_ part: AOFInput.Part) {
        fileIndex += 1
        writer.begin(fileName: part.file.name)
    }

    public mutating func consume(_ record: AOFRecord, _ arguments: CommandArguments) {
        guard selection.admits(record, arguments, fileIndex: fileIndex) else {
            isPast = selection.isPast(record, fileIndex: fileIndex)
            return
        }
        writer.write(
            offset: record.offset, database: record.database, time: record.time, transaction: record.transaction,
            arguments)
    }
}
