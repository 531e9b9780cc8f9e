import RDBModel

/// What a value takes besides its object.
struct ValueSizes {
    var encoding: ServerEncoding
    /// As MEMORY USAGE counts.
    var counted: UInt64
    var allocated: UInt64
    /// Bytes of the compact form that the value has grown out of.
    var compact: UInt64?

    init(_ encoding: ServerEncoding, counted: UInt64, allocated: UInt64, compact: UInt64? = nil) {
        self.encoding = encoding
        self.counted = counted
        self.allocated = allocated
        self.compact = compact
    }

    /// One allocation of so many bytes, to be rounded.
    /// - Parameter isExactLength: whether MEMORY USAGE counts what is in use (Redis 6.2).
    init(_ encoding: ServerEncoding, packed: UInt64, isExactLength: Bool = false) {
        self.init(encoding, counted: packed, allocated: packed)
        isPacked = true
        self.isExactLength = isExactLength
    }

    var isPacked = false
    var isExactLength = false
}

extension MemoryVisitor {
    /// What the entry takes whose value was read.
    public mutating func finish() -> EntryMemory {
        var memory = EntryMemory()
        memory.type = header.type
        memory.hasExpiry = header.expiresAt != nil
        memory.expiringFields = expiringFields
        memory.largestElementBytes = longest
        memory.elements = count
        var value: ValueSizes
        switch header.type {
        case .string, .hll:
            finishString(&memory)
            return memory
        case .list: value = finishList()
        case .set: value = finishSet()
        case .zset: value = finishSortedSet()
        case .hash: value = finishHash()
        case .stream: value = stream.finish()
        case .module:
            value = module.finish()
            memory.elements = module.elementCount
        case .array, .pathHash, .gcra, .cron:
            value = ValueSizes(.unknown, counted: looseBytes, allocated: looseBytes)
        }
        if value.isPacked {
            value.allocated = allocator.size(value.allocated)
            if !value.isExactLength { value.counted = value.allocated }
        }
        memory.encoding = value.encoding
        let head = object()
        memory.keyBytes = head.counted
        memory.bytes = head.counted &+ value.counted
        memory.uncountedBytes =
            Int64(clamping: head.allocated &+ value.allocated) - Int64(clamping: memory.bytes)
        if let compact = value.compact {
            memory.compactBytes = head.counted &+ (sizes.isZiplist ? compact : allocator.size(compact))
        }
        return memory
    }

    // MARK: - Keys and objects

    /// The key, and the object of a value that stands elsewhere.
    private func object() -> (counted: UInt64, allocated: UInt64) {
        if sizes.embedsKeys {
            let bytes = embedded(value: nil).bytes
            return (bytes, bytes)
        }
        let key = allocator.size(StringSizes.newSDS(keyByteCount))
        return (
            key &+ StructureSizes.dictEntry &+ StructureSizes.object,
            key &+ allocator.size(StructureSizes.dictEntry) &+ allocator.size(StructureSizes.object)
        )
    }

    /// An object that has its key in it, and its value if that is short enough. An expiry is added afterwards: in place
    /// where the allocation has room for it, else in an object made anew.
    /// Sources: redis/redis src/object.c (kvobjCreate, kvobjSet); valkey-io/valkey src/object.c
    /// (createObjectWithKeyAndExpire, shouldEmbedStringObject).
    func embedded(value: UInt64?) -> (bytes: UInt64, hasValue: Bool) {
        let plain = embeddedSize(value: value, hasExpiry: false)
        if header.expiresAt == nil { return (allocator.size(plain.bytes), plain.hasValue) }
        let room = allocator.size(plain.bytes)
        // Long keys have the room from the beginning.
        if room >= plain.bytes &+ 8 || keyByteCount >= 128 && !plain.hasValue { return (room, plain.hasValue) }
        let whole = embeddedSize(value: value, hasExpiry: true)
        return (allocator.size(whole.bytes), whole.hasValue)
    }

    private func embeddedSize(value: UInt64?, hasExpiry: Bool) -> (bytes: UInt64, hasValue: Bool) {
        let key = 1 &+ StringSizes.sds(keyByteCount)
        let expiry: UInt64 = hasExpiry ? 8 : 0
        if let value {
            switch server {
            case .redis62, .redis70: break
            case .redis82:
                if value <= 44, 16 &+ keyByteCount &+ 3 &+ expiry &+ value &+ 4 <= 64 {
                    return (16 &+ expiry &+ key &+ value &+ 4, true)
                }
            case .valkey81:
                if value <= 44, 16 &+ key &+ expiry &+ value &+ 4 <= 64 {
                    return (16 &+ expiry &+ key &+ value &+ 4, true)
                }
            case .valkey91:
                // The value takes the place of the pointer to it.
                if value < 256, 8 &+ key &+ expiry &+ value &+ 4 <= 128 {
                    return (8 &+ expiry &+ key &+ max(value &+ 4, 8), true)
                }
            }
        }
        return (16 &+ (keyByteCount >= 128 ? 8 : expiry) &+ key, false)
    }

    // MARK: - Strings

    private func finishString(_ memory: inout EntryMemory) {
        let text = allocator.size(StringSizes.newSDS(textByteCount))
        if sizes.embedsKeys {
            let object = embedded(value: textInteger == nil ? textByteCount : nil)
            memory.keyBytes = embedded(value: nil).bytes
            if textInteger != nil {
                memory.encoding = .int
                memory.bytes = object.bytes
            } else if object.hasValue {
                memory.encoding = .embstr
                memory.bytes = object.bytes
                memory.keyBytes = min(memory.keyBytes, object.bytes)
            } else {
                memory.encoding = .raw
                memory.bytes = object.bytes &+ text
            }
            return
        }
        let head = object()
        memory.keyBytes = head.counted
        memory.bytes = head.counted
        memory.uncountedBytes = Int64(clamping: head.allocated) - Int64(clamping: head.counted)
        if let integer = textInteger {
            memory.encoding = .int
            // Small numbers are one object for all keys.
            if integer >= 0, integer < 10_000 { memory.uncountedBytes -= Int64(allocator.size(StructureSizes.object)) }
        } else if textByteCount <= 44 {
            memory.encoding = .embstr
            let whole = allocator.size(20 &+ textByteCount)
            let counted = server == .redis62 ? 18 &+ textByteCount : whole
            memory.bytes = head.counted &- StructureSizes.object &+ counted
            memory.keyBytes = head.counted &- StructureSizes.object
            memory.uncountedBytes =
                Int64(clamping: head.allocated &- allocator.size(StructureSizes.object) &+ whole)
                - Int64(clamping: memory.bytes)
        } else {
            memory.encoding = .raw
            memory.bytes = head.counted &+ text
        }
    }
}
