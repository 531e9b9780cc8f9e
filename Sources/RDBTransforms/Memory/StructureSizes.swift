/// Sizes of a release's structures, in bytes on a machine of 64 bits.
///
/// Sources: redis/redis src/object.h or server.h (robj, zset, zskiplist), src/dict.h, src/quicklist.h, src/stream.h,
/// src/rax.h, src/t_hash.c (listpackEx); valkey-io/valkey src/hashtable.c, src/server.h, src/vset.c; of each the branch
/// of the release. What the sources of a release were not at hand for was measured on the release itself.
struct StructureSizes: Sendable {
    /// The head of every object: type, encoding, counters, pointer to the value.
    static let object: UInt64 = 16
    /// An entry of a dict: key, value, next.
    static let dictEntry: UInt64 = 24
    static let quicklist: UInt64 = 40
    static let sortedSet: UInt64 = 16
    static let skiplist: UInt64 = 32

    /// Whether keys, and expiries, stand in the object instead of beside it: Redis 8.2, Valkey.
    let embedsKeys: Bool
    /// Valkey's tables of buckets instead of dicts.
    let hasBuckets: Bool
    let dict: UInt64
    /// Valkey's table without what a type adds to it.
    let hashtable: UInt64
    /// A volatile set's pointer behind a hash's table (Valkey 9).
    let hashTableExtra: UInt64
    let quicklistNode: UInt64
    let stream: UInt64
    let group: UInt64
    let consumer: UInt64
    /// A pending entry of a stream's group.
    let pending: UInt64
    let radixTree: UInt64
    /// Streams have an index of all pending entries: Redis 8.2.
    let indexesPending: Bool
    /// Lists of one node are that listpack alone, and large elements are nodes of their own: Redis 7.2, Valkey.
    let hasPackedLists: Bool
    let isZiplist: Bool

    init(_ server: ServerModel) {
        let isValkey = server == .valkey81 || server == .valkey91
        embedsKeys = isValkey || server == .redis82
        hasBuckets = isValkey
        dict = server == .redis62 ? 96 : 56
        hashtable = server == .valkey91 ? 80 : 72
        hashTableExtra = server == .valkey91 ? 8 : 0
        quicklistNode = server == .redis62 ? 32 : 40
        stream = server == .redis62 ? 40 : server == .redis82 ? 112 : 80
        group = server == .redis62 ? 32 : 40
        consumer = server == .redis62 || server == .redis70 ? 24 : 32
        pending = server == .redis82 ? 32 : 24
        radixTree = isValkey ? 32 : 24
        hasPackedLists = isValkey || server == .redis82
        indexesPending = server == .redis82
        isZiplist = server == .redis62
    }
}
