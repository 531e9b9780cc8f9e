import Glibc
import Synchronization

/// A request to stop, set by a signal handler and seen by every read and write that blocks or loops.
///
/// A library never installs handlers by itself; a program calls `catchSignals()`.
public enum Interrupt {
    private static let requested = Atomic<Bool>(false)

    public static var isRequested: Bool { requested.load(ordering: .relaxed) }

    public static func request() { requested.store(true, ordering: .relaxed) }

    /// SIGINT and SIGTERM set the request, so that whole lines are still written and temporary files go away. A second
    /// one ends the program at once. SIGPIPE is ignored: a closed pipe is told by `EPIPE`.
    public static func catchSignals() {
        _ = isRequested  // initialised before a handler can need it
        var action = sigaction()
        // Only an atomic store and sigaction: both are safe in a handler. No SA_RESTART, so that blocking calls return.
        unsafe action.__sigaction_handler.sa_handler = { signal in
            Interrupt.request()
            _ = Glibc.signal(signal, SIG_DFL)
        }
        _ = unsafe sigaction(SIGINT, &action, nil)
        _ = unsafe sigaction(SIGTERM, &action, nil)
        _ = signal(SIGPIPE, SIG_IGN)
    }
}
