public import RDBBytes

// Items as they stand, for who writes them on without looking into them.
extension RDBReader {
    /// Remembers this place, so that what is read from here can be copied. Until `releaseItem` the source keeps what it
    /// needs for that.
    public mutating func holdItem() { window.mark() }

    public mutating func releaseItem() { window.unmark() }

    /// Appends the bytes from an offset, not before the held place, up to here.
    /// - Returns: false where they are too many to be at hand: the reader then stands at the offset again, and
    ///   `copyPiece` brings them.
    public mutating func copyItem(from start: UInt64, to out: inout OutputBuffer) throws(DecodeError) -> Bool {
        if window.copy(start..<offset, to: &out) { return true }
        try window.rewind(to: start)
        return false
    }

    /// Appends some of the next bytes, at most as many as are left. Returns how many that were.
    public mutating func copyPiece(of left: UInt64, to out: inout OutputBuffer) throws(DecodeError) -> UInt64 {
        let piece = try window.takeChunk(upTo: left)
        out.append(piece)
        return UInt64(piece.byteCount)
    }

    /// Appends what was read between two offsets, of which none is before the held place. The reader stays where it is.
    mutating func copyHeld(_ offsets: Range<UInt64>, to out: inout OutputBuffer) throws(DecodeError) {
        if window.copy(offsets, to: &out) { return }
        let here = offset
        try window.rewind(to: offsets.lowerBound)
        while offset < offsets.upperBound { _ = try copyPiece(of: offsets.upperBound - offset, to: &out) }
        try window.skip(here - offset)
    }
}
