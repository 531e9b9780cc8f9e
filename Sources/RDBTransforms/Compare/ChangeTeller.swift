import RDBBytes
import RDBModel

/// Makes changes of what both sides have at the same path.
struct ChangeTeller {
    let longTexts: SpillFile
    let expiryTolerance: Int64

    func tell(
        _ path: [UInt8], _ sides: [[[UInt8]]], _ body: (ElementChange) throws(SpillError) -> Void
    ) throws(SpillError) {
        for index in 0..<max(sides[0].count, sides[1].count) {
            guard index < sides[1].count else {
                try body(.removed(element(path, sides[0][index])))
                continue
            }
            guard index < sides[0].count else {
                try body(.added(element(path, sides[1][index])))
                continue
            }
            let (a, b) = (sides[0][index], sides[1][index])
            if a.dropFirst() == b.dropFirst() { continue }
            let (first, second) = (element(path, a), element(path, b))
            if !isSame(first, second) { try body(.changed(first, second)) }
        }
    }

    /// Whether two elements that are stored differently mean the same.
    private func isSame(_ a: Element, _ b: Element) -> Bool {
        switch (a, b) {
        case (.field(_, let value, let x), .field(_, let other, let y)):
            if value != other { return false }
            guard let x, let y else { return x == y }
            let (distance, overflow) = x.subtractingReportingOverflow(y)
            return !overflow && distance.magnitude <= UInt64(expiryTolerance)
        case (.listElement(_, let text), .listElement(_, let other)): return text == other
        case (.group(_, let lastID, let read), .group(_, let other, let otherRead)):
            return lastID == other && read == otherRead
        default: return a == b
        }
    }

    // MARK: - Decoding

    private func element(_ path: [UInt8], _ bytes: [UInt8]) -> Element {
        var key = ElementDecoder(path.rawSpan, from: 1, longTexts: longTexts)
        var payload = ElementDecoder(bytes.rawSpan, from: 1, longTexts: longTexts)
        func name() -> StoredText {
            if let text = key.component() { return .inMemory(text) }
            return payload.text()
        }
        guard let section = ElementSection(rawValue: path[0]) else { preconditionFailure("a path of this program") }
        switch section {
        case .whole: return .string(payload.text())
        case .listElement: return .listElement(index: payload.number(), payload.text())
        case .member: return .member(name())
        case .scoredMember:
            let member = name()
            return .scoredMember(member, Double(bitPattern: payload.number()))
        case .field:
            let field = name()
            let value = payload.text()
            let expiry = payload.signed()
            return .field(field, value: value, expiresAt: expiry == ElementCoder.noExpiry ? nil : expiry)
        case .pathField:
            let path = name()
            let field = name()
            return .pathField(path: path, field: field, value: payload.text())
        case .arrayElement: return .arrayElement(index: key.bigEndian(), payload.text())
        case .insertIndex: return .insertIndex(payload.number())
        case .streamEntry:
            var fields: [(name: StoredText, value: StoredText)] = []
            while !payload.isAtEnd {
                let name = payload.text()
                fields.append((name, payload.text()))
            }
            return .streamEntry(key.bigEndianID(), fields)
        case .streamState:
            let lastID = payload.id()
            let added = payload.optional()
            return .streamState(
                lastID: lastID, entriesAdded: added, maxDeletedID: payload.byte() == 0 ? nil : payload.id())
        case .group:
            let group = name()
            let lastID = payload.id()
            return .group(group, lastID: lastID, entriesRead: payload.optional())
        case .consumer:
            let group = name()
            let consumer = name()
            let seen = payload.optional().map { Int64(bitPattern: $0) }
            return .consumer(
                group: group, consumer, seenAt: seen, activeAt: payload.optional().map { Int64(bitPattern: $0) })
        case .pendingEntry:
            let group = name()
            let delivered = payload.optional().map { Int64(bitPattern: $0) }
            return .pendingEntry(
                group: group, key.bigEndianID(), deliveredAt: delivered, deliveryCount: payload.number())
        case .owner:
            let group = name()
            return .owner(group: group, key.bigEndianID(), consumer: payload.text())
        case .unowned:
            let group = name()
            return .unowned(group: group, order: key.bigEndian(), payload.id())
        case .idempotence:
            return .idempotence(
                IdempotenceState(
                    durationSeconds: payload.number(), maxEntries: payload.number(), idsAdded: payload.number(),
                    idsDuplicate: payload.number()))
        case .producerEntry:
            let producer = name()
            let id = name()
            return .producerEntry(producer: producer, id: id, payload.id())
        case .module: return .module(ModuleID(rawValue: payload.number()))
        case .modulePart:
            let index = key.bigEndian()
            switch payload.byte() {
            case 0: return .modulePart(index: index, .signed(payload.signed()))
            case 1: return .modulePart(index: index, .unsigned(payload.number()))
            case 2:
                return .modulePart(
                    index: index, .float(Float(bitPattern: UInt32(truncatingIfNeeded: payload.number()))))
            case 3: return .modulePart(index: index, .double(Double(bitPattern: payload.number())))
            default: return .modulePart(index: index, .text(payload.text()))
            }
        case .number: return .number(payload.number())
        }
    }
}
