public import RDBBytes

/// Reads commands, arrays of bulk strings, one after another:
///
///     *<count> CR LF  { $<length> CR LF <length bytes> CR LF }
///
/// Arguments stay where they lie in the window; only a command that is longer than a window takes at once
/// (`ByteWindow.maxContiguousByteCount`, 1 MiB) is copied together, in memory that grows with what arrives.
///
/// What the servers' own loader accepts is accepted: header lines that end in LF alone, numbers with blanks or a sign
/// before and anything behind, any two bytes behind an argument. Each such place is told by `irregularity`. All else is
/// a fault. Source: formats/aof.md §1.
///
/// Why the loads are safe: `parse` compares with the count of bytes at hand before each load; places are noted only of
/// arguments that lie within it.
@safe
public struct RESPCommandReader: ~Copyable {
    public enum Item: Equatable, Sendable {
        /// `arguments`, `commandOffset` and `commandByteCount` tell of it.
        case command
        /// A line that begins with `#`; `annotation` holds it. `isWhole` is false if the input ends within it.
        case annotation(isWhole: Bool)
        case end
    }

    /// How much of a command that is longer than a window is kept.
    public enum Keeping: Sendable {
        case everything
        /// Of each argument the first 64 KiB, of all together 16 MiB; arguments beyond that are left out.
        case beginnings
    }

    /// An argument or a number of arguments beyond these is a fault.
    public struct Limits: Sendable {
        /// The servers' own limit unless `proto-max-bulk-len` says otherwise.
        public var maxArgumentByteCount: UInt64 = 512 << 20
        /// Servers count in 32 bits.
        public var maxArgumentCount: UInt64 = 1 << 31 - 1
        /// Of a command that has to be copied together.
        public var maxKeptByteCount = 4 << 30

        public init() {}
    }

    private var window: ByteWindow
    private let acceptsAnnotations: Bool
    private let keeping: Keeping
    private let limits: Limits
    private let maxArgumentByteCount: UInt64

    private var places = ArgumentPlaces()
    private var placeCount = 0
    /// Where the present command's arguments lie: in the window, or in `collected`.
    private var argumentsBase: UnsafeRawPointer
    private var collected = OutputBuffer(capacity: 16)

    /// Of the command that `next` returned last.
    public private(set) var commandOffset: UInt64 = 0
    public private(set) var commandByteCount: UInt64 = 0
    /// False where `Keeping.beginnings` left something out.
    public private(set) var isWhole = true
    private var annotationByteCount = 0
    /// The offset that places in errors are counted from.
    private var origin: UInt64 = 0

    /// Whether there is an `irregularity`.
    public private(set) var isIrregular = false
    private var firstIrregularity: DecodeError?

    private static let keptArgumentByteCount: UInt64 = 64 << 10
    private static let keptByteCount = 16 << 20
    /// With its line feed: servers read lines in pieces of so many bytes.
    private static let maxLineByteCount = 1023

    /// - Parameters:
    ///   - window: stands before a command.
    ///   - acceptsAnnotations: whether lines that begin with `#` may stand between commands, as they do in an AOF.
    public init(
        _ window: consuming ByteWindow, acceptsAnnotations: Bool = false, keeping: Keeping = .everything,
        limits: Limits = Limits()
    ) {
        unsafe argumentsBase = window.unsafeBytesAtHand
        self.window = window
        self.acceptsAnnotations = acceptsAnnotations
        self.keeping = keeping
        self.limits = limits
        maxArgumentByteCount = min(limits.maxArgumentByteCount, 1 << 40)
    }

    /// Bytes read so far: where the next item begins.
    public var offset: UInt64 { window.offset }

    /// Bytes taken from the underlying file (compressed, where it is), and its size where known.
    public var progress: (consumed: UInt64, total: UInt64?) { window.progress }

    /// Of the last command, valid until the reader is used again.
    public var arguments: CommandArguments {
        @_lifetime(borrow self)
        get {
            // placeCount places were noted, each within the memory at argumentsBase.
            let arguments = unsafe CommandArguments(base: argumentsBase, places: places.base, count: placeCount)
            return unsafe _overrideLifetime(arguments, borrowing: self)
        }
    }

    /// The first place in the last item (or in one that turned out faulty) that servers accept and the strict form
    /// does not allow.
    public var irregularity: DecodeError? { isIrregular ? firstIrregularity : nil }

    /// Steps over everything up to the end of the input and returns where that is. Nothing can be read then.
    public mutating func readToEnd() throws(DecodeError) -> UInt64 {
        while try !window.isAtEnd() { try window.skip(UInt64(window.availableByteCount)) }
        return window.offset
    }

