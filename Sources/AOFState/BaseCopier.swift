import RDBBytes
public import RDBFormat
import RDBModel

/// Copies what commands do not touch of the RDB that a log begins with, as it stands there, into another one.
///
/// Memory: a piece of the RDB.
public final class BaseCopier {
    private var items: BaseItems

    /// - Parameters:
    ///   - reader: stands at the first item.
    ///   - limit: where the RDB is no longer whole.
    public init(_ reader: consuming RDBReader, _ touched: TouchedKeys, limit: UInt64 = .max) {
        items = BaseItems(reader, touched, limit: limit)
    }

    /// Copies the next item, or a piece of one.
    /// - Returns: false at the end.
    func copyItem(
        to writer: inout RDBWriter, _ places: StreamPlaces, withFunctions: Bool
    ) throws(DecodeError) -> Bool {
        try items.copyNext(to: &writer, places, withFunctions: withFunctions)
    }
}

private struct BaseItems: ~Copyable {
    private var reader: RDBReader
    private let touched: TouchedKeys
    /// Where the RDB is no longer whole.
    private let limit: UInt64
    /// Of an item that is copied in pieces: what is left.
    private var leftOfItem: UInt64 = 0

    init(_ reader: consuming RDBReader, _ touched: TouchedKeys, limit: UInt64) {
        self.reader = reader
        self.touched = touched
        self.limit = limit
    }

    mutating func copyNext(
        to writer: inout RDBWriter, _ places: StreamPlaces, withFunctions: Bool
    ) throws(DecodeError) -> Bool {
        if leftOfItem > 0 {
            leftOfItem -= try reader.copyPiece(of: leftOfItem, to: &writer.out)
            if leftOfItem == 0 { reader.releaseItem() }
            return true
        }
        let start = reader.offset
        if start >= limit { return false }
        reader.holdItem()
        switch try reader.next() {
        case .entry: try copyEntry(from: start, to: &writer, places)
        case .function: if withFunctions { try copy(from: reader.itemOffset, to: &writer, places) }
        case .aux, .moduleAux, .hashTemplate, .slotImport, .inlineUpdate:
            try copy(from: reader.itemOffset, to: &writer, places)
        // Counts that no longer hold; the writer says itself which database it is.
        case .selectDatabase, .resizeDatabase, .slotInfo: break
        case .end:
            reader.releaseItem()
            return false
        }
        if leftOfItem == 0 { reader.releaseItem() }
        return true
    }

    private mutating func copyEntry(
        from start: UInt64, to writer: inout RDBWriter, _ places: StreamPlaces
    ) throws(DecodeError) {
        var header = reader.header
        try reader.skipValue()
        guard let destination = touched.destination(of: header.database), !isTouched(header.database) else { return }
        writer.select(destination)
        if header.startOffset >= start { return try copy(from: header.startOffset, to: &writer, places) }
        // Something stands between its attributes and itself.
        header.database = destination
        writeHead(header, to: &writer)
        try copy(from: header.valueOffset, to: &writer, places)
    }

    private func isTouched(_ database: UInt64) -> Bool { touched.contains(database: database, key: reader.key) }

    private func writeHead(_ header: EntryHeader, to writer: inout RDBWriter) {
        writer.beginEntry(header, typeByte: header.typeByte, key: reader.key)
    }

    /// - Parameter start: where what is copied begins.
    private mutating func copy(from start: UInt64, to writer: inout RDBWriter, _ places: StreamPlaces)
        throws(DecodeError)
    {
        places.note(writer.byteCount, start)
        let end = reader.offset
        if try !reader.copyItem(from: start, to: &writer.out) { leftOfItem = end - start }
    }
}
