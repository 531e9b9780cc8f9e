public import RDBBytes
public import RDBModel

// Values as JSON. Each text is a separator (`before`), the string, and what closes it (`after`); the role is a constant
// where these are inlined.
extension JSONEntryWriter: ValueVisitor {
    public mutating func elements(_ count: UInt64?) {
        guard writes else { return }
        switch header.type {
        case .list, .set, .zset: out.append("[")
        case .hash:
            if !isExpiring {
                out.append("{")
            } else if writesFieldValues {
                aside.append("{")
            }
        case .array: out.append("{\"elements\":[")
        case .cron: out.append("{\"parts\":[")
        case .pathHash:
            out.append(isInPath ? ":{" : "{")
            needsInnerComma = false
        default: break
        }
    }

    // MARK: - Texts

    @inlinable @inline(__always)
    public mutating func text(_ bytes: RawSpan, as role: TextRole) {
        count(role)
        guard writes else {
            if role == .consumerName { countConsumer(bytes) }
            return
        }
        if isExpiring {
            fieldText(role) { buffer, form in buffer.appendJSON(bytes, form: form) }
        } else if role == .consumerName {
            addConsumer(bytes)
        } else {
            before(role)
            out.appendJSON(bytes, form: form)
            after(role)
        }
        relieve()
    }

    @inlinable @inline(__always)
    public mutating func integer(_ value: Int64, as role: TextRole) {
        count(role)
        guard writes else {
            if role == .consumerName { String(value).withRawSpan { countConsumer($0) } }
            return
        }
        if isExpiring {
            fieldText(role) { buffer, form in buffer.appendJSON(text: value, form: form) }
        } else if role == .consumerName {
            String(value).withRawSpan { addConsumer($0) }
        } else {
            before(role)
            out.appendJSON(text: value, form: form)
            after(role)
        }
        relieve()
    }

    @inlinable @inline(__always)
    mutating func count(_ role: TextRole) {
        switch role {
        case .string, .element, .member, .field, .arrayElement, .modulePart: elementCount &+= 1
        default: break
        }
    }

