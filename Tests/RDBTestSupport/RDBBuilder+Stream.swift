// Streams of all generations. Layout: formats/encodings.md §8.
extension RDB {
    public struct ID: Sendable, Equatable {
        public var milliseconds: UInt64
        public var sequence: UInt64
        public init(_ milliseconds: UInt64, _ sequence: UInt64) {
            self.milliseconds = milliseconds
            self.sequence = sequence
        }
        /// 16 bytes, big endian.
        var raw: [UInt8] { bigEndian(milliseconds) + bigEndian(sequence) }
        /// Two lengths.
        var lengths: [UInt8] { length(milliseconds) + length(sequence) }
    }

    public struct StreamNode: Sendable {
        public var id: ID
        public var listpack: [UInt8]
        public init(_ id: ID, _ listpack: [UInt8]) {
            self.id = id
            self.listpack = listpack
        }
    }

    public struct Pending: Sendable {
        public var id: ID
        public var time: Int64
        public var count: UInt64
        public init(_ id: ID, time: Int64, count: UInt64) {
            self.id = id
            self.time = time
            self.count = count
        }
    }

    public struct Consumer: Sendable {
        public var name: String
        public var seen: Int64
        public var active: Int64
        public var ids: [ID]
        public init(_ name: String, seen: Int64, active: Int64, ids: [ID]) {
            self.name = name
            self.seen = seen
            self.active = active
            self.ids = ids
        }
    }

    public struct Group: Sendable {
        public var name: String
        public var lastID: ID
        public var entriesRead: UInt64
        public var pending: [Pending]
        public var consumers: [Consumer]
        public var unowned: [ID]
        public init(
            _ name: String, lastID: ID, entriesRead: UInt64, pending: [Pending], consumers: [Consumer],
            unowned: [ID] = []
        ) {
            self.name = name
            self.lastID = lastID
            self.entriesRead = entriesRead
            self.pending = pending
            self.consumers = consumers
            self.unowned = unowned
        }
    }

    public struct Producer: Sendable {
        public var id: String
        public var entries: [(iid: [UInt8], id: ID)]
        public init(_ id: String, _ entries: [(iid: [UInt8], id: ID)]) {
            self.id = id
            self.entries = entries
        }
    }

    public struct Stream: Sendable {
        public var nodes: [StreamNode] = []
        public var length: UInt64 = 0
        public var lastID = ID(0, 0)
        public var firstID = ID(0, 0)
        public var maxDeletedID = ID(0, 0)
        public var entriesAdded: UInt64 = 0
        public var groups: [Group] = []
        public var duration: UInt64 = 100
        public var maxEntries: UInt64 = 100
        public var producers: [Producer] = []
        public var idsAdded: UInt64 = 0
        public var idsDuplicate: UInt64 = 0
        public init() {}
    }

    /// The type byte of each generation.
    public static let streamTypes: [UInt8] = [15, 19, 21, 26, 27]

    /// - Parameter generation: 1 (Redis 5) to 5 (Redis 8.8).
    public static func stream(_ stream: Stream, generation: Int) -> [UInt8] {
        var bytes = length(stream.nodes.count)
        for node in stream.nodes { bytes += [16] + node.id.raw + string(node.listpack) }
        bytes += length(stream.length) + stream.lastID.lengths
        if generation >= 2 {
            bytes += stream.firstID.lengths + stream.maxDeletedID.lengths + length(stream.entriesAdded)
        }
        bytes += length(stream.groups.count)
        for group in stream.groups { bytes += self.group(group, generation) }
        if generation >= 4 {
            bytes += length(stream.duration) + length(stream.maxEntries) + length(stream.producers.count)
            for producer in stream.producers {
                bytes += string(producer.id) + length(producer.entries.count)
                for entry in producer.entries { bytes += string(entry.iid) + entry.id.lengths }
            }
            bytes += length(stream.idsAdded) + length(stream.idsDuplicate)
        }
        return bytes
    }

    private static func group(_ group: Group, _ generation: Int) -> [UInt8] {
        var bytes = string(group.name) + group.lastID.lengths
        if generation >= 2 { bytes += length(group.entriesRead) }
        bytes += length(group.pending.count)
        for entry in group.pending { bytes += entry.id.raw + littleEndian(entry.time) + length(entry.count) }
        bytes += length(group.consumers.count)
        for consumer in group.consumers {
            bytes += string(consumer.name) + littleEndian(consumer.seen)
            if generation >= 3 { bytes += littleEndian(consumer.active) }
            bytes += length(consumer.ids.count)
            for id in consumer.ids { bytes += id.raw }
        }
        if generation >= 5 {
            bytes += length(group.unowned.count)
            for id in group.unowned { bytes += id.raw }
        }
        return bytes
    }
}
