import FuzzEntrances

/// libFuzzer's own main calls this for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzEntrance.state.run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
