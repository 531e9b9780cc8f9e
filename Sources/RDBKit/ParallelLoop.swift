import Dispatch
import RDBBytes
public import RDBFormat
import RDBModel
import RDBTransforms

/// A consumer whose work can be shared out: each worker consumes whole batches of entries, and what it made is taken over
/// in the order of the file.
public protocol ParallelConsumer: EntryConsumer, SendableMetatype, ~Copyable {
    /// Whether what is absorbed batch by batch may differ from what is consumed entry by entry, so that one thread has to
    /// work in batches as several do.
    static var batchesAlways: Bool { get }

    /// Takes entries of a batch that need no reader to stand at them, from where the reader stands on.
    /// - Returns: how many they are.
    mutating func consumePlainStrings(of batch: borrowing EntryBatch, _ reader: inout RDBReader) -> Int

    /// A consumer of the same kind that keeps its results in memory.
    func makeWorker() -> Self

    /// Takes over what a worker made since it was last asked, and leaves it empty.
    mutating func absorb(_ worker: inout Self)

    /// A worker holds so much that it has to be absorbed before it goes on.
    var isFull: Bool { get }

    /// A worker was given an entry that only the consumer itself can take, because it does not fit in memory. The entry
    /// counts as not consumed.
    var mustConsumeAlone: Bool { get }
}

extension ParallelConsumer where Self: ~Copyable {
    public static var batchesAlways: Bool { false }

    public mutating func consumePlainStrings(of batch: borrowing EntryBatch, _ reader: inout RDBReader) -> Int { 0 }
}

/// A batch and what works on it. A struct, so that the loop over its entries checks nothing but them.
private struct BatchWork<C: ParallelConsumer & ~Copyable>: ~Copyable {
    var batch = EntryBatch()
    var worker: C
    /// Stands at the entry that `state` is about, if it is about one.
    var reader: RDBReader
    var consumedCount: UInt64 = 0
    var isAbandoned = false
    var state = State.done

    enum State {
        case done
        /// The worker's results must be absorbed before it goes on.
        case full
        /// The entry must be consumed by the loop.
        case alone
        /// The entry did not decode.
        case fault(DecodeError)
        /// The batch is not what the loop has put into it.
        case broken(DecodeError)

        var isDone: Bool { if case .done = self { true } else { false } }
    }

    init(_ worker: consuming C, version: RDBVersion) {
        self.worker = worker
        reader = RDBReader(of: version)
    }

    /// Before a batch is consumed.
    mutating func start() {
        batch.start(&reader)
        consumedCount = 0
    }

    /// Consumes entries until the batch ends or the loop has something to do first.
    mutating func consume() {
        state = .done
        if isAbandoned { return }
        while true {
            if worker.isFull {
                state = .full
                return
            }
            consumedCount += UInt64(worker.consumePlainStrings(of: batch, &reader))
            do throws(DecodeError) {
                guard try batch.next(&reader) else { return }
            } catch {
                state = .broken(error)
                return
            }
            do throws(DecodeError) {
                try worker.consume(&reader)
            } catch {
                worker.discard()
                state = .fault(error)
                return
            }
            if worker.mustConsumeAlone {
                worker.discard()
                state = .alone
                return
            }
            consumedCount += 1
        }
    }
}

/// Work that goes to a thread and comes back. The semaphores hand it over: only one side touches it at a time.
private final class BatchSlot<C: ParallelConsumer & ~Copyable>: @unchecked Sendable {
    var work: BatchWork<C>
    /// Signalled by the thread when there is something to absorb, and by the loop when the thread may go on.
    private let ready = DispatchSemaphore(value: 0)
    private let resume = DispatchSemaphore(value: 0)

    init(_ worker: consuming C, version: RDBVersion) { work = BatchWork(worker, version: version) }

    /// On the thread: until the batch is done, with a pause for whatever the loop has to do.
    func run() {
        while true {
            work.consume()
            let isDone = work.state.isDone
            ready.signal()
            if isDone { return }
            resume.wait()
        }
    }

    func waitUntilReady() { ready.wait() }
    func goOn() { resume.signal() }

