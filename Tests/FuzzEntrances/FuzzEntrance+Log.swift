import RDBKit

extension FuzzEntrance {
    // MARK: - Commands

    private struct Read: Equatable {
        var commands: [[[UInt8]]] = []
        var ends: [UInt64] = []
        var irregularCount = 0
        var annotations: [[UInt8]] = []
        var error: DecodeError?
    }

    private static func read(
        _ bytes: [UInt8], _ arrival: Arrival, keeping: RESPCommandReader.Keeping = .everything,
        limits: RESPCommandReader.Limits
    ) -> Read {
        var read = Read()
        var reader = RESPCommandReader(
            ByteWindow(arrival.source(bytes), initialByteCount: arrival.windowByteCount), acceptsAnnotations: true,
            keeping: keeping, limits: limits)
        do throws(DecodeError) {
            reading: while true {
                switch try reader.next() {
                case .command:
                    read.commands.append(reader.arguments.arrays)
                    read.ends.append(reader.commandOffset + reader.commandByteCount)
                    precondition(read.ends.last == reader.offset, "a command ends elsewhere than its reader stands")
                    if reader.isIrregular { read.irregularCount += 1 }
                case .annotation: read.annotations.append(reader.annotation.array)
                case .end: break reading
                }
            }
        } catch {
            _ = error.description
            precondition(error.offset <= UInt64(bytes.count), "a fault behind the end")
            read.error = error
        }
        return read
    }

    static func readCommands(_ bytes: [UInt8], _ choice: UInt8) {
        var limits = RESPCommandReader.Limits()
        if choice & 0x80 != 0 {
            limits.maxArgumentByteCount = 100
            limits.maxArgumentCount = 10
        }
        let whole = read(bytes, .whole, limits: limits)
        precondition(read(bytes, Arrival(choice: choice), limits: limits) == whole, "it depends on how bytes arrive")
        // Nothing here is larger than a window: all is kept in either case.
        precondition(read(bytes, .whole, keeping: .beginnings, limits: limits) == whole)
        let plain = plainCommands(bytes)
        if choice & 0x80 == 0, whole.irregularCount == 0 {
            let count = min(plain.count, whole.commands.count)
            precondition(
                Array(whole.commands.prefix(count)) == Array(plain.prefix(count)), "a plain reader says otherwise")
            precondition(whole.commands.count >= plain.count, "a plain reader finds more")
        }
        var queue = CommandQueue()
        for arguments in whole.commands {
            var out = OutputBuffer(capacity: 64)
            out.beginCommand(arguments.count)
            for argument in arguments { out.appendArgument(argument.rawSpan) }
            var reader = RESPCommandReader(ByteWindow(MemorySource(out.bytes.array)))
            precondition(
                (try? reader.next()) == .command && reader.arguments.arrays == arguments && !reader.isIrregular)
            reader.copyCommand(to: &queue)
        }
        for (index, arguments) in whole.commands.enumerated() {
            precondition(queue[index].arrays == arguments, "the queue holds something else")
            if let positions = CommandKeys.positions(queue[index]) {
                for number in 0..<positions.count { _ = queue[index][positions[number]].byteCount }
            }
        }
    }

    /// The commands of the strict form up to the first byte that is anything else, read as plainly as can be.
    private static func plainCommands(_ bytes: [UInt8]) -> [[[UInt8]]] {
        var commands: [[[UInt8]]] = []
        var rest = bytes[...]
        func number(_ mark: UInt8) -> Int? {
            guard rest.first == mark else { return nil }
            let digits = rest.dropFirst().prefix { 0x30...0x39 ~= $0 }
            let behind = rest.dropFirst(1 + digits.count)
            guard !digits.isEmpty, digits.count < 10, behind.starts(with: [13, 10]) else { return nil }
            rest = behind.dropFirst(2)
            return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }
        while let count = number(0x2a), count > 0, count <= bytes.count {
            var arguments: [[UInt8]] = []
            for _ in 0..<count {
                guard let length = number(0x24), rest.count >= length + 2 else { return commands }
                arguments.append(Array(rest.prefix(length)))
                rest = rest.dropFirst(length)
                guard rest.starts(with: [13, 10]) else { return commands }
                rest = rest.dropFirst(2)
            }
            commands.append(arguments)
        }
        return commands
    }

    // MARK: - Logs