    /// Copies the last command to a queue.
    public func copyCommand(to queue: inout CommandQueue) { queue.append(arguments) }

    /// The last annotation's line, `#` included, without its end; valid until the reader is used again.
    public var annotation: RawSpan {
        @_lifetime(borrow self)
        get {
            unsafe _overrideLifetime(
                RawSpan(_unsafeStart: argumentsBase, byteCount: annotationByteCount), borrowing: self)
        }
    }

    // MARK: - Items

    /// Reads the next item.
    /// - Throws: `badCommand`, `limitExceeded`, and `truncated` where the input ends within a command. Nothing can be
    ///   read behind a fault.
    public mutating func next() throws(DecodeError) -> Item {
        isIrregular = false
        isWhole = true
        placeCount = 0
        commandOffset = window.offset
        origin = commandOffset
        if window.availableByteCount == 0, try window.extend(to: 1) == 0 { return .end }
        if acceptsAnnotations, unsafe window.unsafeBytesAtHand.load(as: UInt8.self) == UInt8(ascii: "#") {
            return .annotation(isWhole: try readAnnotation())
        }
        var state = ParseState()
        while true {
            let needed = unsafe try parse(window.unsafeBytesAtHand, window.availableByteCount, &state)
            if needed == 0 { break }
            if needed > ByteWindow.maxContiguousByteCount {
                try readLarge(&state)
                commandByteCount = window.offset - commandOffset
                return .command
            }
            let have = try window.extend(to: needed)
            if have < needed { throw truncated(at: window.offset + UInt64(have)) }
        }
        placeCount = state.count
        unsafe argumentsBase = window.unsafeBytesAtHand
        commandByteCount = UInt64(state.at)
        // parse ends within the bytes at hand, so that this reads nothing.
        try window.skip(UInt64(state.at))
        return .command
    }

    @inline(never)
    private func truncated(at offset: UInt64) -> DecodeError {
        DecodeError(
            .truncated, at: window.location(at: offset), expected: "the rest of a command", found: .endOfInput)
    }

    /// How far a command has been parsed, in bytes from its first: the places stay right when the window slides.
    private struct ParseState {
        /// Where the next header line begins.
        var at = 0
        /// As the command states it; 0 before that was read.
        var count = 0
        /// Arguments that are noted.
        var noted = 0
    }

    /// Parses on in the bytes at hand. Returns 0 when the command is whole, else how many bytes of it are needed.
    @inline(__always)
    @unsafe private mutating func parse(
        _ base: UnsafeRawPointer, _ available: Int, _ state: inout ParseState
    ) throws(DecodeError) -> Int {
        var at = state.at
        var noted = state.noted
        var count = state.count
        var room = places.capacity
        var table = unsafe places.base
        let maxByteCount = maxArgumentByteCount
        defer {
            state.at = at
            state.noted = noted
            state.count = count
        }
        if count == 0 {
            guard let header = unsafe try header(UInt8(ascii: "*"), base, available, at) else { return available + 1 }
            if header.value > limits.maxArgumentCount { throw tooLarge(at, header.value, "fewer arguments") }
            // At most maxArgumentCount, which fits.
            count = Int(header.value)
            at = header.end
        }
        while noted < count {
            guard let header = unsafe try header(UInt8(ascii: "$"), base, available, at) else { return available + 1 }
            if header.value > maxByteCount { throw tooLarge(at, header.value, "a shorter argument") }
            // At most 2^40, which fits and is far from overflow.
            let byteCount = Int(truncatingIfNeeded: header.value)
            let end = header.end &+ byteCount &+ 2
            if end > available { return end }
            let tail = unsafe base.loadUnaligned(fromByteOffset: end - 2, as: UInt16.self)
            if UInt16(littleEndian: tail) != Self.lineEnd { noteTail(at: end - 2, tail) }
            if noted == room {
                places.grow(keeping: noted)
                room = places.capacity
                unsafe table = places.base
            }
            unsafe table[noted] = ArgumentPlace(offset: header.end, byteCount: byteCount)
            noted &+= 1
            at = end
        }
        return 0
    }

    private static var lineEnd: UInt16 { 0x0a0d }

    // MARK: - Header lines

