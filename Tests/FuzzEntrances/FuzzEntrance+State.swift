import RDBKit

extension FuzzEntrance {
    /// Zeros that a log may ask for here: less than a machine that fuzzes has.
    private static let maxGrowth: Int64 = 1 << 20
    /// Some moment of 2026, in Unix milliseconds.
    private static let now: Int64 = 1_790_000_000_000

    /// Applies a log and reads the RDB of its state to the end: what we write, we read.
    static func applyLog(_ bytes: [UInt8], _ choice: UInt8) {
        if let fault = stateFault(bytes, choice) { preconditionFailure(fault) }
    }

    /// What is wrong with the RDB that a log's state is written as; nil where it reads as it should. Of a damaged log, that
    /// is the state of what was whole.
    /// - Parameter choice: how the bytes arrive; the highest bit keeps all of an RDB before the commands in memory.
    public static func stateFault(_ bytes: [UInt8], _ choice: UInt8) -> String? {
        let arrival = Arrival(choice: choice)
        let keepsAll = choice & 0x80 != 0
        var state = LogState(now: now, maxGrowth: maxGrowth)
        var touched: TouchedKeys?
        if !keepsAll {
            var finder = TouchedKeys()
            forEachCommand(bytes, arrival) { finder.note($0, $1) }
            touched = finder
        }
        var base: RDBVersion?
        var limit = UInt64.max
        if let input = try? Input(arrival.source(bytes)),
            var reader = try? RDBReader(input.source, windowByteCount: arrival.windowByteCount)
        {
            base = reader.version
            do throws(DecodeError) { _ = try state.load(&reader, touched) } catch { limit = state.itemStart }
        }
        if limit == .max { forEachCommand(bytes, arrival) { _ = state.apply($0, $1) } }
        return written(state, bytes, touched, base, limit)
    }

    /// The commands of a log up to its first fault, those behind an RDB included.
    private static func forEachCommand(
        _ bytes: [UInt8], _ arrival: Arrival, _ body: (AOFRecord, CommandArguments) -> Void
    ) {
        guard var reader = try? reader(bytes, arrival, .committed) else { return }
        while let record = try? reader.next() { body(record, reader.arguments) }
    }

    private static func written(
        _ state: LogState, _ bytes: [UInt8], _ touched: TouchedKeys?, _ base: RDBVersion?, _ limit: UInt64
    ) -> String? {
        var state = state
        let version = state.version(base: base, isValkey: false)
        _ = state.settle(version)
        let places = StreamPlaces()
        var copier: BaseCopier?
        if let touched, base != nil, let input = try? Input(MemorySource(bytes)),
            let reader = try? RDBReader(input.source, verifiesChecksum: false)
        {
            copier = BaseCopier(reader, touched, limit: limit)
        }
        let source = WrittenSource(StateProducer(state, base: copier, places: places), version: version)
        var key: [UInt8] = []
        do throws(DecodeError) {
            var reader = try RDBReader(source)
            while true {
                switch try reader.next() {
                case .entry:
                    key = reader.copyKey()
                    var visitor = NullVisitor()
                    try reader.readValue(into: &visitor)
                case .end: return nil
                default: break
                }
            }
        } catch {
            // What commands do not touch is copied as it stands, damaged or not.
            if places.origin(of: error.offset) != nil { return nil }
            return "what was written is not read: key \(String(decoding: key, as: UTF8.self)): \(error)"
        }
    }
}
