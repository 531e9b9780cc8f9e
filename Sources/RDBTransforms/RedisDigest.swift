public import RDBBytes
public import RDBModel

/// The digest that a server's own `DEBUG DIGEST` makes of the same data: SHA-1 over keys and values, elements without
/// order xored.
///
///     mix(x):  digest = SHA1(digest xor SHA1(x))        xor(x):  digest = digest xor SHA1(x)
///
///     key:     mix(key), mix(u32 type), the value, xor("!!expire!!") where the key has an expiry
///     string:  mix(value)                list:   mix(element) each
///     set:     xor(member) each          zset:   xor(mix(member) mix(score)) each
///     hash:    xor(mix(field) mix(value) xor("!!hexpire!!") where the field has an expiry) each
///     stream:  per entry mix("ms.seq"), then mix(field), mix(value) each; no groups
///     vectors: xor(x), x being xor(mix(count) mix(dimension)), xor(mix(vector) mix(name) mix(attributes)) each
///
/// Only whether there is an expiry counts, not when. What other modules make of their values is theirs to know.
/// Source: redis/redis src/debug.c, xorObjectDigest and computeDatasetDigest;
/// modules/vector-sets/vset.c, VectorSetDigest.
public struct RedisDigest: DigestVisitor {
    /// What differs between versions of servers.
    public struct Rules: Hashable, Sendable {
        /// Redis since 7.2 and all Valkeys write scores with as few digits as they need, older ones with 17.
        public var writesShortScores: Bool
        /// Redis since 7.4 tells fields with an expiry; Valkey does not.
        public var marksFieldExpiries: Bool

        public init(writesShortScores: Bool, marksFieldExpiries: Bool) {
            self.writesShortScores = writesShortScores
            self.marksFieldExpiries = marksFieldExpiries
        }

        /// - Parameter name: a family and a version, such as `redis-7.0` or `valkey-8.1.3`.
        public init?(server name: String) {
            let parts = name.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            let numbers = parts[1].split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...3).contains(numbers.count), let major = numbers[0], !numbers.contains(nil) else { return nil }
            let minor = numbers.count > 1 ? numbers[1] ?? 0 : 0
            switch parts[0] {
            case "redis":
                self.init(
                    writesShortScores: (major, minor) >= (7, 2), marksFieldExpiries: (major, minor) >= (7, 4))
            case "valkey": self.init(writesShortScores: true, marksFieldExpiries: false)
            default: return nil
            }
        }
    }

    public enum Scope: Sendable {
        /// As `DEBUG DIGEST` takes an entry: with its key.
        case entry
        /// As `DEBUG DIGEST-VALUE` tells it: without.
        case value
    }

    private let rules: Rules
    private let scope: Scope
    private var header = EntryHeader()
    private var digest = Digest160()
    private var element = Digest160()
    private var large = SHA1()

    // Of a vector set: its own digest, what its parts are, and texts of an element that count behind its vector.
    private var vectors = Digest160()
    private var parts = VectorSetParts()
    private var name = Digest160()
    private var attributes: Digest160?
    public private(set) var refusal: DecodeError?

    private static let expiryMark = SHA1.of(Array("!!expire!!".utf8).rawSpan)
    private static let fieldExpiryMark = SHA1.of(Array("!!hexpire!!".utf8).rawSpan)

    public init(_ rules: Rules, _ scope: Scope = .entry) {
        self.rules = rules
        self.scope = scope
    }

    public mutating func begin(_ header: EntryHeader, key: RawSpan) {
        self.header = header
        digest = Digest160()
        refusal = nil
        if scope == .entry { mix(SHA1.of(key)) }
        switch header.type {
        case .string: mixType(0)
        case .list: mixType(1)
        case .set: mixType(2)
        case .zset: mixType(3)
        case .hash: mixType(4)
        case .module: mixType(5)
        case .stream: mixType(6)
        case .array, .pathHash, .gcra, .hll, .cron:
            refuse("a type whose DEBUG DIGEST is known; --not-type leaves it out", "a newer or foreign one")
        }
    }

    public mutating func finish() -> Digest160 {
        if header.expiresAt != nil { digest ^= Self.expiryMark }
        return digest
    }

    private mutating func refuse(_ expected: StaticString, _ found: StaticString) {
        if refusal != nil { return }
        refusal = DecodeError(
            .unsupportedInput, at: ByteLocation(offset: header.valueOffset), expected: expected,
            found: .described(found))
    }

    private mutating func mixType(_ number: UInt32) { mix(SHA1.of(bigEndian: number)) }

    private mutating func mix(_ hash: Digest160) {
        digest ^= hash
        digest = digest.hashed
    }

    private mutating func mixIntoElement(_ hash: Digest160) {
        element ^= hash
        element = element.hashed
    }

    private mutating func endElement() { digest ^= element.hashed }

    // MARK: - Texts

    public mutating func text(_ bytes: RawSpan, as role: TextRole) { take(SHA1.of(bytes), role) }

    public mutating func integer(_ value: Int64, as role: TextRole) {
        var hash = SHA1()
        hash.append(decimal: value)
        take(hash.finish(), role)
    }

    public mutating func beginLargeText(byteCount: UInt64, as role: TextRole) { large = SHA1() }
    public mutating func largeTextChunk(_ bytes: RawSpan) { large.append(bytes) }
    public mutating func endLargeText(as role: TextRole) { take(large.finish(), role) }

    private mutating func take(_ hash: Digest160, _ role: TextRole) {
        switch role {
        case .string, .element, .streamField, .streamValue: mix(hash)
        case .member where header.type == .set: digest ^= hash
        case .member, .field:
            element = Digest160()
            mixIntoElement(hash)
        case .fieldValue:
            mixIntoElement(hash)
            if !header.hasFieldExpiries { endElement() }
        case .modulePart: takePart(hash)
        default: break
        }
    }

    // MARK: - Numbers

    public mutating func score(_ value: Double) {
        var hash = SHA1()
        if rules.writesShortScores { hash.append(ShortestText(value).bytes) } else { hash.append(digits17: value) }
        mixIntoElement(hash.finish())
        endElement()
    }

    public mutating func fieldExpiry(_ expiresAt: Int64?) {
        if expiresAt != nil, rules.marksFieldExpiries { element ^= Self.fieldExpiryMark }
        endElement()
    }

    public mutating func streamEntry(_ id: StreamID) {
        var hash = SHA1()
        hash.append(decimal: id.milliseconds)
        hash.append(byte: UInt8(ascii: "."))
        hash.append(decimal: id.sequence)
        mix(hash.finish())
    }
}

