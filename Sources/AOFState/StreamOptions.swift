import RDBBytes
import RDBModel
import RESPFormat

// How servers read the arguments of stream commands. Source: redis/redis src/t_stream.c, streamGenericParseIDOrReply and
// streamParseAddOrTrimArgsOrReply; formats/commands.md §C.12.
extension CommandArguments {
    /// `ms-seq`, or `ms` alone, which is `ms-0`.
    func streamID(_ index: Int) -> StreamID? {
        guard index >= 0, index < count else { return nil }
        return StreamIDText.parse(self[index])
    }

    /// The IDs from an index on, all of them or none.
    func streamIDs(_ range: Range<Int>) -> [StreamID]? {
        var ids: [StreamID] = []
        for index in range {
            guard let id = streamID(index) else { return nil }
            ids.append(id)
        }
        return ids
    }

    /// KEEPREF, DELREF or ACKED (Redis 8.2).
    func referencePolicy(_ index: Int) -> KeyspaceStream.ReferencePolicy? {
        if matches(index, "keepref") { return .keep }
        if matches(index, "delref") { return .delete }
        if matches(index, "acked") { return .acknowledged }
        return nil
    }

    func isText(_ index: Int, _ text: StaticString) -> Bool {
        guard index < count, self[index].byteCount == text.utf8CodeUnitCount else { return false }
        return matches(index, text)
    }
}

enum StreamIDText {
    /// Servers have a buffer for no more.
    private static let maxByteCount = 127

    static func parse(_ text: RawSpan) -> StreamID? {
        guard let (milliseconds, rest) = parts(text) else { return nil }
        guard let rest else { return StreamID(milliseconds: milliseconds, sequence: 0) }
        guard let sequence = number(text.extracting(rest..<text.byteCount)) else { return nil }
        return StreamID(milliseconds: milliseconds, sequence: sequence)
    }

    /// The milliseconds of `ms-*`.
    static func parsePartial(_ text: RawSpan) -> UInt64? {
        guard let (milliseconds, rest) = parts(text), let rest, rest == text.byteCount - 1,
            text.byte(at: rest) == UInt8(ascii: "*")
        else { return nil }
        return milliseconds
    }

    /// The milliseconds, and where the sequence number begins if there is one.
    private static func parts(_ text: RawSpan) -> (UInt64, Int?)? {
        guard text.byteCount <= maxByteCount else { return nil }
        for index in 0..<text.byteCount where text.byte(at: index) == UInt8(ascii: "-") {
            guard let milliseconds = number(text.extracting(0..<index)) else { return nil }
            return (milliseconds, index + 1)
        }
        return number(text).map { ($0, nil) }
    }

    /// Unsigned, of 64 bits. As in C, zeros and a plus may stand before it.
    static func number(_ text: RawSpan) -> UInt64? {
        var index = 0
        if text.byteCount > 1, text.byte(at: 0) == UInt8(ascii: "+") { index = 1 }
        guard index < text.byteCount else { return nil }
        var value: UInt64 = 0
        while index < text.byteCount {
            let digit = UInt64(text.byte(at: index)) &- 0x30
            guard digit <= 9 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = product.addingReportingOverflow(digit)
            if overflow || overflow2 { return nil }
            value = sum
            index += 1
        }
        return value
    }
}

/// The options of XADD and XTRIM.
struct StreamOptions {
    enum EntryID {
        /// `*`
        case next
        /// `ms-*`
        case nextWithin(UInt64)
        case exact(StreamID)
    }

    var makesStream = true
    var policy = KeyspaceStream.ReferencePolicy.keep
    var limit: KeyspaceStream.TrimLimit?
    var isApproximate = false
    /// Of XADD. The first field is the argument behind it.
    var entryID: EntryID?
    var entryIDIndex = 0
    /// The arguments that are an idempotent producer and its own ID; the latter is missing with IDMPAUTO.
    var producerIndex: Int?
    var producerEntryIndex: Int?

    /// - Returns: nil where a server refuses them.
    init?(_ arguments: CommandArguments, isXADD: Bool) {
        var index = 2
        var hasLimit = false
        options: while index < arguments.count {
            let isLast = index == arguments.count - 1
            if isXADD, arguments.isText(index, "*") {
                entryID = .next
                break options
            } else if !isLast, arguments.matches(index, "maxlen") || arguments.matches(index, "minid") {
                guard limit == nil, let at = trimArgument(arguments, index) else { return nil }
                if arguments.matches(index, "maxlen") {
                    guard let length = arguments.integer(at), length >= 0 else { return nil }
                    limit = .maxLength(UInt64(length))
                } else {
                    guard let id = arguments.streamID(at) else { return nil }
                    limit = .minID(id)
                }
                index = at
            } else if !isLast, arguments.matches(index, "limit") {
                // A log's trims are exact already, so the limit counts for nothing.
                guard let count = arguments.integer(index + 1), count >= 0 else { return nil }
                hasLimit = count > 0
                index += 1
            } else if isXADD, arguments.matches(index, "nomkstream") {
                makesStream = false
            } else if let policy = arguments.referencePolicy(index) {
                self.policy = policy
            } else if isXADD, index + 2 < arguments.count, arguments.matches(index, "idmp") {
                producerIndex = index + 1
                producerEntryIndex = index + 2
                index += 2
            } else if isXADD, !isLast, arguments.matches(index, "idmpauto") {
                producerIndex = index + 1
                index += 1
            } else if isXADD, let id = arguments.streamID(index) {
                entryID = .exact(id)
                break options
            } else if isXADD, let milliseconds = StreamIDText.parsePartial(arguments[index]) {
                entryID = .nextWithin(milliseconds)
                break options
            } else {
                return nil
            }
            index += 1
        }
        if hasLimit, limit == nil { return nil }
        entryIDIndex = index
    }

    /// Where the operand of MAXLEN or MINID stands.
    private mutating func trimArgument(_ arguments: CommandArguments, _ index: Int) -> Int? {
        var at = index + 1
        if at + 1 < arguments.count {
            if arguments.isText(at, "~") {
                isApproximate = true
                at += 1
            } else if arguments.isText(at, "=") {
                at += 1
            }
        }
        return at < arguments.count ? at : nil
    }
}
