public import RDBBytes
public import RDBModel

extension RDBReader {
    /// Reads the value of the entry that `next` returned and gives it to the visitor.
    ///
    /// - Throws: what is wrong with it. Then the reader stands inside the value: `rewindToValue` (after `holdValue`)
    ///   and `skipValue` lead past it where its end can be found.
    @inlinable
    public mutating func readValue<V: ValueVisitor & ~Copyable>(into visitor: inout V) throws(DecodeError) {
        // Most values are, and need no jump through a table.
        if type == .string { return try readText(as: .string, into: &visitor) }
        switch type {
        case .string, .hll: try readText(as: .string, into: &visitor)
        case .list: try readTexts(as: .element, into: &visitor)
        case .set: try readTexts(as: .member, into: &visitor)
        case .zset: try readSortedSet(oldScores: true, into: &visitor)
        case .zset2: try readSortedSet(oldScores: false, into: &visitor)
        case .hash: try readHash(into: &visitor)
        case .module2: try readModule(into: &visitor)
        case .hashZipmap: try readPacked(ZipmapDecoder(), into: &visitor)
        case .listZiplist: try readPacked(PackedTexts<ZiplistReader>(role: .element), into: &visitor)
        case .setIntset: try readPacked(IntsetDecoder(), into: &visitor)
        case .zsetZiplist: try readPacked(PackedSortedSet<ZiplistReader>(), into: &visitor)
        case .hashZiplist: try readPacked(PackedHash<ZiplistReader>(), into: &visitor)
        case .listQuicklist: try readQuicklist(into: &visitor)
        case .listQuicklist2: try readQuicklist2(into: &visitor)
        case .hashListpack: try readPacked(PackedHash<ListpackReader>(), into: &visitor)
        case .zsetListpack: try readPacked(PackedSortedSet<ListpackReader>(), into: &visitor)
        case .setListpack: try readPacked(PackedTexts<ListpackReader>(role: .member), into: &visitor)
        case .stream, .stream2, .stream3, .stream4, .stream5: try readStream(into: &visitor)
        case .hashMetadata: try readHashMetadata(isPreGA: false, into: &visitor)
        case .hashMetadataPreGA: try readHashMetadata(isPreGA: true, into: &visitor)
        case .hashListpackEx:
            try window.skip(8)
            try readPacked(PackedExpiringHash(), into: &visitor)
        case .hashListpackExPreGA: try readPacked(PackedExpiringHash(), into: &visitor)
        case .hashExpiry: try readHashExpiry(into: &visitor)
        case .hashTemplateListpack, .hashTemplateValues, .hashOwnTemplateListpack, .hashOwnTemplateValues:
            try readTemplateHash(into: &visitor)
        case .array: try readArray(into: &visitor)
        case .pathHash: try readPathHash(into: &visitor)
        case .gcra: visitor.unsigned(try window.length())
        case .cron: try readCron(into: &visitor)
        }
    }

    @inlinable @inline(never)
    mutating func readPacked<D: PackedDecoder, V: ValueVisitor & ~Copyable>(
        _ decoder: D, into visitor: inout V
    ) throws(DecodeError) {
        var decoder = decoder
        try readPacked(&decoder, into: &visitor)
    }

    /// `length n, n strings`.
    @inlinable @inline(never)
    mutating func readTexts<V: ValueVisitor & ~Copyable>(
        as role: TextRole, into visitor: inout V
    ) throws(DecodeError) {
        var left = try window.length()
        visitor.elements(left)
        while left > 0 {
            try readText(as: role, into: &visitor)
            left -= 1
        }
    }

    /// `length n, n × (string member, score)`; old scores are text, new ones 8 bytes.
    @inlinable @inline(never)
    mutating func readSortedSet<V: ValueVisitor & ~Copyable>(
        oldScores: Bool, into visitor: inout V
    ) throws(DecodeError) {
        var left = try window.length()
        visitor.elements(left)
        while left > 0 {
            try readText(as: .member, into: &visitor)
            visitor.score(
                oldScores ? try window.oldScore() : Double(bitPattern: try window.littleEndian(UInt64.self)))
            left -= 1
        }
    }

    /// `length n, n ziplists`.
    @inlinable @inline(never)
    mutating func readQuicklist<V: ValueVisitor & ~Copyable>(into visitor: inout V) throws(DecodeError) {
        var nodes = try window.length()
        visitor.elements(nil)
        var decoder = PackedTexts<ZiplistReader>(role: .element)
        decoder.isNode = true
        while nodes > 0 {
            try readPacked(&decoder, into: &visitor)
            nodes -= 1
        }
    }

    /// `length n, n × (length container, string)`: container 1 is one element, 2 a listpack of elements.
    @inlinable @inline(never)
    mutating func readQuicklist2<V: ValueVisitor & ~Copyable>(into visitor: inout V) throws(DecodeError) {
        var nodes = try window.length()
        visitor.elements(nil)
        var decoder = PackedTexts<ListpackReader>(role: .element)
        decoder.isNode = true
        while nodes > 0 {
            let at = window.offset
            switch try window.length() {
            case 2: try readPacked(&decoder, into: &visitor)
            case 1:
                visitor.plainNode()
                try readText(as: .element, into: &visitor)
            case let container: throw badContainer(at, container)
            }
            nodes -= 1
        }
    }

