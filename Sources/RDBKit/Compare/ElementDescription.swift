import RDBBytes
public import RDBModel
public import RDBSinks

/// An element in the words of JSON: what it is, what names it, and what it holds.
public struct ElementDescription {
    public var what: String
    public var identity: [(name: String, value: JSONValue)] = []
    /// nil where the name is all.
    public var value: JSONValue?

    public init(_ element: Element) {
        func id(_ id: StreamID) -> JSONValue { .text("\(id.milliseconds)-\(id.sequence)") }
        switch element {
        case .string(let text): (what, value) = ("value", .stored(text))
        case .listElement(_, let text): (what, value) = ("element", .stored(text))
        case .member(let member):
            what = "member"
            identity = [("member", .stored(member))]
        case .scoredMember(let member, let score):
            (what, value) = ("member", .double(score))
            identity = [("member", .stored(member))]
        case .field(let field, let text, _):
            (what, value) = ("field", .stored(text))
            identity = [("field", .stored(field))]
        case .pathField(let path, let field, let text):
            (what, value) = ("field", .stored(text))
            identity = [("path", .stored(path)), ("field", .stored(field))]
        case .arrayElement(let index, let text):
            (what, value) = ("element", .stored(text))
            identity = [("index", .unsigned(index))]
        case .insertIndex(let index): (what, value) = ("insert_index", .unsigned(index))
        case .streamEntry(let entry, let fields):
            what = "entry"
            value = .array(fields.map { .array([.stored($0.name), .stored($0.value)]) })
            identity = [("id", id(entry))]
        case .streamState(let lastID, let added, let maxDeleted):
            what = "state"
            value = .members(
                ("last_id", id(lastID)), ("entries_added", added.map { .unsigned($0) }),
                ("max_deleted_id", maxDeleted.map { id($0) }))
        case .group(let group, let lastID, let read):
            what = "group"
            value = .members(("last_id", id(lastID)), ("entries_read", read.map { .unsigned($0) }))
            identity = [("group", .stored(group))]
        case .consumer(let group, let consumer, let seen, let active):
            what = "consumer"
            if seen != nil || active != nil {
                value = .members(
                    ("seen_at_ms", seen.map { .integer($0) }), ("active_at_ms", active.map { .integer($0) }))
            }
            identity = [("group", .stored(group)), ("consumer", .stored(consumer))]
        case .pendingEntry(let group, let entry, let delivered, let count):
            what = "pending"
            value = .members(
                ("delivered_at_ms", delivered.map { .integer($0) }), ("deliveries", .unsigned(count)))
            identity = [("group", .stored(group)), ("id", id(entry))]
        case .owner(let group, let entry, let consumer):
            (what, value) = ("owner", .stored(consumer))
            identity = [("group", .stored(group)), ("id", id(entry))]
        case .unowned(let group, let order, let entry):
            (what, value) = ("unowned", id(entry))
            identity = [("group", .stored(group)), ("order", .unsigned(order))]
        case .idempotence(let state):
            what = "idempotence"
            value = .members(
                ("duration_s", .unsigned(state.durationSeconds)), ("max_entries", .unsigned(state.maxEntries)),
                ("ids_added", .unsigned(state.idsAdded)), ("ids_duplicate", .unsigned(state.idsDuplicate)))
        case .producerEntry(let producer, let entry, let streamID):
            (what, value) = ("producer_entry", id(streamID))
            identity = [("producer", .stored(producer)), ("producer_entry", .stored(entry))]
        case .module(let module): (what, value) = ("module", .text(module.description))
        case .modulePart(let index, let part):
            what = "part"
            value =
                switch part {
                case .signed(let number): .integer(number)
                case .unsigned(let number): .unsigned(number)
                case .float(let number): .double(Double(number))
                case .double(let number): .double(number)
                case .text(let text): .stored(text)
                }
            identity = [("part", .unsigned(index))]
        case .number(let number): (what, value) = ("value", .unsigned(number))
        }
    }
}

extension JSONValue {
    /// By the text rule; of a text that is not in memory its length and its beginning.
    static func stored(_ text: StoredText) -> JSONValue {
        switch text {
        case .inMemory(let bytes): return .bytes(bytes)
        case .inFile:
            // What was just written to the temporary file is read back; a failure shows at the next pass over it.
            let beginning = (try? text.prefix(64)) ?? []
            return .members(("text_bytes", .unsigned(text.byteCount)), ("begins", .bytes(beginning)))
        }
    }
}
