import RDBBytes
public import RDBModel

/// What a file holds, gathered from entry heads and lengths.
///
/// Memory: up to 4 MiB of aux fields and function libraries, 1024 databases and one key, whatever the file claims. What
/// is beyond that is counted, not listed.
public struct FileSummary: Sendable {
    public struct Tally: Sendable {
        public var count: UInt64 = 0
        /// Bytes of values in the file.
        public var valueByteCount: UInt64 = 0
    }

    public struct Database: Sendable {
        public var keys: UInt64 = 0
        public var expires: UInt64 = 0
        public var types: [ValueType: Tally] = [:]
    }

    public struct Expiry: Sendable {
        public var none: UInt64 = 0
        public var past: UInt64 = 0
        public var future: UInt64 = 0
        public var earliest: Int64?
        public var latest: Int64?
    }

    /// Aux fields in the order of their first appearance. Some writers repeat one for each key or slot: the first value
    /// is kept, the rest counted.
    public private(set) var auxFields: [(field: AuxField, count: UInt64)] = []
    public private(set) var unlistedAuxCount: UInt64 = 0
    public private(set) var functions: [FunctionLibrary] = []
    public private(set) var unlistedFunctionCount: UInt64 = 0
    public private(set) var moduleAuxes: [ModuleAux] = []
    public private(set) var unlistedModuleAuxCount: UInt64 = 0
    public private(set) var databases: [UInt64: Database] = [:]
    /// Keys of databases that are not listed.
    public private(set) var unlistedDatabases = Database()
    public var encodings: [String: Tally] = [:]
    public var expiry = Expiry()
    public var keyCount: UInt64 = 0
    public var keyByteCount: UInt64 = 0
    public var valueByteCount: UInt64 = 0
    public var withIdleTime: UInt64 = 0
    public var withFrequency: UInt64 = 0
    public var slotInfoCount: UInt64 = 0
    public var hashTemplateCount: UInt64 = 0
    public private(set) var largestKey: (database: UInt64, key: [UInt8], valueByteCount: UInt64)?

    private static let maxAuxFields = 256
    private static let maxFunctions = 1024
    private static let maxModuleAuxes = 1024
    private static let maxDatabases = 1024
    /// Of aux fields and function libraries together.
    private static let maxTextByteCount = 4 << 20
    private var textByteCount = 0

    // The database and tallies of the entry before: the next one mostly belongs to the same.
    private var present = Database()
    private var presentNumber: UInt64?
    private var tallies: [Tally] = Array(repeating: Tally(), count: 256 * 4)
    private var tallyNames: [(ValueType, Encoding)?] = Array(repeating: nil, count: 256 * 4)
    private var databaseTallies: [Tally] = Array(repeating: Tally(), count: 256)

    public init() {}

    public mutating func add(_ field: AuxField) {
        if let index = auxFields.firstIndex(where: { $0.field.name == field.name }) {
            auxFields[index].count += 1
        } else if auxFields.count < Self.maxAuxFields,
            admits(field.name.bytes.count + field.value.bytes.count)
        {
            auxFields.append((field, 1))
        } else {
            unlistedAuxCount += 1
        }
    }

    public mutating func add(_ library: FunctionLibrary) {
        let count = library.engine.utf8.count + library.name.utf8.count + library.code.bytes.count
        if functions.count < Self.maxFunctions, admits(count) {
            functions.append(library)
        } else {
            unlistedFunctionCount += 1
        }
    }

    public mutating func add(_ aux: ModuleAux) {
        if moduleAuxes.count < Self.maxModuleAuxes {
            moduleAuxes.append(aux)
        } else {
            unlistedModuleAuxCount += 1
        }
    }

    private mutating func admits(_ count: Int) -> Bool {
        guard textByteCount + count <= Self.maxTextByteCount else { return false }
        textByteCount += count
        return true
    }

    public func aux(_ name: String) -> String? {
        auxFields.first { $0.field.name.text == name }?.field.value.text
    }

    /// Inlined, so that no copy of the header is made for every entry.
    @inline(__always)
    public mutating func add(_ header: EntryHeader, key: RawSpan, valueByteCount count: UInt64, now: Int64) {
        if presentNumber != header.database { select(header.database) }
        keyCount += 1
        keyByteCount += UInt64(key.byteCount)
        valueByteCount += count
        present.keys += 1
        if let expiresAt = header.expiresAt {
            present.expires += 1
            if expiresAt <= now { expiry.past += 1 } else { expiry.future += 1 }
            expiry.earliest = min(expiry.earliest ?? .max, expiresAt)
            expiry.latest = max(expiry.latest ?? .min, expiresAt)
        } else {
            expiry.none += 1
        }
        if header.idleSeconds != nil { withIdleTime += 1 }
        if header.lfuFrequency != nil { withFrequency += 1 }
        let typeByte = Int(header.typeByte)
        let index = typeByte << 2 | (header.encoding == .lzf ? 1 : header.encoding == .int ? 2 : 0)
        tallies[index].count += 1
        tallies[index].valueByteCount += count
        if tallyNames[index] == nil { tallyNames[index] = (header.type, header.encoding) }
        databaseTallies[typeByte].count += 1
        databaseTallies[typeByte].valueByteCount += count
        if largestKey == nil || count > largestKey!.valueByteCount {
            largestKey = (header.database, key.array, count)
        }
    }

    private mutating func select(_ number: UInt64) {
        finishDatabase()
        presentNumber = number
        present = isListed(number) ? databases[number] ?? Database() : unlistedDatabases
    }

    private func isListed(_ number: UInt64) -> Bool {
        databases.count < Self.maxDatabases || databases[number] != nil
    }

    private mutating func finishDatabase() {
        guard let number = presentNumber else { return }
        for typeByte in databaseTallies.indices where databaseTallies[typeByte].count > 0 {
            let names = (0..<4).compactMap { tallyNames[typeByte << 2 | $0] }
            guard let type = names.first?.0 else { continue }
            present.types[type, default: Tally()].count += databaseTallies[typeByte].count
            present.types[type, default: Tally()].valueByteCount += databaseTallies[typeByte].valueByteCount
            databaseTallies[typeByte] = Tally()
        }
        if isListed(number) { databases[number] = present } else { unlistedDatabases = present }
    }

    /// Brings the counts of the last database and all encodings up to date.
    public mutating func finish() {
        finishDatabase()
        encodings = [:]
        for index in tallies.indices {
            guard let (type, encoding) = tallyNames[index] else { continue }
            encodings["\(type.name) \(encoding.name)", default: Tally()].count += tallies[index].count
            encodings["\(type.name) \(encoding.name)", default: Tally()].valueByteCount += tallies[index].valueByteCount
        }
    }
}
