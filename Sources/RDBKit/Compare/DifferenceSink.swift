public import RDBBytes
public import RDBFormat
public import RDBTransforms

/// An expiry that changed: Unix time in milliseconds, nil for none.
public struct ExpiryChange: Equatable, Sendable {
    public var a: Int64?
    public var b: Int64?
}

/// Why differences could not be told to their end.
public enum DifferenceFailure: Error, Equatable, Sendable {
    /// A value of a side did not decode.
    case fault(Side, EntryFault)
    case spill(SpillError)
}

/// Takes differences, ordered by database and key. Readers stand at values that are held; whoever reads one again goes
/// back first (`rewindToValue`).
public protocol DifferenceSink: AnyObject {
    /// Whether it wants to know what changed within a value. If not, `changed` comes without changes.
    var wantsElements: Bool { get }
    /// Output failed: nothing more is wanted.
    var failure: OutputError? { get }

    /// A key that only A has.
    func removed(_ a: inout RDBReader) throws(DecodeError)
    /// A key that only B has.
    func added(_ b: inout RDBReader) throws(DecodeError)
    /// A key whose type changed.
    func replaced(_ a: inout RDBReader, _ b: inout RDBReader) throws(DecodeError)
    /// A key of the same type in both. The changes can be gone through more than once.
    func changed(
        _ a: inout RDBReader, _ b: inout RDBReader, _ changes: inout ValueChanges, _ expiry: ExpiryChange?
    ) throws(SinkFailure)
    /// A function library. `source`: of B, where it has one and it is not too long to be kept.
    func function(_ library: FunctionTable.Library, _ change: FunctionTable.Change, source: [UInt8]?)
}

/// What a sink meets while it reads values or changes.
public enum SinkFailure: Error {
    case decode(DecodeError)
    case spill(SpillError)
}
