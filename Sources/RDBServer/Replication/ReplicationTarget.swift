import Dispatch
import NIOSSL
import RDBFormat
import RESPFormat

/// The target of a synchronization: what it must be, and how its role and settings are changed and put back.
final class ReplicationTarget {
    private(set) var control: ServerConnection
    private var changedSetting: (name: String, old: String)?

    init(_ control: ServerConnection) { self.control = control }

    var address: ServerAddress { control.address }

    private func unsuitable(_ words: String) -> ServerError { ServerError(.unsuitableTarget, "\(address): \(words)") }

    // MARK: - Before

    /// - Throws: `unsuitableTarget` if it cannot be given a file this way.
    func check(_ description: TargetDescription, version: RDBVersion) throws(ServerError) {
        // What was described may be a while ago.
        let now = try TargetDescription.describe(control)
        if let old = description.runID, let new = now.runID, old != new {
            throw unsuitable("the server was restarted, or another one answers now")
        }
        switch now.family {
        case .redis, .valkey: break
        default: throw unsuitable("\(now.name) is not known to load a file by replication")
        }
        if now.mode == .cluster { throw unsuitable("a node of a cluster cannot load a file by replication") }
        if case .replica(let primary, let isLinkUp) = now.role {
            let hint = isLinkUp ? "" : TargetDescription.leftBehind
            throw unsuitable(
                "the server is a replica of \(primary); only a primary can load a file by replication\(hint)")
        }
        if let obstacle = now.obstacle { throw obstacle }
        switch now.loads(version) {
        case true?: break
        case nil: throw unsuitable("the server does not tell its version, so whether it loads the file is not known")
        case false?: throw unsuitable("\(now.name) does not load a file of version \(version.magic)")
        }
        switch now.isEmpty {
        case true?: break
        case nil: throw unsuitable("the server does not tell whether it is empty")
        case false?: throw unsuitable("the server is not empty, and replication would replace all that it holds")
        }
        // Before 7.0 there are none.
        if let libraries = try control.call("FUNCTION", "LIST").array, !libraries.isEmpty {
            throw unsuitable("the server has function libraries, and replication would replace them")
        }
    }

    /// For the listener; nil where the target replicates without TLS.
    func tlsForReplication() throws(ServerError) -> NIOSSLContext? {
        guard try setting("tls-replication") == "yes" else { return nil }
        guard control.options.tls.certificateFile != nil else {
            throw unsuitable("the server replicates over TLS only (tls-replication); give a certificate and a key")
        }
        return try .serving(control.options.tls)
    }

    /// - Returns: nil where it is not known or may not be asked for.
    private func setting(_ name: String) throws(ServerError) -> String? {
        try control.call("CONFIG", "GET", name)[name]?.text
    }

    // MARK: - The roles

    /// Lets it load from the connection where it is allowed to.
    /// - Returns: whether it will; nil where that is not known.
    func makeDiskless() throws(ServerError) -> Bool? {
        let name = "repl-diskless-load"
        guard let old = try setting(name) else { return nil }
        // Both load straight into memory: the server is empty.
        if old != "disabled" { return true }
        guard try call("CONFIG", "SET", name, "on-empty-db").isOK else { return false }
        changedSetting = (name, old)
        return true
    }

    /// - Throws: `refused` with the server's words.
    func follow(host: String, port: Int) throws(ServerError) {
        let reply = try call("REPLICAOF", host, String(port))
        if !reply.isOK { throw .refused(address, "cannot make the server a replica", reply) }
    }

    struct LinkState {
        var isUp: Bool
        var isLoading: Bool
    }

    func linkState() throws(ServerError) -> LinkState {
        let info = try control.call("INFO").text ?? ""
        let fields = InfoFields(info)
        return LinkState(
            isUp: fields["master_link_status"] == "up" && fields["master_sync_in_progress"] == "0",
            isLoading: fields["loading"] == "1" || fields["async_loading"] == "1")
    }

    /// Makes it a primary again. It may be loading, and the connection may be gone: then it is tried again for a while.
    /// A request to stop does not stop this.
    func promote() throws(ServerError) {
        let start = ContinuousClock.now
        while let failure = try attemptToPromote() {
            // A server that is gone starts again as what its configuration says: not as a replica of this program.
            // One that loads from its disk has to come to its end first.
            let patience: Duration = failure.isOfConnection ? .seconds(5) : .seconds(600)
            if ContinuousClock.now - start > patience { throw failure }
            pause(milliseconds: 100)
        }
    }

    /// - Returns: nil if it is a primary, else why not yet.
    /// - Throws: what will not go away by itself.
    private func attemptToPromote() throws(ServerError) -> ServerError? {
        do throws(ServerError) {
            let reply = try call("REPLICAOF", "NO", "ONE")
            if reply.isOK { return try isPrimary() ? nil : unsuitable("the server is still a replica") }
            let failure = ServerError.refused(address, "cannot make the server a primary again", reply)
            // Loading ends when the replica notices that its primary is gone.
            if ["LOADING", "BUSY", "UNKILLABLE"].contains(reply.errorCode) { return failure }
            throw failure
        } catch {
            guard error.isOfConnection else { throw error }
            return reconnect() ?? error
        }
    }

    private func isPrimary() throws(ServerError) -> Bool {
        let reply = try call("INFO", "replication")
        // Who may not ask has to believe the +OK.
        return reply.text.map { InfoFields($0)["role"] == "master" } ?? true
    }

    private func call(_ arguments: String...) throws(ServerError) -> RESPReply {
        try control.call(arguments.map { Array($0.utf8) }, heedsInterrupt: false)
    }

    /// - Returns: why it is not possible.
    private func reconnect() -> ServerError? {
        control.close()
        var options = control.options
        options.connectTimeout = min(options.connectTimeout, .seconds(2))
        do throws(ServerError) {
            control = try ServerConnection.connect(
                to: address, options: options, group: control.eventLoop, heedsInterrupt: false)
            return nil
        } catch { return error }
    }

    /// Puts back the setting that was changed.
    /// - Returns: why that is not possible.
    func restoreSetting() -> ServerError? {
        guard let (name, old) = changedSetting else { return nil }
        changedSetting = nil
        do throws(ServerError) {
            let reply = try call("CONFIG", "SET", name, old)
            return reply.isOK ? nil : .refused(address, "cannot set \(name) back to \(old)", reply)
        } catch { return error }
    }

    /// By database; nil where it does not tell.
    var keyCounts: [Int: UInt64]? {
        do throws(ServerError) {
            let reply = try call("INFO", "keyspace")
            return reply.text.map { InfoFields($0).keyCounts }
        } catch { return nil }
    }
}

/// Waits for that long.
private func pause(milliseconds: Int) {
    // Nobody signals.
    _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(milliseconds))
}
