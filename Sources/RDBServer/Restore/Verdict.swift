import RDBKit

/// What a server's answers say of one entry.
enum Verdict: Equatable {
    case applied
    /// The key exists.
    case conflict
    /// An MSETNX that found one of its keys: each has to be tried by itself.
    case splitBatch
    /// A redirection; its text names slot and address.
    case moved(String)
    case ask(String)
    /// The same may work a moment later.
    case later(String)
    /// RESTORE does not take the payload's version or layout.
    case payloadRefused(String)
    /// The key was gone before it got its name: its expiry was over, or that of all its fields.
    case gone(String)
    /// The server refuses this entry.
    case failed(String)
    /// The server would refuse every entry.
    case hopeless(String)

    /// - Parameters:
    ///   - replies: those to the entry's commands that are remarkable, in order.
    ///   - endsInRename: the entry's transaction gives it its name by RENAMENX, its last command but one.
    init(_ form: RestoreForm, replies: [RESPReply], endsInRename: Bool) {
        self = .applied
        for reply in replies {
            if let verdict = Self.verdict(form, reply, endsInRename) {
                // What the server says of the first command that failed is the cause of what follows.
                self = verdict
                return
            }
        }
    }

    private static func verdict(_ form: RestoreForm, _ reply: RESPReply, _ endsInRename: Bool) -> Verdict? {
        if let text = reply.errorText { return ofError(text, form) }
        switch form {
        case .batched: return reply.integer == 0 ? .splitBatch : nil
        case .set: return reply.isNull ? .conflict : nil
        case .restore: return nil
        case .commands, .sliced:
            // The answers to EXEC.
            guard let answers = reply.array else { return nil }
            for (index, answer) in answers.enumerated() {
                if let text = answer.errorText { return ofError(text, form) }
                if endsInRename, answer.integer == 0, index == answers.count - 2 { return .conflict }
            }
            return nil
        }
    }

    static func ofError(_ text: String, _ form: RestoreForm) -> Verdict {
        let code = text.prefix { $0 != " " }
        switch code {
        case "BUSYKEY": return .conflict
        case "MOVED": return .moved(text)
        case "ASK": return .ask(text)
        case "TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "BUSY", "NOREPLICAS": return .later(text)
        case "OOM", "READONLY", "MISCONF", "NOAUTH": return .hopeless(text)
        case "NOPERM":
            // A user may have rights for some keys only: then others may still go well.
            return text.contains(" key") && !text.contains("run the") ? .failed(text) : .hopeless(text)
        default: break
        }
        if form == .restore, text.contains("DUMP payload version") || text.contains("Bad data format") {
            return .payloadRefused(text)
        }
        if form == .commands || form == .sliced, text.hasPrefix("ERR no such key") { return .gone(text) }
        return .failed(text)
    }
}
