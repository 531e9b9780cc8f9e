/// An entry that owns its bytes: for programs that look at entries one at a time, and for tests. What passes through in
/// pieces is `ValueVisitor`'s.
public struct Entry: Equatable, Sendable {
    public var header: EntryHeader
    public var key: [UInt8]
    public var value: Value

    public init(header: EntryHeader, key: [UInt8], value: Value) {
        self.header = header
        self.key = key
        self.value = value
    }
}

/// A value by type, elements in the order of the file.
public enum Value: Equatable, Sendable {
    case string([UInt8])
    case list([[UInt8]])
    case set([[UInt8]])
    case sortedSet([ScoredMember])
    case hash([HashField])
    case stream(StreamValue)
    case array(ArrayValue)
    case pathHash([PathFields])
    case module(ModuleID, [ModulePart])
    /// Microseconds.
    case gcra(UInt64)
    /// KeyDB: script, start, interval, keys and arguments.
    case cron([ModulePart])
}

public struct ScoredMember: Equatable, Sendable {
    public var member: [UInt8]
    public var score: Double
}

public struct HashField: Equatable, Sendable {
    public var field: [UInt8]
    public var value: [UInt8]
    /// Unix time in milliseconds.
    public var expiresAt: Int64?
}

public struct PathFields: Equatable, Sendable {
    public var path: [UInt8]
    public var fields: [HashField]
}

public struct ArrayValue: Equatable, Sendable {
    public var elements: [(index: UInt64, text: [UInt8])] = []
    public var insertIndex: UInt64?

    public static func == (left: ArrayValue, right: ArrayValue) -> Bool {
        left.insertIndex == right.insertIndex
            && left.elements.elementsEqual(right.elements) { $0.index == $1.index && $0.text == $1.text }
    }
}

public enum ModulePart: Equatable, Sendable {
    case signed(Int64)
    case unsigned(UInt64)
    case float(Float)
    case double(Double)
    case string([UInt8])
}

public struct StreamValue: Equatable, Sendable {
    public struct Field: Equatable, Sendable {
        public var name: [UInt8]
        public var value: [UInt8]
    }

    public struct StreamEntry: Equatable, Sendable {
        public var id: StreamID
        public var fields: [Field] = []
    }

    public struct Consumer: Equatable, Sendable {
        public var name: [UInt8]
        public var times: ConsumerTimes
        public var pending: [StreamID] = []
    }

    public struct Group: Equatable, Sendable {
        public var name: [UInt8]
        public var state: GroupState
        public var pending: [PendingEntry] = []
        public var consumers: [Consumer] = []
        /// Pending entries that no consumer owns, in the order in which they were given back.
        public var unowned: [StreamID] = []
    }

    public struct Producer: Equatable, Sendable {
        public struct Record: Equatable, Sendable {
            public var id: [UInt8]
            public var entry: StreamID
        }
        public var id: [UInt8]
        public var records: [Record] = []
    }

    public var entries: [StreamEntry] = []
    public var state = StreamState(length: 0, lastID: StreamID(milliseconds: 0, sequence: 0))
    public var groups: [Group] = []
    public var producers: [Producer] = []
    public var idempotence: IdempotenceState?
}
