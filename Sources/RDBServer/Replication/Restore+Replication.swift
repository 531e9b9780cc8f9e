public import RDBKit

extension Restore {
    /// Removes what a full synchronization would replace: keys and functions.
    public func empty() throws(ServerError) {
        _ = try flush()
        let control = try connected()
        let reply = try control.call("FUNCTION", "FLUSH")
        // Before 7.0 there are none.
        if reply.isError, try connect().serverVersion.hasFunctions {
            throw .refused(control.address, "cannot remove its functions", reply)
        }
    }

    /// Gives the target the whole of a file by one full synchronization.
    public func synchronize(
        _ source: any ByteSource, byteCount: UInt64?, version: RDBVersion, options: ReplicationSync.Options,
        onProgress: ((ReplicationSync.Progress) -> Void)? = nil
    ) throws(ServerError) -> ReplicationSummary {
        var sync = ReplicationSync(
            control: try connected(), description: try connect(), source: source, byteCount: byteCount,
            version: version, options: options)
        sync.onProgress = onProgress
        return try sync.run()
    }
}