    /// A header line's number and where the line ends; nil where more bytes are needed.
    @inline(__always)
    @unsafe private mutating func header(
        _ mark: UInt8, _ base: UnsafeRawPointer, _ available: Int, _ at: Int
    ) throws(DecodeError) -> (value: UInt64, end: Int)? {
        // The mark, up to 12 digits and the line end lie within 16 bytes.
        if available - at >= 16 {
            // One digit: the mark, it and the line end in four bytes, the first the lowest.
            let four = UInt32(littleEndian: unsafe base.loadUnaligned(fromByteOffset: at, as: UInt32.self))
            let first = UInt64(four &>> 8 & 0xff) &- 0x30
            if four & 0xff == UInt32(mark), first <= 9 {
                if four &>> 16 == UInt32(Self.lineEnd), first > 0 || mark == UInt8(ascii: "$") {
                    return (first, at &+ 4)
                }
                let second = UInt64(four &>> 16 & 0xff) &- 0x30
                let line = unsafe base.loadUnaligned(fromByteOffset: at &+ 3, as: UInt16.self)
                if second <= 9, UInt16(littleEndian: line) == Self.lineEnd, first > 0 {
                    return (first &* 10 &+ second, at &+ 5)
                }
                if let long = unsafe Self.longHeader(base + at), long.value > 0 || mark == UInt8(ascii: "$") {
                    return (long.value, at &+ long.byteCount)
                }
            }
        }
        return unsafe try unusualHeader(mark, base, available, at)
    }

    /// The number of a line with up to 12 digits, of which the first is one, and the line's length. 16 bytes are there.
    @inline(__always)
    @unsafe private static func longHeader(_ line: UnsafeRawPointer) -> (value: UInt64, byteCount: Int)? {
        var index = 1
        var value: UInt64 = 0
        while index < 14 {
            let digit = UInt64(unsafe line.load(fromByteOffset: index, as: UInt8.self)) &- 0x30
            if digit > 9 { break }
            // 13 digits fit.
            value = value &* 10 &+ digit
            index &+= 1
        }
        let end = UInt16(littleEndian: unsafe line.loadUnaligned(fromByteOffset: index, as: UInt16.self))
        return end == lineEnd ? (value, index &+ 2) : nil
    }

    /// The same for what is cut, irregular or wrong.
    @inline(never)
    @unsafe private mutating func unusualHeader(
        _ mark: UInt8, _ base: UnsafeRawPointer, _ available: Int, _ at: Int
    ) throws(DecodeError) -> (value: UInt64, end: Int)? {
        func byte(_ index: Int) -> UInt8 { unsafe base.load(fromByteOffset: index, as: UInt8.self) }
        if available == at { return nil }
        if byte(at) != mark { throw notAHeader(mark, at, byte(at)) }
        guard let lineFeed = unsafe try lineFeed(base, available, at) else { return nil }
        // The line lies within the bytes at hand.
        let line = CNumber(unsafe RawSpan(_unsafeStart: base + at + 1, byteCount: lineFeed - at - 1))
        let isStrict = line.isDigits && line.byteCount == lineFeed - at - 2 && byte(lineFeed - 1) == 0x0d
        if !isStrict {
            note(at, "digits, CR and LF in a header line", .described("what only servers' loaders accept"))
        }
        if mark == UInt8(ascii: "*"), line.value < 1 {
            throw fault(.badCommand, at, "at least one argument", .number(line.value))
        }
        if line.value < 0 { throw fault(.badCommand, at, "a length", .number(line.value)) }
        return (UInt64(line.value), lineFeed + 1)
    }

    /// Where the line that begins at `at` ends; nil where more bytes are needed.
    @unsafe private func lineFeed(_ base: UnsafeRawPointer, _ available: Int, _ at: Int) throws(DecodeError) -> Int? {
        var index = at
        while index < available, unsafe base.load(fromByteOffset: index, as: UInt8.self) != 0x0a { index += 1 }
        if index - at >= Self.maxLineByteCount {
            throw fault(.badCommand, at, "a line of at most 1023 bytes", .described("a longer one"))
        }
        return index < available ? index : nil
    }

    private mutating func readAnnotation() throws(DecodeError) -> Bool {
        while true {
            let have = window.availableByteCount
            let base = unsafe window.unsafeBytesAtHand
            let found = unsafe try lineFeed(base, have, 0)
            // More bytes at hand than asked for means that the input goes on.
            if found == nil, try window.extend(to: have + 1) > have { continue }
            var byteCount = found ?? have
            unsafe argumentsBase = window.unsafeBytesAtHand
            try window.skip(UInt64(byteCount + (found == nil ? 0 : 1)))
            commandByteCount = window.offset - commandOffset
            if byteCount > 0, unsafe argumentsBase.load(fromByteOffset: byteCount - 1, as: UInt8.self) == 0x0d {
                byteCount -= 1
            }
            annotationByteCount = byteCount
            return found != nil
        }
    }

