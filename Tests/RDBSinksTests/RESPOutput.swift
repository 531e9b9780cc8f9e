import RDBBytes
import RDBFormat
import RDBKit
import RDBSinks
import RDBTestSupport
import RDBTransforms
import Testing

/// What `rdbkit resp` makes of a file.
struct RESPOutput {
    var bytes: [UInt8] = []
    var fault: EntryFault?
    var notices: [Notice] = []
    var losses = LossTally()

    init(
        _ source: any ByteSource, _ form: EntryForm = .commands, target: ServerVersion? = nil,
        options: CommandOptions = CommandOptions(), changes: EntryChanges = EntryChanges(), windowByteCount: Int = 4096,
        onError: EntryLoop.OnError = .stop, selection: Selection = Selection(now: 0), threads: Int = 1
    ) throws {
        let sink = CollectedCommands()
        var loop = EntryLoop(selection: selection)
        loop.onError = onError
        var notices: [Notice] = []
        loop.notice = { notices.append($0) }
        var options = options
        options.target = target ?? .oldestCommon
        var consumer = try RESPConsumer(
            sink, form: form, options: options, hasTarget: target != nil, changes: changes, now: 1_000_000)
        do throws(DecodeError) {
            var reader = try RDBReader(source, windowByteCount: windowByteCount)
            do throws(EntryFault) { _ = try loop.run(&reader, &consumer, threads: threads) } catch {
                fault = error
            }
        } catch {
            fault = EntryFault(error: error, database: nil, key: nil, isSkipped: false)
        }
        consumer.writer.flush()
        self.notices = notices
        losses = consumer.losses
        bytes = sink.bytes
        let count = CollectedCommands.parse(bytes)?.count
        #expect(count == sink.commandCount, "whole commands only, and as many as were told")
    }

    init(
        _ bytes: [UInt8], _ form: EntryForm = .commands, target: ServerVersion? = nil,
        options: CommandOptions = CommandOptions(), changes: EntryChanges = EntryChanges(),
        onError: EntryLoop.OnError = .stop, threads: Int = 1
    ) throws {
        try self.init(
            MemorySource(bytes), form, target: target, options: options, changes: changes, onError: onError,
            threads: threads)
    }

    /// The arguments of each command.
    var commands: [[[UInt8]]] { CollectedCommands.parse(bytes) ?? [] }

    /// The commands as one would type them, without the SELECT before the first; long arguments only by their length.
    var lines: [String] {
        var lines = commands.map { $0.map(Self.shown).joined(separator: " ") }
        if lines.first == "SELECT 0" { lines.removeFirst() }
        return lines
    }

    private static func shown(_ argument: [UInt8]) -> String {
        if argument.count > 200 { return "<\(argument.count)>" }
        let isPlain = !argument.isEmpty && argument.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "'") }
        if isPlain { return String(decoding: argument, as: UTF8.self) }
        let digits = argument.map { byte in
            byte >= 0x20 && byte < 0x7f && byte != UInt8(ascii: "'")
                ? String(UnicodeScalar(byte)) : "\\x" + String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }
        return "'" + digits.joined() + "'"
    }
}
