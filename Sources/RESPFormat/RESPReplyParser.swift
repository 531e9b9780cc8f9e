import RDBBytes

/// Reads replies from bytes that arrive in any pieces.
///
/// ```
/// +text  -error  :number  _  #t  ,1.5  (12345678901234567890      a line
/// $length bytes   =length txt:bytes   !length bytes               a string
/// *n   ~n   >n   %n (pairs)   |n (pairs, thrown away)             an aggregate: n replies follow
/// ```
/// Every line and every string ends with CR LF. Memory follows what has arrived, never a stated length, and is bounded
/// by `Limits`. After an error the parser is of no use any more.
public struct RESPReplyParser: Sendable {
    /// Of one reply with everything in it.
    public struct Limits: Sendable {
        public var maxDepth = 32
        public var maxLineBytes = 64 << 10
        /// Of one string.
        public var maxBulkBytes: Int
        /// Of all strings and lines together.
        public var maxReplyBytes: Int
        public var maxElements = 1 << 20

        public init(maxBulkBytes: Int = 64 << 20) {
            self.maxBulkBytes = maxBulkBytes
            maxReplyBytes = maxBulkBytes + (64 << 20)
        }
    }

    private enum StringKind { case bulk, error, verbatim }

    private enum AggregateKind { case array, set, push, map, attribute }

    private enum Stage {
        /// Within a line, or before a reply.
        case line
        case string(StringKind, remaining: Int)
        /// Behind a string, before this byte.
        case stringEnd(StringKind, UInt8)
    }

    /// An aggregate whose elements are being read.
    private struct Aggregate {
        var kind: AggregateKind
        var remaining: Int
        var elements: [RESPReply] = []
    }

    public let limits: Limits
    private var stage = Stage.line
    /// The part of a line or of a string that has arrived.
    private var partial: [UInt8] = []
    private var open: [Aggregate] = []
    private var byteCount = 0
    private var elementCount = 0

    public init(limits: Limits = Limits()) { self.limits = limits }

    /// Whether a reply has begun to arrive.
    public var isWithinReply: Bool {
        if case .line = stage { !partial.isEmpty || !open.isEmpty } else { true }
    }

    /// Reads on at `index` and moves it.
    /// - Returns: the reply that ends there; nil when all bytes are used up.
    public mutating func next(_ bytes: RawSpan, at index: inout Int) throws(RESPReplyError) -> RESPReply? {
        while index < bytes.byteCount {
            let element: RESPReply?
            switch stage {
            case .line:
                guard try takeLine(bytes, at: &index) else { return nil }
                element = try endLine()
            case .string(let kind, let remaining):
                let count = min(remaining, bytes.byteCount - index)
                partial.append(contentsOf: bytes.extracting(index..<index + count).array)
                index += count
                stage =
                    count == remaining
                    ? .stringEnd(kind, UInt8(ascii: "\r")) : .string(kind, remaining: remaining - count)
                continue
            case .stringEnd(let kind, let mark):
                guard bytes.byte(at: index) == mark else { throw RESPReplyError(.badEnd, "CR LF after a string") }
                index += 1
                if mark == UInt8(ascii: "\r") {
                    stage = .stringEnd(kind, UInt8(ascii: "\n"))
                    continue
                }
                element = try endString(kind)
            }
            if let element, let reply = deliver(element) {
                byteCount = 0
                elementCount = 0
                return reply
            }
        }
        return nil
    }

    // MARK: - Lines

    /// Moves bytes up to the end of the line to `partial`, without the end.
    private mutating func takeLine(_ bytes: RawSpan, at index: inout Int) throws(RESPReplyError) -> Bool {
        var end = index
        while end < bytes.byteCount, bytes.byte(at: end) != UInt8(ascii: "\n") {
            end += 1
            if partial.count + end - index > limits.maxLineBytes {
                throw RESPReplyError(.limitExceeded, "\(limits.maxLineBytes) bytes in a line")
            }
        }
        partial.append(contentsOf: bytes.extracting(index..<end).array)
        index = end
        guard end < bytes.byteCount else { return false }
        index += 1
        guard partial.popLast() == UInt8(ascii: "\r") else {
            throw RESPReplyError(.badEnd, "CR LF at the end of a line")
        }
        return true
    }

    /// Takes the line in `partial`.
    /// - Returns: nil where more has to come.
    private mutating func endLine() throws(RESPReplyError) -> RESPReply? {
        defer { partial.removeAll(keepingCapacity: true) }
        try count(bytes: partial.count)
        guard let mark = partial.first else { throw RESPReplyError(.badType, "a reply, found an empty line") }
        switch mark {
        case UInt8(ascii: "+"): return .simple(lineText)
        case UInt8(ascii: "-"): return .error(lineText)
        case UInt8(ascii: ":"): return .integer(try lineNumber())
        case UInt8(ascii: "$"): return try beginString(.bulk)
        case UInt8(ascii: "*"): return try beginAggregate(.array)
        case UInt8(ascii: "_"):
            guard partial.count == 1 else { throw RESPReplyError(.badEnd, "nothing after _") }
            return .null
        case UInt8(ascii: "#"):
            guard partial.count == 2, partial[1] == UInt8(ascii: "t") || partial[1] == UInt8(ascii: "f") else {
                throw RESPReplyError(.badNumber, "t or f after #")
            }
            return .boolean(partial[1] == UInt8(ascii: "t"))
        case UInt8(ascii: ","): return .double(try lineDouble())
        case UInt8(ascii: "("): return .bigNumber(try lineBigNumber())
        case UInt8(ascii: "!"): return try beginString(.error)
        case UInt8(ascii: "="): return try beginString(.verbatim)
        case UInt8(ascii: "~"): return try beginAggregate(.set)
        case UInt8(ascii: ">"): return try beginAggregate(.push)
        case UInt8(ascii: "%"): return try beginAggregate(.map)
        case UInt8(ascii: "|"): return try beginAggregate(.attribute)
        default: throw RESPReplyError(.badType, "a reply, found \(lineStart)")
        }
    }

