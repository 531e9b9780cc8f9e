import Glibc
import RDBKit

/// Which slots have moved from one server of a cluster to another while they were read: a key that went from a server not
/// read yet to one that was read is in neither's list.
///
/// Slots that moved are read again where they are now. Keys that did not move with them come twice.
struct SlotMoves {
    private let servers: SnapshotServers
    /// By slot: who had it when its keys were read.
    private var readAt: [ServerAddress?]
    private var rounds = 0

    private static let maxRounds = 16

    /// To be made before the first key is read.
    init(_ servers: SnapshotServers) {
        self.servers = servers
        readAt = Self.owners(servers)
    }

    private static func owners(_ servers: SnapshotServers) -> [ServerAddress?] {
        (0..<HashSlot.count).map { servers.topology?.owner(of: $0) }
    }

    /// - Returns: what has to be read again; nothing where no slot has moved since the last call.
    mutating func jobsForMovedSlots(_ notice: (String) -> Void) throws(ServerError) -> [ScanJob] {
        let moving = try awaitMoves(notice)
        let now = Self.owners(servers)
        var slots: [ServerAddress: Set<Int>] = [:]
        for slot in 0..<HashSlot.count where now[slot] != readAt[slot] {
            if let owner = now[slot] { slots[owner, default: []].insert(slot) }
        }
        // Of a move that does not end, both sides are read once more.
        if rounds == 0 {
            for (server, some) in moving { slots[server, default: []].formUnion(some) }
        }
        readAt = now
        if slots.isEmpty { return [] }
        rounds += 1
        guard rounds <= Self.maxRounds else {
            throw ServerError(.unsuitableTarget, "slots of the cluster keep moving; keys of them may be missed")
        }
        var jobs: [ScanJob] = []
        for (server, some) in slots.sorted(by: { $0.key.description < $1.key.description }) {
            for database in try SnapshotHead(servers, { _ in }).databases(of: server) {
                jobs.append(ScanJob(server: server, database: database, slots: some))
            }
        }
        return jobs
    }

    /// Waits until no slot is on the move, but not for ever.
    /// - Returns: those that still are.
    private func awaitMoves(_ notice: (String) -> Void) throws(ServerError) -> [ServerAddress: Set<Int>] {
        let deadline = currentMilliseconds() + servers.options.patienceMilliseconds
        while true {
            var moving: [ServerAddress: Set<Int>] = [:]
            try servers.refreshTopology()
            for server in servers.servers {
                let slots = try servers.slotsOnTheMove(at: server)
                if !slots.isEmpty { moving[server] = slots }
            }
            if moving.isEmpty { return [:] }
            if Interrupt.isRequested { throw .interrupted }
            if currentMilliseconds() > deadline {
                let slots = moving.values.reduce(into: Set<Int>()) { $0.formUnion($1) }
                notice(
                    "slots that stay on the move may hide keys: \(slots.sorted().prefix(10).map { String($0) }.joined(separator: ", "))"
                )
                return moving
            }
            usleep(100_000)
        }
    }
}
