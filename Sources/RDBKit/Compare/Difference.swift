public import RDBBytes
public import RDBFormat
import RDBModel
public import RDBTransforms

/// What differs between two inputs, key by key and element by element.
///
/// After `Comparison.join(keepsKeys: true)`, both sides are read once more (once for each part of the keys that differ,
/// of which there is one unless they are many millions), and then the differing values are brought together two by two:
///
///     let difference = Difference(comparison)
///     for part in 0..<difference.partCount {
///         for side in Side.allCases { … try difference.locate(side, part, &reader, source, loop) }
///     }
///     try difference.run(into: sink)
///
/// Memory: `ComparisonOptions.memory`, of which an eighth is for the keys that are looked for, a quarter for places, a
/// half for the two values at hand; and the largest elements, up to 1 MiB each.
public final class Difference {
    public enum OnError: Sendable { case stop, skip }

    private let comparison: Comparison
    private let options: ComparisonOptions
    private let places: PlaceState
    private let a = SideReader()
    private let b = SideReader()
    /// Keys that differed when they were read first, and no longer when they were read again.
    public private(set) var vanishedCount: UInt64 = 0
    /// Called now and then while values are held against each other: keys, and bytes of values, done and in all.
    public var progress: ((_ keys: UInt64, _ done: UInt64, _ total: UInt64?) -> Void)?
    /// Called with each value that does not decode, where that ends nothing.
    public var skipped: ((Side, EntryFault) -> Void)?

    public init(_ comparison: Comparison) {
        self.comparison = comparison
        options = comparison.options
        places = PlaceState(memory: options.memory / 4)
        places.wantedLibraries = Set(comparison.functions.changes.map(\.library))
    }

    /// How often each side has to be read again.
    public var partCount: Int {
        max(comparison.differing?.partCount ?? 0, places.wantedLibraries.isEmpty ? 0 : 1)
    }

    /// Which keys a pass looks for, for a side that can leave out others.
    public func filter(_ part: Int) throws(SpillError) -> KeyFilter {
        let wanted = try wanted(part)
        var hash = KeyHash(comparison.state)
        return { database, key in wanted.contains(hash.digest(database: database, key: key)) }
    }

    private func wanted(_ part: Int) throws(SpillError) -> KeySet {
        if let keys = comparison.differing { return try keys.part(part) }
        return try DifferingKeys(memory: 0).part(0)
    }

    /// Reads a side again and notes where the wanted entries lie.
    /// - Parameter source: what the reader reads.
    public func locate(
        _ side: Side, _ part: Int, _ reader: inout RDBReader, _ source: any ByteSource, _ loop: EntryLoop
    ) throws(DifferenceFailure) {
        let file = (source as? DescriptorSource).flatMap { $0.canRewind ? $0 : nil }
        let set: KeySet
        do throws(SpillError) { set = try wanted(part) } catch { throw .spill(error) }
        var consumer = PlaceConsumer(side, set, comparison.state, places, isPlain: file != nil)
        do throws(EntryFault) { _ = try loop.run(&reader, &consumer) } catch { throw .fault(side, error) }
        if let failure = places.failure { throw .spill(failure) }
        let place = side == .a ? a : b
        place.reader = reader.detached()
        place.file = file
        place.copies = places.copies[side.rawValue]
    }

    /// Tells all differences, ordered by database and key, function libraries first.
    /// - Parameter onError: whether a value that does not decode ends the run.
    public func run(into sink: some DifferenceSink, onError: OnError = .stop) throws(DifferenceFailure) {
        var failure: DifferenceFailure?
        do throws(SpillError) {
            for (library, change) in comparison.functions.changes {
                sink.function(library, change, source: try places.source(of: library))
            }
            var key: [UInt8] = []
            var pair: (a: EntryPlace?, b: EntryPlace?)
            var keyCount: UInt64 = 0
            var byteCount: UInt64 = 0
            // Tells of the key at hand.
            func tell() throws(SpillError) {
                if pair.a == nil, pair.b == nil { return }
                if Interrupt.isRequested { throw .interrupted }
                progress?(keyCount, byteCount, places.byteCount)
                keyCount += 1
                byteCount += (pair.a?.byteCount ?? 0) + (pair.b?.byteCount ?? 0)
                do throws(DifferenceFailure) { try tellPair(key, pair.a, pair.b, sink) } catch {
                    if case .fault(let side, let fault) = error, onError == .skip, fault.error.isAboutInput {
                        skipped?(side, fault)
                        return
                    }
                    failure = error
                    // Unwinds the walk; `failure` says why.
                    throw .interrupted
                }
                if sink.failure != nil { throw .interrupted }
            }
            try places.sorter.visit { (found, payload) throws(SpillError) in
                if found.array != key {
                    try tell()
                    key = found.array
                    pair = (nil, nil)
                }
                // Of a key that comes twice the last one counts.
                let place = EntryPlace(payload)
                if place.side == .a { pair.a = place } else { pair.b = place }
            }
            try tell()
        } catch {
            if let failure { throw failure }
            if sink.failure == nil { throw .spill(error) }
        }
    }