    @inlinable @inline(__always)
    mutating func separate() {
        if needsComma { out.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    @inlinable @inline(__always)
    mutating func separateInner() {
        if needsInnerComma { out.append(UInt8(ascii: ",")) }
        needsInnerComma = true
    }

    @inlinable @inline(__always)
    mutating func before(_ role: TextRole) {
        switch role {
        case .string: break
        case .element: separate()
        case .member:
            separate()
            if isSortedSet { out.append("{\"member\":") }
        case .field: isInPath ? separateInner() : separate()
        case .fieldValue: out.append(UInt8(ascii: ":"))
        case .streamField:
            separateInner()
            out.append(UInt8(ascii: "["))
        case .streamValue: out.append(UInt8(ascii: ","))
        case .groupName:
            separate()
            out.append("{\"name\":")
        case .consumerName: break
        case .producerID:
            if isInProducers {
                out.append(needsInnerComma ? "]},{\"id\":" : ",\"entries\":[]},{\"id\":")
            } else {
                out.append("],\"idmp\":{\"producers\":[{\"id\":")
            }
            isInProducers = true
            needsInnerComma = false
        case .producerEntryID:
            out.append(needsInnerComma ? ",{\"iid\":" : ",\"entries\":[{\"iid\":")
            needsInnerComma = true
        case .arrayElement: out.append(UInt8(ascii: ","))
        case .path:
            if isInPath { out.append("}") }
            separate()
            isInPath = true
        case .modulePart:
            if !needsComma { openParts() }
            separate()
            out.append("{\"string\":")
        }
    }

    /// A module's parts were opened by its name; a cron job begins with its script.
    @usableFromInline @inline(never)
    mutating func openParts() {
        if header.type == .cron { out.append("{\"parts\":[") }
    }

    @inlinable @inline(__always)
    mutating func after(_ role: TextRole) {
        switch role {
        case .streamValue, .arrayElement: out.append(UInt8(ascii: "]"))
        case .modulePart: out.append(UInt8(ascii: "}"))
        default: break
        }
    }

    /// A field or a value of a hash whose expiries come first: into `aside`.
    @inlinable @inline(__always)
    mutating func fieldText(_ role: TextRole, _ append: (inout OutputBuffer, StringForm) -> Void) {
        if role == .field {
            if writesFieldValues {
                if needsComma { aside.append(UInt8(ascii: ",")) }
                needsComma = true
            } else {
                aside.truncate(to: 0)
            }
            fieldStart = aside.byteCount
            append(&aside, form)
            fieldEnd = aside.byteCount
        } else if writesFieldValues {
            aside.append(UInt8(ascii: ":"))
            append(&aside, form)
        }
    }

    public mutating func fieldExpiry(_ expiresAt: Int64?) {
        guard writes, isExpiring, let expiresAt else { return }
        out.append(hasExpiries ? "," : ",\"field_expires_at_ms\":{")
        hasExpiries = true
        out.append(aside, fieldStart..<fieldEnd)
        out.append(UInt8(ascii: ":"))
        out.append(decimal: expiresAt)
        relieve()
    }

    public mutating func score(_ value: Double) {
        guard writes else { return }
        out.append(",\"score\":")
        out.appendJSON(value)
        out.append(UInt8(ascii: "}"))
    }

    public mutating func unsigned(_ value: UInt64) {
        elementCount += 1
        if writes { out.append(decimal: value) }
    }

    /// Closes what the value's events opened.
    mutating func endValue() {
        guard writes, options.parts != .keysOnly else { return }
        switch header.type {
        case .list, .set, .zset: out.append("]")
        case .hash where !isExpiring: out.append("}")
        case .hash where pass == .staging:
            if hasExpiries { out.append("}") }
            guard writesFieldValues else { break }
            out.append(",\"value\":")
            out.append(aside, 0..<aside.byteCount)
            out.append("}")
        case .array:
            out.append("]")
            if let insertIndex {
                out.append(",\"insert_index\":")
                out.append(decimal: insertIndex)
            }
            out.append("}")
        case .pathHash: out.append(isInPath ? "}}" : "}")
        case .stream: out.append(hasProducers ? "}" : "]}")
        case .cron: out.append("]}")
        default: break
        }
        aside.truncate(to: 0)
        aside.shrink(to: 1 << 20)
    }

    // MARK: - Texts in chunks

    public mutating func beginLargeText(byteCount: UInt64, as role: TextRole) {
        count(role)
        stopStaging()
        validator = UTF8Validator()
        firstBytes.removeAll(keepingCapacity: true)
        carry.removeAll(keepingCapacity: true)
        // Refused by the pass that writes nothing yet.
        if writesValue, role == .consumerName || role == .groupName || isExpiring && role == .field {
            return refuse(
                DecodeError(
                    .limitExceeded, at: ByteLocation(offset: header.valueOffset),
                    expected: "group and consumer names, and fields with an expiry, of at most 1 MiB",
                    found: .unsigned(byteCount)))
        }
        guard writes else { return }
        largeForm = form
        if form == .auto {
            // Which of the two forms: the validating pass has seen all of it.
            let isText = largeTextIndex < largeTexts.count && largeTexts[largeTextIndex]
            largeTextIndex += 1
            largeForm = isText ? .auto : .base64
        }
        if isExpiring { return }
        before(role)
        out.append(largeForm == .base64 ? "\"$base64:" : "\"")
    }

    public mutating func largeTextChunk(_ bytes: RawSpan) {
        if pass == .validating {
            var index = 0
            while firstBytes.count < 8, index < bytes.byteCount {
                firstBytes.append(bytes.byte(at: index))
                index += 1
            }
            validator.feed(bytes)
            return
        }
        guard writes, !isExpiring else { return }
        // Slices of a size that the output buffer takes without growing far.
        var index = 0
        while index < bytes.byteCount {
            let end = min(index + 48 << 10, bytes.byteCount)
            let slice = bytes.extracting(index..<end)
            index = end
            switch largeForm {
            case .auto: out.appendEscaped(slice)
            case .base64: appendBase64Piece(slice)
            case .hex, .latin1: out.appendPiece(slice, largeForm)
            }
            relieve()
        }
    }

    private mutating func appendBase64Piece(_ bytes: RawSpan) {
        var from = 0
        while !carry.isEmpty, carry.count < 3, from < bytes.byteCount {
            carry.append(bytes.byte(at: from))
            from += 1
        }
        if carry.count == 3 {
            out.appendBase64(carry)
            carry.removeAll(keepingCapacity: true)
        }
        let whole = (bytes.byteCount - from) / 3 * 3
        out.appendBase64(bytes.extracting(from..<from + whole))
        for index in from + whole..<bytes.byteCount { carry.append(bytes.byte(at: index)) }
    }

    public mutating func endLargeText(as role: TextRole) {
        if pass == .validating {
            largeTexts.append(validator.isValid && !OutputBuffer.beginsWithBase64Mark(firstBytes.rawSpan))
            return
        }
        guard writes, !isExpiring else { return }
        out.appendBase64(carry)
        carry.removeAll(keepingCapacity: true)
        out.append(UInt8(ascii: "\""))
        after(role)
        relieve()
    }

    // MARK: - Arrays and modules

    public mutating func arrayInsertIndex(_ index: UInt64) { insertIndex = index }

    public mutating func arrayIndex(_ index: UInt64) {
        guard writes else { return }
        separate()
        out.append(UInt8(ascii: "["))
        out.append(decimal: index)
    }

    public mutating func module(_ id: ModuleID) {
        guard writes else { return }
        out.append("{\"module\":")
        id.name.withRawSpan { out.appendJSON($0, form: .auto) }
        out.append(",\"encoding_version\":")
        out.append(decimal: Int64(id.encodingVersion))
        out.append(",\"parts\":[")
    }

    private mutating func beginPart(_ name: StaticString) -> Bool {
        elementCount += 1
        guard writes else { return false }
        separate()
        out.append("{\"")
        out.append(name)
        out.append("\":")
        return true
    }

    private mutating func endPart() {
        out.append(UInt8(ascii: "}"))
        relieve()
    }

    public mutating func moduleSigned(_ value: Int64) {
        guard beginPart("signed") else { return }
        out.append(decimal: value)
        endPart()
    }

    public mutating func moduleUnsigned(_ value: UInt64) {
        guard beginPart("unsigned") else { return }
        out.append(decimal: value)
        endPart()
    }

    public mutating func moduleFloat(_ value: Float) {
        guard beginPart("float") else { return }
        out.appendJSON(Double(value))
        endPart()
    }

    public mutating func moduleDouble(_ value: Double) {
        guard beginPart("double") else { return }
        out.appendJSON(value)
        endPart()
    }

    public mutating func endModule() {
        if writes { out.append("]}") }
    }
}
