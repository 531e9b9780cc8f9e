import Glibc
import NIOCore
import RDBKit

/// Asks about single keys, wherever they are by now.
struct KeyAsker {
    private let servers: SnapshotServers
    /// Whether each request names its database.
    private let selects: Bool
    private let database: UInt64
    /// Where the key was last.
    private(set) var address: ServerAddress
    private var isAsking = false

    init(_ servers: SnapshotServers, at address: ServerAddress, database: UInt64, selects: Bool) {
        self.servers = servers
        self.address = address
        self.database = database
        self.selects = selects
    }

    /// - Parameter questions: by what the server that is asked can.
    /// - Returns: the replies to the questions, and how that server is asked.
    /// - Throws: `refused` with the server's words.
    mutating func ask(
        _ key: [UInt8], _ questions: (SnapshotPlan) -> [[[UInt8]]]
    ) throws(ServerError) -> (replies: [RESPReply], plan: SnapshotPlan) {
        let deadline = currentMilliseconds() + servers.options.patienceMilliseconds
        var hops = 0
        while true {
            let link = try servers.link(to: address)
            let questions = questions(link.plan)
            var commands = questions.transaction(link.plan)
            if isAsking { commands.insert([Array("ASKING".utf8)], at: 0) }
            if selects { commands.insert([Array("SELECT".utf8), Array(String(database).utf8)], at: 0) }
            let replies = try link.ask(commands)
            let before = commands.count - KeyAnswer.replyCount(questions.count, link.plan)
            if selects, let reply = replies.first, !reply.isOK {
                throw .refused(address, "cannot use database \(database)", reply)
            }
            let why: String
            switch KeyAnswer(replies[before...], questionCount: questions.count, link.plan, asked: address) {
            case .replies(let replies): return (replies, link.plan)
            case .redirected(let redirection):
                servers.note(redirection: redirection)
                address = redirection.address
                isAsking = redirection.kind == .ask
                why = "the key moves from server to server"
                hops += 1
                // A slot that has just moved takes some steps to be found; one that is moving may go back and forth.
                if hops < 5 { continue }
            case .later(let words):
                why = words
                isAsking = false
            case .refused(let words):
                throw ServerError(.refused(reply: words), "\(address): \(words)")
            }
            if Interrupt.isRequested { throw .interrupted }
            if currentMilliseconds() > deadline { throw ServerError(.timeout, "\(address): \(why)") }
            usleep(50_000)
        }
    }

    mutating func ask(_ key: [UInt8], _ question: [[UInt8]]) throws(ServerError) -> RESPReply {
        let (replies, _) = try ask(key) { _ in [question] }
        guard let reply = replies.first else { preconditionFailure("one reply for one question") }
        return reply
    }
}