    /// Waits for the thread, whose results nobody wants any more.
    func abandon(isPaused: Bool) {
        var isPaused = isPaused
        while true {
            if !isPaused { ready.wait() }
            if work.state.isDone { return }
            work.isAbandoned = true
            resume.signal()
            isPaused = false
        }
    }
}

extension EntryLoop {
    /// Entries go to other threads in batches of about this many bytes.
    static var batchByteCount: Int { 256 << 10 }

    /// The same run as `run`, with the same results, on several threads: this one finds the entries and takes over what
    /// the others made of them. Memory: a batch and its results for each thread, and two more.
    public func run<C: ParallelConsumer & ~Copyable>(
        _ reader: inout RDBReader, _ consumer: inout C, threads: Int
    ) throws(EntryFault) -> LoopOutcome {
        // Conditions that need what other threads find out are looked at one entry after another.
        if threads < 2 && !C.batchesAlways || selection.limit != nil || selection.needsElementCount {
            return try run(&reader, &consumer)
        }
        var pipeline = BatchPipeline<C>(self, version: reader.version, threads: threads)
        let result: Result<RDBEnd?, EntryFault>
        do throws(EntryFault) {
            result = .success(try feed(&pipeline, &reader, &consumer))
        } catch { result = .failure(error) }
        // Whatever ended the reading, the entries before it are consumed first; their own faults come before it.
        try pipeline.drain(&reader, &consumer)
        pipeline.outcome.end = try result.get()
        if pipeline.outcome.end != nil { try tellTrailingBytes(&reader) }
        return pipeline.outcome
    }

    private func feed<C: ParallelConsumer & ~Copyable>(
        _ pipeline: inout BatchPipeline<C>, _ reader: inout RDBReader, _ consumer: inout C
    ) throws(EntryFault) -> RDBEnd? {
        tellVersion(reader)
        var meter = ProgressMeter(self)
        let takesAll = selection.isEverything
        while !consumer.isDone {
            pipeline.batch.hold(&reader)
            if takesAll {
                let count = pipeline.batch.appendPlainEntries(&reader, upTo: Self.batchByteCount)
                if count > 0 {
                    meter.step(&reader, count: count)
                    if pipeline.batch.byteCount >= Self.batchByteCount { try pipeline.dispatch(&reader, &consumer) }
                    continue
                }
            }
            guard try nextIsEntry(&reader) else {
                let item = try readSection(&reader)
                try pipeline.close(&reader)
                // What is written of it stands in the place of the file. Other sections come in great numbers.
                if case .function = item { try pipeline.drain(&reader, &consumer) }
                tell(item, &consumer)
                if case .end(let end) = item { return end }
                continue
            }
            meter.step(&reader)
            guard takesAll || isSelected(&reader) else {
                try pipeline.close(&reader)
                do throws(DecodeError) { try reader.skipValue() } catch { throw fault(error, reader, isEntry: true) }
                continue
            }
            switch pipeline.batch.take(&reader, selection) {
            case .taken:
                if pipeline.batch.byteCount >= Self.batchByteCount { try pipeline.dispatch(&reader, &consumer) }
                continue
            case .unwanted:
                try pipeline.close(&reader)
                continue
            case .left: break
            }
            try pipeline.drain(&reader, &consumer)
            do throws(DecodeError) { try reader.rewindToValue() } catch { throw fault(error, reader, isEntry: true) }
            reader.holdValue()
            try consumeHeld(&reader, &consumer, &pipeline.outcome)
        }
        return nil
    }
}

extension EntryBatch {
    fileprivate enum Taking {
        case taken, unwanted
        /// Too large, or damaged: decoding the value tells better than stepping over it what is wrong.
        case left
    }

    /// Steps over the value that the reader stands at, and adds the entry where its length is wanted.
    @inline(__always)
    fileprivate mutating func take(_ reader: inout RDBReader, _ selection: borrowing Selection) -> Taking {
        do throws(DecodeError) { try reader.skipValue() } catch { return .left }
        if !selection.admits(byteCount: reader.offset - reader.header.valueOffset) { return .unwanted }
        return append(&reader) ? .taken : .left
    }
}

