import Glibc

/// A program that is run on a corpus.
struct Contender {
    enum Role: Equatable {
        /// `rdbkit` with this command: the program that has targets to meet.
        case ours(command: String)
        /// `redis-check-rdb`, to which all others are compared.
        case reference
        case peer
    }

    let name: String
    let role: Role
    /// The program and its arguments, the corpus file left out.
    let before: [String]
    let after: [String]
    /// It is killed after this time, and shown as slower than that.
    var limitSeconds: Double?
    /// Whether the file has to be relabelled for it, see `RelabelledDump`.
    var needsOldVersion = false

    func arguments(for path: String) -> [String] {
        before + [path] + after
    }

    static let commands = ["json", "resp", "keys", "info", "check", "digest", "memory"]

    static func ours(_ command: String, program: String) -> Contender {
        Contender(name: "rdbkit \(command)", role: .ours(command: command), before: [program, command], after: [])
    }

    static let reference = Contender(
        name: "redis-check-rdb", role: .reference, before: ["redis-check-rdb"], after: [])

    /// The floor: the bytes once through the kernel, nothing done with them.
    static let cat = Contender(name: "cat", role: .peer, before: ["cat"], after: [])

    static func librdb(program: String) -> Contender {
        // It would write a log into the current folder.
        Contender(name: "rdb-cli json", role: .peer, before: [program], after: ["--log-file", "/dev/null", "json"])
    }

    static func rdbtools(program: String, limitSeconds: Double) -> Contender {
        Contender(
            name: "rdbtools json", role: .peer, before: [program, "--command", "json"], after: [],
            limitSeconds: limitSeconds, needsOldVersion: true)
    }
}

/// An environment variable's value, or nil when it is unset or empty.
func environmentValue(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
}
