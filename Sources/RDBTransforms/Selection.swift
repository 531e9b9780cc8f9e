import RDBBytes
public import RDBModel

/// Which entries a command takes. All conditions hold; of a repeated one, any value does.
public struct Selection {
    public enum ExpiryState: String, Sendable, CaseIterable {
        case none, any, past, future
    }

    public var databases: [ClosedRange<UInt64>] = []
    public var globs: [GlobPattern] = []
    public var excludedGlobs: [GlobPattern] = []
    public var regexes: [RegexPattern] = []
    public var excludedRegexes: [RegexPattern] = []
    /// Exactly these keys.
    public var keys: Set<[UInt8]> = []
    public var types: Set<ValueType> = []
    public var excludedTypes: Set<ValueType> = []
    public var slots: [ClosedRange<Int>] = []
    /// Bytes of the value in the file.
    public var byteCounts: ClosedRange<UInt64>?
    public var elementCounts: ClosedRange<UInt64>?
    public var expiryStates: Set<ExpiryState> = []
    /// Unix time in milliseconds.
    public var expiresBefore: Int64?
    public var expiresAfter: Int64?
    /// What `past` and `future` are measured by.
    public var now: Int64
    /// The share of keys to take, 0...1. The same keys whenever and in whatever file they are met.
    public var sample: Double?
    public var limit: UInt64?

    public init(now: Int64) { self.now = now }

    /// Whether the entry qualifies by what stands before its value.
    public func admits(_ header: EntryHeader, key: RawSpan) -> Bool {
        if !databases.isEmpty, !databases.contains(where: { $0.contains(header.database) }) { return false }
        if !types.isEmpty, !types.contains(header.type) { return false }
        if !excludedTypes.isEmpty, excludedTypes.contains(header.type) { return false }
        if !admitsExpiry(header.expiresAt) { return false }
        return !needsKey || admitsKey(key)
    }

    /// Whether an entry of this key can qualify, whatever else it is.
    public func admits(database: UInt64, key: RawSpan) -> Bool {
        if !databases.isEmpty, !databases.contains(where: { $0.contains(database) }) { return false }
        return !needsKey || admitsKey(key)
    }

    private func admitsExpiry(_ expiresAt: Int64?) -> Bool {
        if !expiryStates.isEmpty {
            let isPast = expiresAt.map { $0 <= now }
            let isAdmitted = expiryStates.contains { state in
                switch state {
                case .none: isPast == nil
                case .any: isPast != nil
                case .past: isPast == true
                case .future: isPast == false
                }
            }
            if !isAdmitted { return false }
        }
        if expiresBefore == nil, expiresAfter == nil { return true }
        guard let expiresAt else { return false }
        if let expiresBefore, expiresAt >= expiresBefore { return false }
        if let expiresAfter, expiresAt <= expiresAfter { return false }
        return true
    }

    private var needsKey: Bool {
        !globs.isEmpty || !excludedGlobs.isEmpty || !regexes.isEmpty || !excludedRegexes.isEmpty || !keys.isEmpty
            || !slots.isEmpty || sample != nil
    }

    private func admitsKey(_ key: RawSpan) -> Bool {
        if !keys.isEmpty, !keys.contains(key.array) { return false }
        if !globs.isEmpty, !globs.contains(where: { $0.matches(key) }) { return false }
        if excludedGlobs.contains(where: { $0.matches(key) }) { return false }
        if !regexes.isEmpty, !regexes.contains(where: { $0.matches(key) }) { return false }
        if excludedRegexes.contains(where: { $0.matches(key) }) { return false }
        if !slots.isEmpty {
            let slot = HashSlot.of(key)
            if !slots.contains(where: { $0.contains(slot) }) { return false }
        }
        if let sample, Self.position(of: key) >= sample { return false }
        return true
    }

    /// A key's place in 0..<1, spread evenly: FNV-1a, then the finish of MurmurHash3.
    static func position(of key: RawSpan) -> Double {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in 0..<key.byteCount { hash = (hash ^ UInt64(key.byte(at: index))) &* 0x100_0000_01b3 }
        hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ hash >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return Double((hash ^ hash >> 33) >> 11) / Double(1 << 53)
    }

    /// Whether all entries qualify, so that nothing of them needs to be looked at.
    public var isEverything: Bool {
        databases.isEmpty && types.isEmpty && excludedTypes.isEmpty && expiryStates.isEmpty && expiresBefore == nil
            && expiresAfter == nil && !needsKey && !needsByteCount && !needsElementCount && limit == nil
    }

    /// Whether the value's length or its elements decide as well: then it is stepped over or walked first.
    public var needsByteCount: Bool { byteCounts != nil }
    public var needsElementCount: Bool { elementCounts != nil }

    public func admits(byteCount: UInt64) -> Bool { byteCounts.map { $0.contains(byteCount) } ?? true }
    public func admits(elementCount: UInt64) -> Bool { elementCounts.map { $0.contains(elementCount) } ?? true }
}
