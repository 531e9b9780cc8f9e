import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Listens for the target that was told to be a replica, and for nobody else.
struct PrimaryListener {
    /// Where it listens.
    let host: String
    let port: Int
    private let channel: any Channel
    private let accepted: Accepted

    /// - Parameters:
    ///   - port: 0 for any free one.
    ///   - peers: the IP addresses that may connect.
    ///   - tls: to be served with TLS.
    init(
        host: String, port: Int, peers: Set<String>, tls: NIOSSLContext?, loop: any EventLoop,
        mailbox: Mailbox<ReplicaEvent>
    ) throws(ServerError) {
        let accepted = Accepted()
        let bootstrap = ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 16)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 1 << 20, high: 8 << 20))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let peer = channel.remoteAddress?.ipAddress.map { Self.plain($0) } ?? "?"
                    guard peers.contains(peer) else {
                        mailbox.post([.strangerRefused(host: peer)])
                        throw ServerError(.unsuitableTarget, "\(peer) is not the target")
                    }
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(PrimaryHandler(mailbox: mailbox))
                    accepted.add(channel)
                }
            }
        let waiter = ResultWaiter<any Channel>()
        bootstrap.bind(host: host, port: port).whenComplete { result in
            waiter.deliver(
                result.mapError { error in
                    let words = (error as? IOError).map { ServerError.words(errno: $0.errnoCode) } ?? "\(error)"
                    let address = ServerAddress.tcp(host: host, port: port)
                    return ServerError(.cannotConnect, "cannot listen on \(address): \(words)")
                })
        }
        channel = try waiter.wait()
        self.accepted = accepted
        self.host = host
        self.port = channel.localAddress?.port ?? port
    }

    /// An IPv4 address without the form that it has within IPv6.
    static func plain(_ host: String) -> String {
        host.lowercased().hasPrefix("::ffff:") && host.contains(".") ? String(host.dropFirst(7)) : host
    }

    /// Ends the listening and every connection.
    func close() {
        channel.close(promise: nil)
        accepted.close()
    }

    /// The connections that were let in and have not ended.
    private final class Accepted: Sendable {
        private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

        func add(_ channel: any Channel) {
            channels.withLock { $0[ObjectIdentifier(channel)] = channel }
            channel.closeFuture.whenComplete { [self] _ in
                channels.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(channel)) }
            }
        }

        func close() {
            for channel in channels.withLock({ Array($0.values) }) { channel.close(promise: nil) }
        }
    }
}
