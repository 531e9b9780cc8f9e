public import RDBBytes
public import RDBFormat
import RDBModel
public import RDBSinks
public import RDBTransforms

/// Differences as the commands that turn A into B: applied to a server that holds A, they make it hold B.
///
/// An element is changed by a command of its own where that has exactly B's value as its result: members, scores, fields
/// and their expiries; of lists what is replaced in place, goes anywhere, or comes at an end; of streams entries that
/// go, or come behind A's last, with the counters and how far groups have come. Everything else is made anew.
///
/// Of a value, commands that add come before those that remove, so that no key is empty, and gone with its expiry, in
/// between.
public final class PatchWriter: DifferenceSink {
    private var consumer: RESPConsumer
    private let options: CommandOptions
    private let hasTarget: Bool

    public let wantsElements = true
    public var failure: OutputError? { consumer.writer.failure }

    /// More edits than that, or than half the list, are dearer than making the list anew.
    private static let maxListEdits = 1000

    /// - Parameter hasTarget: whether `options.target` was named by somebody; only then values are restored.
    public init(_ file: any CommandSink, options: CommandOptions, hasTarget: Bool, now: Int64) throws {
        self.options = options
        self.hasTarget = hasTarget
        consumer = try RESPConsumer(
            file, form: .auto, options: options, hasTarget: hasTarget, changes: EntryChanges(), now: now)
    }

    /// What the target cannot hold.
    public var losses: LossTally { consumer.losses }

    public func flush() { consumer.writer.flush() }

    // MARK: - Keys

    public func removed(_ a: inout RDBReader) throws(DecodeError) {
        begin(a)
        consumer.writer.patch("DEL", argumentCount: 0)
        consumer.writer.endPatch()
    }

    public func added(_ b: inout RDBReader) throws(DecodeError) {
        consumer.writer.options.replaces = false
        try consume(&b)
    }

    public func replaced(_ a: inout RDBReader, _ b: inout RDBReader) throws(DecodeError) {
        // A key that is compared without regard to databases is where A has it.
        if a.header.database != b.header.database { try removed(&a) }
        consumer.writer.options.replaces = true
        try consume(&b)
    }

    private func consume(_ b: inout RDBReader) throws(DecodeError) {
        do throws(DecodeError) { try consumer.consume(&b) } catch {
            consumer.discard()
            throw error
        }
    }

    private func begin(_ reader: borrowing RDBReader) {
        consumer.select(reader.header.database)
        consumer.writer.beginPatch(key: reader.key)
    }

    public func changed(
        _ a: inout RDBReader, _ b: inout RDBReader, _ changes: inout ValueChanges, _ expiry: ExpiryChange?
    ) throws(SinkFailure) {
        var isPatched = false
        var hasChanges = false
        do throws(SpillError) {
            try changes.visit { _ in hasChanges = true }
            if a.header.database == b.header.database {
                begin(a)
                isPatched = hasChanges ? try patch(&a, &b, &changes) : true
            }
        } catch { throw .spill(error) }
        if !isPatched {
            do throws(DecodeError) {
                try b.rewindToValue()
                return try replaced(&a, &b)
            } catch { throw .decode(error) }
        }
        if let expiry {
            if let expiresAt = expiry.b {
                consumer.writer.patch("PEXPIREAT", argumentCount: 1)
                consumer.writer.patch(argument: expiresAt)
            } else {
                consumer.writer.patch("PERSIST", argumentCount: 0)
            }
        }
        consumer.writer.endPatch()
    }

    /// - Returns: false, and nothing written, where the value has to be made anew.
    private func patch(
        _ a: inout RDBReader, _ b: inout RDBReader, _ changes: inout ValueChanges
    ) throws(SpillError) -> Bool {
        switch b.header.type {
        case .set, .zset, .hash:
            guard try takesElements(&changes) else { return false }
            try changes.visit { (change) throws(SpillError) in
                switch change {
                case .added(let element): try set(element, nil)
                case .changed(let old, let new): try set(new, old)
                case .removed: break
                }
            }
            try changes.visit { (change) throws(SpillError) in
                if case .removed(let element) = change { try remove(element) }
            }
            return true
        case .list: return try patchList(&a, &b, &changes)
        case .stream: return try patchStream(a.header, &changes)
        default: return false
        }
    }

    public func function(_ library: FunctionTable.Library, _ change: FunctionTable.Change, source: [UInt8]?) {
        guard options.target.hasFunctions else {
            return consumer.tellLoss(of: FunctionLibrary(library, code: []))
        }
        if change == .onlyA { return consumer.writer.command("FUNCTION", "DELETE", library.name) }
        guard let source else { return consumer.tellLoss(of: FunctionLibrary(library, code: nil)) }
        consumer.writer.options.replaces = change == .different
        consumer.writer.load(FunctionLibrary(library, code: source))
    }