extension RedisDigest {
    // MARK: - Vector sets

    public mutating func module(_ id: ModuleID) {
        if !VectorSetParts.isVectorSet(id) { refuseModule() }
        vectors = Digest160()
        parts = VectorSetParts()
    }

    public mutating func moduleUnsigned(_ value: UInt64) {
        guard let part = parts.number(value) else { return refuseModule() }
        func hash() -> Digest160 {
            var hash = SHA1()
            hash.append(decimal: value)
            return hash.finish()
        }
        switch part {
        case .dimension: name = hash()
        case .elementCount:
            element = Digest160()
            mixIntoElement(hash())
            mixIntoElement(name)
            vectors ^= element.hashed
        default: break
        }
    }

    private mutating func takePart(_ hash: Digest160) {
        guard let part = parts.text() else { return refuseModule() }
        switch part {
        case .name:
            name = hash
            attributes = nil
        case .attributes:
            if hash != Self.emptyText { attributes = hash }
        case .vector:
            element = Digest160()
            mixIntoElement(hash)
            mixIntoElement(name)
            if let attributes { mixIntoElement(attributes) }
            vectors ^= element.hashed
        default: break
        }
    }

    private static let emptyText = SHA1().finish()

    public mutating func endModule() {
        if !parts.isAtEnd { refuseModule() }
        digest ^= vectors.hashed
    }

    public mutating func moduleSigned(_ value: Int64) { refuseModule() }
    public mutating func moduleFloat(_ value: Float) { refuseModule() }
    public mutating func moduleDouble(_ value: Double) { refuseModule() }

    private mutating func refuseModule() {
        refuse("a value whose DEBUG DIGEST is known; --not-type module leaves it out", "one of a module")
    }
}

/// What `DEBUG DIGEST` makes of entries of one database: their digests hashed once more and xored.
public struct RedisTotal: DigestTotal {
    public typealias Digest = Digest160

    public private(set) var xored = Digest160()
    public private(set) var count: UInt64 = 0

    public init() {}

    public mutating func add(_ digest: Digest160) {
        xored ^= digest.hashed
        count += 1
    }

    public mutating func add(_ other: RedisTotal) {
        xored ^= other.xored
        count += other.count
    }
}

extension RedisDigest {
    public typealias Total = RedisTotal

    /// Functions do not count.
    public func digest(of library: FunctionLibrary) -> Digest128 { Digest128() }

    public func combine(_ databases: [(number: UInt64, total: RedisTotal)], functions: DigestSum?) -> Digest160 {
        var digest = Digest160()
        for (number, total) in databases {
            digest ^= SHA1.of(bigEndian: UInt32(truncatingIfNeeded: number))
            digest = digest.hashed
            digest ^= total.xored
        }
        return digest
    }
}