/// The batches under way, oldest first, and the one being filled.
private struct BatchPipeline<C: ParallelConsumer & ~Copyable>: ~Copyable {
    private let loop: EntryLoop
    private let version: RDBVersion
    private let threads: Int
    /// Made with the first batch: by then the consumer has seen the file's head.
    private var hasSlots = false
    private var free: [BatchSlot<C>] = []
    private var busy: [BatchSlot<C>] = []
    private let queue = DispatchQueue(label: "rdbkit.decode", attributes: .concurrent)
    var batch = EntryBatch()
    var outcome = LoopOutcome()

    init(_ loop: EntryLoop, version: RDBVersion, threads: Int) {
        self.loop = loop
        self.version = version
        self.threads = threads
    }

    /// With one thread, which is this one, batches are worked on when they are absorbed.
    private var isSerial: Bool { threads < 2 }

    /// Ends a run of entries: what the reader read last does not belong to it, and need not be kept.
    mutating func close(_ reader: inout RDBReader) throws(EntryFault) {
        do throws(DecodeError) { try batch.close(&reader) } catch { throw loop.fault(error, reader, isEntry: false) }
        reader.releaseItem()
    }

    /// Hands the filled batch to a thread and makes room for the next.
    mutating func dispatch(_ reader: inout RDBReader, _ consumer: inout C) throws(EntryFault) {
        // Entries that cannot be copied any more are not lost before those that can.
        let closed: Result<Void, DecodeError>
        do throws(DecodeError) { closed = .success(try batch.close(&reader)) } catch { closed = .failure(error) }
        try send(&consumer)
        do throws(DecodeError) { try closed.get() } catch { throw loop.fault(error, reader, isEntry: false) }
    }

    private mutating func send(_ consumer: inout C) throws(EntryFault) {
        if batch.isEmpty { return }
        if !hasSlots {
            for _ in 0..<threads + 1 { free.append(BatchSlot(consumer.makeWorker(), version: version)) }
            hasSlots = true
        }
        if free.isEmpty { try absorbOldest(&consumer) }
        // absorbOldest gives a slot back, or throws.
        let slot = free.removeLast()
        swap(&slot.work.batch, &batch)
        slot.work.start()
        if !isSerial { queue.async { slot.run() } }
        busy.append(slot)
    }

    /// Takes over all that is under way.
    mutating func drain(_ reader: inout RDBReader, _ consumer: inout C) throws(EntryFault) {
        try dispatch(&reader, &consumer)
        while !busy.isEmpty { try absorbOldest(&consumer) }
    }

    private mutating func absorbOldest(_ consumer: inout C) throws(EntryFault) {
        let slot = busy.removeFirst()
        while true {
            if isSerial { slot.work.consume() } else { slot.waitUntilReady() }
            consumer.absorb(&slot.work.worker)
            if slot.work.state.isDone { break }
            do throws(EntryFault) { try attend(to: &slot.work, &consumer) } catch {
                // Nothing behind the fault counts, but no thread may be left with memory that is given up.
                if !isSerial {
                    slot.abandon(isPaused: true)
                    for other in busy { other.abandon(isPaused: false) }
                }
                busy = []
                batch.removeAll()
                throw error
            }
            if !isSerial { slot.goOn() }
        }
        outcome.selectedCount += slot.work.consumedCount
        slot.work.batch.removeAll()
        free.append(slot)
    }

    /// What paused work needs of the loop.
    private mutating func attend(to work: inout BatchWork<C>, _ consumer: inout C) throws(EntryFault) {
        switch work.state {
        case .done, .full: break
        case .alone:
            do throws(DecodeError) { try work.reader.rewindToValue() } catch {
                throw loop.fault(error, work.reader, isEntry: true)
            }
            try loop.consumeHeld(&work.reader, &consumer, &outcome)
        case .fault(let error):
            try loop.recover(from: error, &work.reader)
            outcome.skippedCount += 1
        case .broken(let error): throw loop.fault(error, work.reader, isEntry: false)
        }
    }
}
