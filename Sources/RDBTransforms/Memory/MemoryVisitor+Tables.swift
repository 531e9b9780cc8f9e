import Glibc
import RDBModel

// Sets, sorted sets and hashes: what an element takes in a table, and which form the server chooses.

/// What decides whether a set is one of integers.
struct SetState: Sendable {
    var isIntegers = true
    var smallest: Int64 = 0
    var largest: Int64 = 0

    mutating func add(_ integer: Int64?) {
        guard let integer else {
            isIntegers = false
            return
        }
        smallest = min(smallest, integer)
        largest = max(largest, integer)
    }

    /// Source: redis/redis src/intset.c, _intsetValueEncoding.
    func byteCount(_ count: UInt64) -> UInt64 {
        let isWide = smallest < -(1 << 31) || largest >= 1 << 31
        let width: UInt64 = isWide ? 8 : smallest < -(1 << 15) || largest >= 1 << 15 ? 4 : 2
        return 8 &+ count &* width
    }
}

extension MemoryVisitor {
    /// Whether the file has the value packed, in whatever form: then loading looks at its elements' number alone, not at
    /// their lengths. Source: redis/redis src/rdb.c, rdbLoadObject.
    private var isPackedInFile: Bool {
        header.encoding == .ziplist || header.encoding == .listpack || header.encoding == .listpackex
    }

    // MARK: - Elements

    mutating func addMember(_ length: UInt64, _ integer: Int64?) {
        if packedInFile == nil {
            packed.add(length, integer)
            set.add(integer)
        }
        if countsLoose { looseBytes &+= allocator.size(StringSizes.newSDS(length)) }
    }

    /// A field and its value in a hash's table.
    mutating func addField(_ field: UInt64, _ value: UInt64, hasExpiry: Bool) {
        let bytes: UInt64
        switch server {
        case .redis62, .redis70:
            bytes = allocator.size(StringSizes.newSDS(field)) &+ allocator.size(StringSizes.newSDS(value))
        case .redis82:
            bytes =
                allocator.size(StringSizes.mstr(field, hasExpiry: hasExpiry))
                &+ allocator.size(StringSizes.newSDS(value))
        case .valkey81, .valkey91:
            // Source: valkey-io/valkey src/entry.c, entryReqSize: both in one allocation of up to 128 bytes, else the
            // value in another one.
            let expiry: UInt64 = hasExpiry ? 8 : 0
            let head = hasExpiry ? StringSizes.embeddedSDS(field) : StringSizes.sds(field)
            let whole = expiry &+ head &+ StringSizes.embeddedSDS(value)
            bytes =
                whole <= 128
                ? allocator.size(whole)
                : allocator.size(expiry &+ 8 &+ StringSizes.embeddedSDS(field))
                    &+ allocator.size(StringSizes.newSDS(value))
        }
        looseBytes &+= bytes
    }

    /// A member in a sorted set's skiplist.
    mutating func addScored(_ length: UInt64) {
        if server == .valkey91 {
            // The member stands in the node.
            levelBytes &+= nodeBytes(16 &+ 1 &+ StringSizes.sds(length))
        } else {
            looseBytes &+= allocator.size(StringSizes.newSDS(length))
        }
    }

    /// A node of a skiplist by its expected level, in 4096ths of a byte: a quarter of the nodes of a level are in the
    /// next one too. Source: redis/redis src/t_zset.c, zslRandomLevel.
    func nodeBytes(_ head: UInt64) -> UInt64 {
        var sum: UInt64 = 0
        var share: UInt64 = 3072
        for level in 1...6 as ClosedRange<UInt64> {
            sum &+= share &* allocator.size(head &+ 16 &* level)
            share /= 4
        }
        return sum &+ allocator.size(head &+ 112)
    }

    /// A score in a listpack or ziplist: an integer where it is one. Source: redis/redis src/t_zset.c, zzlInsertAt.
    mutating func addPackedScore(_ value: Double) {
        if value.magnitude < 4_503_599_627_370_496, value == value.rounded(.towardZero) {
            packed.add(0, Int64(value))
        } else if count / 2 > model.limits.zsetEntries {
            // So far beyond the limit nobody asks what the compact form would take.
            packed.add(18, nil)
        } else {
            // Redis before 7.2 writes 17 digits, without zeros at the end.
            let isLong = server == .redis62 || server == .redis70
            packed.add(isLong ? Self.longTextByteCount(value) : Self.shortTextByteCount(value), nil)
        }
    }

