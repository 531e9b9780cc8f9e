import Glibc
import RDBKit

/// Where the fuzzers and the regression tests put bytes into the decoder. Whatever the bytes are, these return; a trap,
/// a hang, or two ways of reading that disagree is a fault of ours.
public enum FuzzEntrance: String, CaseIterable, Sendable {
    /// A byte that chooses how the rest arrives, then a whole file.
    case rdb
    /// A byte that chooses a type and its packing, then the value (`ValueInput`).
    case value
    /// An LZF block, held against liblzf.
    case lzf
    /// A byte that chooses how the rest arrives, then commands, held against a plain reader of the strict form.
    case resp
    /// A byte that chooses how the rest arrives, then a log with or without an RDB before its commands, or a manifest.
    case aof
    /// The same, whose commands are applied; the RDB of the state is read.
    case state

    public func run(_ input: [UInt8]) {
        switch self {
        case .rdb:
            guard let choice = input.first else { return }
            Self.decode(Array(input.dropFirst()), choice)
        case .value:
            guard let file = ValueInput.file(input) else { return }
            Self.decode(file.bytes, file.choice)
        case .lzf: Self.decompress(input)
        case .resp:
            guard let choice = input.first else { return }
            Self.readCommands(Array(input.dropFirst()), choice)
        case .aof:
            guard let choice = input.first else { return }
            Self.readLog(Array(input.dropFirst()), choice)
        case .state:
            guard let choice = input.first else { return }
            Self.applyLog(Array(input.dropFirst()), choice)
        }
    }

    private static func decode(_ bytes: [UInt8], _ choice: UInt8) {
        let arrival = Arrival(choice: choice)
        json(bytes, arrival, onError: .skip, JSONOptions(), threads: 2)
        json(bytes, arrival, onError: choice & 0x80 == 0 ? .stop : .skip, options(choice), threads: 1)
        check(bytes, arrival)
        digests(bytes, arrival, onError: choice & 0x80 == 0 ? .stop : .skip)
        keys(bytes, arrival)
        compare(bytes, arrival)
        let decoded = digest(bytes, arrival, readsValues: true)
        let other = digest(bytes, .whole, readsValues: true)
        precondition(decoded == other, "the result depends on how the bytes arrive: \(decoded) and \(other)")
        let skipped = digest(bytes, arrival, readsValues: false)
        if let ends = decoded.valueEnds {
            precondition(skipped.valueEnds == ends, "a value ends elsewhere when it is skipped")
        }
    }

    // MARK: - What commands do

    /// Opens the bytes and runs a command's loop over them.
    private static func loop<C: EntryConsumer & ~Copyable>(
        _ bytes: [UInt8], _ arrival: Arrival, onError: EntryLoop.OnError, selection: Selection = Selection(now: 0),
        _ make: (RDBVersion) -> C, finish: (inout C) -> Void,
        run: (EntryLoop, inout RDBReader, inout C) throws(EntryFault) -> LoopOutcome = {
            (loop, reader, consumer) throws(EntryFault) in try loop.run(&reader, &consumer)
        }
    ) {
        do {
            let input = try Input(arrival.source(bytes))
            var reader = try RDBReader(input.source, windowByteCount: arrival.windowByteCount)
            var consumer = make(reader.version)
            var loop = EntryLoop(selection: selection)
            loop.onError = onError
            loop.notice = { _ in }
            do throws(EntryFault) { _ = try run(loop, &reader, &consumer) } catch { _ = error.error.description }
            finish(&consumer)
        } catch {
            _ = "\(error)"
        }
    }

    private static func options(_ choice: UInt8) -> JSONOptions {
        var options = JSONOptions()
        options.strings = [.hex, .base64, .latin1, .auto][Int(choice & 3)]
        options.array = choice & 4 != 0
        options.meta = choice & 8 != 0
        options.parts = choice & 0x30 == 0x10 ? .withoutValues : choice & 0x30 == 0x20 ? .keysOnly : .everything
        return options
    }

    /// Digests must not depend on how the bytes arrive, nor on the number of threads.
    private static func digests(_ bytes: [UInt8], _ arrival: Arrival, onError: EntryLoop.OnError) {
        func run<V: DigestVisitor>(
            _ arrival: Arrival, threads: Int, _ visitor: (RDBVersion) -> V
        ) -> [(number: UInt64, total: V.Total)]? {
            var totals: [(number: UInt64, total: V.Total)]?
            loop(bytes, arrival, onError: onError) { version in
                DigestConsumer(visitor(version), lines: DigestLineWriter(nil, format: .text), writesKeys: false)
            } finish: {
                totals = $0.totals.byNumber
            } run: { (loop, reader, consumer) throws(EntryFault) in
                try loop.run(&reader, &consumer, threads: threads)
            }
            return totals
        }
        func check<V: DigestVisitor>(_ visitor: (RDBVersion) -> V) {
            let first = run(arrival, threads: 1, visitor)
            let other = run(.whole, threads: 2, visitor)
            precondition(first?.map(\.number) == other?.map(\.number), "the databases depend on how the bytes arrive")
            precondition(first?.map(\.total) == other?.map(\.total), "the digest depends on how the bytes arrive")
        }
        check { _ in EntryDigest() }
        check { RedisDigest(RedisDigest.Rules(writerOf: $0)) }
    }

