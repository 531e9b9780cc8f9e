/// The memory allocator of a server, as far as it decides how many bytes an allocation takes.
///
/// Sources: jemalloc include/jemalloc/internal/sc.h (size classes) and its build by redis/redis deps/Makefile
/// (`--with-lg-quantum=3`); GNU C library malloc/malloc.c (request2size, malloc_usable_size).
public enum Allocator: String, Sendable, CaseIterable {
    /// jemalloc as servers bundle it: multiples of 8 up to 64 bytes, then four classes for each doubling.
    case jemalloc
    /// jemalloc as distributions build it: multiples of 16 up to 128 bytes, then the same.
    case systemJemalloc = "system-jemalloc"
    /// The GNU C library's malloc: 8 bytes before multiples of 16, whole pages from 128 KiB on.
    ///
    /// Now and then it gives 16 bytes more than this, because it does not split off what is too small to use.
    case libc

    public var name: String { rawValue }

    /// What an allocation of `count` bytes takes: malloc_usable_size of what it gives.
    @inlinable
    public func size(_ count: UInt64) -> UInt64 {
        switch self {
        case .jemalloc: Self.sizeClass(count, quantum: 8)
        case .systemJemalloc: Self.sizeClass(count, quantum: 16)
        case .libc:
            count <= 24
                ? 24
                : count < 128 << 10 ? ((count &+ 23) & ~15) &- 8 : ((count &+ 16 &+ 4095) & ~4095) &- 16
        }
    }

    @inlinable
    static func sizeClass(_ count: UInt64, quantum: UInt64) -> UInt64 {
        if count <= 8 { return 8 }
        // Classes are an eighth of the next power of two apart.
        let bits = 64 - UInt64((count - 1).leadingZeroBitCount)
        let spacing = max(quantum, 1 << (bits - 3))
        return (count &+ (spacing - 1)) & ~(spacing - 1)
    }
}
