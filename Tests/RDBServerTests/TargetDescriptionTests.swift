import NIOPosix
import RDBKit
import RDBServer
import RESPFormat
import ServerHarness
import Testing

@Suite("What a server says about itself")
struct TargetDescriptionTests {
    private let address = ServerAddress.tcp(host: "h", port: 6379)

    @Test("Redis: everything that INFO tells")
    func redis() throws {
        let info = """
            # Server\r
            redis_version:7.0.15\r
            redis_mode:standalone\r
            gcc_version:12.2.0\r
            run_id:0123456789012345678901234567890123456789\r
            # Memory\r
            used_memory:1048576\r
            maxmemory:2097152\r
            maxmemory_policy:noeviction\r
            # Persistence\r
            loading:0\r
            async_loading:0\r
            aof_enabled:1\r
            # Replication\r
            role:master\r
            master_replid:9876543210987654321098765432109876543210\r
            # Keyspace\r
            db0:keys=10,expires=1,avg_ttl=0\r
            db15:keys=3,expires=0,avg_ttl=0,subexpiry=1\r

            """
        let target = try TargetDescription(address: address, info: info, hello: nil)
        var expected = TargetDescription(address: address)
        expected.version = ReleaseNumber(7, 0, 15)
        expected.redisVersion = ReleaseNumber(7, 0, 15)
        expected.runID = "0123456789012345678901234567890123456789"
        expected.replicationID = "9876543210987654321098765432109876543210"
        expected.usedMemory = 1 << 20
        expected.maxMemory = 2 << 20
        expected.maxMemoryPolicy = "noeviction"
        expected.isAOFEnabled = true
        expected.keyCounts = [0: 10, 15: 3]
        #expect(target == expected)
        #expect(target.name == "Redis 7.0.15")
        #expect(target.isEmpty == false)
        #expect(target.obstacle == nil)
    }

    struct Kind: Sendable {
        var lines: String
        var name: String
        var family: TargetDescription.Family
        var redis: ReleaseNumber?
        /// The newest RDB version, from the projects' own release notes.
        var newest: RDBVersion?
    }

    @Test(
        "the families are told apart",
        arguments: [
            Kind(
                lines: "redis_version:7.2.4\nserver_name:valkey\nvalkey_version:9.1.2", name: "Valkey 9.1.2",
                family: .valkey, redis: ReleaseNumber(7, 2, 4), newest: RDBVersion(number: 80, family: .valkey)),
            Kind(
                lines: "redis_version:7.2.4\nvalkey_version:8.1.8\nvalkey_release_stage:ga", name: "Valkey 8.1.8",
                family: .valkey, redis: ReleaseNumber(7, 2, 4), newest: RDBVersion(number: 11, family: .redis)),
            Kind(
                lines: "redis_version:7.2.4\nvalkey_version:9.2.0", name: "Valkey 9.2.0", family: .valkey,
                redis: ReleaseNumber(7, 2, 4), newest: RDBVersion(number: 81, family: .valkey)),
            Kind(
                lines: "redis_version:6.3.4\nmvcc_depth:0", name: "KeyDB 6.3.4", family: .keyDB,
                redis: ReleaseNumber(6, 3, 4), newest: RDBVersion(number: 9, family: .redis)),
            Kind(
                lines: "redis_version:7.4.0\ndragonfly_version:df-v1.40.1\ngcc_version:13.2.0",
                name: "Dragonfly 1.40.1", family: .dragonfly, redis: ReleaseNumber(7, 4, 0),
                newest: RDBVersion(number: 12, family: .redis)),
            Kind(
                lines: "redis_version:7.4.3\ngarnet_version:1.0.61", name: "garnet 1.0.61", family: .other("garnet"),
                redis: ReleaseNumber(7, 4, 3), newest: RDBVersion(number: 12, family: .redis)),
            Kind(
                lines: "redis_version:255.255.255", name: "Redis 255.255.255", family: .redis,
                redis: ReleaseNumber(255, 255, 255), newest: RDBVersion(number: 15, family: .redis)),
            Kind(
                lines: "redis_version:6.2.5", name: "Redis 6.2.5", family: .redis, redis: ReleaseNumber(6, 2, 5),
                newest: RDBVersion(number: 9, family: .redis)),
            Kind(
                lines: "redis_version:8.2.3", name: "Redis 8.2.3", family: .redis, redis: ReleaseNumber(8, 2, 3),
                newest: RDBVersion(number: 12, family: .redis)),
            Kind(lines: "role:master", name: "Redis", family: .redis, redis: nil, newest: nil),
        ])
    func families(_ kind: Kind) throws {
        let target = try TargetDescription(address: address, info: kind.lines, hello: nil)
        #expect(target.family == kind.family)
        #expect(target.name == kind.name)
        #expect(target.redisVersion == kind.redis)
        #expect(target.newestRDBVersion == kind.newest)
        #expect(target.keyCounts == nil)
    }

