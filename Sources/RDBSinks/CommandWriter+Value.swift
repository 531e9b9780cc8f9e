import RDBBytes
import RDBFormat
public import RDBModel
import RESPFormat

// Values as commands. Elements are batched; an element that comes in chunks gets a command of its own.
extension CommandWriter: ValueVisitor {
    public mutating func text(_ bytes: RawSpan, as role: TextRole) {
        guard writes else { return observe(bytes, as: role) }
        switch role {
        case .element: appendElement(bytes)
        case .member: member(bytes)
        case .field: field(bytes)
        case .fieldValue: fieldValue(bytes)
        default: otherText(bytes, as: role)
        }
    }

    public mutating func integer(_ value: Int64, as role: TextRole) {
        guard writes else {
            return role == .consumerName
                ? namedInteger(value, as: role) : observe(textOf: Digits.byteCount(value), as: role)
        }
        switch role {
        case .element: appendElement(value, roomFor: 32)
        case .member: member(value)
        case .field:
            beginField(Digits.byteCount(value))
            batch.appendArgument(decimal: value)
            endField()
        case .fieldValue, .arrayElement:
            if isValueDirect { return namedInteger(value, as: role) }
            beginFieldValue(Digits.byteCount(value))
            batch.appendArgument(decimal: value)
            endFieldValue()
        case .streamField, .streamValue: streamInteger(value)
        case .string:
            beginString(UInt64(Digits.byteCount(value)))
            out.append(decimal: value)
            endString()
        default: namedInteger(value, as: role)
        }
    }

    /// Where there are few of them: as a text.
    @inline(never)
    private mutating func namedInteger(_ value: Int64, as role: TextRole) {
        String(value).withRawSpan { text($0, as: role) }
    }

    /// What a pass that writes nothing has to know for the one that does.
    private mutating func observe(_ bytes: RawSpan, as role: TextRole) {
        if role == .consumerName { countConsumer(bytes) } else { observe(textOf: bytes.byteCount, as: role) }
    }

    private mutating func observe(textOf byteCount: Int, as role: TextRole) {
        if role == .streamField || role == .streamValue { stream.count(textOf: byteCount) }
    }

    @inline(__always)
    mutating func appendElement(_ bytes: RawSpan) {
        makeRoom(bytes.byteCount + 16)
        batch.appendArgument(bytes)
        batchArguments += 1
        batchElements += 1
    }

    @inline(__always)
    private mutating func appendElement(_ value: Int64, roomFor byteCount: Int) {
        makeRoom(byteCount)
        batch.appendArgument(decimal: value)
        batchArguments += 1
        batchElements += 1
    }

    @inline(__always)
    mutating func member(_ bytes: RawSpan) {
        if header.type == .set { return appendElement(bytes) }
        held.truncate(to: 0)
        held.append(bytes)
    }

    @inline(__always)
    private mutating func member(_ value: Int64) {
        if header.type == .set { return appendElement(value, roomFor: Digits.byteCount(value) + 16) }
        held.truncate(to: 0)
        held.append(decimal: value)
    }

    public mutating func score(_ value: Double) {
        if isOfLarge {
            isOfLarge = false
            if pass == .validating { largeScores.append(value) }
            return
        }
        if value.isNaN {
            losses.insert(.notANumber)
            return
        }
        guard writes else { return }
        makeRoom(held.byteCount + 48)
        appendArgument(of: value)
        batch.appendArgument(held)
        batchArguments += 2
        batchElements += 1
    }

    /// A score, into the batch.
    private mutating func appendArgument(of value: Double) {
        if let whole = OutputBuffer.wholeNumber(value) { return batch.appendArgument(decimal: whole) }
        number.truncate(to: 0)
        number.append(decimal: value)
        batch.appendArgument(number)
    }

    @inline(__always)
    mutating func field(_ bytes: RawSpan) {
        beginField(bytes.byteCount)
        batch.appendArgument(bytes)
        endField()
    }

    @inline(__always)
    private mutating func beginField(_ byteCount: Int) {
        makeRoom(byteCount + 16)
        fieldStart = batch.byteCount
    }

    @inline(__always)
    private mutating func endField() {
        fieldEnd = batch.byteCount
        batchArguments += 1
    }

    @inline(__always)
    mutating func fieldValue(_ bytes: RawSpan) {
        if isValueDirect { return directValue(bytes) }
        beginFieldValue(bytes.byteCount)
        batch.appendArgument(bytes)
        endFieldValue()
    }