    // MARK: - Members and fields

    /// Whether the target has a command for each change.
    private func takesElements(_ changes: inout ValueChanges) throws(SpillError) -> Bool {
        var takes = true
        try changes.visit { change in
            switch change {
            case .added(.scoredMember(_, let score)), .changed(_, .scoredMember(_, let score)):
                if score.isNaN { takes = false }
            case .added(.field(_, _, let expiry)):
                if let expiry, !takesExpiry(expiry) { takes = false }
            case .changed(.field(_, _, let old), .field(_, _, let new)):
                if old != nil, !options.target.hasFieldExpiry { takes = false }
                if let new, !takesExpiry(new) { takes = false }
            default: break
            }
        }
        return takes
    }

    private func takesExpiry(_ expiresAt: Int64) -> Bool {
        options.target.hasFieldExpiry && expiresAt <= options.target.maxFieldExpiry && expiresAt >= 0
    }

    private func set(_ element: Element, _ old: Element?) throws(SpillError) {
        switch element {
        case .member(let member):
            consumer.writer.patch("SADD", argumentCount: 1)
            try consumer.writer.patch(argument: member)
        case .scoredMember(let member, let score):
            consumer.writer.patch("ZADD", argumentCount: 2)
            consumer.writer.patch(score: score)
            try consumer.writer.patch(argument: member)
        case .field(let field, let value, let expiresAt):
            var oldValue: StoredText?
            var oldExpiry: Int64?
            if case .field(_, let value, let expiry)? = old {
                oldValue = value
                oldExpiry = expiry
            }
            if value != oldValue {
                consumer.writer.patch("HSET", argumentCount: 2)
                try consumer.writer.patch(argument: field)
                try consumer.writer.patch(argument: value)
            }
            // Setting a value takes its expiry away.
            if let expiresAt, expiresAt != oldExpiry || value != oldValue {
                consumer.writer.patch("HPEXPIREAT", argumentCount: 4)
                consumer.writer.patch(argument: expiresAt)
                consumer.writer.patch(argument: "FIELDS")
                consumer.writer.patch(argument: 1)
                try consumer.writer.patch(argument: field)
            } else if expiresAt == nil, oldExpiry != nil {
                consumer.writer.patch("HPERSIST", argumentCount: 3)
                consumer.writer.patch(argument: "FIELDS")
                consumer.writer.patch(argument: 1)
                try consumer.writer.patch(argument: field)
            }
        default: break
        }
    }

    private func remove(_ element: Element) throws(SpillError) {
        switch element {
        case .member(let member):
            consumer.writer.patch("SREM", argumentCount: 1)
            try consumer.writer.patch(argument: member)
        case .scoredMember(let member, _):
            consumer.writer.patch("ZREM", argumentCount: 1)
            try consumer.writer.patch(argument: member)
        case .field(let field, _, _):
            consumer.writer.patch("HDEL", argumentCount: 1)
            try consumer.writer.patch(argument: field)
        default: break
        }
    }

    // MARK: - Lists

    private func patchList(
        _ a: inout RDBReader, _ b: inout RDBReader, _ changes: inout ValueChanges
    ) throws(SpillError) -> Bool {
        guard let counts = changes.listCounts else { return false }
        var edits = 0
        var removedCount = 0
        // Elements of B before its first that A has, and behind its last.
        var addedFirst: [UInt64] = []
        var addedLast: [UInt64] = []
        var isPossible = true
        try changes.visit { change in
            edits += 1
            guard edits <= Self.maxListEdits else {
                isPossible = false
                return
            }
            switch change {
            case .removed: removedCount += 1
            case .added(.listElement(let index, _)):
                if index == UInt64(addedFirst.count) { addedFirst.append(index) } else { addedLast.append(index) }
            default: break
            }
        }
        // What comes last reaches to B's end without a gap.
        for (place, index) in addedLast.enumerated() where index != UInt64(counts.b - addedLast.count + place) {
            isPossible = false
        }
        guard isPossible, edits <= max(8, counts.b / 2), removedCount < counts.a else { return false }
        var mark: [UInt8] = []
        if removedCount > 0 {
            // What goes is marked by a text that neither list has, and then removed wherever it is.
            guard let found = try Self.markText(&a, &b) else { return false }
            mark = found
        }
        try changes.visit { (change) throws(SpillError) in
            switch change {
            case .changed(.listElement(let index, _), .listElement(_, let text)):
                try set(index, text)
            case .removed(.listElement(let index, _)): try set(index, .inMemory(mark))
            default: break
            }
        }
        var first: [StoredText] = []
        try changes.visit { (change) throws(SpillError) in
            guard case .added(.listElement(let index, let text)) = change else { return }
            if index < UInt64(addedFirst.count) {
                first.append(text)
            } else {
                consumer.writer.patch("RPUSH", argumentCount: 1)
                try consumer.writer.patch(argument: text)
            }
        }
        for text in first.reversed() {
            consumer.writer.patch("LPUSH", argumentCount: 1)
            try consumer.writer.patch(argument: text)
        }
        if removedCount > 0 {
            consumer.writer.patch("LREM", argumentCount: 2)
            consumer.writer.patch(argument: 0)
            try consumer.writer.patch(argument: .inMemory(mark))
        }
        return true
    }

