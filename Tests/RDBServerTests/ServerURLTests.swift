import RDBServer
import Testing

@Suite("URLs of servers")
struct ServerURLTests {
    struct Example: Sendable, CustomStringConvertible {
        var text: String
        var url: ServerURL
        var description: String { text }

        init(_ text: String, _ url: ServerURL) { (self.text, self.url) = (text, url) }
    }

    @Test(
        "are read",
        arguments: [
            Example("redis://localhost", ServerURL(.tcp(host: "localhost", port: 6379))),
            Example("redis://localhost/", ServerURL(.tcp(host: "localhost", port: 6379))),
            Example("REDIS://h:1", ServerURL(.tcp(host: "h", port: 1))),
            Example("valkey://10.0.0.1:7000/15", ServerURL(.tcp(host: "10.0.0.1", port: 7000), database: 15)),
            Example("rediss://h:65535", ServerURL(.tcp(host: "h", port: 65535), usesTLS: true)),
            Example("valkeys://h", ServerURL(.tcp(host: "h", port: 6379), usesTLS: true)),
            Example("redis://[::1]", ServerURL(.tcp(host: "::1", port: 6379))),
            Example("redis://[fe80::1]:7000/0", ServerURL(.tcp(host: "fe80::1", port: 7000), database: 0)),
            Example("redis://me:secret@h", ServerURL(.tcp(host: "h", port: 6379), user: "me", password: "secret")),
            Example("redis://:secret@h:1", ServerURL(.tcp(host: "h", port: 1), password: "secret")),
            Example("redis://me@h", ServerURL(.tcp(host: "h", port: 6379), user: "me")),
            Example(
                "redis://a%40b:p%3A%2f%25@h", ServerURL(.tcp(host: "h", port: 6379), user: "a@b", password: "p:/%")),
            Example("redis://me:p@ss@h", ServerURL(.tcp(host: "h", port: 6379), user: "me", password: "p@ss")),
            Example("redis://me:@h", ServerURL(.tcp(host: "h", port: 6379), user: "me", password: "")),
            Example("unix:///run/redis.sock", ServerURL(.unix(path: "/run/redis.sock"))),
            Example("redis+unix:///a%20b?db=3", ServerURL(.unix(path: "/a b"), database: 3)),
            Example("unix://me:x@/s", ServerURL(.unix(path: "/s"), user: "me", password: "x")),
        ])
    func read(_ example: Example) throws {
        #expect(try ServerURL(example.text) == example.url)
        #expect(ServerURL.isServerURL(example.text))
    }

    @Test(
        "that are wrong are told without the password",
        arguments: [
            "http://h", "redis:/h", "redis://", "redis://:secret@", "redis://me:secret@h:0",
            "redis://me:secret@h:65536",
            "redis://me:secret@h:", "redis://me:secret@h:12x", "redis://me:secret@h/x", "redis://me:secret@h/-1",
            "redis://me:secret@h/0/1", "redis://me:secret@h?db=1", "redis://::1", "redis://[::1", "redis://[::1]x",
            "redis://me:secret%2@h", "redis://me:secret%zz@h", "redis://me:secret%ff@h", "redis://me:secret%00@h",
            "unix://relative", "unix://", "unix:///s?x=1", "unix:///s?db=", "redis://h/12345678901",
        ])
    func wrong(_ text: String) {
        let error = #expect(throws: ServerError.self) { try ServerURL(text) }
        #expect(error?.code == .badURL)
        #expect(error?.message.contains("secret") == false)
    }

    @Test("are printed without the password")
    func description() throws {
        #expect(try ServerURL("valkeys://me:secret@[::1]:7000/2").description == "rediss://me@[::1]:7000/2")
        #expect(try ServerURL("unix://:secret@/s?db=2").description == "unix:///s?db=2")
        #expect(!ServerURL.isServerURL("dump.rdb"))
        #expect(!ServerURL.isServerURL("redis:dump.rdb"))
    }

    @Test("Addresses are read as servers write them")
    func addresses() {
        #expect(ServerAddress(hostAndPort: "127.0.0.1:7000") == .tcp(host: "127.0.0.1", port: 7000))
        #expect(ServerAddress(hostAndPort: "::1:7000") == .tcp(host: "::1", port: 7000))
        #expect(ServerAddress(hostAndPort: "[::1]:7000") == .tcp(host: "::1", port: 7000))
        #expect(ServerAddress(hostAndPort: ":7000") == .tcp(host: "", port: 7000))
        #expect(ServerAddress(hostAndPort: "host") == nil)
        #expect(ServerAddress(hostAndPort: "host:70000") == nil)
    }
}