    @inline(never)
    private func notAHeader(_ mark: UInt8, _ at: Int, _ found: UInt8) -> DecodeError {
        fault(
            .badCommand, at,
            mark == UInt8(ascii: "*") ? "* and the count of a command" : "$ and the length of an argument",
            .byte(found))
    }

    @inline(never)
    private func tooLarge(_ at: Int, _ value: UInt64, _ expected: StaticString) -> DecodeError {
        fault(.limitExceeded, at, expected, .unsigned(value))
    }

    private func fault(
        _ code: DecodeError.Code, _ at: Int, _ expected: StaticString, _ found: DecodeError.Found
    ) -> DecodeError {
        DecodeError(code, at: window.location(at: origin + UInt64(at)), expected: expected, found: found)
    }

    private mutating func note(_ at: Int, _ expected: StaticString, _ found: DecodeError.Found) {
        if !isIrregular { firstIrregularity = fault(.badCommand, at, expected, found) }
        isIrregular = true
    }

    @inline(never)
    private mutating func noteTail(at: Int, _ tail: UInt16) {
        let tail = UInt16(littleEndian: tail)
        note(
            at, "CR and LF behind an argument",
            .byte(UInt8(truncatingIfNeeded: tail & 0xff == 0x0d ? tail >> 8 : tail)))
    }

    // MARK: - Commands larger than the window takes

    /// Copies together what `parse` found whole, and reads the other arguments piece by piece.
    private mutating func readLarge(_ state: inout ParseState) throws(DecodeError) {
        // Memory of an earlier large command does not stay for small ones.
        collected = OutputBuffer(capacity: 64 << 10)
        try window.take(state.at, into: &collected)
        placeCount = state.noted
        for index in state.noted..<state.count {
            origin = window.offset
            let byteCount = try headerByBytes()
            if byteCount > maxArgumentByteCount { throw tooLarge(0, byteCount, "a shorter argument") }
            try readLargeArgument(byteCount, index)
            origin = window.offset
            let tail: UInt16
            do throws(DecodeError) { tail = try window.littleEndian() } catch { throw asTruncated(error) }
            if tail != Self.lineEnd { noteTail(at: 0, tail.littleEndian) }
        }
        unsafe argumentsBase = collected.bytes.withUnsafeBytes { $0.baseAddress } ?? argumentsBase
    }

    private mutating func readLargeArgument(_ byteCount: UInt64, _ index: Int) throws(DecodeError) {
        var kept = byteCount
        if keeping == .beginnings {
            kept = min(byteCount, Self.keptArgumentByteCount)
            if placeCount < index || collected.byteCount >= Self.keptByteCount {
                isWhole = false
                do throws(DecodeError) { try window.skip(byteCount) } catch { throw asTruncated(error) }
                return
            }
            if kept < byteCount { isWhole = false }
        } else if byteCount > UInt64(limits.maxKeptByteCount - min(collected.byteCount, limits.maxKeptByteCount)) {
            throw tooLarge(0, byteCount, "a shorter command")
        }
        let start = collected.byteCount
        var left = kept
        do throws(DecodeError) {
            while left > 0 {
                let step = Int(min(left, UInt64(max(1, min(window.availableByteCount, 256 << 10)))))
                try window.take(step, into: &collected)
                left -= UInt64(step)
            }
            try window.skip(byteCount - kept)
        } catch { throw asTruncated(error) }
        if placeCount == places.capacity { places.grow(keeping: placeCount) }
        // kept bytes were appended, so it fits.
        unsafe places.base[placeCount] = ArgumentPlace(offset: start, byteCount: Int(kept))
        placeCount += 1
    }

    /// A `$` line, which ends where it ends: nothing behind it is taken.
    private mutating func headerByBytes() throws(DecodeError) -> UInt64 {
        while true {
            let have = window.availableByteCount
            if let header = unsafe try header(UInt8(ascii: "$"), window.unsafeBytesAtHand, have, 0) {
                try window.skip(UInt64(header.end))
                return header.value
            }
            if try window.extend(to: have + 1) == have { throw truncated(at: window.offset + UInt64(have)) }
        }
    }

    private func asTruncated(_ error: DecodeError) -> DecodeError {
        error.code == .truncated ? truncated(at: error.offset) : error
    }
}
