import RDBBytes
import RDBFormat
import RDBModel

/// Consecutive entries of a stream: about as many as a server keeps in one listpack.
///
/// The names that its first entry had stand at the head of `bytes`; an entry that has the same names in the same order is
/// its values only, any other its names and then its values. Source: redis/redis src/t_stream.c, above streamAppendItem.
struct StreamNode {
    private struct Entry {
        var id: StreamID
        /// Where its texts begin.
        var offset: UInt32
        /// Its fields; the highest bit says that it has names of its own.
        var fields: UInt32

        static let ownNames: UInt32 = 1 << 31
        var fieldCount: Int { Int(fields & ~Self.ownNames) }
        var hasOwnNames: Bool { fields & Self.ownNames != 0 }
    }

    private var entries: [Entry] = []
    /// Entries before it were removed.
    private var firstEntry = 0
    /// What removed entries had stays until all are gone: that is little, since a large entry has a node of its own.
    private var bytes: [UInt8] = []
    private var namesByteCount = 0
    private var nameCount = 0

    /// What servers allow a node by default.
    static let maxCount = 100
    static let maxByteCount = 4096

    var count: Int { entries.count - firstEntry }
    var isEmpty: Bool { firstEntry == entries.count }
    var firstID: StreamID { entries[firstEntry].id }
    var lastID: StreamID { entries[entries.count - 1].id }
    func id(at index: Int) -> StreamID { entries[firstEntry + index].id }

    /// Whether another entry goes here and not into a new node.
    func admits(_ fields: borrowing StreamFields) -> Bool {
        entries.count < Self.maxCount && bytes.count + fields.byteCount < Self.maxByteCount
    }

    /// Whether an entry of a file goes here. Where names are long, more entries share them than a server would put in: in a
    /// file they may stand once for any number of entries, and memory must not be a multiple of the file.
    func takes(restored fields: borrowing StreamFields) -> Bool {
        if admits(fields) { return true }
        guard namesByteCount > Self.maxByteCount / 4, hasNames(fields) else { return false }
        return entries.count < max(Self.maxCount, namesByteCount / 64)
            && bytes.count - namesByteCount + fields.values.byteCount < max(Self.maxByteCount, namesByteCount)
    }

    /// Adds an entry behind all others.
    mutating func append(_ id: StreamID, _ fields: borrowing StreamFields) {
        if entries.isEmpty {
            bytes.append(fields.names.bytes)
            namesByteCount = bytes.count
            nameCount = fields.count
        }
        var entry = Entry(id: id, offset: UInt32(bytes.count), fields: UInt32(fields.count))
        if !hasNames(fields) {
            entry.fields |= Entry.ownNames
            bytes.append(fields.names.bytes)
        }
        bytes.append(fields.values.bytes)
        entries.append(entry)
    }

    private func hasNames(_ fields: borrowing StreamFields) -> Bool {
        guard fields.count == nameCount, fields.names.byteCount == namesByteCount else { return false }
        return bytes.rawSpan.extracting(0..<namesByteCount).isEqual(to: fields.names.bytes)
    }

    /// The index of an ID.
    func find(_ id: StreamID) -> Int? {
        let index = index(ofFirstFrom: id)
        return index < count && self.id(at: index) == id ? index : nil
    }

    /// The index of the first entry behind an ID.
    func index(after id: StreamID) -> Int {
        let index = index(ofFirstFrom: id)
        return index < count && self.id(at: index) == id ? index + 1 : index
    }

    /// The index of the first entry at or behind an ID.
    func index(ofFirstFrom id: StreamID) -> Int {
        var low = firstEntry
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low - firstEntry
    }

    mutating func remove(at index: Int) {
        if index == 0 { firstEntry += 1 } else { entries.remove(at: firstEntry + index) }
    }

    mutating func removeFirst(_ count: Int) { firstEntry += count }

    // MARK: - Writing

    /// Writes the node as it stands in a file: its ID, and its listpack.
    func write(to out: inout OutputBuffer, _ listpack: inout ListpackWriter) {
        let nodeID = firstID
        out.append(length: 16)
        out.append(bigEndian: nodeID)
        listpack.append(Int64(count))
        listpack.append(0 as Int64)
        listpack.append(Int64(nameCount))
        appendTexts(from: 0, nameCount, to: &listpack)
        listpack.append(0 as Int64)
        for index in firstEntry..<entries.count {
            let entry = entries[index]
            listpack.append(entry.hasOwnNames ? 0 : 2 as Int64)
            listpack.append(Int64(bitPattern: entry.id.milliseconds &- nodeID.milliseconds))
            listpack.append(Int64(bitPattern: entry.id.sequence &- nodeID.sequence))
            if entry.hasOwnNames {
                listpack.append(Int64(entry.fieldCount))
                appendPairs(entry, to: &listpack)
                listpack.append(Int64(entry.fieldCount * 2 + 4))
            } else {
                appendTexts(from: Int(entry.offset), entry.fieldCount, to: &listpack)
                listpack.append(Int64(entry.fieldCount + 3))
            }
        }
        listpack.handOver(to: &out)
    }

    private func appendTexts(from offset: Int, _ count: Int, to listpack: inout ListpackWriter) {
        var reader = PackedTextReader(bytes.rawSpan, from: offset)
        for _ in 0..<count { listpack.append(reader.next()) }
    }

    /// Names and values in turn.
    private func appendPairs(_ entry: Entry, to listpack: inout ListpackWriter) {
        var names = PackedTextReader(bytes.rawSpan, from: Int(entry.offset))
        var values = names
        values.skip(entry.fieldCount)
        for _ in 0..<entry.fieldCount {
            listpack.append(names.next())
            listpack.append(values.next())
        }
    }
}

extension OutputBuffer {
    /// 16 bytes: milliseconds, sequence.
    mutating func append(bigEndian id: StreamID) {
        append(littleEndian: id.milliseconds.byteSwapped)
        append(littleEndian: id.sequence.byteSwapped)
    }
}
