import Dispatch
import RDBBytes
import Synchronization

/// A result that one thread waits for and an event loop delivers.
final class ResultWaiter<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, ServerError>?>(nil)
    private let arrival = DispatchSemaphore(value: 0)

    /// Only the first delivery counts.
    func deliver(_ new: Result<Value, ServerError>) {
        let isFirst = result.withLock { result in
            if result != nil { return false }
            result = new
            return true
        }
        if isFirst { arrival.signal() }
    }

    /// Whether waiting is over already.
    var isDelivered: Bool { result.withLock { $0 != nil } }

    /// Waits, but not much longer than a request to stop takes to be seen.
    /// - Parameter heedsInterrupt: false for what has to be done before the program may stop.
    /// - Throws: what was delivered, or `interrupted`.
    func wait(heedsInterrupt: Bool = true) throws(ServerError) -> Value {
        while true {
            if heedsInterrupt, Interrupt.isRequested { throw .interrupted }
            if arrival.wait(timeout: .now() + .milliseconds(100)) == .success { break }
        }
        guard let result = result.withLock({ $0 }) else { preconditionFailure("signalled without a result") }
        return try result.get()
    }
}