    private func set(_ index: UInt64, _ text: StoredText) throws(SpillError) {
        consumer.writer.patch("LSET", argumentCount: 2)
        consumer.writer.patch(argument: Int64(clamping: index))
        try consumer.writer.patch(argument: text)
    }

    /// A text that neither list has; nil where that cannot be found out.
    private static func markText(_ a: inout RDBReader, _ b: inout RDBReader) throws(SpillError) -> [UInt8]? {
        for number in 0..<8 {
            var finder = TextFinder(wanted: Array("rdbkit:removed:\(number)".utf8))
            do throws(DecodeError) {
                try a.rewindToValue()
                try a.readValue(into: &finder)
                try b.rewindToValue()
                try b.readValue(into: &finder)
            } catch { return nil }
            if !finder.isFound { return finder.wanted }
        }
        return nil
    }

    // MARK: - Streams

    private func patchStream(_ header: EntryHeader, _ changes: inout ValueChanges) throws(SpillError) -> Bool {
        guard options.target.hasStreamCounters else { return false }
        var isPossible = true
        var oldLast: StreamID?
        var new: (lastID: StreamID, added: UInt64, maxDeleted: StreamID)?
        var firstAdded: StreamID?
        try changes.visit { change in
            switch change {
            case .added(.streamEntry(let id, let fields)):
                if fields.isEmpty { isPossible = false }
                if firstAdded == nil { firstAdded = id }
            case .removed(.streamEntry): break
            case .changed(.streamState(let last, _, _), .streamState(let lastID, let added?, let maxDeleted?)):
                oldLast = last
                new = (lastID, added, maxDeleted)
                if maxDeleted > lastID { isPossible = false }
            // Other counts than known ones cannot be set again.
            case .changed(.group, .group(_, _, _?)): break
            default: isPossible = false
            }
        }
        // An entry that comes or goes always changes the state; where it does not count, it cannot be set.
        guard isPossible, let oldLast, let new else { return false }
        if let firstAdded, firstAdded <= oldLast { return false }
        try changes.visit { (change) throws(SpillError) in
            switch change {
            case .added(.streamEntry(let id, let fields)):
                consumer.writer.patch("XADD", argumentCount: 1 + 2 * fields.count)
                consumer.writer.patch(argument: id)
                for field in fields {
                    try consumer.writer.patch(argument: field.name)
                    try consumer.writer.patch(argument: field.value)
                }
            case .removed(.streamEntry(let id, _)):
                consumer.writer.patch("XDEL", argumentCount: 1)
                consumer.writer.patch(argument: id)
            default: break
            }
        }
        consumer.writer.patch("XSETID", argumentCount: 5)
        consumer.writer.patch(argument: new.lastID)
        consumer.writer.patch(argument: "ENTRIESADDED")
        consumer.writer.patch(argument: Int64(clamping: new.added))
        consumer.writer.patch(argument: "MAXDELETEDID")
        consumer.writer.patch(argument: new.maxDeleted)
        try changes.visit { (change) throws(SpillError) in
            guard case .changed(_, .group(let name, let lastID, let read?)) = change else { return }
            consumer.writer.patch("XGROUP", "SETID", argumentCount: 4)
            try consumer.writer.patch(argument: name)
            consumer.writer.patch(argument: lastID)
            consumer.writer.patch(argument: "ENTRIESREAD")
            consumer.writer.patch(argument: Int64(clamping: read))
        }
        return true
    }
}

/// Looks for a text among the elements of a list.
private struct TextFinder: ValueVisitor {
    let wanted: [UInt8]
    private(set) var isFound = false

    init(wanted: [UInt8]) { self.wanted = wanted }

    mutating func text(_ bytes: RawSpan, as role: TextRole) {
        if bytes.byteCount == wanted.count, bytes.array == wanted { isFound = true }
    }
    mutating func integer(_ value: Int64, as role: TextRole) {}
}

extension FunctionLibrary {
    /// - Parameter code: nil where it is not at hand.
    fileprivate init(_ library: FunctionTable.Library, code: [UInt8]?) {
        self.init(
            code: KeptText(bytes: code ?? [], byteCount: code.map { UInt64($0.count) } ?? .max))
        name = library.name
        engine = library.engine
    }
}
