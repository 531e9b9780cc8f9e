import Dispatch
import Synchronization

/// Where event loops leave what happened, and one thread takes it.
final class Mailbox<Event: Sendable>: Sendable {
    private let events = Mutex<[Event]>([])
    private let arrival = DispatchSemaphore(value: 0)

    /// Takes all events; waits for the first one if there are none.
    /// - Returns: nothing if none came in that time.
    func wait(milliseconds: Int) -> [Event] {
        // Often asked in passing: no clock, no system call.
        if milliseconds <= 0 { return take() }
        let deadline = DispatchTime.now() + .milliseconds(milliseconds)
        while true {
            let taken = take()
            if !taken.isEmpty { return taken }
            // A signal may be left over from events that were taken without waiting: then there is nothing, once.
            if arrival.wait(timeout: deadline) == .timedOut { return take() }
        }
    }

    private func take() -> [Event] {
        events.withLock { events in
            let taken = events
            events = []
            return taken
        }
    }

    func post(_ new: [Event]) {
        if new.isEmpty { return }
        let wasEmpty = events.withLock { events in
            let wasEmpty = events.isEmpty
            events += new
            return wasEmpty
        }
        if wasEmpty { arrival.signal() }
    }
}
