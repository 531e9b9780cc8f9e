import RDBBytes
import RDBFormat
import RDBModel

/// A hash, with the expiries of its fields.
///
/// Memory: the fields as in `ByteTable`, 16 bytes and its own for each value; where fields have expiries, those fields once
/// more.
final class HashValue: StoredValue {
    /// Where a field's value lies in `values`.
    private struct Place {
        var offset: Int
        var byteCount: Int
    }

    private var fields = ByteTable<Place>()
    private var values: [UInt8] = []
    /// Of values that are no longer there.
    private var lostByteCount = 0
    private var expiries: FieldExpiries?

    private final class FieldExpiries {
        /// Unix time in milliseconds, by field.
        var times = ByteTable<Int64>()
    }

    init() {}

    var isEmpty: Bool { fields.isEmpty }
    var count: Int { fields.count }
    /// Of all fields' names.
    var fieldByteCount: Int { fields.totalKeyByteCount }
    var hasExpiries: Bool { expiries != nil }

    func copy() -> HashValue {
        let copy = HashValue()
        copy.fields = fields.copy()
        copy.values = values
        copy.lostByteCount = lostByteCount
        if let expiries {
            let times = FieldExpiries()
            times.times = expiries.times.copy()
            copy.expiries = times
        }
        return copy
    }

    // MARK: - Fields and values

    func contains(_ field: RawSpan) -> Bool { fields.contains(field) }

    /// Calls `body` with the value of a field; nil where there is no such field.
    func withValue<R>(_ field: RawSpan, _ body: (RawSpan) -> R) -> R? {
        guard let index = fields.find(field) else { return nil }
        return body(value(fields[index]))
    }

