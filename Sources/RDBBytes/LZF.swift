internal import CLZF

/// LZF, the compression of strings inside RDB files.
///
///     000nnnnn                       n + 1 literal bytes follow (1...32)
///     lllooooo oooooooo              copy l + 2 bytes (3...8) from distance o + 1 (1...8192)
///     111ooooo llllllll oooooooo     copy l + 9 bytes (9...264), likewise
///
/// Decompression is our own: literal runs and matches move 16 bytes at a time where there is room, and it can stop and
/// go on, so that a value of any size passes through a buffer of fixed size. Compression is liblzf's.
public enum LZF {
    /// A match reaches this far back; the longest literal run and match.
    static let historyByteCount = 8192
    static let longestLiteral = 32
    static let longestMatch = 264
    /// Copies move 16 bytes at a time: so many bytes may be written behind the place where the output ends, and (where
    /// the input promises them) read behind the place where the input ends.
    public static let slackByteCount = 32

    /// No three bytes of input make more than 264 of output, and none make less than half as many: other claims are
    /// lies that need not be tried.
    public static func isPossible(compressedByteCount: UInt64, byteCount: UInt64) -> Bool {
        byteCount / 88 <= compressedByteCount && compressedByteCount / 2 <= byteCount && byteCount > 0
    }

    /// Whether a block is taken in one piece: both forms of it fit a window.
    @inlinable
    public static func isSmall(compressedByteCount: UInt64, byteCount: UInt64) -> Bool {
        max(compressedByteCount, byteCount) <= UInt64(ByteWindow.maxContiguousByteCount)
    }

    /// Why a block does not decompress to what it claims.
    public enum Fault: Error, Equatable, Sendable {
        case inputEndsInside
        case distanceTooFar(Int)
        case outputTooLong
        case outputTooShort(Int)

        public func decodeError(at location: ByteLocation) -> DecodeError {
            switch self {
            case .inputEndsInside:
                DecodeError(.badLZF, at: location, expected: "whole instructions", found: .endOfValue)
            case .distanceTooFar(let distance):
                DecodeError(
                    .badLZF, at: location, expected: "a match within what is decompressed",
                    found: .number(Int64(distance)))
            case .outputTooLong:
                DecodeError(
                    .badLZF, at: location, expected: "the stated decompressed length", found: .described("more"))
            case .outputTooShort(let count):
                DecodeError(
                    .badLZF, at: location, expected: "the stated decompressed length", found: .number(Int64(count)))
            }
        }
    }

    /// Decompresses a whole block.
    /// - Parameters:
    ///   - output: exactly the decompressed length, followed by `slackByteCount` writable bytes that are not counted and
    ///     whose content afterwards is undefined.
    ///   - inputHasSlack: whether `slackByteCount` bytes behind the input may be read, whatever they hold.
    @unsafe public static func decompress(
        _ input: RawSpan, into output: UnsafeMutableRawBufferPointer, inputHasSlack: Bool = false
    ) throws(Fault) {
        var state = unsafe Decompression(
            outputStart: output.baseAddress!, outputEnd: output.baseAddress! + output.count)
        // The pointer does not outlive the closure; `run` stays within input.count bytes and the slack.
        let fault = unsafe input.withUnsafeBytes { bytes -> Fault? in
            guard var at = bytes.baseAddress else { return nil }
            return unsafe state.run(from: &at, to: at + bytes.count, inputHasSlack: inputHasSlack)
        }
        if let fault { throw fault }
        guard unsafe state.output == state.outputEnd else {
            throw .outputTooShort(unsafe state.output - state.outputStart)
        }
    }

    /// Compresses with liblzf; nil where the result would not be smaller than `maxByteCount`.
    public static func compress(_ input: [UInt8], maxByteCount: Int) -> [UInt8]? {
        guard !input.isEmpty, maxByteCount > 0 else { return nil }
        var output = [UInt8](repeating: 0, count: maxByteCount)
        // liblzf gets both counts and returns 0 when the output does not fit.
        let count = unsafe input.withUnsafeBytes { from in
            unsafe output.withUnsafeMutableBytes { to in
                unsafe lzf_compress(from.baseAddress, UInt32(from.count), to.baseAddress, UInt32(to.count))
            }
        }
        return count == 0 ? nil : Array(output.prefix(Int(count)))
    }

    /// liblzf's own decompression, the reference that ours is tested against.
    public static func decompressByLibrary(_ input: [UInt8], byteCount: Int) -> [UInt8]? {
        var output = [UInt8](repeating: 0, count: byteCount)
        let count = unsafe input.withUnsafeBytes { from in
            unsafe output.withUnsafeMutableBytes { to in
                unsafe lzf_decompress(from.baseAddress, UInt32(from.count), to.baseAddress, UInt32(to.count))
            }
        }
        return Int(count) == byteCount ? output : nil
    }
}

