public import RDBBytes
public import RDBFormat
import RDBModel

/// Makes an RDB of a state: what the commands did not touch as it stands in the RDB before them, then what they did.
///
/// Memory: the state, and a piece of the RDB.
public struct StateProducer: RDBProducer, ~Copyable {
    private let keyspace: Keyspace
    private let ownsFunctions: Bool
    private var base: BaseCopier?
    private let places: StreamPlaces

    private var hasWrittenFunctions = false
    private var databases: ArraySlice<UInt64>
    private var database: Database?
    private var databaseNumber: UInt64 = 0
    private var nextEntry: Int?

    /// - Parameter places: is told which of the bytes stand in the base, and where.
    public init(_ state: LogState, base: BaseCopier?, places: StreamPlaces) {
        keyspace = state.keyspace
        ownsFunctions = state.ownsFunctions
        self.base = base
        self.places = places
        databases = state.keyspace.databases.keys.sorted()[...]
    }

    public mutating func produce(_ writer: inout RDBWriter) throws(SourceError) {
        if let base {
            do throws(DecodeError) {
                if try !base.copyItem(to: &writer, places, withFunctions: !ownsFunctions) { self.base = nil }
            } catch { throw Self.sourceError(error) }
            return
        }
        if !hasWrittenFunctions {
            places.noteEnd(writer.byteCount)
            return writeFunctions(&writer)
        }
        if let database, let index = nextEntry {
            write(database.entries[index], index, database, &writer)
            nextEntry = database.entries.index(after: index)
            return
        }
        guard let number = databases.popFirst() else { return writer.end() }
        database = keyspace.databases[number]
        databaseNumber = number
        nextEntry = database?.entries.firstIndex
    }

    private mutating func writeFunctions(_ writer: inout RDBWriter) {
        hasWrittenFunctions = true
        guard ownsFunctions else { return }
        var next = keyspace.functions.firstIndex
        while let index = next {
            let source = keyspace.functions[index]
            writer.append(function: source.rawSpan)
            next = keyspace.functions.index(after: index)
        }
    }

    private func write(_ entry: KeyspaceEntry, _ index: Int, _ database: Database, _ writer: inout RDBWriter) {
        // What the version cannot hold is no longer there: see `LogState.settle`.
        guard let layout = entry.value.layout(in: writer.version), let typeByte = layout.byte(in: writer.version) else {
            return
        }
        let header = EntryHeader(
            database: databaseNumber, expiresAt: entry.expiresAt == KeyspaceEntry.never ? nil : entry.expiresAt)
        database.entries.withKey(at: index) { writer.beginEntry(header, typeByte: typeByte, key: $0) }
        entry.value.append(to: &writer.out, as: layout, in: writer.version)
    }

    private static func sourceError(_ error: DecodeError) -> SourceError {
        switch error.code {
        case .interrupted: return .interrupted
        case .readFailed:
            if case .number(let number) = error.found { return .system(Int32(truncatingIfNeeded: number)) }
            return .damaged(error.code, error.expected)
        default: return .damaged(error.code, error.expected)
        }
    }
}

/// Which bytes of an RDB that was made stand in another one, and where: so that a fault in them is told with its place in
/// the file that has it.
///
/// Memory: 16 bytes for each change of the distance between both.
public final class StreamPlaces {
    private var places: [(offset: UInt64, origin: UInt64?)] = []

    public init() {}

    /// From an offset on, bytes come from the base.
    func note(_ offset: UInt64, _ origin: UInt64) {
        if let last = places.last, let from = last.origin, offset &- last.offset == origin &- from { return }
        places.append((offset, origin))
    }

    /// From an offset on, they do not.
    func noteEnd(_ offset: UInt64) { places.append((offset, nil)) }

    /// Where in the base a byte stands; nil where it comes from commands. The end of what stands there counts as well: a
    /// value that is cut short is told with the offset behind it.
    public func origin(of offset: UInt64) -> UInt64? {
        var low = 0
        var high = places.count
        while low < high {
            let middle = (low + high) / 2
            if places[middle].offset <= offset { low = middle + 1 } else { high = middle }
        }
        if low > 1, places[low - 1].offset == offset, places[low - 1].origin == nil { low -= 1 }
        guard low > 0, let origin = places[low - 1].origin else { return nil }
        return origin + (offset - places[low - 1].offset)
    }
}
