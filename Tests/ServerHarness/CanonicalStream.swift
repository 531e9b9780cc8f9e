/// The ID of a stream entry.
package struct StreamID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var milliseconds: UInt64
    package var sequence: UInt64

    package init(milliseconds: UInt64, sequence: UInt64) {
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    /// - Returns: nil unless the text is two decimal numbers and a dash, as both sides write it.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = UInt64(parts[0]), let sequence = UInt64(parts[1]) else { return nil }
        self.init(milliseconds: milliseconds, sequence: sequence)
    }

    package static let zero = StreamID(milliseconds: 0, sequence: 0)

    package static func < (left: StreamID, right: StreamID) -> Bool {
        (left.milliseconds, left.sequence) < (right.milliseconds, right.sequence)
    }

    package var description: String { "\(milliseconds)-\(sequence)" }
}

/// What a stream holds. Nil stands for what the version does not tell.
package struct CanonicalStream: Sendable {
    package struct Entry: Sendable, Equatable {
        package var id: StreamID
        /// Names and values in turn; a name may come more than once.
        package var fields: [Bytes]

        package init(id: StreamID, fields: [Bytes]) {
            self.id = id
            self.fields = fields
        }
    }

    package struct Pending: Sendable, Equatable {
        package var id: StreamID
        /// Empty for an entry that no consumer owns.
        package var consumer: Bytes
        package var deliveredAt: Int64
        package var deliveries: Int64

        package init(id: StreamID, consumer: Bytes, deliveredAt: Int64, deliveries: Int64) {
            self.id = id
            self.consumer = consumer
            self.deliveredAt = deliveredAt
            self.deliveries = deliveries
        }
    }

    package struct Consumer: Sendable, Equatable {
        package var name: Bytes
        package var seenAt: Int64
        /// -1 if it never got an entry.
        package var activeAt: Int64?

        package init(name: Bytes, seenAt: Int64, activeAt: Int64?) {
            self.name = name
            self.seenAt = seenAt
            self.activeAt = activeAt
        }
    }

    package struct Group: Sendable, Equatable {
        package var name: Bytes
        package var lastID: StreamID
        /// Nil if unknown: to the file's version, or to the server because of a jump.
        package var entriesRead: Int64?
        /// Ascending by ID.
        package var pending: [Pending]
        /// In the order of their names' bytes.
        package var consumers: [Consumer]

        package init(
            name: Bytes, lastID: StreamID, entriesRead: Int64?, pending: [Pending], consumers: [Consumer]
        ) {
            self.name = name
            self.lastID = lastID
            self.entriesRead = entriesRead
            self.pending = pending
            self.consumers = consumers
        }
    }

    package var entries: [Entry]
    package var length: Int64
    package var lastID: StreamID
    package var firstID: StreamID?
    package var maxDeletedID: StreamID?
    package var entriesAdded: Int64?
    package var groups: [Group]

    package init(
        entries: [Entry], length: Int64, lastID: StreamID, firstID: StreamID?, maxDeletedID: StreamID?,
        entriesAdded: Int64?, groups: [Group]
    ) {
        self.entries = entries
        self.length = length
        self.lastID = lastID
        self.firstID = firstID
        self.maxDeletedID = maxDeletedID
        self.entriesAdded = entriesAdded
        self.groups = groups
    }
}
