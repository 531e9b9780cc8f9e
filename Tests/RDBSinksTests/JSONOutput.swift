import RDBBytes
import RDBFormat
import RDBKit
import RDBSinks
import RDBTestSupport
import RDBTransforms

/// What `rdbkit json` makes of a file.
struct JSONOutput {
    var text: String { String(decoding: bytes, as: UTF8.self) }
    var bytes: [UInt8] = []
    var fault: EntryFault?
    var notices: [Notice] = []

    init(
        _ source: any ByteSource, options: JSONOptions = JSONOptions(), windowByteCount: Int = 4096,
        onError: EntryLoop.OnError = .stop, selection: Selection = Selection(now: 0), threads: Int = 1
    ) throws {
        let folder = TemporaryFolder()
        let file = try OutputFile(path: folder.file("json"))
        var loop = EntryLoop(selection: selection)
        loop.onError = onError
        var notices: [Notice] = []
        loop.notice = { notices.append($0) }
        var consumer = JSONConsumer(JSONEntryWriter(file, options: options))
        do throws(DecodeError) {
            var reader = try RDBReader(source, windowByteCount: windowByteCount)
            do throws(EntryFault) { _ = try loop.run(&reader, &consumer, threads: threads) } catch {
                fault = error
                consumer.discard()
            }
        } catch {
            fault = EntryFault(error: error, database: nil, key: nil, isSkipped: false)
        }
        consumer.writer.finish()
        self.notices = notices
        try file.finish()
        bytes = try folder.contents("json")
    }

    init(
        _ bytes: [UInt8], options: JSONOptions = JSONOptions(), onError: EntryLoop.OnError = .stop, threads: Int = 1
    ) throws {
        try self.init(MemorySource(bytes), options: options, onError: onError, threads: threads)
    }
}
