public import RDBBytes
public import RDBModel

// Streams, by generation (types 15, 19, 21, 26, 27 are 1 to 5):
//
//     length nodes, nodes × (string node ID, string listpack)
//     length live entries, ID last
//     2: ID first, ID max deleted, length entries added
//     length groups, each:
//         string name, ID last, 2: length entries read (2^64 - 1: unknown)
//         length pending, each: raw ID, i64 delivery time, length deliveries
//         length consumers, each: string name, i64 seen, 3: i64 active, length pending, raw IDs
//         5: length unowned, raw IDs
//     4: length duration, length max entries, length producers, each: string ID, length n, n × (string, ID)
//        length added, length duplicates
//
// `ID` is two lengths, `raw ID` 16 bytes big endian. Source: redis/redis src/rdb.c, rdbLoadObject;
// formats/encodings.md §8.
extension RDBReader {
    @inlinable @inline(never)
    mutating func readStream<V: ValueVisitor & ~Copyable>(into visitor: inout V) throws(DecodeError) {
        let generation = type.streamGeneration
        var nodes = try window.length()
        var decoder = StreamNodeDecoder()
        while nodes > 0 {
            decoder.nodeID = try readNodeID()
            try readPacked(&decoder, into: &visitor)
            nodes -= 1
        }
        let at = window.location
        var state = StreamState(length: try window.length(), lastID: try window.streamID())
        if generation >= 2 {
            state.firstID = try window.streamID()
            state.maxDeletedID = try window.streamID()
            state.entriesAdded = try window.length()
        }
        if V.verifiesStructure {
            if decoder.liveCount != state.length { visitor.fault(badLength(at, state.length)) }
            if let last = decoder.lastID, last > state.lastID { visitor.fault(badLastID(at)) }
        }
        visitor.streamState(state)

        var groups = try window.length()
        while groups > 0 {
            try readGroup(generation, into: &visitor)
            groups -= 1
        }
        if generation >= 4 { try readProducers(into: &visitor) }
    }

    /// A node's key in the radix tree: a plain string of 16 bytes.
    @usableFromInline
    mutating func readNodeID() throws(DecodeError) -> StreamID {
        let at = window.location
        let count = try window.length()
        guard count == 16 else {
            throw DecodeError(.badStream, at: at, expected: "a node ID of 16 bytes", found: .unsigned(count))
        }
        return try window.rawStreamID()
    }

    @inlinable
    mutating func readGroup<V: ValueVisitor & ~Copyable>(
        _ generation: Int, into visitor: inout V
    ) throws(DecodeError) {
        try readText(as: .groupName, into: &visitor)
        var state = GroupState(lastID: try window.streamID(), entriesRead: .absent)
        if generation >= 2 {
            let count = try window.length()
            state.entriesRead = count == .max ? .unknown : .count(count)
        }
        visitor.group(state)
        let start = window.offset
        while true {
            try readGroupMembers(generation, into: &visitor)
            if !visitor.endGroup() { return }
            try window.rewind(to: start)
        }
    }

    @inlinable
    mutating func readGroupMembers<V: ValueVisitor & ~Copyable>(
        _ generation: Int, into visitor: inout V
    ) throws(DecodeError) {
        var pending = try window.length()
        while pending > 0 {
            visitor.pendingEntry(
                PendingEntry(
                    id: try window.rawStreamID(), deliveredAt: try window.littleEndian(Int64.self),
                    deliveryCount: try window.length()))
            pending -= 1
        }
        var consumers = try window.length()
        while consumers > 0 {
            try readText(as: .consumerName, into: &visitor)
            var times = ConsumerTimes(seenAt: try window.littleEndian(Int64.self), activeAt: nil)
            if generation >= 3 { times.activeAt = try window.littleEndian(Int64.self) }
            visitor.consumer(times)
            var owned = try window.length()
            while owned > 0 {
                visitor.consumerPending(try window.rawStreamID())
                owned -= 1
            }
            consumers -= 1
        }
        if generation >= 5 {
            var unowned = try window.length()
            while unowned > 0 {
                visitor.negativelyAcknowledged(try window.rawStreamID())
                unowned -= 1
            }
        }
    }

    @inlinable
    mutating func readProducers<V: ValueVisitor & ~Copyable>(into visitor: inout V) throws(DecodeError) {
        var state = IdempotenceState(
            durationSeconds: try window.length(), maxEntries: try window.length(), idsAdded: 0, idsDuplicate: 0)
        var producers = try window.length()
        while producers > 0 {
            try readText(as: .producerID, into: &visitor)
            var entries = try window.length()
            while entries > 0 {
                try readText(as: .producerEntryID, into: &visitor)
                visitor.producerEntry(try window.streamID())
                entries -= 1
            }
            producers -= 1
        }
        state.idsAdded = try window.length()
        state.idsDuplicate = try window.length()
        visitor.idempotence(state)
    }

    @usableFromInline @inline(never)
    func badLength(_ at: ByteLocation, _ found: UInt64) -> DecodeError {
        DecodeError(
            .countMismatch, at: at, expected: "the number of live entries in the nodes", found: .unsigned(found))
    }
    @usableFromInline @inline(never)
    func badLastID(_ at: ByteLocation) -> DecodeError {
        DecodeError(
            .badStream, at: at, expected: "a last ID not below that of any entry", found: .described("a lower one"))
    }
}

extension ByteWindow {
    /// Two lengths.
    @usableFromInline
    mutating func streamID() throws(DecodeError) -> StreamID {
        StreamID(milliseconds: try length(), sequence: try length())
    }

    /// 16 bytes, big endian.
    @inlinable
    mutating func rawStreamID() throws(DecodeError) -> StreamID {
        StreamID(milliseconds: try bigEndian(UInt64.self), sequence: try bigEndian(UInt64.self))
    }
}