    @Test("which files a server loads")
    func loads() throws {
        func loads(_ info: String, _ number: Int, _ family: RDBFamily) throws -> Bool? {
            try TargetDescription(address: address, info: info, hello: nil)
                .loads(RDBVersion(number: number, family: family))
        }
        #expect(try loads("redis_version:7.0.15", 10, .redis) == true)
        #expect(try loads("redis_version:7.0.15", 11, .redis) == false)
        #expect(try loads("redis_version:8.2.3", 12, .redis) == true)
        #expect(try loads("redis_version:8.2.3", 80, .valkey) == false)
        #expect(try loads("valkey_version:9.1.2", 80, .valkey) == true)
        #expect(try loads("valkey_version:9.1.2", 81, .valkey) == false)
        #expect(try loads("valkey_version:9.1.2", 11, .redis) == true)
        #expect(try loads("valkey_version:9.1.2", 12, .redis) == false)
        #expect(try loads("valkey_version:8.1.8", 80, .valkey) == false)
        #expect(try loads("", 9, .redis) == nil)
    }

    @Test("a user who may not ask for INFO learns what HELLO says")
    func denied() throws {
        let hello = RESPReply.array([
            .bulk(Array("server".utf8)), .bulk(Array("valkey".utf8)), .bulk(Array("version".utf8)),
            .bulk(Array("9.1.2".utf8)), .bulk(Array("mode".utf8)), .bulk(Array("cluster".utf8)),
            .bulk(Array("role".utf8)), .bulk(Array("replica".utf8)), .bulk(Array("modules".utf8)),
            .array([
                .array([
                    .bulk(Array("name".utf8)), .bulk(Array("json".utf8)), .bulk(Array("ver".utf8)), .integer(10_002),
                ])
            ]),
        ])
        let target = try TargetDescription(address: address, info: nil, hello: hello)
        #expect(target.name == "Valkey 9.1.2")
        #expect(target.redisVersion == ReleaseNumber(7, 2, 4))
        #expect(target.mode == .cluster)
        #expect(target.role == .replica(of: .tcp(host: "?", port: 0), isLinkUp: false))
        #expect(target.isReadOnly)
        #expect(target.modules == [.init(name: "json", version: 10_002)])
        #expect(target.isEmpty == nil)
        #expect(target.runID == nil)
    }

    @Test("a Sentinel is refused, a loading server and a read-only replica are told")
    func unsuitable() throws {
        let sentinel = #expect(throws: ServerError.self) {
            try TargetDescription(address: address, info: "redis_version:7.0.0\nredis_mode:sentinel", hello: nil)
        }
        #expect(sentinel?.code == .unsuitableTarget)
        let loading = try TargetDescription(
            address: address, info: "redis_version:7.0.0\nloading:1\nasync_loading:0\nloading_eta_seconds:17",
            hello: nil)
        #expect(loading.loading == .init(secondsLeft: 17, isAsynchronous: false))
        #expect(loading.obstacle?.message == "h:6379: the server is loading its data, for about 17 s more")
        let lines = "redis_version:7.0.0\nrole:slave\nmaster_host:10.0.0.1\nmaster_port:6380\nmaster_link_status:up\n"
        let replica = try TargetDescription(address: address, info: lines + "slave_read_only:1", hello: nil)
        #expect(replica.role == .replica(of: .tcp(host: "10.0.0.1", port: 6380), isLinkUp: true))
        #expect(
            replica.obstacle?.message
                == "h:6379: the server is a read-only replica of 10.0.0.1:6380; write to that one")
        #expect(try TargetDescription(address: address, info: lines + "slave_read_only:0", hello: nil).obstacle == nil)
    }

    @Suite("Real servers describe themselves", .serialized)
    struct RealServers {
        @Test("in both protocols, and to users with few rights", arguments: ServerCatalog.available)
        func real(server: Server) throws {
            let process = try ServerProcess(
                server, options: [(name: "maxmemory", value: "1gb"), (name: "maxmemory-policy", value: "allkeys-lru")])
            defer { process.stop() }
            let url = ServerURL(.unix(path: process.folder.file("socket")))
            let admin = try process.connect()
            try admin.call("SELECT", 3)
            try admin.call("MSET", "a", 1, "b", 2)
            try admin.call("ACL", "SETUSER", "few", "on", ">x", "+ping", "+set", "~*")
            for version in [ConnectionOptions.ProtocolVersion.resp2, .resp3] {
                var options = ConnectionOptions()
                options.protocolVersion = version
                let connection = try ServerConnection.connect(
                    to: url, options: options, group: group)
                let target = try TargetDescription.describe(connection)
                #expect(target.family == (server.family == .redis ? .redis : .valkey))
                #expect(target.version?.major == server.major && target.version?.minor == server.minor)
                #expect(target.mode == .standalone && target.role == .primary && target.loading == nil)
                #expect(target.keyCounts == [3: 2])
                #expect(target.databaseCount == 16)
                // Redis 8's own data types are not modules in this build; a vector set needs none.
                #expect(target.modules != nil)
                #expect(target.maxMemory == 1 << 30)
                #expect(target.maxMemoryPolicy == "allkeys-lru")
                #expect(target.usedMemory ?? 0 > 0)
                #expect(target.isAOFEnabled == false)
                #expect(target.runID?.count == 40 && target.replicationID?.count == 40)

                (options.user, options.password) = ("few", "x")
                let few = try ServerConnection.connect(to: url, options: options, group: group)
                let described = try TargetDescription.describe(few)
                #expect(described.family == target.family)
                #expect(described.version == target.version)
                #expect(described.keyCounts == nil && described.databaseCount == nil && described.runID == nil)
            }
        }
    }
}
