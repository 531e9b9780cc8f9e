import Glibc
import ServerHarness
import Testing

/// 128 MiB are enough for every run, whatever the file holds and however the target behaves.
@Suite("restore: memory", .serialized, .tags(.server, .slow))
struct MemoryTests {
    static let limitKiB = 128 << 10

    private static let plain = [(name: "rdbcompression", value: "no")]

    /// So many keys of some thirty bytes each.
    private static let tinyKeys = Result {
        try SavedDump(options: plain, readsBack: false) { try $0.call("DEBUG", "POPULATE", 1_000_000, "key", 10) }
    }

    private func expectLittle(
        _ run: RDBKitProgram.Run, _ subject: String, _ location: SourceLocation = #_sourceLocation
    ) {
        print("\(subject): \(run.peakKiB / 1024) MiB")
        #expect(run.status == 0, "\(subject): \(run.errors)", sourceLocation: location)
        #expect(
            run.peakKiB > 0 && run.peakKiB < Self.limitKiB, "\(subject): \(run.peakKiB) KiB", sourceLocation: location)
    }

    private func restore(_ dump: SavedDump, _ url: String, _ arguments: [String]) throws -> RDBKitProgram.Run {
        try RDBKitProgram.locate().restore(dump.path, url, arguments, timeoutSeconds: 300)
    }

    @Test("a million tiny keys")
    func tiny() throws {
        let dump = try Self.tinyKeys.get()
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        for arguments in [["--verify"], ["--as", "restore"], ["--as", "commands", "--connections", "64"]] {
            try process.connect().call("FLUSHALL")
            expectLittle(try restore(dump, process.url, arguments), "tiny keys \(arguments)")
            #expect(try process.connect().call("DBSIZE").integer() == 1_000_000)
        }
    }

    /// Values around all of the limits between the ways that there are.
    private static let largeValues = Result {
        try SavedDump(options: plain, readsBack: false) { connection in
            let fill = """
                local s = string.rep('x', 999)
                for i = 1, ARGV[1] * 1000 do redis.call(ARGV[2], KEYS[1], s .. i) end
                """
            for (index, megabytes) in [64, 66, 33, 9, 7, 7, 7, 7, 7, 7, 7, 7].enumerated() {
                try connection.call("EVAL", fill, 1, "list:\(index)", megabytes, "RPUSH")
                try connection.call(
                    "EVAL", "redis.call('SET', KEYS[1], string.rep('0123456789', ARGV[1] * 100000))", 1,
                    "string:\(index)", megabytes)
            }
            try connection.call("EVAL", fill, 1, "set", 64, "SADD")
        }
    }

    @Test("values of up to 66 MiB, whole and in slices, read back")
    func large() throws {
        let dump = try Self.largeValues.get()
        let process = try ServerProcess(.debian, options: Self.plain)
        defer { process.stop() }
        for arguments in [
            ["--verify"], ["--as", "restore", "--big-value", "200MiB"], ["--big-value", "2MiB", "--connections", "8"],
            ["--as", "commands", "--on-conflict", "replace"],
        ] {
            if !arguments.contains("replace") { try process.connect().call("FLUSHALL") }
            let run = try restore(dump, process.url, arguments)
            expectLittle(run, "large values \(arguments)")
            if arguments.contains("--verify") { #expect(try Summary(run).differing == 0) }
            #expect(try process.connect().call("LLEN", "list:1").integer() == 66_000)
            #expect(try process.connect().call("STRLEN", "string:1").integer() == 66_000_000)
        }
    }

    @Test("over TLS")
    func secure() throws {
        let dump = try Self.largeValues.get()
        let certificates = try Certificates()
        let port = try ServerProcess.freePort()
        let process = try ServerProcess(.debian, options: certificates.options(port: port) + Self.plain)
        defer { process.stop() }
        let url = "rediss://127.0.0.1:\(port)"
        for arguments in [[], ["--big-value", "2MiB", "--resp3"]] {
            try process.connect().call("FLUSHALL")
            let run = try restore(dump, url, ["--cacert", certificates.authority] + arguments)
            expectLittle(run, "large values over TLS \(arguments)")
        }
    }

    @Test("a target that takes a few megabytes a second")
    func slow() throws {
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        // Far more than may be on its way at once.
        let dump = try SavedDump(options: Self.plain, readsBack: false) { connection in
            try connection.call("DEBUG", "POPULATE", 300_000, "key", 20)
            try connection.call("EVAL", "redis.call('SET', 'a', string.rep('x', 30000000))", 0)
            for index in 0..<12 {
                try connection.call("EVAL", "redis.call('SET', KEYS[1], string.rep('x', 3000000))", 1, "s:\(index)")
            }
        }
        let proxy = try LoopbackProxy(to: .unix(process.socketPath), bytesPerSecond: 3_000_000)
        defer { proxy.stop() }
        let run = try restore(dump, "redis://127.0.0.1:\(proxy.port)", ["--connections", "2"])
        expectLittle(run, "a slow target")
        #expect(try process.connect().call("DBSIZE").integer() == 300_013)
    }

    @Test("a target that answers nothing for seconds")
    func silent() throws {
        let dump = try Self.tinyKeys.get()
        let process = try ServerProcess(.debian)
        defer { process.stop() }
        let proxy = try LoopbackProxy(to: .unix(process.socketPath))
        defer { proxy.stop() }
        for form in ["auto", "commands"] {
            let connection = try process.connect()
            try connection.call("FLUSHALL")
            let running = try RDBKitProgram.locate().start([
                "restore", dump.path, "redis://127.0.0.1:\(proxy.port)", "--as", form, "--connections", "8",
            ])
            try wait(seconds: 30) { try connection.call("DBSIZE").integer() > 10_000 }
            proxy.setSilent(true)
            _ = running.hasEnded(within: 3)
            proxy.setSilent(false)
            expectLittle(try running.end(timeoutSeconds: 120), "a silent target, \(form)")
            #expect(try connection.call("DBSIZE").integer() == 1_000_000)
        }
    }

    @Test("a cluster that is down for a while")
    func down() throws {
        let dump = try Self.tinyKeys.get()
        let cluster = try ClusterProcess(
            .debian, options: [(name: "appendonly", value: "yes"), (name: "appendfsync", value: "always")])
        defer { cluster.stop() }
        let running = try RDBKitProgram.locate().start([
            "restore", dump.path, "redis://127.0.0.1:\(cluster.nodes[0].port)", "--connections", "8",
        ])
        let connections = try cluster.nodes.map { try $0.process.connect() }
        try wait(seconds: 60) { try connections[1].call("DBSIZE").integer() > 5_000 }
        try cluster.nodes[1].process.kill()
        // Until the others refuse everything: the cluster is down.
        try wait(seconds: 30) {
            try connections[0].call("CLUSTER", "INFO").text().contains("cluster_state:fail")
        }
        _ = running.hasEnded(within: 2)
        try cluster.nodes[1].process.restart()
        expectLittle(try running.end(timeoutSeconds: 300), "a cluster that was down")
        let sizes = try cluster.nodes.map { try $0.process.connect().call("DBSIZE").integer() }
        #expect(sizes.reduce(0, +) == 1_000_000)
    }
}