    @inline(__always)
    private mutating func beginFieldValue(_ byteCount: Int) {
        if batch.byteCount + byteCount + 16 > batchLimit, fieldStart > 0 { splitBatchAtField() }
    }

    @inline(__always)
    private mutating func endFieldValue() {
        batchArguments += 1
        batchElements += 1
    }

    /// The fields before the present one as a command of their own.
    @inline(never)
    mutating func splitBatchAtField() {
        let length = fieldEnd - fieldStart
        flushBatch(upTo: fieldStart, keptArguments: 1)
        fieldStart = 0
        fieldEnd = length
    }

    /// Behind a field that came in chunks.
    @inline(never)
    mutating func directValue(_ bytes: RawSpan) {
        out.appendArgument(bytes)
        isValueDirect = false
        relieve()
    }

    @inline(never)
    mutating func otherText(_ bytes: RawSpan, as role: TextRole) {
        switch role {
        case .string: string(bytes)
        case .arrayElement: fieldValue(bytes)
        case .streamField, .streamValue: streamText(bytes)
        case .groupName: stream.setGroup(bytes)
        case .consumerName: consumerName(bytes)
        case .producerID: stream.setProducer(bytes)
        case .producerEntryID: stream.setProducerEntry(bytes)
        default: break
        }
    }

    // MARK: - Strings

    private mutating func string(_ bytes: RawSpan) {
        beginString(UInt64(bytes.byteCount))
        appendString(bytes)
        endString()
    }

    private mutating func beginString(_ byteCount: UInt64) {
        isSplitting = options.splitsStrings && byteCount > UInt64(batchLimit)
        splitRest = byteCount
        beginCommand("SET", header.expiresAt != nil && setsExpiryWithValue ? 4 : 2)
        beginPiece()
    }

    private mutating func beginPiece() {
        splitLeft = isSplitting ? Int(min(UInt64(batchLimit), splitRest)) : .max
        out.beginArgument(byteCount: isSplitting ? UInt64(splitLeft) : splitRest)
    }

    private mutating func appendString(_ bytes: RawSpan) {
        var rest = bytes
        while rest.byteCount > splitLeft {
            out.append(rest.extracting(first: splitLeft))
            rest = rest.extracting(droppingFirst: splitLeft)
            splitRest -= UInt64(splitLeft)
            out.append("\r\n")
            relieve()
            beginCommand("APPEND", 2)
            beginPiece()
        }
        out.append(rest)
        if isSplitting {
            splitLeft -= rest.byteCount
            splitRest -= UInt64(rest.byteCount)
        }
    }

    private mutating func endString() {
        out.append("\r\n")
        if let expiresAt = header.expiresAt, setsExpiryWithValue {
            out.appendArgument("PXAT")
            out.appendArgument(decimal: expiresAt)
        }
        relieve()
    }

    // MARK: - Expiry of fields

    public mutating func fieldExpiry(_ expiresAt: Int64?) {
        if isOfLarge {
            isOfLarge = false
            if pass == .validating { largeExpiries.append(options.target.hasFieldExpiry ? expiresAt : nil) }
            if expiresAt == nil || options.target.hasFieldExpiry { return }
        }
        guard let expiresAt else {
            largeField.truncate(to: 0)
            return
        }
        guard options.target.hasFieldExpiry, expiresAt <= options.target.maxFieldExpiry else {
            largeField.truncate(to: 0)
            return losses.formUnion(.fieldExpiry)
        }
        guard writes else { return }
        if expiring.count > 0, expiring.expiresAt != expiresAt || expiring.fields.byteCount >= Self.batchByteCount {
            closeExpiryGroup()
        }
        expiring.expiresAt = expiresAt
        expiring.count += 1
        if largeField.byteCount > 0 {
            // The field of a value that came in chunks: its command is written.
            expiring.fields.append(largeField, 0..<largeField.byteCount)
            largeField.truncate(to: 0)
            flushExpiries()
        } else {
            expiring.fields.append(batch, fieldStart..<fieldEnd)
        }
    }

    mutating func closeExpiryGroup() {
        guard expiring.count > 0 else { return }
        aside.beginCommand(5 + expiring.count)
        aside.appendArgument("HPEXPIREAT")
        aside.append(keyArgument, 0..<keyArgument.byteCount)
        aside.appendArgument(decimal: expiring.expiresAt)
        aside.appendArgument("FIELDS")
        aside.appendArgument(decimal: Int64(expiring.count))
        aside.append(expiring.fields, 0..<expiring.fields.byteCount)
        asideCommands += 1
        expiring.removeAll()
    }