    private struct LogRead: Equatable {
        var records: [AOFRecord] = []
        var commands: [[[UInt8]]] = []
        var safeCut: UInt64 = 0
        var openTransaction: UInt64?
        var error: DecodeError?
    }

    static func reader(
        _ bytes: [UInt8], _ arrival: Arrival, _ delivery: AOFReader.Delivery
    ) throws -> AOFReader {
        let input = try? Input(arrival.source(bytes))
        guard let input else {
            return AOFReader(
                ByteWindow(arrival.source(bytes), initialByteCount: arrival.windowByteCount), delivery: delivery)
        }
        var rdb = try RDBReader(input.source, windowByteCount: arrival.windowByteCount)
        while true {
            switch try rdb.next() {
            case .entry: try rdb.skipValue()
            case .end: return AOFReader(behind: rdb, delivery: delivery)
            default: break
            }
        }
    }

    private static func read(_ bytes: [UInt8], _ arrival: Arrival, _ delivery: AOFReader.Delivery) -> LogRead? {
        var read = LogRead()
        guard var reader = try? reader(bytes, arrival, delivery) else { return nil }
        do throws(DecodeError) {
            while let record = try reader.next() {
                read.records.append(record)
                read.commands.append(reader.arguments.arrays)
            }
        } catch { read.error = error }
        read.safeCut = reader.safeCut
        read.openTransaction = reader.openTransactionOffset
        return read
    }

    static func readLog(_ bytes: [UInt8], _ choice: UInt8) {
        if let manifest = try? AOFManifest(bytes) {
            for file in manifest.files { precondition(!file.name.contains("/") && file.name != "..") }
            precondition(manifest.files.isEmpty || (try? AOFManifest(Array(manifest.text.utf8))) == manifest)
        }
        _ = AOFManifest.isLikely(bytes)
        let whole = read(bytes, .whole, .all)
        precondition(read(bytes, Arrival(choice: choice), .all) == whole, "it depends on how bytes arrive")
        guard let whole else { return }
        guard let committed = read(bytes, Arrival(choice: choice), .committed) else { preconditionFailure() }
        precondition(committed.safeCut == whole.safeCut && committed.error == whole.error)
        precondition(committed.records.allSatisfy { whole.records.contains($0) }, "a command of no log")
        precondition(
            committed.records.allSatisfy { $0.offset + $0.byteCount <= whole.safeCut }, "a command of an open group")
        consume(bytes, Arrival(choice: choice))
        // What lies before the cut is whole, and holds all that is committed. Compressed bytes cannot be cut so.
        guard whole.safeCut <= UInt64(bytes.count), !bytes.starts(with: [0x1f, 0x8b]), !bytes.starts(with: "VCS".utf8)
        else { return }
        let kept = read(Array(bytes.prefix(Int(whole.safeCut))), .whole, .committed)
        precondition(kept?.error == nil && kept?.openTransaction == nil, "a cut that is not safe")
        precondition(kept?.records == committed.records && kept?.commands == committed.commands, "a cut that loses")
    }

    /// What commands do with a log.
    private static func consume(_ bytes: [UInt8], _ arrival: Arrival) {
        let file = AOFInput.File(role: .single, name: "log", path: "log")
        func run<C: CommandConsumer & ~Copyable>(_ consumer: inout C) {
            guard var reader = try? reader(bytes, arrival, .all) else { return }
            var outcome = AOFFileOutcome(file)
            do throws(EntryFault) { try AOFLoop().run(&reader, &consumer, &outcome) } catch { outcome.fault = error }
            _ = AOFLoad([outcome])
            precondition(outcome.lostByteCount <= outcome.byteCount)
        }
        let capture = Capture()
        var list = CommandListConsumer(CommandJSONWriter(capture.file, form: .auto), selection: CommandSelection())
        list.writer.begin(fileName: "log")
        run(&list)
        list.writer.flush()
        precondition(JSONSyntax.isValid(capture.bytes), "what is written is not JSON")
        var selection = CommandSelection()
        selection.globs = [GlobPattern("a*")]
        selection.after = 0
        var statistics = LogStatistics(selection, delimiter: [0x3a], depth: 2, maxLargest: 3)
        run(&statistics)
        statistics.finish()
        var all = LogStatistics(CommandSelection(), delimiter: [0x3a], depth: 1, maxLargest: 3)
        run(&all)
        all.finish()
        precondition(all.times.rows.reduce(0) { $0 + $1.count } <= all.total.count)
    }
}
