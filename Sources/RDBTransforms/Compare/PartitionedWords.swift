import RDBBytes

/// Records of words, dealt out to parts and kept there in the order in which they came. A part that fills its share of
/// the memory is written to a temporary file.
///
/// One thread at a time appends. After that, several may look at different parts.
///
/// Why the pointers are safe: `parts` are `partCount` until `deinit`, and every use of a part's number goes through
/// `at`, which looks at it.
@safe struct PartitionedWords: ~Copyable, @unchecked Sendable {
    /// How many words a record has.
    let recordWords: Int
    let partCount: Int
    private let parts: UnsafeMutablePointer<Part>
    private let file = SpillFile()

    private struct Part: ~Copyable {
        var words: WordBuffer
        var extents: [Extent] = []
        var spilledWords = 0

        init(maxWords: Int) { words = WordBuffer(limit: maxWords) }
    }

    private struct Extent {
        var offset: UInt64
        var wordCount: Int
    }

    /// Words that a part keeps in memory: whole records.
    private let maxWords: Int

    /// - Parameter memory: bytes for the records of all parts.
    init(partCount: Int, recordWords: Int, memory: Int) {
        self.recordWords = recordWords
        self.partCount = partCount
        maxWords = max(16, memory / partCount / 8 / recordWords) * recordWords
        unsafe parts = .allocate(capacity: partCount)
        for part in 0..<partCount { unsafe (parts + part).initialize(to: Part(maxWords: maxWords)) }
    }

    deinit {
        unsafe parts.deinitialize(count: partCount)
        unsafe parts.deallocate()
    }

    /// Bytes that went to the temporary file.
    var spilledByteCount: UInt64 { file.byteCount }

    @unsafe @inline(__always)
    private func at(_ part: Int) -> UnsafeMutablePointer<Part> {
        precondition(part >= 0 && part < partCount)
        return unsafe parts + part
    }

    /// - Parameters:
    ///   - records: whole ones.
    ///   - part: of a record, by its first word.
    @inline(__always)
    mutating func append(_ records: [UInt64], part: (_ firstWord: UInt64) -> Int) throws(SpillError) {
        precondition(records.count % recordWords == 0)
        let result = unsafe records.withUnsafeBufferPointer { words -> Result<Void, SpillError> in
            var index = 0
            while index < words.count {
                let part = unsafe at(part(words[index]))
                do throws(SpillError) {
                    if unsafe part.pointee.words.count >= maxWords { unsafe try spill(part) }
                } catch { return .failure(error) }
                // Records are whole: as many words as one has lie behind `index`.
                unsafe part.pointee.words.append(words.baseAddress! + index, recordWords)
                index += recordWords
            }
            return .success(())
        }
        try result.get()
    }

    @unsafe private mutating func spill(_ part: UnsafeMutablePointer<Part>) throws(SpillError) {
        let count = unsafe part.pointee.words.count
        let offset = try file.append(unsafe part.pointee.words.bytes)
        unsafe part.pointee.extents.append(Extent(offset: offset, wordCount: count))
        unsafe part.pointee.spilledWords += count
        unsafe part.pointee.words.removeAll()
    }

    func recordCount(of part: Int) -> Int {
        let part = unsafe at(part)
        return unsafe (part.pointee.spilledWords + part.pointee.words.count) / recordWords
    }

    /// Shows the records of a part in their order, in pieces of whole records.
    func visit(_ part: Int, _ body: (UnsafeBufferPointer<UInt64>) -> Void) throws(SpillError) {
        let part = unsafe at(part)
        var piece: [UInt64] = []
        for extent in unsafe part.pointee.extents {
            var done = 0
            while done < extent.wordCount {
                // Whole records, some 64 KiB of them.
                let count = min(extent.wordCount - done, 8192 / recordWords * recordWords)
                if piece.count != count { piece = Array(repeating: 0, count: count) }
                let result = unsafe piece.withUnsafeMutableBytes { buffer -> Result<Void, SpillError> in
                    do throws(SpillError) {
                        unsafe try file.read(at: extent.offset + UInt64(done) * 8, into: buffer)
                        return .success(())
                    } catch { return .failure(error) }
                }
                try result.get()
                unsafe piece.withUnsafeBufferPointer { unsafe body($0) }
                done += count
            }
        }
        unsafe body(part.pointee.words.buffer)
    }

    /// Forgets the records of a part, and gives their memory back. Nobody may be looking at the same part.
    func remove(_ part: Int) { unsafe at(part).pointee = Part(maxWords: maxWords) }
}

/// Words that are only ever appended.
@safe private struct WordBuffer: ~Copyable {
    private var base: UnsafeMutablePointer<UInt64>
    private var capacity = 16
    private let limit: Int
    private(set) var count = 0

    /// - Parameter limit: how many words it will hold at most.
    init(limit: Int) {
        self.limit = max(capacity, limit)
        unsafe base = .allocate(capacity: capacity)
    }

    deinit { unsafe base.deallocate() }

    @unsafe @inline(__always)
    mutating func append(_ words: UnsafePointer<UInt64>, _ wordCount: Int) {
        if capacity - count < wordCount { grow() }
        // The limit is a multiple of a record, and so is what a doubling makes room for, or more.
        for word in 0..<wordCount { unsafe base[count + word] = words[word] }
        count += wordCount
    }

    @inline(never)
    private mutating func grow() {
        precondition(count < limit, "a buffer that is emptied when it is full")
        capacity = min(capacity * 2, limit)
        let new = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity)
        unsafe new.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = new
    }

    mutating func removeAll() { count = 0 }

    @unsafe var buffer: UnsafeBufferPointer<UInt64> { unsafe UnsafeBufferPointer(start: base, count: count) }

    var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            unsafe _overrideLifetime(
                RawSpan(_unsafeStart: UnsafeRawPointer(base), byteCount: count * 8), borrowing: self)
        }
    }
}