    @_lifetime(borrow self)
    private func value(_ place: Place) -> RawSpan {
        // Every place lies within values; the array stays while the hash is not changed.
        let span = values.rawSpan.extracting(place.offset..<place.offset + place.byteCount)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// Gives a field a value; its expiry stays.
    func set(_ field: RawSpan, _ value: RawSpan) {
        let (index, isNew) = fields.findOrInsert(field, Place(offset: 0, byteCount: 0))
        setValue(at: index, value, old: isNew ? nil : fields[index])
    }

    private func setValue(at index: Int, _ value: RawSpan, old: Place?) {
        let byteCount = value.byteCount
        if let old, byteCount <= old.byteCount {
            for at in 0..<byteCount { values[old.offset + at] = value.byte(at: at) }
            lostByteCount += old.byteCount - byteCount
            fields[index].byteCount = byteCount
            return
        }
        lostByteCount += old?.byteCount ?? 0
        fields[index] = Place(offset: values.count, byteCount: byteCount)
        unsafe value.withUnsafeBytes { unsafe values.append(contentsOf: $0) }
        dropLostValues()
    }

    /// - Returns: whether it was there.
    @discardableResult
    func remove(_ field: RawSpan) -> Bool {
        guard let place = fields.remove(field) else { return false }
        lostByteCount += place.byteCount
        removeExpiry(field)
        dropLostValues()
        return true
    }

    private func dropLostValues() {
        guard lostByteCount > 1024, lostByteCount > values.count / 2 else { return }
        var kept: [UInt8] = []
        kept.reserveCapacity((values.count - lostByteCount) * 5 / 4)
        var next = fields.firstIndex
        while let index = next {
            let place = fields[index]
            fields[index].offset = kept.count
            kept += values[place.offset..<place.offset + place.byteCount]
            next = fields.index(after: index)
        }
        values = kept
        lostByteCount = 0
    }

    func visit(_ body: (_ field: RawSpan, _ value: RawSpan, _ expiresAt: Int64?) -> Void) {
        var next = fields.firstIndex
        while let index = next {
            let field = fields.key(at: index)
            body(field, value(fields[index]), expiries == nil ? nil : expiry(of: field))
            next = fields.index(after: index)
        }
    }

    // MARK: - Expiries

    /// Unix time in milliseconds; nil where the field never expires.
    func expiry(of field: RawSpan) -> Int64? {
        guard let expiries, let index = expiries.times.find(field) else { return nil }
        return expiries.times[index]
    }

    /// The field must be there.
    func setExpiry(of field: RawSpan, _ expiresAt: Int64) {
        let expiries = self.expiries ?? FieldExpiries()
        self.expiries = expiries
        expiries.times.set(field, expiresAt)
    }

    /// - Returns: whether it had one.
    @discardableResult
    func removeExpiry(_ field: RawSpan) -> Bool {
        guard let expiries, expiries.times.remove(field) != nil else { return false }
        if expiries.times.isEmpty { self.expiries = nil }
        return true
    }

    // MARK: - In an RDB

    /// The earliest and the latest expiry of a field.
    private var expiryBounds: ClosedRange<Int64>? {
        guard let expiries else { return nil }
        var bounds: ClosedRange<Int64>?
        var next = expiries.times.firstIndex
        while let index = next {
            let time = expiries.times[index]
            bounds = min(bounds?.lowerBound ?? time, time)...max(bounds?.upperBound ?? time, time)
            next = expiries.times.index(after: index)
        }
        return bounds
    }

    /// The latest expiry of a field that Redis has a place for; Valkey has 64 bits. Source: redis/redis src/ebuckets.h.
    static let maxRedisExpiry: Int64 = 0xffff_ffff_ffff

    /// Whether no Redis can have set all of the expiries.
    var isBeyondRedis: Bool { expiryBounds.map { $0.upperBound > Self.maxRedisExpiry } ?? false }

    func layout(_ family: RDBFamily) -> RDBType {
        if hasExpiries, family == .valkey { return .hashExpiry }
        var isSmall = count <= CompactLimits.hashCount
        if isSmall {
            visit { field, value, _ in
                if max(field.byteCount, value.byteCount) > CompactLimits.byteCount { isSmall = false }
            }
        }
        guard let bounds = expiryBounds else { return isSmall ? .hashListpack : .hash }
        // In a listpack, 0 means none.
        return isSmall && bounds.lowerBound > 0 ? .hashListpackEx : .hashMetadata
    }

    func append(to out: inout OutputBuffer, as layout: RDBType) {
        switch layout {
        case .hashListpack:
            var listpack = ListpackWriter(for: RDBVersion(number: 11, family: .redis))
            visit { field, value, _ in
                listpack.append(field)
                listpack.append(value)
            }
            listpack.handOver(to: &out)
        case .hashListpackEx: appendByExpiry(to: &out)
        case .hashMetadata:
            let first = expiryBounds?.lowerBound ?? 0
            out.append(littleEndian: first)
            out.append(length: UInt64(count))
            visit { field, value, expiresAt in
                out.append(length: expiresAt.map { UInt64(bitPattern: $0 &- first &+ 1) } ?? 0)
                out.append(string: field)
                out.append(string: value)
            }
        case .hashExpiry:
            out.append(length: UInt64(count))
            visit { field, value, expiresAt in
                out.append(string: field)
                out.append(string: value)
                out.append(littleEndian: expiresAt ?? -1)
            }
        default:
            out.append(length: UInt64(count))
            visit { field, value, _ in
                out.append(string: field)
                out.append(string: value)
            }
        }
    }

    /// Triples of field, value and expiry, the earliest first, those without one last.
    private func appendByExpiry(to out: inout OutputBuffer) {
        var order: [(index: Int, expiresAt: Int64?)] = []
        var next = fields.firstIndex
        while let index = next {
            order.append((index, expiry(of: fields.key(at: index))))
            next = fields.index(after: index)
        }
        order.sort { ($0.expiresAt ?? .max, $0.index) < ($1.expiresAt ?? .max, $1.index) }
        var listpack = ListpackWriter(for: RDBVersion(number: 12, family: .redis))
        for (index, expiresAt) in order {
            listpack.append(fields.key(at: index))
            listpack.append(value(fields[index]))
            listpack.append(expiresAt ?? 0)
        }
        out.append(littleEndian: expiryBounds?.lowerBound ?? 0)
        listpack.handOver(to: &out)
    }

    var keyspaceValue: KeyspaceValue { .hash(self) }

    static func from(_ value: KeyspaceValue) -> HashValue? {
        if case .hash(let value) = value { value } else { nil }
    }
}

struct HashLoader: ValueLoader {
    var joined: [UInt8] = []
    private let loaded = HashValue()
    /// Of the field whose value comes next.
    private var field: [UInt8] = []

    var value: KeyspaceValue { .hash(loaded) }

    mutating func text(_ bytes: RawSpan, as role: TextRole) {
        if role == .field { field = bytes.array } else { loaded.set(field.rawSpan, bytes) }
    }

    mutating func fieldExpiry(_ expiresAt: Int64?) {
        if let expiresAt { loaded.setExpiry(of: field.rawSpan, expiresAt) }
    }
}
