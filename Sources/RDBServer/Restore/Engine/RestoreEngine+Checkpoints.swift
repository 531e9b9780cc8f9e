import RDBKit

/// How far all entries are done with, noted for another run.
extension RestoreEngine {
    /// Before an entry is sent that lies behind what the checkpoint reserves.
    func reserve(_ offset: UInt64) {
        guard let checkpoint, offset >= checkpoint.checkpoint.reserved else { return }
        position = offset
        save(checkpoint, sent: offset + CheckpointFile.reserveByteCount)
    }

    func writeCheckpoint(_ now: Int64) {
        guard let checkpoint, now - lastCheckpoint >= 1000 else { return }
        save(checkpoint, sent: 0)
    }

    func save(_ checkpoint: CheckpointFile, sent: UInt64) {
        lastCheckpoint = currentMilliseconds()
        let acknowledged = acknowledgedOffset
        // What failed behind it is tried again.
        let count = failedOffsets.count
        failedOffsets.removeAll { $0 < acknowledged }
        do throws(OutputError) {
            try checkpoint.write(
                acknowledged: acknowledged, sent: sent, failed: UInt64(count - failedOffsets.count))
        } catch { end(.checkpoint(error)) }
    }

    /// Every entry that begins before it is done with.
    var acknowledgedOffset: UInt64 {
        var offset = min(position, heldOffset)
        for doubt in doubts { offset = min(offset, doubt.note.header.startOffset) }
        for link in target.allLinks { offset = min(offset, link.firstOffset) }
        for entry in waiting { offset = min(offset, entry.note.header.startOffset) }
        for entry in refused { offset = min(offset, entry.note.header.startOffset) }
        return offset
    }
}
