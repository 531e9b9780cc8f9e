public import RDBBytes
public import RDBFormat
import RDBModel
public import RDBSinks

/// Entries to JSON.
public struct JSONConsumer: ParallelConsumer, ~Copyable {
    public var writer: JSONEntryWriter
    public private(set) var mustConsumeAlone = false

    public init(_ writer: consuming JSONEntryWriter) { self.writer = writer }

    public var isDone: Bool { writer.failure != nil }

    public mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        let header = reader.header
        mustConsumeAlone = false
        writer.begin(header, key: reader.key)
        if writer.needsValue(header) {
            try reader.readValue(into: &writer)
            if writer.isDetached, writer.needsAnotherPass {
                mustConsumeAlone = true
                return
            }
            while writer.startAnotherPass() {
                try reader.rewindToValue()
                try reader.readValue(into: &writer)
            }
            if let refusal = writer.refusal { throw refusal }
        } else {
            try reader.skipValue()
        }
        writer.end(
            valueByteCount: reader.offset - header.valueOffset,
            slot: writer.options.meta ? HashSlot.of(reader.key) : nil)
    }

    public mutating func discard() { writer.discard() }

    // MARK: - As one of several

    public func makeWorker() -> JSONConsumer { JSONConsumer(JSONEntryWriter(detachedWith: writer.options)) }
    public mutating func absorb(_ worker: inout JSONConsumer) { writer.absorb(&worker.writer) }
    public var isFull: Bool { writer.isFull }
}
