public import RDBBytes
public import RDBFormat
import RDBModel
public import RDBSinks
public import RDBTransforms

/// What the entries of one or more inputs take in a server's memory.
///
/// Before each input `begin` says how. The aux fields at its head may name its writer: those come before its entries.
public struct MemoryConsumer: ParallelConsumer, ~Copyable {
    public static var batchesAlways: Bool { true }

    /// What is known of one input.
    public struct InputFacts: Sendable {
        public var name: String
        public var model: MemoryModel
        /// The writer, as the file names it.
        public var writer: String?
        /// used_memory of the server that wrote it.
        public var usedMemory: UInt64?
        public var createdAt: Int64?
        public var dataset: DatasetMemory
    }

    public private(set) var audit: MemoryAudit
    public private(set) var inputs: [InputFacts] = []
    /// A line for each key, where such are wanted.
    public private(set) var lines: KeyLineWriter
    private let writesLines: Bool

    private var visitor: MemoryVisitor
    private var dataset: DatasetMemory
    /// The writer is taken as the server, as long as the input's head is read.
    private var followsWriter = false
    private let choice: ModelChoice

    /// How the model of an input is found.
    public struct ModelChoice: Sendable {
        /// nil takes the writer that the file names.
        public var server: ServerModel?
        public var allocator: Allocator
        /// Limits by their names in a server's configuration.
        public var limits: [(name: String, value: String)]

        public init(
            server: ServerModel? = nil, allocator: Allocator = .jemalloc, limits: [(name: String, value: String)] = []
        ) {
            self.server = server
            self.allocator = allocator
            self.limits = limits
        }

        func model(_ version: RDBVersion, writer: ServerModel?) -> MemoryModel {
            let server = self.server ?? writer ?? (version.family == .valkey ? .valkey91 : Self.server(version.number))
            var limits = EncodingLimits(server)
            for (name, value) in self.limits { _ = limits.set(name, to: value) }
            return MemoryModel(server: server, allocator: allocator, limits: limits)
        }

        /// Of Redis, by the version of its files.
        private static func server(_ number: Int) -> ServerModel {
            number < 10 ? .redis62 : number < 12 ? .redis70 : .redis82
        }
    }

    /// - Parameter file: where a line for each key goes; nil writes none.
    public init(_ settings: MemoryAudit.Settings, _ choice: ModelChoice, linesTo file: OutputFile? = nil) {
        audit = MemoryAudit(settings)
        self.choice = choice
        lines = KeyLineWriter(file)
        writesLines = file != nil
        if writesLines { lines.appendHeader() }
        let model = choice.model(RDBVersion(number: RDBVersion.newestRedis, family: .redis), writer: nil)
        visitor = MemoryVisitor(model)
        dataset = DatasetMemory(model)
    }

    private init(
        worker settings: MemoryAudit.Settings, _ choice: ModelChoice, _ model: MemoryModel, writesLines: Bool
    ) {
        audit = MemoryAudit(settings)
        self.choice = choice
        lines = KeyLineWriter(nil)
        self.writesLines = writesLines
        visitor = MemoryVisitor(model)
        dataset = DatasetMemory(model)
    }

    /// Begins an input.
    public mutating func begin(_ name: String, _ version: RDBVersion) {
        let model = choice.model(version, writer: nil)
        inputs.append(InputFacts(name: name, model: model, dataset: DatasetMemory(model)))
        followsWriter = choice.server == nil
        use(model)
    }

    /// Ends an input: its sums are complete.
    public mutating func end() {
        takeDataset()
        audit.finish()
        lines.flush()
    }

    private mutating func use(_ model: MemoryModel) {
        visitor = MemoryVisitor(model)
        dataset = DatasetMemory(model)
        if let last = inputs.indices.last {
            inputs[last].model = model
            inputs[last].dataset = DatasetMemory(model)
        }
    }

    private mutating func takeDataset() {
        if let last = inputs.indices.last { inputs[last].dataset.add(dataset) }
        dataset = DatasetMemory(visitor.model)
    }

    public var isDone: Bool { lines.failure != nil }

    public mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        let header = reader.header
        visitor.begin(header, key: reader.key)
        try reader.readValue(into: &visitor)
        let memory = visitor.finish()
        let serialized = reader.offset - header.valueOffset
        audit.add(
            header, key: reader.key, memory, serializedBytes: serialized, limits: visitor.model.limits)
        dataset.add(memory, database: header.database)
        if writesLines {
            lines.append(
                header, key: reader.key, bytes: memory.bytes, encoding: memory.encoding.name,
                elements: memory.elements, largestElementBytes: memory.largestElementBytes,
                serializedBytes: serialized)
        }
        if audit.isFull, !isWorker { audit.finish() }
    }

    private var isWorker: Bool { inputs.isEmpty }

    public mutating func section(_ item: RDBItem) {
        guard let last = inputs.indices.last else { return }
        switch item {
        case .aux(let field): add(field, last)
        case .function(let library): dataset.add(library)
        case .slotInfo(_, let keys, let expires): dataset.addSlot(keys: keys, expires: expires)
        case .selectDatabase: followsWriter = false
        default: break
        }
    }

    private mutating func add(_ field: AuxField, _ last: Int) {
        switch field.name.text {
        case "redis-ver", "valkey-ver":
            inputs[last].writer = (field.name.text == "redis-ver" ? "Redis " : "Valkey ") + field.value.text
            guard followsWriter, let server = ServerModel.writer([field]) else { return }
            var limits = EncodingLimits(server)
            for (name, value) in choice.limits { _ = limits.set(name, to: value) }
            use(MemoryModel(server: server, allocator: choice.allocator, limits: limits))
        case "used-mem": inputs[last].usedMemory = inputs[last].usedMemory ?? UInt64(field.value.text)
        case "ctime": inputs[last].createdAt = inputs[last].createdAt ?? Int64(field.value.text)
        default: break
        }
    }

    // MARK: - As one of several

    public func makeWorker() -> MemoryConsumer {
        MemoryConsumer(worker: audit.settings, choice, visitor.model, writesLines: writesLines)
    }

    public mutating func absorb(_ worker: inout MemoryConsumer) {
        audit.absorb(&worker.audit, input: inputs.count - 1)
        dataset.add(worker.dataset)
        worker.dataset = DatasetMemory(worker.visitor.model)
        if writesLines { lines.absorb(&worker.lines) }
    }

    public var isFull: Bool { lines.isFull }
    public var mustConsumeAlone: Bool { false }
}
