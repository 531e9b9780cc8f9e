import RDBKit

/// What a server says to the questions about one key.
enum KeyAnswer {
    /// The replies to the questions, without those of the transaction around them.
    case replies([RESPReply])
    /// Another server has the key.
    case redirected(ClusterRedirection)
    /// The same may work a moment later.
    case later(String)
    case refused(String)

    /// How many replies come for so many questions.
    static func replyCount(_ questionCount: Int, _ plan: SnapshotPlan) -> Int {
        plan.usesTransactions ? questionCount + 2 : questionCount
    }

    /// - Parameter replies: all for one key, as many as `replyCount` says.
    init(_ replies: ArraySlice<RESPReply>, questionCount: Int, _ plan: SnapshotPlan, asked: ServerAddress) {
        // What is said of the first question that fails is the cause of what follows.
        if plan.usesTransactions {
            if let words = replies.lazy.compactMap(\.errorText).first {
                self = Self.ofError(words, asked)
                return
            }
            guard let answers = replies.last?.array, answers.count == questionCount else {
                self = .refused("an unexpected reply to EXEC")
                return
            }
            self = Self.of(answers, asked)
        } else {
            self = Self.of(Array(replies), asked)
        }
    }

    private static func of(_ answers: [RESPReply], _ asked: ServerAddress) -> KeyAnswer {
        if let words = answers.lazy.compactMap(\.errorText).first { return ofError(words, asked) }
        return .replies(answers)
    }

    private static func ofError(_ words: String, _ asked: ServerAddress) -> KeyAnswer {
        if let redirection = ClusterRedirection(errorText: words, asked: asked) { return .redirected(redirection) }
        if case .later = Verdict.ofError(words, .set) { return .later(words) }
        return .refused(words)
    }
}

extension [[[UInt8]]] {
    /// Between MULTI and EXEC, if the user may.
    func transaction(_ plan: SnapshotPlan) -> [[[UInt8]]] {
        plan.usesTransactions ? [[[UInt8]("MULTI".utf8)]] + self + [[[UInt8]("EXEC".utf8)]] : self
    }
}

/// A command's words.
func words(_ name: String, _ key: [UInt8], _ others: String...) -> [[UInt8]] {
    var all = name.split(separator: " ").map { Array($0.utf8) }
    all.append(key)
    all += others.map { Array($0.utf8) }
    return all
}
