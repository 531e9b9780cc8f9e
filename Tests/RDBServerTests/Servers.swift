import NIOPosix
import ServerHarness

/// The one that knows TLS and has a port for the cluster bus: Debian's.
let debianServer = Server.all.first { $0.name == "redis-7.0" }!
let hasDebianServer = ServerCatalog.program(for: debianServer) != nil

/// The loops of all connections in these tests.
let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
