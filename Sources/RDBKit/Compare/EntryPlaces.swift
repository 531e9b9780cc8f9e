import RDBBytes
import RDBFormat
import RDBModel
import RDBTransforms

/// Where an entry that differs can be read again.
struct EntryPlace {
    var side: Side
    var header: EntryHeader
    var type: RDBType
    /// Of the value: in its own file, or in the temporary file of what was copied.
    var offset: UInt64
    var byteCount: UInt64

    /// `side, flags, type, type byte, frequency, database, expiry, idle seconds, offset, byte count`
    func append(to out: inout OutputBuffer) {
        out.append(UInt8(side.rawValue))
        out.append(
            (header.expiresAt == nil ? 0 : 1) | (header.idleSeconds == nil ? 0 : 2)
                | (header.lfuFrequency == nil ? 0 : 4))
        out.append(type.rawValue)
        out.append(header.typeByte)
        out.append(header.lfuFrequency ?? 0)
        out.append(littleEndian: header.database)
        out.append(littleEndian: header.expiresAt ?? 0)
        out.append(littleEndian: header.idleSeconds ?? 0)
        out.append(littleEndian: offset)
        out.append(littleEndian: byteCount)
    }

    init(side: Side, header: EntryHeader, type: RDBType, offset: UInt64, byteCount: UInt64) {
        self.side = side
        self.header = header
        self.type = type
        self.offset = offset
        self.byteCount = byteCount
    }

    init(_ bytes: RawSpan) {
        func number(_ index: Int) -> UInt64 { (1...8).reduce(0) { $0 << 8 | UInt64(bytes.byte(at: index + 8 - $1)) } }
        side = bytes.byte(at: 0) == 0 ? .a : .b
        let flags = bytes.byte(at: 1)
        guard let type = RDBType(rawValue: bytes.byte(at: 2)) else { preconditionFailure("a place of this program") }
        self.type = type
        header = EntryHeader(database: number(5), type: type.valueType, typeByte: bytes.byte(at: 3))
        if flags & 1 != 0 { header.expiresAt = Int64(bitPattern: number(13)) }
        if flags & 2 != 0 { header.idleSeconds = number(21) }
        if flags & 4 != 0 { header.lfuFrequency = bytes.byte(at: 4) }
        offset = number(29)
        byteCount = number(37)
    }
}

/// Finds the entries of one side whose keys are wanted, and notes where they lie: for what is no plain file, in a copy.
struct PlaceConsumer: EntryConsumer, ~Copyable {
    private let side: Side
    private let wanted: KeySet
    private var hash: KeyHash
    private let hasDatabase: Bool
    /// The file itself, where its offsets are those of the stream.
    private let isPlain: Bool
    private let state: PlaceState
    private var key = OutputBuffer(capacity: 256)
    private var place = OutputBuffer(capacity: 64)

    init(_ side: Side, _ wanted: KeySet, _ comparison: ComparisonState, _ state: PlaceState, isPlain: Bool) {
        self.side = side
        self.wanted = wanted
        hash = KeyHash(comparison)
        hasDatabase = comparison.options.parts.contains(.database)
        self.state = state
        self.isPlain = isPlain
    }

    var isDone: Bool { state.failure != nil }

    mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        let header = reader.header
        try reader.skipValue()
        guard wanted.contains(hash.digest(database: header.database, key: reader.key)) else { return }
        let count = reader.offset - header.valueOffset
        var offset = header.valueOffset
        if !isPlain {
            let copies = state.copies[side.rawValue]
            offset = copies.byteCount
            let state = state
            try reader.readValueBytes(byteCount: count) { piece in
                if state.failure != nil { return }
                do throws(SpillError) { try copies.append(piece) } catch { state.failure = error }
            }
        }
        key.truncate(to: 0)
        key.shrink(to: 64 << 10)
        key.append(littleEndian: (hasDatabase ? header.database : 0).byteSwapped)
        key.append(reader.key)
        place.truncate(to: 0)
        EntryPlace(side: side, header: header, type: reader.type, offset: offset, byteCount: count).append(to: &place)
        if state.failure != nil { return }
        state.byteCount += count
        do throws(SpillError) { try state.sorter.append(key: key, payload: place) } catch { state.failure = error }
    }

    mutating func section(_ item: RDBItem) {
        guard side == .b, case .function(let library) = item, state.failure == nil else { return }
        state.keep(library)
    }
}

/// What the second passes gather.
final class PlaceState {
    /// By database and key; a place each.
    var sorter: RecordSorter
    let copies = [SpillFile(), SpillFile()]
    /// Of the values that were found.
    var byteCount: UInt64 = 0
    var failure: SpillError?
    /// Function libraries of B that are to be shown.
    var wantedLibraries: Set<FunctionTable.Library> = []
    private var libraries: [FunctionTable.Library: Range<UInt64>] = [:]
    private let sources = SpillFile()

    init(memory: Int) { sorter = RecordSorter(memory: memory) }

    func keep(_ library: FunctionLibrary) {
        let name = FunctionTable.Library(library)
        guard wantedLibraries.contains(name), !library.code.isCut else { return }
        do throws(SpillError) {
            let source = library.source
            let start = try sources.append(source.rawSpan)
            libraries[name] = start..<sources.byteCount
        } catch { failure = error }
    }

    /// The source text of a library of B; nil where the reader did not keep all of it.
    func source(of library: FunctionTable.Library) throws(SpillError) -> [UInt8]? {
        guard let range = libraries[library] else { return nil }
        return try sources.bytes(range)
    }
}
