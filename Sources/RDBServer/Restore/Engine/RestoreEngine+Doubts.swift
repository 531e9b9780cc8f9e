import NIOCore
import RDBKit

/// Keys that exist, perhaps because a command was carried out whose reply got lost.
extension RestoreEngine {
    /// Looks at the keys that exist, perhaps because a command was carried out whose reply got lost: what holds the
    /// entry's own data was made by it.
    func resolveDoubts() {
        guard !doubts.isEmpty, stop == nil else { return }
        let all = doubts
        doubts = []
        var batches: [ServerAddress: [(doubt: Doubt, expected: ReadBack.Expected)]] = [:]
        for doubt in all {
            guard let expected = expectation(doubt.note, doubt.bytes) else {
                exists(doubt.note.header, doubt.note.key(in: doubt.bytes))
                continue
            }
            guard let server = target.owner(ofSlot: HashSlot.of(expected.key.rawSpan)) else {
                wait(doubt.note, doubt.bytes, words: "", delay: 100)
                continue
            }
            batches[server, default: []].append((doubt, expected))
        }
        let readBack = ReadBack(self)
        for (server, batch) in batches {
            var rest = batch[...]
            while !rest.isEmpty {
                let some = rest.prefix(ReadBack.maxBatchCount)
                rest = rest.dropFirst(some.count)
                let found = readBack.compare(some.map(\.expected), at: server)
                for (each, match) in zip(some, found) {
                    switch match {
                    case .same: applied(each.doubt.note.header, each.doubt.note.form)
                    case .other: exists(each.doubt.note.header, each.expected.key)
                    case .unknown(let words): wait(each.doubt.note, each.doubt.bytes, words: words, delay: 100)
                    }
                }
            }
        }
    }

    /// What the key holds if the entry's commands have put it there.
    func expectation(_ note: EntryNote, _ bytes: ByteBuffer) -> ReadBack.Expected? {
        let key = note.key(in: bytes)
        let readBack = ReadBack(self)
        var digest: Digest128?
        switch note.form {
        case .restore:
            guard let value = note.payloadValue(in: bytes) else { return nil }
            digest = readBack.digest(
                note.header, inputVersion, key: key, value: value.readableBytesSpan)
        case .batched, .set:
            guard let value = note.setValue(in: bytes) else { return nil }
            digest = readBack.digest(string: value.readableBytesSpan, note.header, key: key)
        case .commands, .sliced: digest = note.digest
        }
        return digest.map { ReadBack.Expected(header: note.header, key: key, digest: $0) }
    }
}