    /// The line's first characters for a message.
    private var lineStart: String {
        let shown = partial.prefix(32).map { 0x20..<0x7f ~= $0 ? Character(Unicode.Scalar($0)) : "?" }
        return "\"\(String(shown))\""
    }

    private var lineText: String { String(decoding: partial[1...], as: UTF8.self) }

    private func lineNumber() throws(RESPReplyError) -> Int64 {
        let digits = partial.rawSpan.extracting(1...)
        // RESP3 allows a plus sign.
        let value =
            digits.byteCount > 1 && digits.byte(at: 0) == UInt8(ascii: "+")
            ? Digits.parse(digits.extracting(1...)) : Digits.parse(digits)
        guard let value else { throw RESPReplyError(.badNumber, "an integer, found \(lineStart)") }
        return value
    }

    private func lineDouble() throws(RESPReplyError) -> Double {
        let text = lineText
        switch text {
        case "inf", "+inf": return .infinity
        case "-inf": return -.infinity
        case "nan", "-nan": return .nan
        default: break
        }
        // Double's initialiser takes hexadecimal and more words than these; a number has digits only.
        let isDecimal = text.utf8.allSatisfy { 0x30...0x39 ~= $0 || "+-.eE".utf8.contains($0) }
        guard isDecimal, let value = Double(text) else {
            throw RESPReplyError(.badNumber, "a double, found \(lineStart)")
        }
        return value
    }

    private func lineBigNumber() throws(RESPReplyError) -> String {
        let text = lineText
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        guard !digits.isEmpty, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else {
            throw RESPReplyError(.badNumber, "a big number, found \(lineStart)")
        }
        return text
    }

    // MARK: - Strings and aggregates

    /// A length or a count; nil for -1.
    private func lineCount(limit: Int, _ words: String) throws(RESPReplyError) -> Int? {
        let value = try lineNumber()
        if value == -1 { return nil }
        guard value >= 0 else { throw RESPReplyError(.badNumber, "a length, found \(lineStart)") }
        guard value <= Int64(limit) else { throw RESPReplyError(.limitExceeded, "\(limit) \(words)") }
        return Int(value)
    }

    private mutating func beginString(_ kind: StringKind) throws(RESPReplyError) -> RESPReply? {
        guard let length = try lineCount(limit: limits.maxBulkBytes, "bytes in a string") else { return .null }
        try count(bytes: length)
        stage = length == 0 ? .stringEnd(kind, UInt8(ascii: "\r")) : .string(kind, remaining: length)
        return nil
    }

    private mutating func beginAggregate(_ kind: AggregateKind) throws(RESPReplyError) -> RESPReply? {
        guard let stated = try lineCount(limit: limits.maxElements, "elements") else { return .null }
        let remaining = kind == .map || kind == .attribute ? stated * 2 : stated
        elementCount += remaining
        guard elementCount <= limits.maxElements else {
            throw RESPReplyError(.limitExceeded, "\(limits.maxElements) elements")
        }
        let aggregate = Aggregate(kind: kind, remaining: remaining)
        if remaining == 0 { return kind == .attribute ? nil : Self.reply(aggregate) }
        guard open.count < limits.maxDepth else { throw RESPReplyError(.limitExceeded, "\(limits.maxDepth) levels") }
        open.append(aggregate)
        return nil
    }

    private mutating func count(bytes: Int) throws(RESPReplyError) {
        byteCount += bytes
        guard byteCount <= limits.maxReplyBytes else {
            throw RESPReplyError(.limitExceeded, "\(limits.maxReplyBytes) bytes")
        }
    }

    private mutating func endString(_ kind: StringKind) throws(RESPReplyError) -> RESPReply {
        let bytes = partial
        partial = []
        stage = .line
        switch kind {
        case .bulk: return .bulk(bytes)
        case .error: return .error(String(decoding: bytes, as: UTF8.self))
        case .verbatim:
            guard bytes.count >= 4, bytes[3] == UInt8(ascii: ":") else {
                throw RESPReplyError(.badEnd, "three letters and a colon before a verbatim string")
            }
            return .verbatim(form: String(decoding: bytes[..<3], as: UTF8.self), Array(bytes[4...]))
        }
    }

    /// Puts an element where it belongs.
    /// - Returns: the whole reply if it ends with it.
    private mutating func deliver(_ element: RESPReply) -> RESPReply? {
        var element = element
        while let last = open.indices.last {
            if open[last].kind != .attribute { open[last].elements.append(element) }
            open[last].remaining -= 1
            if open[last].remaining > 0 { return nil }
            let aggregate = open.removeLast()
            // What an attribute belongs to follows it.
            if aggregate.kind == .attribute { return nil }
            element = Self.reply(aggregate)
        }
        return element
    }

    private static func reply(_ aggregate: Aggregate) -> RESPReply {
        switch aggregate.kind {
        case .array, .attribute: .array(aggregate.elements)
        case .set: .set(aggregate.elements)
        case .push: .push(aggregate.elements)
        case .map: .map(aggregate.elements)
        }
    }
}
