import NIOCore
import RDBBytes
import RESPFormat

/// One synchronization from its beginning to its end, on the caller's thread.
final class ReplicationSession {
    private let target: ReplicationTarget
    private let options: ReplicationSync.Options
    private let mailbox = Mailbox<ReplicaEvent>()
    private let listener: PrimaryListener
    private let announced: (host: String, port: Int)

    var onProgress: ((ReplicationSync.Progress) -> Void)?
    private var progress = ReplicationSync.Progress(phase: .connecting, sentByteCount: 0)
    private var lastProgress = ContinuousClock.now

    // What the events have told.
    private var link: ReplicaLink?
    private var hasEOF = false
    private var isOldForm = false
    private var acknowledged: UInt64?
    private var failure: ServerError?
    private var lastHeard = ContinuousClock.now
    private var hasConnected = false
    private var lastStranger: String?
    /// How a connection ended that asked for nothing.
    private var lastAttempt: ServerError?

    /// The replication offset that the replica is told with the file.
    private static let startOffset: UInt64 = 1

    /// Listens; nothing of the target is changed yet.
    init(target: ReplicationTarget, options: ReplicationSync.Options) throws(ServerError) {
        self.target = target
        self.options = options
        let control = target.control
        let own = control.localHost.map { PrimaryListener.plain($0) } ?? "127.0.0.1"
        let peers = options.peers ?? control.remoteHost.map { [PrimaryListener.plain($0)] } ?? ["127.0.0.1", "::1"]
        let wanted = try Self.hostAndPort(options.announce)
        var listening = try Self.hostAndPort(options.listen)
        if listening == nil, let wanted {
            // What is announced may be an address of somebody who forwards to this machine.
            listening = (own.contains(":") ? "::" : "0.0.0.0", wanted.port)
        }
        listener = try PrimaryListener(
            host: listening?.host ?? own, port: listening?.port ?? 0, peers: peers,
            tls: target.tlsForReplication(), loop: control.eventLoop, mailbox: mailbox)
        let port = wanted?.port ?? 0
        announced = (wanted?.host ?? own, port == 0 ? listener.port : port)
    }

    private static func hostAndPort(_ address: ServerAddress?) throws(ServerError) -> (host: String, port: Int)? {
        switch address {
        case nil: return nil
        case .tcp(let host, let port): return (host, port)
        case .unix(let path): throw ServerError(.badURL, "\(path): replication wants a host and a port, not a path")
        }
    }

    func close() { listener.close() }

