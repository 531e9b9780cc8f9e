extension CanonicalStream {
    /// - Parameter information: what `XINFO STREAM key FULL COUNT 0` answers. Facts that a version does
    ///   not answer are those that its file lacks, too.
    package init(information: RESPValue) throws {
        let fields = try information.fields()
        entries = try fields.required("entries").elements().map { entry in
            let parts = try entry.elements()
            guard parts.count == 2 else { throw UnexpectedReply(expected: "an ID and fields", found: entry) }
            return Entry(id: try StreamID(reply: parts[0]), fields: try parts[1].elements().map { try $0.bytes() })
        }
        length = try fields.required("length").integer()
        lastID = try StreamID(reply: try fields.required("last-generated-id"))
        firstID = try fields["recorded-first-entry-id"].map { try StreamID(reply: $0) }
        maxDeletedID = try fields["max-deleted-entry-id"].map { try StreamID(reply: $0) }
        entriesAdded = try fields["entries-added"].map { try $0.integer() }
        groups = try fields.required("groups").elements().map { try Group(information: $0) }
    }
}

extension CanonicalStream.Group {
    fileprivate init(information: RESPValue) throws {
        let fields = try information.fields()
        name = try fields.required("name").bytes()
        lastID = try StreamID(reply: try fields.required("last-delivered-id"))
        entriesRead = try fields["entries-read"].flatMap { $0.isNull ? nil : try $0.integer() }
        pending = try fields.required("pending").elements().map { entry in
            let parts = try entry.elements()
            guard parts.count == 4 else { throw UnexpectedReply(expected: "a pending entry", found: entry) }
            return CanonicalStream.Pending(
                id: try StreamID(reply: parts[0]), consumer: try parts[1].bytes(), deliveredAt: try parts[2].integer(),
                deliveries: try parts[3].integer())
        }
        consumers = try fields.required("consumers").elements().map { consumer in
            let fields = try consumer.fields()
            return CanonicalStream.Consumer(
                name: try fields.required("name").bytes(), seenAt: try fields.required("seen-time").integer(),
                activeAt: try fields["active-time"].map { try $0.integer() })
        }
    }
}

extension StreamID {
    fileprivate init(reply: RESPValue) throws {
        guard let id = StreamID(try reply.text()) else { throw UnexpectedReply(expected: "an ID", found: reply) }
        self = id
    }
}
