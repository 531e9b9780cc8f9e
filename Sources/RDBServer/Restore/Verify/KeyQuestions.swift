import NIOCore
import RDBKit

/// Asks the target about one key, again and again while its server is gone, busy, or gives the key's slot away.
final class KeyQuestions {
    private let target: RestoreTarget
    private let slot: Int
    private let database: UInt64
    private let patienceMilliseconds: Int64
    /// Why nothing more can be asked.
    private(set) var failure: ServerError?

    private static let pauseMilliseconds = 50

    /// - Parameter patienceMilliseconds: for one question; 0 for who waits otherwise.
    init(_ target: RestoreTarget, key: [UInt8], database: UInt64, patienceMilliseconds: Int64) {
        self.target = target
        slot = HashSlot.of(key.rawSpan)
        self.database = database
        self.patienceMilliseconds = patienceMilliseconds
    }

    /// Sends commands together and gives their replies, errors that will not go away included; nil where none come.
    func ask(_ commands: [ByteBuffer]) -> [RESPReply]? {
        let started = currentMilliseconds()
        var words = "no server owns the key's slot"
        // Where the old owner of a slot says that the key is already.
        var asked: ServerAddress?
        var redirectionCount = 0
        while failure == nil {
            if let server = asked ?? target.owner(ofSlot: slot) {
                switch attempt(commands, at: server, isAsking: asked != nil) {
                case .answers(let replies): return replies
                case .redirected(let text):
                    asked = Self.place(text, server)
                    if asked == nil { target.note(redirection: text, from: server) }
                    words = "\(server): \(text)"
                    redirectionCount += 1
                    // A slot on its way is found at once; one that nobody admits to have is waited for.
                    if redirectionCount <= 4 { continue }
                case .later(let why):
                    asked = nil
                    words = why
                case .failed(let error):
                    failure = error
                    return nil
                }
            }
            let now = currentMilliseconds()
            if Interrupt.isRequested {
                failure = .interrupted
            } else if now - started >= patienceMilliseconds {
                failure = ServerError(.timeout, "cannot read back: \(words)")
            } else {
                target.refreshTopology(now: now)
                _ = target.events.wait(milliseconds: Self.pauseMilliseconds)
            }
        }
        return nil
    }

    private enum Attempt {
        case answers([RESPReply])
        case redirected(String)
        case later(String)
        case failed(ServerError)
    }

    private func attempt(_ commands: [ByteBuffer], at server: ServerAddress, isAsking: Bool) -> Attempt {
        do throws(ServerError) {
            let replies = try target.exchange(server, database: database, commands, isAsking: isAsking)
            for text in replies.lazy.compactMap(\.errorText) {
                switch Verdict.ofError(text, .set) {
                case .moved, .ask: return .redirected(text)
                case .later: return .later("\(server): \(text)")
                default: break
                }
            }
            return .answers(replies)
        } catch {
            return ReadBack.isPassing(error) ? .later(error.message) : .failed(error)
        }
    }

    /// Where an `ASK` sends one question.
    private static func place(_ text: String, _ server: ServerAddress) -> ServerAddress? {
        guard let redirection = ClusterRedirection(errorText: text, asked: server), redirection.kind == .ask else {
            return nil
        }
        return redirection.address
    }
}