    /// A file that can be read to its end is the same as itself, however it arrives.
    private static func compare(_ bytes: [UInt8], _ arrival: Arrival) {
        var options = ComparisonOptions()
        options.memory = 1 << 20
        let comparison = Comparison(options)
        func read(
            _ pass: (Side, inout RDBReader, EntryLoop) throws(EntryFault) -> LoopOutcome
        ) -> Bool {
            for side in Side.allCases {
                do {
                    let input = try Input((side == .a ? arrival : .whole).source(bytes))
                    var reader = try RDBReader(input.source, windowByteCount: arrival.windowByteCount)
                    _ = try pass(side, &reader, EntryLoop(selection: Selection(now: 0)))
                } catch { return false }
            }
            return true
        }
        do throws(SpillError) {
            guard
                read({ (side, reader, loop) throws(EntryFault) in
                    try comparison.tally(side, &reader, loop, threads: side == .a ? 1 : 2)
                })
            else { return }
            if try comparison.findSuspects(threads: 2) {
                let isRecorded = read { (side, reader, loop) throws(EntryFault) in
                    try comparison.record(side, &reader, loop, threads: 2)
                }
                if !isRecorded { return }
            }
            try comparison.join()
            precondition(comparison.isSame, "a file that differs from itself")
        } catch { preconditionFailure("no temporary file: \(error)") }
    }

    private static let nullDevice = open("/dev/null", O_WRONLY | O_CLOEXEC)

    /// Output that goes nowhere.
    private static var nowhere: OutputFile { OutputFile(descriptor: nullDevice) }

    /// The lines must be JSON, and with several threads the same.
    private static func json(
        _ bytes: [UInt8], _ arrival: Arrival, onError: EntryLoop.OnError, _ options: JSONOptions, threads: Int
    ) {
        var selection = Selection(now: 0)
        if options.meta { selection.elementCounts = 1...UInt64.max }
        func lines(_ threads: Int) -> [UInt8] {
            let capture = Capture()
            loop(bytes, arrival, onError: onError, selection: selection) { _ in
                JSONConsumer(JSONEntryWriter(capture.file, options: options))
            } finish: {
                $0.writer.finish()
            } run: { (loop, reader, consumer) throws(EntryFault) in
                try loop.run(&reader, &consumer, threads: threads)
            }
            return capture.bytes
        }
        let plain = lines(1)
        precondition(JSONSyntax.isValid(plain), "what is written is not JSON")
        if threads > 1 { precondition(lines(threads) == plain, "several threads write something else") }
    }

    private static func check(_ bytes: [UInt8], _ arrival: Arrival) {
        loop(bytes, arrival, onError: .skip) {
            CheckConsumer(version: $0, findsDuplicateKeys: true) { _ = $0.error.description }
        } finish: {
            _ = $0.compatibility.sentence
        }
    }

    private static func keys(_ bytes: [UInt8], _ arrival: Arrival) {
        loop(bytes, arrival, onError: .stop) { _ in
            KeysConsumer(nowhere, terminator: 0x0a)
        } finish: {
            $0.flush()
        }
        loop(bytes, arrival, onError: .stop) {
            SummaryConsumer(version: $0, now: 0)
        } finish: {
            $0.finish()
        }
    }

    // MARK: - Differential

    private struct Outcome: Equatable {
        var digest: UInt64 = 0
        var error: DecodeError?
        /// Where each value ended; nil where one did not decode.
        var valueEnds: [UInt64]? = []
    }

    /// Reads (or skips) all values without a loop around.
    private static func digest(_ bytes: [UInt8], _ arrival: Arrival, readsValues: Bool) -> Outcome {
        var outcome = Outcome()
        do throws(SourceError) {
            let input = try Input(arrival.source(bytes))
            var events = EventDigest()
            do throws(DecodeError) {
                var reader = try RDBReader(input.source, windowByteCount: arrival.windowByteCount)
                while true {
                    let item = try reader.next()
                    if case .end = item { break }
                    guard case .entry = item else { continue }
                    do throws(DecodeError) {
                        if readsValues { try reader.readValue(into: &events) } else { try reader.skipValue() }
                    } catch {
                        outcome.valueEnds = nil
                        throw error
                    }
                    outcome.valueEnds?.append(reader.offset)
                }
            } catch {
                outcome.error = error
            }
            outcome.digest = events.value
        } catch {
            _ = "\(error)"
        }
        return outcome
    }

    private static func decompress(_ input: [UInt8]) {
        guard input.count > 2 else { return }
        let byteCount = Int(input[0]) << 8 | Int(input[1])
        let block = Array(input.dropFirst(2))
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount + LZF.slackByteCount, alignment: 16)
        defer { memory.deallocate() }
        let output = UnsafeMutableRawBufferPointer(rebasing: memory[..<byteCount])
        var ours: [UInt8]?
        do {
            try LZF.decompress(block.rawSpan, into: output)
            ours = Array(output)
        } catch { _ = "\(error)" }
        if byteCount > 0 {
            precondition(ours == LZF.decompressByLibrary(block, byteCount: byteCount), "liblzf says otherwise")
        }
    }
}