/// A decompression under way. `outputStart...output` is what a match may refer to.
@unsafe struct Decompression {
    let outputStart: UnsafeMutableRawPointer
    var output: UnsafeMutableRawPointer
    /// `slackByteCount` writable bytes lie behind.
    let outputEnd: UnsafeMutableRawPointer

    @unsafe init(outputStart: UnsafeMutableRawPointer, outputEnd: UnsafeMutableRawPointer) {
        unsafe self.outputStart = outputStart
        unsafe output = outputStart
        unsafe self.outputEnd = outputEnd
    }

    /// Runs instructions until the input is used up.
    ///
    /// Bounds: an instruction is read only below `inputEnd` (plus the slack, which only literals are copied from) and
    /// carried out only if it ends at or below `outputEnd`. Copies of 16 bytes store at most 31 bytes behind their end.
    @unsafe mutating func run(
        from input: inout UnsafeRawPointer, to inputEnd: UnsafeRawPointer, inputHasSlack: Bool
    ) -> LZF.Fault? {
        var at = unsafe input
        var out = unsafe output
        let outputStart = unsafe outputStart
        let outputEnd = unsafe outputEnd
        var fault: LZF.Fault?
        while unsafe at < inputEnd {
            let control = Int(unsafe at.load(as: UInt8.self))
            unsafe at += 1
            if control < 32 {
                let count = control + 1
                let left = unsafe inputEnd - at
                if left < count || (unsafe outputEnd - out) < count {
                    fault = left < count ? .inputEndsInside : .outputTooLong
                    break
                }
                if inputHasSlack || left >= 32 {
                    unsafe copy16(from: at, to: out)
                    if count > 16 { unsafe copy16(from: at + 16, to: out + 16) }
                } else {
                    unsafe out.copyMemory(from: at, byteCount: count)
                }
                unsafe at += count
                unsafe out += count
                continue
            }
            var count = control >> 5 + 2
            if count == 9 {
                if unsafe at == inputEnd {
                    fault = .inputEndsInside
                    break
                }
                count = 9 + Int(unsafe at.load(as: UInt8.self))
                unsafe at += 1
            }
            if unsafe at == inputEnd {
                fault = .inputEndsInside
                break
            }
            let distance = (control & 0x1f) << 8 + Int(unsafe at.load(as: UInt8.self)) + 1
            unsafe at += 1
            if (unsafe outputEnd - out) < count || (unsafe out - outputStart) < distance {
                fault = (unsafe outputEnd - out) < count ? .outputTooLong : .distanceTooFar(distance)
                break
            }
            let source = unsafe UnsafeRawPointer(out - distance)
            if distance >= 16 {
                unsafe copy16(from: source, to: out)
                var done = 16
                while done < count {
                    // Each 16 bytes are stored before the next are loaded, and lie wholly behind what is loaded.
                    unsafe copy16(from: source + done, to: out + done)
                    done += 16
                }
            } else {
                unsafe copyOverlapping(from: source, to: out, count: count, distance: distance)
            }
            unsafe out += count
        }
        unsafe input = at
        unsafe output = out
        return fault
    }

    /// A match that reaches into what it writes itself: at a distance below 16.
    @unsafe private func copyOverlapping(
        from source: UnsafeRawPointer, to out: UnsafeMutableRawPointer, count: Int, distance: Int
    ) {
        if distance >= 8 {
            var done = 0
            repeat {
                unsafe (out + done).storeBytes(
                    of: (source + done).loadUnaligned(as: UInt64.self), as: UInt64.self)
                done += 8
            } while done < count
        } else if distance == 1 {
            unsafe out.initializeMemory(as: UInt8.self, repeating: source.load(as: UInt8.self), count: count)
        } else {
            var done = 0
            repeat {
                unsafe (out + done).storeBytes(of: (source + done).load(as: UInt8.self), as: UInt8.self)
                done += 1
            } while done < count
        }
    }

    /// One instruction after another while a whole one is at hand and the longest match has room: for blocks that pass
    /// through a buffer.
    @unsafe mutating func runWhileRoom(
        from input: inout UnsafeRawPointer, to inputEnd: UnsafeRawPointer, isWhole: Bool
    ) -> LZF.Fault? {
        while unsafe input < inputEnd, unsafe outputEnd - output >= LZF.longestMatch {
            let control = unsafe input.load(as: UInt8.self)
            let byteCount = control < 32 ? Int(control) + 2 : control < 0xe0 ? 2 : 3
            if unsafe inputEnd - input < byteCount {
                if isWhole { return .inputEndsInside }
                return nil
            }
            let end = unsafe input + byteCount
            if let fault = unsafe run(from: &input, to: end, inputHasSlack: false) { return fault }
        }
        return nil
    }

    @inline(__always)
    @unsafe private func copy16(from: UnsafeRawPointer, to: UnsafeMutableRawPointer) {
        unsafe to.storeBytes(of: from.loadUnaligned(as: SIMD16<UInt8>.self), as: SIMD16<UInt8>.self)
    }
}
