/// The memory allocator of a server, as far as it decides how many bytes an allocation takes.
public enum Allocator: String, Sendable, CaseIterable {
    /// jemalloc as servers bundle it: multiples of 8 up to 64 bytes.
    case jemalloc
    /// jemalloc as distributions build it: multiples of 16 from 16 bytes up.
    case systemJemalloc = "system-jemalloc"
    /// The GNU C library's malloc.
    case libc

    public var name: String { rawValue }
}