    func run(_ source: any ByteSource, byteCount: UInt64?) throws(ServerError) -> ReplicationSummary {
        let start = ContinuousClock.now
        progress.byteCount = byteCount
        let isDiskless = try target.makeDiskless()
        do throws(ServerError) {
            try target.follow(host: announced.host, port: announced.port)
        } catch {
            guard case .refused = error.code else { throw restored(after: error) }
            throw restoredSetting(after: error)
        }
        do throws(ServerError) {
            let link = try waitForRequest(hasLength: byteCount != nil)
            try send(source, byteCount: byteCount, to: link)
            try waitForEnd(link)
            report(.promoting, always: true)
            try target.promote()
        } catch {
            throw restored(after: error)
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return ReplicationSummary(
            byteCount: progress.sentByteCount, seconds: seconds, isDiskless: isDiskless, keyCounts: target.keyCounts,
            settingError: target.restoreSetting())
    }

    /// Makes the target what it was, and adds to the error how that went.
    private func restored(after error: ServerError) -> ServerError {
        // A replica that waits for the rest of a file can do nothing else.
        listener.close()
        var error = error
        do throws(ServerError) {
            try target.promote()
            error.message += "; the target is a primary again"
        } catch let second {
            error.message += "; the target may have been left a replica of \(address): \(second.message)"
            return error
        }
        return restoredSetting(after: error)
    }

    private func restoredSetting(after error: ServerError) -> ServerError {
        guard let second = target.restoreSetting() else { return error }
        return ServerError(error.code, "\(error.message), but \(second.message)")
    }

    private var address: ServerAddress { .tcp(host: announced.host, port: announced.port) }

    // MARK: - Events

    /// Takes what has happened, and waits for it up to so long.
    /// - Throws: `interrupted`.
    private func takeEvents(milliseconds: Int) throws(ServerError) {
        for event in mailbox.wait(milliseconds: milliseconds) {
            switch event {
            case .strangerRefused(let host): lastStranger = host
            case .connected: hasConnected = true
            case .heard: lastHeard = .now
            case .syncRequested(let new, let capabilities, let oldForm):
                if link != nil {
                    // The first one is at work.
                    new.close()
                    continue
                }
                link = new
                hasEOF = capabilities.contains("eof")
                isOldForm = oldForm
            case .acknowledged(let of, let offset):
                if let link, ObjectIdentifier(link) == of { acknowledged = max(acknowledged ?? 0, offset) }
            case .closed(let of, let error):
                // Before it has asked, a replica may try again.
                if let link, of == ObjectIdentifier(link) { failure = failure ?? error }
                if link == nil { lastAttempt = error }
            }
        }
        if Interrupt.isRequested { throw .interrupted }
    }

    private func report(_ phase: ReplicationSync.Phase, always: Bool = false) {
        progress.phase = phase
        guard let onProgress, always || ContinuousClock.now - lastProgress >= .milliseconds(100) else { return }
        lastProgress = .now
        onProgress(progress)
    }

    // MARK: - Steps

    private func waitForRequest(hasLength: Bool) throws(ServerError) -> ReplicaLink {
        let deadline = ContinuousClock.now + options.connectBackTimeout
        while link == nil {
            report(.connecting)
            // Certificates that do not fit do not come to fit.
            if ContinuousClock.now > deadline || lastAttempt?.code == .tls { throw didNotConnect() }
            try takeEvents(milliseconds: 100)
        }
        guard let link else { throw didNotConnect() }
        if !hasLength, !hasEOF {
            throw ServerError(
                .unsuitableTarget, "\(target.address): the server wants to know the file's size beforehand")
        }
        return link
    }

    private func didNotConnect() -> ServerError {
        let seconds = options.connectBackTimeout / .seconds(1)
        var words = "\(target.address): the target could not connect back to \(address) within \(seconds) s"
        if let lastAttempt {
            if lastAttempt.code == .tls { return ServerError(.tls, "\(target.address): \(lastAttempt.message)") }
            words = "\(target.address): the target connected to \(address), but not to the end: \(lastAttempt.message)"
        } else if hasConnected {
            words = "\(target.address): the target connected to \(address), but asked for nothing within \(seconds) s"
        } else if let lastStranger {
            words += "; \(lastStranger) did, and is not the address of the target"
        }
        return ServerError(.timeout, words)
    }

    private func send(_ source: any ByteSource, byteCount: UInt64?, to link: ReplicaLink) throws(ServerError) {
        var random = SystemRandomNumberGenerator()
        let history = Self.hexDigits(40, &random)
        let mark = Self.hexDigits(40, &random)
        let head = isOldForm ? "" : "+FULLRESYNC \(history) \(Self.startOffset)\r\n"
        link.send(head + (byteCount.map { "$\($0)\r\n" } ?? "$EOF:\(mark)\r\n"))
        lastHeard = .now
        while true {
            let wanted = byteCount.map { min($0 - progress.sentByteCount, UInt64(ReplicaLink.pieceByteCount)) }
            if wanted == 0 { break }
            var piece = try room(link)
            let got = try Self.fill(&piece, upTo: wanted.map { Int($0) } ?? ReplicaLink.pieceByteCount, from: source)
            if got == 0 { break }
            link.send(piece)
            progress.sentByteCount += UInt64(got)
        }
        if let byteCount {
            guard progress.sentByteCount == byteCount else {
                let words = "the input ends after \(progress.sentByteCount) of \(byteCount) bytes"
                throw ServerError(.sourceFailed, words)
            }
        } else {
            link.send(mark)
        }
        // Answered at once when the file is loaded; otherwise the answer comes within a second.
        link.send("*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n")
    }

    /// Waits until the connection takes another piece.
    private func room(_ link: ReplicaLink) throws(ServerError) -> ByteBuffer {
        while true {
            report(.sending)
            try takeEvents(milliseconds: 0)
            if let failure { throw gaveUp(failure) }
            do throws(ServerError) {
                if let piece = try link.piece(milliseconds: 100) {
                    lastHeard = .now
                    return piece
                }
            } catch { throw gaveUp(error) }
            try checkSilence()
        }
    }

    /// Reads as much as there is at once.
    private static func fill(
        _ piece: inout ByteBuffer, upTo count: Int, from source: any ByteSource
    ) throws(ServerError) -> Int {
        var failure: SourceError?
        // The part of the buffer given to the source is no longer than the buffer, whose capacity is at least count.
        let got = unsafe piece.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
            do throws(SourceError) {
                return unsafe try source.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<min(count, bytes.count)]))
            } catch {
                failure = error
                return 0
            }
        }
        switch failure {
        case nil: return got
        case .interrupted: throw .interrupted
        case .system(let number):
            throw ServerError(.sourceFailed, "cannot read the input: \(ServerError.words(errno: number))")
        case .damaged(let code, let expected):
            throw ServerError(.sourceFailed, "the input is damaged: \(code.words): expected \(expected)")
        }
    }

    private func waitForEnd(_ link: ReplicaLink) throws(ServerError) {
        lastHeard = .now
        var lastPing = ContinuousClock.now
        while acknowledged ?? 0 < Self.startOffset {
            report(.loading)
            try takeEvents(milliseconds: 100)
            if let failure { throw gaveUp(failure) }
            try checkSilence()
            if ContinuousClock.now - lastPing >= .seconds(1) {
                // A replica drops a primary that says nothing.
                link.send("*1\r\n$4\r\nPING\r\n")
                lastPing = .now
            }
        }
        // The acknowledgement says it; what the target tells has to agree.
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let state = try target.linkState()
            if state.isUp, !state.isLoading { return }
            if ContinuousClock.now > deadline {
                throw ServerError(
                    .protocolViolation, "\(target.address): the target has acknowledged the file but is not in sync")
            }
            try takeEvents(milliseconds: 50)
            if let failure { throw gaveUp(failure) }
        }
    }

    private func checkSilence() throws(ServerError) {
        if ContinuousClock.now - lastHeard > options.silenceTimeout {
            let seconds = options.silenceTimeout / .seconds(1)
            throw ServerError(
                .timeout, "\(target.address): the target has shown no sign of life for \(seconds) s while loading")
        }
    }

    /// A replica that hangs up says its reason only to its log.
    private func gaveUp(_ error: ServerError) -> ServerError {
        guard error.code == .closed else { return error }
        let sent = "after \(progress.sentByteCount) bytes"
        return ServerError(
            .closed, "\(target.address): the target gave up \(sent) (its log says why): \(error.message)")
    }

    private static func hexDigits(_ count: Int, _ random: inout SystemRandomNumberGenerator) -> String {
        let digits = Array("0123456789abcdef")
        return String((0..<count).map { _ in digits[Int.random(in: 0..<16, using: &random)] })
    }
}
