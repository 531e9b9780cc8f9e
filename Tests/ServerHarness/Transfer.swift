/// How one server's data comes to another, and so what of it the other can hold.
package struct Transfer: Sendable {
    package enum Form: Sendable {
        /// RESTORE for every value.
        case restore
        /// Commands for every value.
        case commands
        /// Either, and nobody says which.
        case mixed
    }

    package let source: Server
    package let target: Server
    package let form: Form
    /// False for commands that are meant for Redis 6.2 and everything later.
    package let knowsTarget: Bool

    package init(from source: Server, to target: Server, _ form: Form, knowsTarget: Bool = true) {
        self.source = source
        self.target = target
        self.form = form
        self.knowsTarget = knowsTarget
    }

    /// The server that the commands are written for.
    private var addressee: Server { knowsTarget ? target : Server(.redis, 6, 2) }

    /// Whether the target's RESTORE takes every layout that the source writes.
    package static func restoresAll(from source: Server, to target: Server) -> Bool {
        switch (source.family, target.family) {
        case (.redis, .redis), (.valkey, .valkey): (source.major, source.minor) <= (target.major, target.minor)
        // Valkey began as Redis 7.2, and so far had no layout of its own until 9.0.
        case (.redis, .valkey): (source.major, source.minor) <= (7, 2)
        case (.valkey, .redis): source.major < 9 && (target.major, target.minor) >= (7, 2)
        }
    }

    // MARK: What is lost

    /// Whether nothing of the entry arrives.
    package func losesValue(_ entry: CanonicalEntry) -> Bool {
        guard case .module = entry.value else { return false }
        return form == .commands || !addressee.hasVectorSets
    }

    package func losesFieldExpiry(_ entry: CanonicalEntry) -> Bool {
        !entry.fieldExpiries.isEmpty && !addressee.hasFieldExpiry
    }

    package var losesFunctions: Bool { !addressee.isRedis7 }

    /// Whether both servers make the same digest of the value: since Redis 7.2 of shorter texts of scores.
    package func sharesDigest(_ entry: CanonicalEntry) -> Bool {
        if case .sortedSet = entry.value { return source.isRedis72 == target.isRedis72 }
        return !losesValue(entry) && entry.fieldExpiries.isEmpty
    }

    // MARK: What arrives

    /// - Parameter entries: what the source answered.
    package func expected(_ entries: [CanonicalEntry]) -> [CanonicalEntry] {
        entries.filter { !losesValue($0) }.map { entry in
            var entry = entry
            if losesFieldExpiry(entry) { entry.fieldExpiries = [:] }
            if case .stream(let stream) = entry.value { entry.value = .stream(expected(stream)) }
            // Keys have been idle for longer when the target is asked, whose clock of seconds may start a little later.
            entry.idleSeconds = entry.idleSeconds.map { $0.lowerBound - 1...$0.upperBound + 600 }
            return withoutUnknown(entry)
        }
    }

    /// - Parameter entries: what the target answered.
    package func found(_ entries: [CanonicalEntry]) -> [CanonicalEntry] {
        entries.map { entry in
            var entry = entry
            if case .stream(var stream) = entry.value, target.isRedis7 {
                // Nobody could say how many were added.
                if !addressee.isRedis7 { stream.entriesAdded = nil }
                // Not zero, as everywhere else, where a file without it is loaded or restored.
                if form != .commands, !source.isRedis7, stream.entries.isEmpty { stream.firstID = nil }
                entry.value = .stream(stream)
            }
            return withoutUnknown(entry)
        }
    }

    private func expected(_ stream: CanonicalStream) -> CanonicalStream {
        var stream = stream
        let isCounted = source.isRedis7 && addressee.isRedis7
        let isEstimated = !source.isRedis7 && addressee.isRedis7 && target.isRedis7
        if !target.isRedis7 {
            stream.firstID = nil
            stream.maxDeletedID = nil
            stream.entriesAdded = nil
        } else if !isCounted {
            // As a server of today loads a file without these.
            stream.firstID = stream.entries.first?.id ?? (form == .commands ? .zero : nil)
            stream.maxDeletedID = .zero
            stream.entriesAdded = addressee.isRedis7 ? stream.length : nil
        }
        // No command sets a last ID below what was deleted, on all servers that have both; it is told.
        if form == .commands, let deleted = stream.maxDeletedID { stream.maxDeletedID = min(deleted, stream.lastID) }
        for index in stream.groups.indices {
            if !isCounted { stream.groups[index].entriesRead = nil }
            if isEstimated {
                stream.groups[index].entriesRead = estimatedRead(stream, upTo: stream.groups[index].lastID)
            }
            for consumer in stream.groups[index].consumers.indices {
                let times = stream.groups[index].consumers[consumer]
                stream.groups[index].consumers[consumer].activeAt =
                    target.isRedis72 ? times.activeAt ?? times.seenAt : nil
            }
        }
        return stream
    }

    /// What a server makes of a group of a file without counts, by its source (streamEstimateDistanceFromFirstEverEntry).
    private func estimatedRead(_ stream: CanonicalStream, upTo id: StreamID) -> Int64? {
        guard let first = stream.entries.first?.id else { return 0 }
        if id == stream.lastID { return stream.length }
        return id > stream.lastID ? nil : id < first ? 0 : id == first ? 1 : nil
    }

    /// What depends on the server alone, or what only RESTORE carries.
    private func withoutUnknown(_ entry: CanonicalEntry) -> CanonicalEntry {
        var entry = entry
        entry.encodings = nil
        guard form != .restore else { return entry }
        entry.idleSeconds = nil
        entry.frequency = nil
        if case .stream(var stream) = entry.value {
            for index in stream.groups.indices {
                for consumer in stream.groups[index].consumers.indices {
                    stream.groups[index].consumers[consumer].seenAt = 0
                    stream.groups[index].consumers[consumer].activeAt = nil
                }
            }
            entry.value = .stream(stream)
        }
        return entry
    }
}

extension Transfer {
    /// Entries for which the servers' own digests of the value are not the same, among those that have the same at both.
    package func digestDifferences(
        of entries: [CanonicalEntry], _ source: RESPConnection, _ target: RESPConnection
    ) throws -> [String] {
        var differences: [String] = []
        for (database, entries) in Dictionary(grouping: entries.filter(sharesDigest), by: \.name.database) {
            let digests = try [source, target].map { connection in
                try connection.call("SELECT", database)
                return try connection.pipeline(entries.map { Command("DEBUG", "DIGEST-VALUE", $0.name.key) })
            }
            for (index, entry) in entries.enumerated() where digests[0][index] != digests[1][index] {
                differences.append("digest of \(entry.name): \(digests.map { $0[index] })")
            }
        }
        return differences
    }
}
