import RDBModel
import ServerHarness

/// A stream, fact by fact, in lines that are the same for a value read from an RDB and for what a server answers.
/// Times that a log does not keep are told only as far as it does.
enum StreamLines {
    /// - Parameter recent: a delivery at or after this time, Unix milliseconds, was made by the load itself.
    static func of(_ stream: StreamValue, recent: Int64, _ server: Server) -> [String] {
        var lines: [String] = []
        for entry in stream.entries {
            let fields = entry.fields.flatMap { [$0.name, $0.value] }
            lines.append("entry \(entry.id) \(fields.map { String(decoding: $0, as: UTF8.self) })")
        }
        lines.append("length \(stream.state.length) last \(stream.state.lastID)")
        if server.isRedis7 {
            lines.append(
                "first \(text(stream.state.firstID)) deleted \(text(stream.state.maxDeletedID)) "
                    + "added \(stream.state.entriesAdded.map(String.init) ?? "?")")
        }
        for group in stream.groups {
            var line = "group \(String(decoding: group.name, as: UTF8.self)) last \(group.state.lastID)"
            if server.isRedis7 {
                if case .count(let count) = group.state.entriesRead {
                    line += " read \(count)"
                } else {
                    line += " read ?"
                }
            }
            lines.append(line)
            var owners: [RDBModel.StreamID: [UInt8]] = [:]
            for consumer in group.consumers {
                for id in consumer.pending { owners[id] = consumer.name }
            }
            for entry in group.pending {
                lines.append(
                    pending(
                        entry.id.description, owners[entry.id] ?? [], entry.deliveredAt,
                        Int64(bitPattern: entry.deliveryCount), recent))
            }
            for consumer in group.consumers {
                lines.append(self.consumer(consumer.name, consumer.times.activeAt, server))
            }
        }
        return lines
    }

    static func of(_ stream: CanonicalStream, recent: Int64, _ server: Server) -> [String] {
        var lines: [String] = []
        for entry in stream.entries {
            lines.append("entry \(entry.id) \(entry.fields.map { String(decoding: $0, as: UTF8.self) })")
        }
        lines.append("length \(stream.length) last \(stream.lastID)")
        if server.isRedis7 {
            lines.append(
                "first \(stream.firstID?.description ?? "?") deleted \(stream.maxDeletedID?.description ?? "?") "
                    + "added \(stream.entriesAdded.map(String.init) ?? "?")")
        }
        for group in stream.groups {
            var line = "group \(String(decoding: group.name, as: UTF8.self)) last \(group.lastID)"
            if server.isRedis7 { line += " read \(group.entriesRead.map(String.init) ?? "?")" }
            lines.append(line)
            for entry in group.pending {
                lines.append(
                    pending(entry.id.description, entry.consumer, entry.deliveredAt, entry.deliveries, recent))
            }
            for consumer in group.consumers { lines.append(self.consumer(consumer.name, consumer.activeAt, server)) }
        }
        return lines
    }

    private static func text(_ id: RDBModel.StreamID?) -> String { id?.description ?? "?" }

    private static func pending(
        _ id: String, _ consumer: [UInt8], _ deliveredAt: Int64, _ deliveries: Int64, _ recent: Int64
    ) -> String {
        let time = deliveredAt >= recent ? "now" : String(deliveredAt)
        return "  pending \(id) of \(String(decoding: consumer, as: UTF8.self)) at \(time) count \(deliveries)"
    }

    private static func consumer(_ name: [UInt8], _ activeAt: Int64?, _ server: Server) -> String {
        let isActive = server.isRedis72 ? (activeAt == -1 ? " never active" : " active") : ""
        return "  consumer \(String(decoding: name, as: UTF8.self))\(isActive)"
    }
}