    @usableFromInline @inline(never)
    func badContainer(_ offset: UInt64, _ found: UInt64) -> DecodeError {
        DecodeError(
            .badQuicklist, at: window.location(at: offset), expected: "container 1 (plain) or 2 (packed)",
            found: .unsigned(found))
    }

    /// `length count, length flag (1: length insert index), count × (length index, length tag, value)`, index ascending.
    /// Source: formats/newest.md §4.2.
    @inlinable @inline(never)
    mutating func readArray<V: ValueVisitor & ~Copyable>(into visitor: inout V) throws(DecodeError) {
        var left = try window.length()
        visitor.elements(left)
        var at = window.offset
        switch try window.length() {
        case 0: break
        case 1: visitor.arrayInsertIndex(try window.length())
        case let flag: throw badArray(at, "an insert-index flag of 0 or 1", .unsigned(flag))
        }
        var previous: UInt64?
        while left > 0 {
            at = window.offset
            let index = try window.length()
            if index == .max { throw badArray(at, "an index below 2^64 - 1", .unsigned(index)) }
            if V.verifiesStructure {
                if let previous, index <= previous {
                    visitor.fault(badArray(at, "ascending indices", .unsigned(index)))
                }
                previous = index
            }
            visitor.arrayIndex(index)
            at = window.offset
            switch try window.length() {
            case 0, 3: try readText(as: .arrayElement, into: &visitor)
            case 1: visitor.integer(try window.littleEndian(Int64.self), as: .arrayElement)
            case 2:
                let text = Self.arrayText(Double(bitPattern: try window.littleEndian(UInt64.self)))
                text.withRawSpan { visitor.text($0, as: .arrayElement) }
            case let tag: throw badArray(at, "an element's tag of 0 to 3", .unsigned(tag))
            }
            left -= 1
        }
    }

    /// The shortest text that reads back, with `.0` where it would look like an integer.
    @usableFromInline
    static func arrayText(_ value: Double) -> String { value.description }

    @usableFromInline @inline(never)
    func badArray(_ offset: UInt64, _ expected: StaticString, _ found: DecodeError.Found) -> DecodeError {
        DecodeError(.badArray, at: window.location(at: offset), expected: expected, found: found)
    }

    /// KeyDB: `string script, i64 start, i64 interval, length n, n keys, length n, n arguments`.
    @inlinable @inline(never)
    mutating func readCron<V: ValueVisitor & ~Copyable>(into visitor: inout V) throws(DecodeError) {
        visitor.elements(nil)
        try readText(as: .modulePart, into: &visitor)
        visitor.moduleSigned(try window.littleEndian(Int64.self))
        visitor.moduleSigned(try window.littleEndian(Int64.self))
        for _ in 0..<2 {
            var left = try window.length()
            while left > 0 {
                try readText(as: .modulePart, into: &visitor)
                left -= 1
            }
        }
    }
}

/// Elements or members packed one after another.
@usableFromInline
struct PackedTexts<Elements: PackedElements>: PackedDecoder {
    @usableFromInline let role: TextRole
    /// A node of a quicklist: the elements of the whole list are announced elsewhere.
    @usableFromInline var isNode = false

    @usableFromInline
    init(role: TextRole) { self.role = role }

    @inlinable
    mutating func decode<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) {
        visitor.packed(byteCount: window.remainingByteCount)
        var elements = try Elements(opening: &window)
        if !isNode { visitor.elements(elements.declaredCount) }
        while try !elements.isAtEnd(&window) { try elements.text(&window, as: role, into: &visitor) }
        try elements.close(&window, into: &visitor)
    }
}

/// `member, score, member, score …`
@usableFromInline
struct PackedSortedSet<Elements: PackedElements>: PackedDecoder {
    @inlinable
    init() {}

    @inlinable
    mutating func decode<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) {
        visitor.packed(byteCount: window.remainingByteCount)
        var elements = try Elements(opening: &window)
        visitor.elements(elements.declaredCount.map { $0 / 2 })
        while try !elements.isAtEnd(&window) {
            try elements.text(&window, as: .member, into: &visitor)
            visitor.score(try elements.score(&window, into: &visitor))
        }
        try elements.close(&window, into: &visitor)
    }
}

/// `field, value, field, value …`
@usableFromInline
struct PackedHash<Elements: PackedElements>: PackedDecoder {
    @inlinable
    init() {}

    @inlinable
    mutating func decode<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) {
        visitor.packed(byteCount: window.remainingByteCount)
        var elements = try Elements(opening: &window)
        visitor.elements(elements.declaredCount.map { $0 / 2 })
        while try !elements.isAtEnd(&window) {
            try elements.text(&window, as: .field, into: &visitor)
            try elements.text(&window, as: .fieldValue, into: &visitor)
        }
        try elements.close(&window, into: &visitor)
    }
}

extension ByteWindow {
    /// A score before RDB 8: one byte n; 253 is not a number, 254 +inf, 255 -inf, else n bytes of decimal text.
    @usableFromInline
    mutating func oldScore() throws(DecodeError) -> Double {
        let at = offset
        switch try byte() {
        case 253: return .nan
        case 254: return .infinity
        case 255: return -.infinity
        case let count:
            guard let value = ScoreText.parse(try take(Int(count))) else {
                throw ListpackReader.badScore(location(at: at))
            }
            return value
        }
    }
}
