/// What the project has promised of its speed and memory, and whether a measurement keeps it.
struct Target {
    /// Of the reference's time, or nil where nothing is promised.
    var ratio: Double?
    /// The ratio has to stay below, not just be reached.
    var isStrict = false

    /// For every command on every corpus.
    static let peakBytes = 64 << 20

    init(command: String, corpus: Corpus) {
        switch (corpus, command) {
        case (.mixed, "json"), (.mixed, "resp"), (.mixed, "memory"): ratio = 0.5
        case (.mixed, "check"): ratio = 0.35
        case (.mixed, "info"), (.mixed, "keys"): ratio = 0.2
        case (_, "json"):
            ratio = 1
            isStrict = true
        default: break
        }
    }

    var text: String {
        guard let ratio else { return "< 64 MiB" }
        return "\(isStrict ? "<" : "<=") \(format(ratio, decimals: 2)), < 64 MiB"
    }

    /// "ok", or "MISS" and what was missed.
    ///
    /// - Parameter measured: the time ratio, or nil when there was no reference to compare with.
    func verdict(ratio measured: Double?, peakBytes: Int) -> String {
        var misses: [String] = []
        if let ratio {
            guard let measured else { return "no reference" }
            if isStrict ? measured >= ratio : measured > ratio { misses.append("time") }
        }
        if peakBytes >= Self.peakBytes { misses.append("memory") }
        return misses.isEmpty ? "ok" : "MISS " + misses.joined(separator: ", ")
    }
}
