/// How a server keeps data in memory: its release, its allocator, its configured limits.
public struct MemoryModel: Equatable, Sendable {
    public var server: ServerModel
    public var allocator: Allocator
    public var limits: EncodingLimits

    /// - Parameter limits: the server's defaults where nil.
    public init(server: ServerModel, allocator: Allocator = .jemalloc, limits: EncodingLimits? = nil) {
        self.server = server
        self.allocator = allocator
        self.limits = limits ?? EncodingLimits(server)
    }
}
