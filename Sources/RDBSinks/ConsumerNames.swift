import RDBBytes
import RDBModel

/// The consumers of one group: their names in the form in which they are written, and their times.
@usableFromInline
struct ConsumerNames {
    private var names = OutputBufferBox()
    private var ends: [Int] = []
    private var allTimes: [ConsumerTimes] = []

    var count: Int { allTimes.count }
    var byteCount: Int { names.buffer.byteCount + allTimes.count * 40 }

    mutating func removeAll() {
        if ends.isEmpty { return }
        names.buffer.truncate(to: 0)
        ends.removeAll(keepingCapacity: true)
        allTimes.removeAll(keepingCapacity: true)
    }

    mutating func add(_ append: (inout OutputBuffer) -> Void) {
        append(&names.buffer)
        ends.append(names.buffer.byteCount)
    }

    mutating func add(_ times: ConsumerTimes) { allTimes.append(times) }

    func times(_ index: Int) -> ConsumerTimes { allTimes[index] }

    func appendName(_ index: Int, to out: inout OutputBuffer) {
        out.append(names.buffer, (index == 0 ? 0 : ends[index - 1])..<ends[index])
    }
}

/// Lets a copyable value own a buffer.
private final class OutputBufferBox {
    var buffer = OutputBuffer(capacity: 256)
}
