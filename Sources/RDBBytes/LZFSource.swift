/// A large LZF block as a source of its decompressed bytes, in memory of fixed size: 8 KiB of history and 64 KiB ahead.
///
/// It reads its compressed bytes from the window of the input it lies in, which must outlive it and must not be used
/// while this source is.
@safe final class LZFSource: ByteSource {
    private let outer: UnsafeMutablePointer<ByteWindow>
    private let blockOffset: UInt64
    private var compressedLeft: UInt64
    private var decompressedLeft: UInt64
    private let buffer: UnsafeMutableRawBufferPointer
    private var state: Decompression
    /// Decompressed bytes not delivered yet: from here to `state.output`.
    private var delivered: UnsafeMutableRawPointer
    private(set) var fault: DecodeError?

    @unsafe init(outer: UnsafeMutablePointer<ByteWindow>, compressedByteCount: UInt64, byteCount: UInt64) {
        unsafe self.outer = outer
        blockOffset = unsafe outer.pointee.offset
        compressedLeft = compressedByteCount
        decompressedLeft = byteCount
        unsafe buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: LZF.historyByteCount + 64 << 10 + LZF.slackByteCount, alignment: 64)
        let start = unsafe buffer.baseAddress!
        unsafe delivered = start
        unsafe state = Decompression(outputStart: start, outputEnd: start + buffer.count - LZF.slackByteCount)
    }

    deinit { unsafe buffer.deallocate() }

    var byteCount: UInt64? { nil }
    var consumedByteCount: UInt64 { 0 }

    func read(into destination: UnsafeMutableRawBufferPointer) throws(SourceError) -> Int {
        if unsafe delivered == state.output, fault == nil { decompressMore() }
        if let fault { throw .damaged(fault.code, fault.expected) }
        let count = unsafe min(destination.count, state.output - delivered)
        if count > 0 {
            // delivered + count <= state.output, and count fits the destination.
            unsafe destination.baseAddress!.copyMemory(from: delivered, byteCount: count)
            unsafe delivered += count
        }
        return count
    }

    private func decompressMore() {
        // Keep the history that matches may refer to, and make room behind it.
        let produced = unsafe state.output - state.outputStart
        let keep = min(produced, LZF.historyByteCount)
        unsafe state.outputStart.copyMemory(from: state.output - keep, byteCount: keep)
        unsafe state.output = state.outputStart + keep
        unsafe delivered = state.output
        do throws(DecodeError) {
            while unsafe state.output == delivered, compressedLeft > 0 {
                // All that is at hand, but at least the longest instruction (or the rest).
                let want = Int(min(compressedLeft, UInt64(LZF.longestLiteral + 1)))
                try unsafe outer.pointee.require(want)
                let count = unsafe Int(min(compressedLeft, UInt64(outer.pointee.availableByteCount)))
                let isWhole = UInt64(count) == compressedLeft
                var at = unsafe outer.pointee.position
                let from = unsafe at
                let found = unsafe state.runWhileRoom(from: &at, to: from + count, isWhole: isWhole)
                let used = unsafe at - from
                unsafe outer.pointee.position = at
                compressedLeft -= UInt64(used)
                if let found { throw unsafe found.decodeError(at: outer.pointee.location(at: blockOffset)) }
            }
            let made = UInt64(unsafe state.output - delivered)
            if made > decompressedLeft {
                throw unsafe LZF.Fault.outputTooLong.decodeError(at: outer.pointee.location(at: blockOffset))
            }
            decompressedLeft -= made
            if made == 0, decompressedLeft > 0 {
                throw unsafe LZF.Fault.outputTooShort(0).decodeError(at: outer.pointee.location(at: blockOffset))
            }
        } catch {
            fault = error
        }
    }

    func hold(from offset: UInt64, delivered: UnsafeRawBufferPointer) throws(SourceError) {
        preconditionFailure("a block is read once")
    }
    func rewind(to offset: UInt64) throws(SourceError) { preconditionFailure("a block is read once") }
    func release() {}
}

extension ByteWindow {
    /// A window over the decompressed bytes of the LZF block that comes next in `outer`. Nothing else may use `outer`
    /// while this window is used. The block should end at a limit of `outer`.
    @unsafe public init(
        lzfIn outer: UnsafeMutablePointer<ByteWindow>, compressedByteCount: UInt64, byteCount: UInt64
    ) {
        let container = unsafe outer.pointee.offset
        self.init(
            unsafe LZFSource(outer: outer, compressedByteCount: compressedByteCount, byteCount: byteCount),
            initialByteCount: 256 << 10, verifiesChecksum: false, container: container)
    }
}