    // MARK: - Texts in chunks

    public mutating func beginLargeText(byteCount: UInt64, as role: TextRole) {
        // Refused by the pass that writes nothing yet.
        switch role {
        case .groupName, .consumerName, .producerID, .producerEntryID:
            return refuse(tooLarge("names of groups, consumers and producers of at most 1 MiB", byteCount))
        default: break
        }
        stopStaging()
        if role == .member, header.type == .zset { isOfLarge = true }
        if role == .field, header.hasFieldExpiries { isOfLarge = true }
        if pass == .expiringLargeFields {
            if role == .field { beginExpiryOfLargeField(byteCount) }
            return
        }
        guard writes else {
            if pass == .surveying, role == .streamField || role == .streamValue { stream.countLargeText() }
            return
        }
        isDirect = true
        switch role {
        case .string: return beginString(byteCount)
        case .element:
            flushBatch()
            beginCommand("RPUSH", 2)
        case .member where header.type == .set:
            flushBatch()
            beginCommand("SADD", 2)
        case .member:
            flushBatch()
            let score = nextLarge(largeScores) ?? 0
            if score.isNaN {
                losses.insert(.notANumber)
                isDirect = false
                return
            }
            appendArgument(of: score)
            beginCommand("ZADD", 3)
            out.append(batch, 0..<batch.byteCount)
            batch.truncate(to: 0)
        case .field:
            flushBatch()
            beginCommand(hashCommand, 3)
            isValueDirect = true
        case .fieldValue where isValueDirect: isValueDirect = false
        case .fieldValue, .arrayElement: beginLargeFieldValue(isField: role == .fieldValue)
        case .streamField, .streamValue:
            guard pass == .writing else {
                isDirect = false
                return
            }
            beginDirectEntry()
        default: break
        }
        out.beginArgument(byteCount: byteCount)
    }

    private mutating func beginExpiryOfLargeField(_ byteCount: UInt64) {
        guard let expiresAt = nextLarge(largeExpiries) ?? nil else { return }
        beginCommand("HPEXPIREAT", 5)
        out.appendArgument(decimal: expiresAt)
        out.appendArgument("FIELDS")
        out.appendArgument("1")
        out.beginArgument(byteCount: byteCount)
        isDirect = true
    }

    /// What the pass before found for the present one of the texts that come in chunks.
    private mutating func nextLarge<T>(_ found: [T]) -> T? {
        let index = largeIndex
        largeIndex += 1
        return index < found.count ? found[index] : nil
    }

    private mutating func beginLargeFieldValue(isField: Bool) {
        if fieldStart > 0 { splitBatchAtField() }
        beginCommand(isField ? hashCommand : "ARMSET", 3)
        out.append(batch, 0..<batch.byteCount)
        largeField.truncate(to: 0)
        if isField, header.hasFieldExpiries { largeField.append(batch, 0..<batch.byteCount) }
        batch.truncate(to: 0)
        batchArguments = 0
        batchElements = 0
    }

    public mutating func largeTextChunk(_ bytes: RawSpan) {
        guard isDirect else { return }
        if isString { appendString(bytes) } else { out.append(bytes) }
        relieve()
    }

    public mutating func endLargeText(as role: TextRole) {
        guard isDirect else { return }
        isDirect = false
        if role == .string { return endString() }
        out.append("\r\n")
        relieve()
    }

    func tooLarge(_ expected: StaticString, _ found: UInt64) -> DecodeError {
        DecodeError(
            .limitExceeded, at: ByteLocation(offset: header.valueOffset), expected: expected,
            found: .unsigned(found))
    }

    // MARK: - Arrays

    public mutating func arrayInsertIndex(_ index: UInt64) { insertIndex = index }

    public mutating func arrayIndex(_ index: UInt64) {
        guard writes else { return }
        beginField(Digits.byteCount(index))
        batch.beginArgument(byteCount: UInt64(Digits.byteCount(index)))
        batch.append(decimal: index)
        batch.append("\r\n")
        endField()
    }

    mutating func endArray() {
        guard let insertIndex, insertIndex < .max else { return }
        beginCommand("ARSEEK", 2)
        out.appendArgument(String(insertIndex + 1))
    }
}
