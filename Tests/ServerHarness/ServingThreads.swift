internal import Glibc
internal import Synchronization

/// What stands in for a server runs on: a listening socket, connections, and threads that serve them. All end together.
final class ServingThreads: Sendable {
    private struct State {
        var isStopped = false
        var open: Set<Int32> = []
        var threadCount = 0
    }

    private let listener: Int32
    private let state = Mutex(State())

    /// - Parameter listener: is closed at the end.
    init(_ listener: Int32) { self.listener = listener }

    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Hands on each connection that is made, one after another.
    func accept(_ serve: @escaping @Sendable (Int32) -> Void) throws {
        try start {
            while true {
                let client = Glibc.accept(self.listener, nil, nil)
                if client < 0, errno == EINTR || errno == ECONNABORTED { continue }
                if client < 0 { return }
                serve(client)
            }
        }
    }

    /// Starts a thread whose end `stop` waits for.
    func start(_ body: @escaping @Sendable () -> Void) throws {
        state.withLock { $0.threadCount += 1 }
        try Thread.start {
            body()
            self.state.withLock { $0.threadCount -= 1 }
        }
    }

    /// Notes sockets, which are shut down with all others.
    func open(_ descriptors: [Int32]) {
        state.withLock { state in
            state.open.formUnion(descriptors)
            if state.isStopped { Self.shutDown(descriptors) }
        }
    }

    func close(_ descriptors: [Int32]) {
        state.withLock { state in
            state.open.subtract(descriptors)
            for descriptor in descriptors { Glibc.close(descriptor) }
        }
    }

    /// Ends all connections that there are.
    func shutDown() { state.withLock { Self.shutDown($0.open) } }

    /// Ends everything; returns when all threads are gone.
    func stop() {
        let wasStopped = state.withLock { state in
            defer { state.isStopped = true }
            Self.shutDown(state.open)
            return state.isStopped
        }
        if wasStopped { return }
        shutdown(listener, Int32(SHUT_RDWR))
        while state.withLock({ $0.threadCount }) > 0 { usleep(1000) }
        // Those that no thread served.
        for descriptor in state.withLock({ $0.open }) { Glibc.close(descriptor) }
        Glibc.close(listener)
    }

    private static func shutDown(_ descriptors: some Sequence<Int32>) {
        for descriptor in descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
}

/// Two sockets that are closed when both threads are done with them.
final class OpenPair: Sendable {
    let descriptors: [Int32]
    private let count = Atomic<Int>(2)

    init(_ first: Int32, _ second: Int32) { descriptors = [first, second] }

    func shutDown() { for descriptor in descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) } }
    func isLast() -> Bool { count.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
}
