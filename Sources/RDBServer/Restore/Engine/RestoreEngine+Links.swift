import NIOCore
import RDBKit

/// Connections that are made when they are needed, questions besides the flow of entries, and patience with both.
extension RestoreEngine {
    /// A connected link for the slot, or to a server named in its place, in that database; waits while there is none. Nil
    /// when the run has to end.
    func readyLink(slot: Int, database: UInt64, at asked: ServerAddress? = nil) -> RestoreLink? {
        var isFirst = true
        while stop == nil {
            let address = asked ?? target.owner(ofSlot: slot)
            let link = address.map { target.link(to: $0, slot: slot) }
            if let link, link.connection != nil, link.database == database { return link }
            if isFirst { beginWaiting() }
            isFirst = false
            let now = currentMilliseconds()
            if let link {
                if connect(link, now: now), select(database, on: link, now: now) { return link }
            } else {
                target.refreshTopology(now: now)
                lastWords = "no server owns slot \(slot)"
            }
            checkPatience(now)
            pump(milliseconds: 50)
        }
        return nil
    }

    func connect(_ link: RestoreLink, now: Int64) -> Bool {
        if link.connection != nil { return true }
        if now < link.retryAt { return false }
        let isFirst = link.number < 0 && link.sent.isEmpty && summary.reconnections == 0
        guard let error = target.connect(link) else { return true }
        lastWords = error.message
        if !error.isOfConnection, !isTemporary(error) { end(.server(error)) }
        if !isFirst || target.isCluster { target.refreshTopology(now: now) }
        return false
    }

    /// A server that is just starting answers, but only to say so.
    func isTemporary(_ error: ServerError) -> Bool {
        if case .refused(let reply) = error.code { return reply.hasPrefix("LOADING") }
        return false
    }

    /// Puts a link into a database. The answer is waited for: were it refused unseen (a script runs), all that follows
    /// would go into another database. Files hold one database after another, so this is rare.
    func select(_ database: UInt64, on link: RestoreLink, now: Int64) -> Bool {
        if link.database == database { return true }
        if now < link.retryAt { return false }
        submit(link, waits: false)
        guard let connection = link.connection else { return false }
        do throws(ServerError) {
            let reply = try connection.call("SELECT", String(database))
            if reply.isOK {
                link.database = database
                return true
            }
            lastWords = "\(link.address): cannot use database \(database): \(reply.errorText ?? "")"
            link.retryAt = now + 100
        } catch {
            // An event tells the end of the connection as well.
            lastWords = error.message
        }
        return false
    }

    /// Ends a connection on which nothing more can be sent, and waits until that is known.
    func cut(_ link: RestoreLink) {
        link.connection?.close()
        let until = currentMilliseconds() + 2000
        while link.connection != nil, currentMilliseconds() < until { pump(milliseconds: 100) }
    }

    // MARK: - Questions

    /// The server's words where it does not have this database.
    func refusal(ofDatabase database: UInt64) -> String? {
        if database == 0 { return nil }
        if let known = databaseRefusals[database] { return known }
        beginWaiting()
        while stop == nil {
            for server in target.servers {
                do throws(ServerError) {
                    // Whatever this is answered, the database was selected before.
                    _ = try target.ask(server, database: database, [Array("PING".utf8)])
                    databaseRefusals.updateValue(nil, forKey: database)
                    return nil
                } catch {
                    lastWords = error.message
                    if case .refused(let words) = error.code {
                        if case .later = Verdict.ofError(words, .set) { continue }
                        databaseRefusals[database] = words
                        return words
                    }
                    if !error.isOfConnection { end(.server(error)) }
                }
            }
            checkPatience(currentMilliseconds())
            pump(milliseconds: 100)
        }
        return nil
    }

    /// A question that is asked again until the server answers; nil when the run has to end.
    func askPatiently(_ server: ServerAddress, _ words: [[UInt8]]) -> RESPReply? {
        beginWaiting()
        while stop == nil {
            do throws(ServerError) {
                let reply = try target.ask(server, words)
                guard let text = reply.errorText else { return reply }
                switch Verdict.ofError(text, .set) {
                case .later: lastWords = "\(server): \(text)"
                case .hopeless: end(.server(ServerError(.refused(reply: text), "\(server): \(text)")))
                default: return reply
                }
            } catch {
                lastWords = error.message
                if !error.isOfConnection { end(.server(error)) }
            }
            checkPatience(currentMilliseconds())
            pump(milliseconds: 100)
        }
        return nil
    }

    /// One question besides the flow of entries; nil where it finds no answer.
    func ask(_ address: ServerAddress, _ database: UInt64, _ arguments: [[UInt8]]) -> RESPReply? {
        do throws(ServerError) {
            return try target.ask(address, database: database, arguments)
        } catch {
            lastWords = error.message
            return nil
        }
    }

    /// A command whose reply nobody waits for long: the run has ended.
    func tell(_ address: ServerAddress, _ database: UInt64, _ arguments: [[UInt8]]) {
        var bytes = ByteBuffer()
        bytes.writeCommand(arguments)
        target.openControl(address, database)?.submit(CommandFrame(id: 0, bytes: bytes, commandCount: 1))
        pump(milliseconds: 100)
    }

    // MARK: - Patience

    /// Waits a moment for what the target said was only for now.
    func waitBriefly(_ milliseconds: Int64, _ words: String) {
        lastWords = words
        let until = currentMilliseconds() + milliseconds
        while stop == nil {
            let now = currentMilliseconds()
            checkPatience(now)
            if now >= until { return }
            pump(milliseconds: Int(until - now))
        }
    }

    /// Patience begins when something is waited for.
    func beginWaiting() {
        if framesInFlight == 0, waiting.isEmpty, doubts.isEmpty { keepPatience() }
    }

    func keepPatience() { lastProgress = currentMilliseconds() }

    func checkPatience(_ now: Int64) {
        if now - lastProgress > options.patienceMilliseconds { losePatience() }
    }

    /// Ends the run for want of progress.
    func losePatience() {
        let seconds = options.patienceMilliseconds / 1000
        let words = "no progress for \(seconds) s: \(lastWords.isEmpty ? "no reply" : lastWords)"
        end(.server(ServerError(.timeout, words)))
    }
}
