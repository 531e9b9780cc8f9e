internal import Glibc

/// Reads what `rdbkit json` writes into canonical entries.
package struct JSONLines {
    /// How closely the lines must keep to the schema.
    package enum Form {
        /// What the program under test writes: names in order, an `encoding`, nothing null that should
        /// be left out.
        case program
        /// A recorded truth: no `encoding`, and null where a version lacks a fact.
        case truth
    }

    /// The names of the schema, in their order.
    private static let order = [
        "db", "key", "type", "encoding", "expires_at_ms", "idle_seconds", "lfu_freq", "field_expires_at_ms", "value",
    ]

    let form: Form

    /// - Parameter bytes: whole lines, each ended by a line feed.
    /// - Throws: `HarnessError` with the number of the line that is not as the schema says.
    package static func parse(_ bytes: Bytes, as form: Form) throws -> [CanonicalEntry] {
        let reader = JSONLines(form: form)
        if let last = bytes.last, last != 0x0a { throw HarnessError("the last line has no end") }
        var entries: [CanonicalEntry] = []
        for (index, line) in lines(of: bytes).enumerated() {
            do {
                entries.append(try reader.entry(try JSONValue(parsing: line)))
            } catch {
                throw HarnessError("line \(index + 1) (\(line.quoted)): \(error)")
            }
        }
        return entries
    }

    private static func lines(of bytes: Bytes) -> [Bytes] {
        var lines: [Bytes] = []
        bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            var start = 0
            while start < buffer.count, let end = memchr(base + start, 0x0a, buffer.count - start) {
                let length = UnsafeRawPointer(end) - (base + start)
                lines.append(Bytes(buffer[start..<start + length]))
                start += length + 1
            }
        }
        return lines
    }

    // MARK: Entries

    private func entry(_ json: JSONValue) throws -> CanonicalEntry {
        let fields = try JSONFields(json)
        if form == .program {
            let known = fields.names.filter(Self.order.contains)
            guard known == Self.order.filter(known.contains) else {
                throw HarnessError("the names are in the order \(known)")
            }
        }
        let type = try fields.plainText("type")
        let name = CanonicalEntry.Name(database: Int(try fields.integer("db")), key: try fields.text("key"))
        var entry = CanonicalEntry(name: name, value: try value(of: type, fields.required("value")))
        if form == .program {
            entry.encodings = [try fields.plainText("encoding")]
        }
        entry.expiresAt = try fields.optionalInteger("expires_at_ms").map { $0...$0 }
        entry.idleSeconds = try fields.optionalInteger("idle_seconds").map { $0...$0 }
        entry.frequency = try fields.optionalInteger("lfu_freq").map { $0...$0 }
        if let expiries = fields["field_expires_at_ms"] {
            for (field, expiry) in try JSONFields.members(of: expiries) {
                entry.fieldExpiries[field] = try JSONFields.integer(expiry)
            }
        }
        return entry
    }

    private func value(of type: String, _ json: JSONValue) throws -> CanonicalEntry.Value {
        switch type {
        case "string": return .string(try JSONFields.text(json))
        case "list": return .list(try JSONFields.elements(of: json).map(JSONFields.text))
        case "set":
            let members = try JSONFields.elements(of: json).map(JSONFields.text)
            let set = Set(members)
            guard set.count == members.count else { throw HarnessError("a set with a member twice") }
            return .set(set)
        case "zset":
            return .sortedSet(
                try JSONFields.elements(of: json).map { element in
                    let fields = try JSONFields(element)
                    return ScoredMember(member: try fields.text("member"), score: try score(fields.required("score")))
                })
        case "hash":
            return .hash(
                try Dictionary(
                    JSONFields.members(of: json).map { ($0, try JSONFields.text($1)) },
                    uniquingKeysWith: { _, _ in throw HarnessError("a hash with a field twice") }))
        case "stream": return .stream(try stream(try JSONFields(json)))
        case "array": return .array(try array(try JSONFields(json)))
        case "module": return .module(try JSONFields(json).plainText("module"))
        default: throw HarnessError("an unknown type: \(type)")
        }
    }

    /// A number, or the text of one that JSON cannot write.
    private func score(_ json: JSONValue) throws -> Double {
        switch json {
        case .number(let text):
            guard let value = Double(text), value.isFinite else { throw HarnessError("not a finite score: \(text)") }
            return value
        case .string(let text):
            let text = String(decoding: text, as: UTF8.self)
            guard ["inf", "-inf", "nan"].contains(text), let value = Double(exactly: text) else {
                throw HarnessError("not a score: \(text)")
            }
            return value
        default:
            throw HarnessError("not a score: \(json)")
        }
    }

    private func array(_ fields: JSONFields) throws -> CanonicalArray {
        let elements = try JSONFields.elements(of: fields.required("elements")).map { element in
            let pair = try JSONFields.elements(of: element)
            guard pair.count == 2, case .number(let text) = pair[0], let index = UInt64(text) else {
                throw HarnessError("not an index and a text: \(element)")
            }
            return CanonicalArray.Element(index: index, value: try JSONFields.text(pair[1]))
        }
        guard let insert = fields["insert_index"] else { return CanonicalArray(elements: elements) }
        guard case .number(let text) = insert, let index = UInt64(text) else {
            throw HarnessError("not an index: \(insert)")
        }
        return CanonicalArray(elements: elements, insertIndex: index)
    }

    // MARK: Streams

    private func stream(_ fields: JSONFields) throws -> CanonicalStream {
        CanonicalStream(
            entries: try JSONFields.elements(of: fields.required("entries")).map(streamEntry),
            length: try fields.integer("length"),
            lastID: try id(fields.required("last_id")),
            firstID: try fields["first_id"].map(id),
            maxDeletedID: try fields["max_deleted_id"].map(id),
            entriesAdded: try fields.optionalInteger("entries_added"),
            groups: try JSONFields.elements(of: fields.required("groups")).map { try group(try JSONFields($0)) })
    }

    private func streamEntry(_ json: JSONValue) throws -> CanonicalStream.Entry {
        let fields = try JSONFields(json)
        let pairs = try JSONFields.elements(of: fields.required("fields")).map { pair in
            let pair = try JSONFields.elements(of: pair).map(JSONFields.text)
            guard pair.count == 2 else { throw HarnessError("not a field and its value: \(pair.map(\.quoted))") }
            return pair
        }
        return CanonicalStream.Entry(id: try id(fields.required("id")), fields: pairs.flatMap { $0 })
    }

    private func group(_ fields: JSONFields) throws -> CanonicalStream.Group {
        CanonicalStream.Group(
            name: try fields.text("name"),
            lastID: try id(fields.required("last_id")),
            entriesRead: try fields.nullableInteger("entries_read"),
            pending: try JSONFields.elements(of: fields.required("pending")).map { try pending(try JSONFields($0)) },
            consumers: try JSONFields.elements(of: fields.required("consumers")).map {
                try consumer(try JSONFields($0))
            })
    }

    private func pending(_ fields: JSONFields) throws -> CanonicalStream.Pending {
        // Absent or null: nobody owns it.
        let consumer = fields["consumer"].flatMap { $0 == .null ? nil : $0 }
        return CanonicalStream.Pending(
            id: try id(fields.required("id")), consumer: try consumer.map(JSONFields.text) ?? [],
            deliveredAt: try fields.integer("delivered_at_ms"), deliveries: try fields.integer("deliveries"))
    }

    private func consumer(_ fields: JSONFields) throws -> CanonicalStream.Consumer {
        CanonicalStream.Consumer(
            name: try fields.text("name"), seenAt: try fields.integer("seen_at_ms"),
            activeAt: form == .truth
                ? try fields.nullableInteger("active_at_ms") : try fields.optionalInteger("active_at_ms"))
    }

    private func id(_ json: JSONValue) throws -> StreamID {
        guard case .string(let bytes) = json, let id = StreamID(String(decoding: bytes, as: UTF8.self)) else {
            throw HarnessError("not an ID: \(json)")
        }
        return id
    }
}