    /// How long `%.17g` makes a number.
    private static func longTextByteCount(_ value: Double) -> UInt64 {
        let count = unsafe withVaList([value]) { arguments in unsafe vsnprintf(nil, 0, "%.17g", arguments) }
        return UInt64(max(count, 1))
    }

    /// How long the shortest text is that reads back to the same number, in the notation of `fpconv_dtoa`.
    /// Source: redis/redis deps/fpconv/fpconv_dtoa.c, emit_digits.
    private static func shortTextByteCount(_ value: Double) -> UInt64 {
        let sign: UInt64 = value < 0 ? 1 : 0
        guard value.isFinite else { return sign + 3 }
        // value = digits × 10 ^ exponent, without zeros at either end of the digits.
        var (digits, zeros, exponent, written) = (0, 0, 0, 0)
        var (isFraction, isExponent, isExponentNegative) = (false, false, false)
        for byte in value.magnitude.description.utf8 {
            switch byte {
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "e"): isExponent = true
            case UInt8(ascii: "-"): isExponentNegative = true
            case UInt8(ascii: "+"): break
            case _ where isExponent: written = written * 10 + Int(byte) - 0x30
            default:
                if isFraction { exponent -= 1 }
                if byte != 0x30 {
                    digits += digits > 0 ? zeros + 1 : 1
                    zeros = 0
                } else if digits > 0 {
                    zeros += 1
                }
            }
        }
        exponent += zeros + (isExponentNegative ? -written : written)
        let scale = abs(exponent + digits - 1)
        if exponent >= 0, scale < digits + 7 { return sign + UInt64(digits + exponent) }
        if exponent < 0, exponent > -7 || scale < 4 {
            let whole = digits + exponent
            return sign + UInt64(whole <= 0 ? 2 - whole + digits : digits + 1)
        }
        return sign + UInt64(digits + (digits > 1 ? 1 : 0) + 2 + (scale < 10 ? 1 : scale < 100 ? 2 : 3))
    }

    // MARK: - The whole

    /// What a table adds to its elements: as MEMORY USAGE counts, and what is allocated.
    struct Table {
        var counted: UInt64
        var allocated: UInt64
    }

    private func dict(slots: UInt64, entryBytes: UInt64) -> Table {
        Table(
            counted: sizes.dict &+ 8 &* slots &+ count &* entryBytes,
            allocated: allocator.size(sizes.dict) &+ allocator.size(8 &* slots)
                &+ count &* allocator.size(entryBytes))
    }

    private func buckets(extra: UInt64, presized: UInt64) -> Table {
        let whole = TableSizes.buckets(holding: count, presized: presized)
        let top = min(whole, max(TableSizes.buckets(presized: presized), 1))
        return Table(
            counted: sizes.hashtable &+ extra &+ 64 &* whole,
            allocated: allocator.size(sizes.hashtable &+ extra) &+ allocator.size(64 &* top)
                &+ (whole &- top) &* allocator.size(64))
    }

    mutating func finishSet() -> ValueSizes {
        let limits = model.limits
        // Who has more than fit an intset is a table from the start, unless it is a listpack in the file.
        let isSmall = count <= limits.intsetEntries
        let isIntset = !isPackedInFile && set.isIntegers && isSmall
        if isIntset { return ValueSizes(.intset, packed: set.byteCount(count), isExactLength: sizes.isZiplist) }
        let canPack = isPackedInFile || header.encoding != .intset && isSmall && longest <= limits.setValue
        let fits = count <= limits.setEntries && canPack
        if fits && limits.setEntries > 0 {
            return ValueSizes(.listpack, packed: packedInFile ?? packed.byteCount)
        }
        var table: Table
        if sizes.hasBuckets {
            table = buckets(extra: 0, presized: count)
        } else {
            let slots = TableSizes.slots(presized: count)
            table = dict(slots: slots, entryBytes: StructureSizes.dictEntry)
            if server == .redis82 {
                // An entry alone in its slot is the member itself, another one has no value. MEMORY USAGE counts whole
                // entries. Source: redis/redis src/dict.c, dictInsertKeyAtLink.
                let share = 1 - TableSizes.power(1 - 1 / Double(slots), count)
                let alone = min(UInt64(Double(slots) * share), count)
                table.allocated &-= count &* allocator.size(StructureSizes.dictEntry)
                table.allocated &+= (count - alone) &* allocator.size(16)
            }
        }
        var sizes = ValueSizes(
            .hashtable, counted: table.counted &+ looseBytes, allocated: table.allocated &+ looseBytes)
        if set.isIntegers && !isPackedInFile {
            sizes.compact = set.byteCount(count)
        } else if limits.setEntries > 0 {
            sizes.compact = packedInFile ?? packed.byteCount
        }
        return sizes
    }

    mutating func finishSortedSet() -> ValueSizes {
        let limits = model.limits
        let whole = packedInFile ?? packed.byteCount
        if count <= limits.zsetEntries && (isPackedInFile || longest <= limits.zsetValue) {
            return ValueSizes(sizes.isZiplist ? .ziplist : .listpack, packed: whole, isExactLength: sizes.isZiplist)
        }
        var table: Table
        if sizes.hasBuckets {
            table = buckets(extra: 0, presized: count)
        } else {
            let isGrown = isPackedInFile && server != .redis82
            table = dict(
                slots: isGrown ? TableSizes.slots(grown: count) : TableSizes.slots(presized: count),
                entryBytes: StructureSizes.dictEntry)
            // MEMORY USAGE of Redis 8.2 takes the entries for such without a value, which they are not.
            if server == .redis82 { table.counted &-= 8 &* count }
        }
        let nodes = server == .valkey91 ? levelBytes / 4096 : count &* nodeBytes(24) / 4096
        // In Valkey 9 both are one structure.
        let header = server == .valkey91 ? 496 : allocator.size(24 + 32 * 16)
        let elements = looseBytes &+ nodes &+ header
        return ValueSizes(
            .skiplist, counted: table.counted &+ elements &+ StructureSizes.sortedSet &+ StructureSizes.skiplist,
            allocated: table.allocated &+ elements &+ allocator.size(StructureSizes.sortedSet)
                &+ allocator.size(StructureSizes.skiplist),
            compact: whole)
    }

    mutating func finishHash() -> ValueSizes {
        let limits = model.limits
        let whole = packedInFile ?? packed.byteCount
        let fits = count <= limits.hashEntries && (isPackedInFile || firstLongField == nil)
        let isExpiring = header.hasFieldExpiries
        if fits && !(isExpiring && sizes.hasBuckets) {
            if isExpiring {
                // The listpack hangs in a structure of its own. Source: redis/redis src/server.h, listpackEx.
                return ValueSizes(
                    .listpackex, counted: allocator.size(24) &+ allocator.size(whole),
                    allocated: allocator.size(24) &+ allocator.size(whole))
            }
            return ValueSizes(sizes.isZiplist ? .ziplist : .listpack, packed: whole, isExactLength: sizes.isZiplist)
        }
        var table: Table
        if sizes.hasBuckets {
            var presized = count
            if !isExpiring, !isPackedInFile, count <= limits.hashEntries, let firstLongField {
                presized = count - min(firstLongField, count)
            }
            table = buckets(extra: sizes.hashTableExtra, presized: max(presized, 1))
            let volatile = windows.byteCount(of: expiringFields, allocator)
            table.counted &+= volatile
            table.allocated &+= volatile
        } else {
            let slots =
                if isExpiring || isPackedInFile && server == .redis62 {
                    TableSizes.slots(grown: count)
                } else if !isPackedInFile, count <= limits.hashEntries, let firstLongField {
                    TableSizes.slots(convertedAt: firstLongField, of: count, isPresized: server != .redis62)
                } else {
                    TableSizes.slots(presized: count)
                }
            table = dict(slots: slots, entryBytes: StructureSizes.dictEntry)
            // Expiries stand in the fields; buckets of up to 16 of them, in a tree, in none of MEMORY USAGE (measured).
            // Source: redis/redis src/ebuckets.h.
            if isExpiring { table.allocated &+= 32 &+ (expiringFields > 16 ? expiringFields &* 11 / 2 : 0) }
        }
        var sizes = ValueSizes(
            .hashtable, counted: table.counted &+ looseBytes, allocated: table.allocated &+ looseBytes)
        if !(isExpiring && self.sizes.hasBuckets) { sizes.compact = whole }
        return sizes
    }
}
