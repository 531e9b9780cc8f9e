import RDBBytes
public import RDBModel

/// Field names kept while entries refer to them: those of a stream's node, or of a hash template.
@usableFromInline
struct FieldNames: ValueVisitor {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    static let maxByteCount = 4 << 20

    @usableFromInline
    init() {}

    @usableFromInline var count: Int { ends.count }
    @usableFromInline var isTooLong: Bool { bytes.count + ends.count * 8 > Self.maxByteCount }

    @usableFromInline
    @_lifetime(borrow self)
    func name(_ index: Int) -> RawSpan {
        bytes.rawSpan.extracting((index == 0 ? 0 : ends[index - 1])..<ends[index])
    }

    @usableFromInline
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }

    @usableFromInline
    mutating func text(_ span: RawSpan, as role: TextRole) {
        unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        ends.append(bytes.count)
    }

    @usableFromInline
    mutating func integer(_ value: Int64, as role: TextRole) {
        bytes += Array(String(value).utf8)
        ends.append(bytes.count)
    }

    @usableFromInline
    mutating func beginLargeText(byteCount: UInt64, as role: TextRole) {}

    @usableFromInline
    mutating func largeTextChunk(_ span: RawSpan) {
        // A name of more than 1 MiB: kept up to the limit that the decoder refuses.
        if !isTooLong { unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) } }
    }

    @usableFromInline
    mutating func endLargeText(as role: TextRole) { ends.append(bytes.count) }

    /// Strictly ascending: shorter names first, equal lengths by bytes.
    var isAscending: Bool {
        for index in 0..<max(0, count - 1) {
            let (left, right) = (name(index).array, name(index + 1).array)
            if left.count > right.count || left.count == right.count && !left.lexicographicallyPrecedes(right) {
                return false
            }
        }
        return true
    }

    @usableFromInline var byteCount: Int { bytes.count + ends.count * 8 }
}
