/// One run of a server against the program under test: everything about it follows from the seed.
package struct Scenario: Sendable, Hashable, CustomStringConvertible {
    package enum Eviction: Sendable {
        case none, leastRecentlyUsed, leastFrequentlyUsed
    }

    package let server: Server
    package let seed: UInt64

    package init(server: Server, seed: UInt64) {
        self.server = server
        self.seed = seed
    }

    /// Shown with every failure: enough to replay it.
    package var description: String { "\(server) with RDBKIT_SEED=\(seed)" }

    // Turned by small seeds already, so that a handful covers each.
    package var compresses: Bool { seed % 4 != 3 }
    package var checksums: Bool { seed % 5 != 2 }
    package var eviction: Eviction {
        switch seed % 3 {
        case 1: .leastRecentlyUsed
        case 2: .leastFrequentlyUsed
        default: .none
        }
    }

    /// A cluster of one node: its files tell how many keys each slot has.
    package var isCluster: Bool { server.savesSlotInformation && seed % 6 == 4 }

    /// Which form of the protocol the questions go in.
    package var protocolVersion: Int { seed % 2 == 0 ? 3 : 2 }

    /// The server's configuration beyond the defaults of `ServerProcess`, except for what makes it a
    /// cluster.
    package var options: [(name: String, value: String)] {
        var options = [
            (name: "rdbcompression", value: compresses ? "yes" : "no"),
            (name: "rdbchecksum", value: checksums ? "yes" : "no"),
        ]
        if eviction != .none {
            let policy = eviction == .leastRecentlyUsed ? "allkeys-lru" : "allkeys-lfu"
            // The limit is never reached; without one some versions keep no such information. No decay,
            // so that the counters stay what they are between two looks at them.
            options += [
                (name: "maxmemory", value: "16gb"), (name: "maxmemory-policy", value: policy),
                (name: "lfu-decay-time", value: "0"),
            ]
        }
        return options
    }

    /// The seeds to run: `RDBKIT_SEED` alone, else 1 to `RDBKIT_SEEDS`, else 1 to 6.
    package static let seeds: [UInt64] =
        if let seed = Environment["RDBKIT_SEED"].flatMap(UInt64.init) {
            [seed]
        } else {
            Array(1...max(1, Environment["RDBKIT_SEEDS"].flatMap(UInt64.init) ?? 6))
        }
}
