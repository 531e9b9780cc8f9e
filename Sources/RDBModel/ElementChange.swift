/// A part of a value that can come, go or change by itself.
public enum Element: Equatable, Sendable {
    case string(StoredText)
    /// Of a list, by its index from 0.
    case listElement(index: UInt64, StoredText)
    case member(StoredText)
    case scoredMember(StoredText, Double)
    /// Expiry: Unix time in milliseconds.
    case field(StoredText, value: StoredText, expiresAt: Int64?)
    case pathField(path: StoredText, field: StoredText, value: StoredText)
    case arrayElement(index: UInt64, StoredText)
    /// Where an array's next element without an index goes.
    case insertIndex(UInt64)

    case streamEntry(StreamID, [(name: StoredText, value: StoredText)])
    /// Counters are nil where they do not count.
    case streamState(lastID: StreamID, entriesAdded: UInt64?, maxDeletedID: StreamID?)
    /// Entries read: nil where they do not count, or nobody knows.
    case group(StoredText, lastID: StreamID, entriesRead: UInt64?)
    case consumer(group: StoredText, StoredText, seenAt: Int64?, activeAt: Int64?)
    case pendingEntry(group: StoredText, StreamID, deliveredAt: Int64?, deliveryCount: UInt64)
    /// Whose a pending entry is.
    case owner(group: StoredText, StreamID, consumer: StoredText)
    /// A pending entry that nobody owns; they have an order.
    case unowned(group: StoredText, order: UInt64, StreamID)
    case idempotence(IdempotenceState)
    case producerEntry(producer: StoredText, id: StoredText, StreamID)

    case module(ModuleID)
    case modulePart(index: UInt64, StoredPart)
    case number(UInt64)

    public enum StoredPart: Equatable, Sendable {
        case signed(Int64)
        case unsigned(UInt64)
        case float(Float)
        case double(Double)
        case text(StoredText)
    }

    public static func == (left: Element, right: Element) -> Bool {
        switch (left, right) {
        case (.string(let a), .string(let b)), (.member(let a), .member(let b)): a == b
        case (.listElement(let i, let a), .listElement(let j, let b)): i == j && a == b
        case (.scoredMember(let a, let x), .scoredMember(let b, let y)): a == b && x == y
        case (.field(let a, let v, let x), .field(let b, let w, let y)): a == b && v == w && x == y
        case (.pathField(let a, let b, let c), .pathField(let d, let e, let f)): a == d && b == e && c == f
        case (.arrayElement(let i, let a), .arrayElement(let j, let b)): i == j && a == b
        case (.insertIndex(let a), .insertIndex(let b)), (.number(let a), .number(let b)): a == b
        case (.streamEntry(let a, let f), .streamEntry(let b, let g)):
            a == b && f.elementsEqual(g) { $0.name == $1.name && $0.value == $1.value }
        case (.streamState(let a, let b, let c), .streamState(let d, let e, let f)): a == d && b == e && c == f
        case (.group(let a, let b, let c), .group(let d, let e, let f)): a == d && b == e && c == f
        case (.consumer(let a, let b, let c, let d), .consumer(let e, let f, let g, let h)):
            a == e && b == f && c == g && d == h
        case (.pendingEntry(let a, let b, let c, let d), .pendingEntry(let e, let f, let g, let h)):
            a == e && b == f && c == g && d == h
        case (.owner(let a, let b, let c), .owner(let d, let e, let f)): a == d && b == e && c == f
        case (.unowned(let a, let b, let c), .unowned(let d, let e, let f)): a == d && b == e && c == f
        case (.idempotence(let a), .idempotence(let b)): a == b
        case (.producerEntry(let a, let b, let c), .producerEntry(let d, let e, let f)): a == d && b == e && c == f
        case (.module(let a), .module(let b)): a == b
        case (.modulePart(let i, let a), .modulePart(let j, let b)): i == j && a == b
        default: false
        }
    }
}

/// What became of an element between two inputs, A and B.
public enum ElementChange: Equatable, Sendable {
    /// Only in A.
    case removed(Element)
    /// Only in B.
    case added(Element)
    case changed(Element, Element)
}
