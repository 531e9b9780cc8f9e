public import RDBBytes
public import RDBModel

// One node of a stream, a listpack:
//
//     live count, deleted count, field count, field names, 0            the master entry
//     flags, ms delta, seq delta, [field count, fields and] values, element count        each entry
//
// Flag 1: deleted (stays in place, is no entry any more). Flag 2: the fields are those of the master entry, so that only
// values follow. Deltas count from the node's ID. Source: redis/redis src/t_stream.c, above streamAppendItem.
@usableFromInline
struct StreamNodeDecoder: PackedDecoder {
    @usableFromInline var nodeID = StreamID(milliseconds: 0, sequence: 0)
    /// Over all nodes so far.
    @usableFromInline var liveCount: UInt64 = 0
    @usableFromInline var lastID: StreamID?
    /// The master entry's field names, one after another, and where each ends.
    @usableFromInline var names = FieldNames()

    @inlinable
    init() {}

    @inlinable
    mutating func decode<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) {
        let start = window.location
        visitor.packed(byteCount: window.remainingByteCount)
        var elements = try ListpackReader(opening: &window)
        let declaredLive = try elements.integer(&window, into: &visitor)
        let declaredDeleted = try elements.integer(&window, into: &visitor)
        let nameCountAt = window.offset
        let nameCount = try elements.integer(&window, into: &visitor)
        if nameCount < 0 { throw Self.badFieldCount(window.location(at: nameCountAt), nameCount) }
        names.removeAll()
        var index: Int64 = 0
        while index < nameCount {
            try elements.text(&window, as: .streamField, into: &names)
            if names.isTooLong { throw Self.namesTooLong(window.location) }
            index += 1
        }
        let endAt = window.offset
        let end = try elements.integer(&window, into: &visitor)
        if end != 0 { throw Self.badMaster(window.location(at: endAt), end) }

        var live: Int64 = 0
        var deleted: Int64 = 0
        while try !elements.isAtEnd(&window) {
            let at = window.offset
            let flags = try elements.integer(&window, into: &visitor)
            let milliseconds = try elements.integer(&window, into: &visitor)
            let sequence = try elements.integer(&window, into: &visitor)
            let id = StreamID(
                milliseconds: nodeID.milliseconds &+ UInt64(bitPattern: milliseconds),
                sequence: nodeID.sequence &+ UInt64(bitPattern: sequence))
            if V.verifiesStructure {
                if let lastID, id <= lastID { visitor.fault(Self.badOrder(window.location(at: at))) }
                lastID = id
            }
            let before = elements.walked
            if flags & 1 == 0 {
                live += 1
                visitor.streamEntry(id)
                try fields(flags, nameCount, &elements, &window, into: &visitor)
                visitor.endStreamEntry()
            } else {
                deleted += 1
                var nobody = NullVisitor()
                try fields(flags, nameCount, &elements, &window, into: &nobody)
            }
            let countAt = window.offset
            let walked = Int64(elements.walked - before) + 3
            let count = try elements.integer(&window, into: &visitor)
            if count != walked { try visitor.disagree(Self.badElementCount(window.location(at: countAt), count)) }
        }
        try elements.close(&window, into: &visitor)
        liveCount += UInt64(live)
        if V.verifiesStructure, live != declaredLive || deleted != declaredDeleted {
            visitor.fault(Self.badCounts(start, declaredLive))
        }
    }

    @inlinable
    func fields<V: ValueVisitor & ~Copyable>(
        _ flags: Int64, _ nameCount: Int64, _ elements: inout ListpackReader, _ window: inout ByteWindow,
        into visitor: inout V
    ) throws(DecodeError) {
        if flags & 2 != 0 {
            var index = 0
            while index < names.count {
                visitor.text(names.name(index), as: .streamField)
                try elements.text(&window, as: .streamValue, into: &visitor)
                index += 1
            }
            return
        }
        let at = window.offset
        var left = try elements.integer(&window, into: &visitor)
        if left < 0 { throw Self.badFieldCount(window.location(at: at), left) }
        while left > 0 {
            try elements.text(&window, as: .streamField, into: &visitor)
            try elements.text(&window, as: .streamValue, into: &visitor)
            left -= 1
        }
    }

    // MARK: - Errors

    @usableFromInline @inline(never)
    static func namesTooLong(_ at: ByteLocation) -> DecodeError {
        DecodeError(
            .limitExceeded, at: at, expected: "field names of at most 4 MiB in a node", found: .described("longer ones")
        )
    }
    @usableFromInline @inline(never)
    static func badFieldCount(_ at: ByteLocation, _ found: Int64) -> DecodeError {
        DecodeError(.badStream, at: at, expected: "a number of fields", found: .number(found))
    }
    @usableFromInline @inline(never)
    static func badMaster(_ at: ByteLocation, _ found: Int64) -> DecodeError {
        DecodeError(.badStream, at: at, expected: "0 behind the master entry's fields", found: .number(found))
    }
    @usableFromInline @inline(never)
    static func badOrder(_ at: ByteLocation) -> DecodeError {
        DecodeError(.badOrder, at: at, expected: "ascending entry IDs", found: .described("a lower or equal ID"))
    }
    @usableFromInline @inline(never)
    static func badElementCount(_ at: ByteLocation, _ found: Int64) -> DecodeError {
        DecodeError(.badStream, at: at, expected: "the number of the entry's elements", found: .number(found))
    }
    @usableFromInline @inline(never)
    static func badCounts(_ at: ByteLocation, _ found: Int64) -> DecodeError {
        DecodeError(
            .countMismatch, at: at, expected: "the node's live and deleted entries in its master entry",
            found: .number(found))
    }
}
