import RDBBytes
public import RDBFormat
import RDBModel
public import RDBSinks
public import RDBTransforms

/// Digests of all entries: a line for each key, or totals by database.
public struct DigestConsumer<Visitor: DigestVisitor>: ParallelConsumer, ~Copyable {
    private let visitor: Visitor
    private var digest: Visitor
    public var lines: DigestLineWriter
    private let writesKeys: Bool

    public private(set) var totals = DatabaseTotals<Visitor.Total>()
    public private(set) var functions = DigestSum()
    /// The run ended because there are more than `DatabaseTotals.maxDatabases`.
    public private(set) var hasTooManyDatabases = false

    /// - Parameters:
    ///   - visitor: as it is before any entry.
    ///   - writesKeys: whether each key gets a line. Then no totals are kept.
    public init(_ visitor: Visitor, lines: consuming DigestLineWriter, writesKeys: Bool) {
        self.visitor = visitor
        digest = visitor
        self.lines = lines
        self.writesKeys = writesKeys
    }

    public var isDone: Bool { lines.failure != nil || hasTooManyDatabases }

    public mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        digest.begin(reader.header, key: reader.key)
        try reader.readValue(into: &digest)
        let value = digest.finish()
        if let refusal = digest.refusal { throw refusal }
        if writesKeys {
            lines.append(value, database: reader.header.database, key: reader.key)
        } else if !totals.add(value, database: reader.header.database) {
            hasTooManyDatabases = true
        }
    }

    public mutating func section(_ item: RDBItem) {
        if case .function(let library) = item { functions.add(visitor.digest(of: library)) }
    }

    /// Writes a line for each database, or one for all of them.
    /// - Parameter countsFunctions: whether function libraries belong to the whole.
    public mutating func writeTotals(perDatabase: Bool, countsFunctions: Bool) {
        if perDatabase {
            for part in totals.byNumber {
                lines.append(
                    visitor.combine([part], functions: nil), database: part.number, keys: part.total.count,
                    functions: nil)
            }
        } else {
            let functions = countsFunctions ? functions : nil
            lines.append(
                visitor.combine(totals.byNumber, functions: functions), database: nil, keys: totals.count,
                functions: functions?.count)
        }
    }

    // MARK: - As one of several

    public func makeWorker() -> DigestConsumer {
        DigestConsumer(visitor, lines: lines.detached(), writesKeys: writesKeys)
    }

    public mutating func absorb(_ worker: inout DigestConsumer) {
        if worker.hasTooManyDatabases || !totals.add(worker.totals) { hasTooManyDatabases = true }
        worker.totals.removeAll()
        lines.absorb(&worker.lines)
    }

    public var isFull: Bool { lines.isFull }
    public var mustConsumeAlone: Bool { false }
}