    private func tellPair(
        _ sortKey: [UInt8], _ placeA: EntryPlace?, _ placeB: EntryPlace?, _ sink: some DifferenceSink
    ) throws(DifferenceFailure) {
        let key = Array(sortKey.dropFirst(8))
        var side = Side.a
        do throws(SinkFailure) {
            if let placeA {
                do throws(DecodeError) { try a.stand(at: placeA, key) } catch { throw .decode(error) }
            }
            side = .b
            if let placeB {
                do throws(DecodeError) { try b.stand(at: placeB, key) } catch { throw .decode(error) }
            }
            if let placeA, let placeB {
                try tellBoth(placeA, placeB, sink, &side)
            } else if placeA != nil {
                side = .a
                do throws(DecodeError) { try sink.removed(&a.reader) } catch { throw .decode(error) }
            } else {
                do throws(DecodeError) { try sink.added(&b.reader) } catch { throw .decode(error) }
            }
        } catch {
            switch error {
            case .spill(let error): throw .spill(error)
            case .decode(let error):
                let database = (side == .a ? placeA : placeB)?.header.database
                throw .fault(side, EntryFault(error: error, database: database, key: key, isSkipped: false))
            }
        }
    }

    private func tellBoth(
        _ placeA: EntryPlace, _ placeB: EntryPlace, _ sink: some DifferenceSink, _ side: inout Side
    ) throws(SinkFailure) {
        if placeA.type.valueType != placeB.type.valueType {
            do throws(DecodeError) { return try sink.replaced(&a.reader, &b.reader) } catch { throw .decode(error) }
        }
        var expiry: ExpiryChange?
        if options.parts.contains(.expiry),
            !Comparison.agree(placeA.header.expiresAt, placeB.header.expiresAt, options.expiryTolerance ?? 0)
        {
            expiry = ExpiryChange(a: placeA.header.expiresAt, b: placeB.header.expiresAt)
        }
        let longTexts = SpillFile()
        var changes: ValueChanges
        if !sink.wantsElements, !options.isTimed {
            changes = ValueChanges(
                ElementRecorder(options.parts, memory: 0, longTexts: longTexts, digestKey: comparison.state.key),
                longTexts: longTexts, expiryTolerance: nil)
        } else {
            changes =
                placeA.type.valueType == .list
                ? try listChanges(longTexts, &side) : try elementChanges(longTexts, &side)
            var count: UInt64 = 0
            do throws(SpillError) { try changes.visit { _ in count += 1 } } catch { throw .spill(error) }
            if count == 0, expiry == nil {
                vanishedCount += 1
                comparison.correct(database: placeA.header.database, type: placeA.type.valueType)
                return
            }
        }
        do throws(DecodeError) {
            side = .a
            try a.reader.rewindToValue()
            side = .b
            try b.reader.rewindToValue()
        } catch { throw .decode(error) }
        try sink.changed(&a.reader, &b.reader, &changes, expiry)
    }

    private func elementChanges(_ longTexts: SpillFile, _ side: inout Side) throws(SinkFailure) -> ValueChanges {
        var recorder = ElementRecorder(
            options.parts, memory: options.memory / 2, longTexts: longTexts, digestKey: comparison.state.key)
        recorder.fieldsExpireAfter = options.fieldsExpireAfter
        do throws(DecodeError) {
            for each in Side.allCases {
                side = each
                let place = each == .a ? a : b
                recorder.begin(place.reader.header, each)
                try place.reader.readValue(into: &recorder)
                if let refusal = recorder.refusal { throw refusal }
            }
        } catch { throw .decode(error) }
        if let failure = recorder.failure { throw .spill(failure) }
        return ValueChanges(recorder, longTexts: longTexts, expiryTolerance: options.expiryTolerance)
    }

    private func listChanges(_ longTexts: SpillFile, _ side: inout Side) throws(SinkFailure) -> ValueChanges {
        let key = comparison.state.key
        var digests = ListDigests(memory: options.memory / 2, digestKey: key)
        do throws(DecodeError) {
            for each in Side.allCases {
                side = each
                digests.begin(each)
                try (each == .a ? a : b).reader.readValue(into: &digests)
            }
        } catch { throw .decode(error) }
        if let failure = digests.failure { throw .spill(failure) }
        let edits: ListEdits
        do throws(SpillError) { edits = try digests.edits() } catch { throw .spill(error) }
        var texts = ListTexts(edits, memory: options.memory / 4, longTexts: longTexts, digestKey: key)
        do throws(DecodeError) {
            for each in Side.allCases {
                side = each
                texts.begin(each)
                let place = each == .a ? a : b
                try place.reader.rewindToValue()
                try place.reader.readValue(into: &texts)
            }
        } catch { throw .decode(error) }
        if let failure = texts.failure { throw .spill(failure) }
        return texts.finish()
    }
}

/// Reads entries of one side again.
private final class SideReader {
    var reader = RDBReader(of: RDBVersion(number: RDBVersion.newestRedis, family: .redis))
    /// The side's file, where places are offsets in it.
    var file: DescriptorSource?
    var copies = SpillFile()

    func stand(at place: EntryPlace, _ key: [UInt8]) throws(DecodeError) {
        let range = place.offset..<place.offset + place.byteCount
        let source = file?.part(range) ?? copies.source(range)
        try reader.stand(at: place.header, place.type, key: key.rawSpan, value: source, byteCount: place.byteCount)
    }
}
