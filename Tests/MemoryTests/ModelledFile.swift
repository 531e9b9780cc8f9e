import RDBKit
import ServerHarness

/// What the model says of a file.
struct ModelledFile {
    struct Name: Hashable {
        var database: UInt64
        var key: [UInt8]
    }

    private(set) var entries: [Name: EntryMemory] = [:]
    private(set) var dataset: DatasetMemory

    init(path: String, _ model: MemoryModel) throws {
        var reader = try RDBReader(Input(path: path).source)
        var consumer = Consumer(model)
        _ = try EntryLoop(selection: Selection(now: 0)).run(&reader, &consumer)
        entries = consumer.entries
        dataset = consumer.dataset
    }

    private struct Consumer: EntryConsumer {
        var visitor: MemoryVisitor
        var entries: [Name: EntryMemory] = [:]
        var dataset: DatasetMemory

        init(_ model: MemoryModel) {
            visitor = MemoryVisitor(model)
            dataset = DatasetMemory(model)
        }

        mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
            visitor.begin(reader.header, key: reader.key)
            try reader.readValue(into: &visitor)
            let memory = visitor.finish()
            entries[Name(database: reader.header.database, key: reader.copyKey())] = memory
            dataset.add(memory, database: reader.header.database)
        }

        mutating func section(_ item: RDBItem) {
            switch item {
            case .function(let library): dataset.add(library)
            case .slotInfo(_, let keys, let expires): dataset.addSlot(keys: keys, expires: expires)
            default: break
            }
        }
    }
}
