import NIOCore
import RDBKit

/// A key that is to be read, and what is known of its value.
struct ListedKey {
    var key: [UInt8]
    /// Of the server's memory, or guessed from the elements.
    var byteCount: UInt64 = 64
    var isBig = false
    /// Not to be read in slices, though it is big.
    var mustBeWhole = false
    /// Its payload is none that this release knows.
    var isUnknownLayout = false
    /// What `TYPE` said, where it was asked.
    var type: TypeAnswer?

    enum TypeAnswer: Equatable {
        case readable(ReadableType)
        case other(String)

        init?(_ reply: RESPReply) {
            guard let name = reply.text, !reply.isError else { return nil }
            self = ReadableType(rawValue: name).map { .readable($0) } ?? .other(name)
        }
    }
}

/// Lists the keys of one database of a server by `SCAN`, and looks how large their values are before anybody asks for
/// them. The next page is on its way while one is taken.
struct KeyLister {
    private let link: SnapshotLink
    private let job: ScanJob
    private let options: SnapshotOptions
    private let selects: Bool
    private let wants: KeyFilter?
    private var scanning: SnapshotLink.Request?
    private var sizing: (request: SnapshotLink.Request, keys: [ListedKey])?
    /// Of the keys that were named, those not taken yet.
    private var named: ArraySlice<[UInt8]>

    /// A hint to the server.
    private static let pageKeyCount = 256

    init(_ link: SnapshotLink, _ job: ScanJob, _ options: SnapshotOptions, selects: Bool, _ wants: KeyFilter?) {
        self.link = link
        self.job = job
        self.options = options
        self.selects = selects
        self.wants = wants
        named = (job.keys ?? [])[...]
        if job.keys == nil { scanning = scan(from: "0") }
    }

    var isAtEnd: Bool { scanning == nil && sizing == nil && named.isEmpty }

    /// Whether `advance` would not wait.
    var canAdvance: Bool { (sizing?.request ?? scanning)?.isAnswered ?? true }

    /// Takes the next step; what has become ready is appended.
    mutating func advance(_ ready: inout [ListedKey]) throws(ServerError) {
        if let (request, keys) = sizing {
            sizing = nil
            try takeSizes(request, keys, &ready)
            return
        }
        guard let request = scanning else {
            let page = named.prefix(Self.pageKeyCount).map { ListedKey(key: $0) }
            named = named.dropFirst(page.count)
            if !page.isEmpty { sizing = (askSizes(page), page) }
            return
        }
        scanning = nil
        var replies = try link.wait(request)[...]
        try takeSelection(&replies)
        guard let reply = replies.first?.array, reply.count == 2, let cursor = reply[0].text,
            let names = reply[1].array
        else { return try scanFailed(replies.first ?? .null) }
        if cursor != "0" { scanning = scan(from: cursor) }
        var keys: [ListedKey] = []
        for name in names {
            guard case .bulk(let key) = name else { return try scanFailed(name) }
            if let slots = job.slots, !slots.contains(HashSlot.of(key.rawSpan)) { continue }
            if let wants, !wants(job.database, key.rawSpan) { continue }
            keys.append(ListedKey(key: key))
        }
        if keys.isEmpty { return }
        sizing = (askSizes(keys), keys)
    }

    private func scan(from cursor: String) -> SnapshotLink.Request {
        var command = ["SCAN", cursor, "COUNT", String(Self.pageKeyCount)]
        if let type = options.type { command += ["TYPE", type] }
        var bytes = ByteBuffer()
        let count = writeSelection(&bytes)
        bytes.writeCommand(command.map { Array($0.utf8) })
        return link.begin(bytes, commandCount: count + 1)
    }

    private func scanFailed(_ reply: RESPReply) throws(ServerError) {
        throw .refused(link.address, "cannot list its keys", reply)
    }

    // MARK: - The database

    private func writeSelection(_ bytes: inout ByteBuffer) -> Int {
        guard selects else { return 0 }
        bytes.writeCommand("SELECT", String(job.database))
        return 1
    }

    private func takeSelection(_ replies: inout ArraySlice<RESPReply>) throws(ServerError) {
        guard selects, let reply = replies.popFirst() else { return }
        if !reply.isOK { throw .refused(link.address, "cannot use database \(job.database)", reply) }
    }

    // MARK: - Sizes

    /// By the server's memory for it where values come by `DUMP`, else by type and elements.
    private var asksMemory: Bool { link.plan.dumps && link.plan.tellsMemoryUsage }

    private func askSizes(_ keys: [ListedKey]) -> SnapshotLink.Request {
        var bytes = ByteBuffer()
        let count = writeSelection(&bytes)
        for key in keys {
            bytes.writeCommand(asksMemory ? words("MEMORY USAGE", key.key) : words("TYPE", key.key))
        }
        return link.begin(bytes, commandCount: count + keys.count)
    }

    private func takeSizes(
        _ request: SnapshotLink.Request, _ keys: [ListedKey], _ ready: inout [ListedKey]
    ) throws(ServerError) {
        var replies = try link.wait(request)[...]
        try takeSelection(&replies)
        if asksMemory {
            for (var key, reply) in zip(keys, replies) {
                // Gone since it was listed.
                if reply.isNull { continue }
                // Of a key that has moved the size is not known; it is read by itself.
                key.byteCount = UInt64(clamping: reply.integer ?? 0)
                key.isBig = key.byteCount > options.bigValueByteCount
                ready.append(key)
            }
            return
        }
        var typed: [ListedKey] = []
        for (var key, reply) in zip(keys, replies) {
            key.type = ListedKey.TypeAnswer(reply)
            if key.type != .other("none"), isWanted(key) { typed.append(key) }
        }
        try countElements(&typed)
        ready += typed
    }

    /// What `TYPE` calls by a name of its own is a module's, of vector sets as well.
    private func isWanted(_ key: ListedKey) -> Bool {
        guard let admits = options.admitsType else { return true }
        switch key.type {
        case .readable(let type)?: return ValueType(rawValue: type.rawValue).map(admits) ?? true
        case .other(let name)?: return admits(ValueType(rawValue: name) ?? .module)
        case nil: return true
        }
    }

    private func countElements(_ keys: inout [ListedKey]) throws(ServerError) {
        var bytes = ByteBuffer()
        var count = writeSelection(&bytes)
        var indices: [Int] = []
        for (index, key) in keys.enumerated() {
            guard case .readable(let type)? = key.type else { continue }
            bytes.writeCommand(words(type.sizing, key.key))
            indices.append(index)
            count += 1
        }
        if indices.isEmpty { return }
        var replies = try link.wait(link.begin(bytes, commandCount: count))[...]
        try takeSelection(&replies)
        for (index, reply) in zip(indices, replies) {
            let size = UInt64(clamping: reply.integer ?? 0)
            if keys[index].type == .readable(.string) {
                keys[index].byteCount = size
                keys[index].isBig = size > options.bigValueByteCount
            } else {
                keys[index].byteCount = size.multipliedReportingOverflow(by: 64).partialValue
                keys[index].isBig = size > options.bigValueElementCount
            }
        }
    }
}

/// A database of a server that has to be scanned.
struct ScanJob: Equatable {
    var server: ServerAddress
    var database: UInt64
    /// Only keys of these; nil for all.
    var slots: Set<Int>?
    /// Only these, by name; nil for all there are.
    var keys: [[UInt8]]?
}
