import Testing

/// Which keys each option takes out of the demo dump. The truth is worked out from testdata/demo/shop.commands; sizes are
/// the lengths of what the server's DUMP gave, slots its CLUSTER KEYSLOT.
@Suite("selection")
struct SelectionTests {
    static let sessions = [
        "session:9f4fb7a1774f", "session:247578549014", "session:3a9ae261e34a", "session:b361a06d7a69",
        "session:782aac9f21df",
    ]
    static let counters = ["counter:2021", "counter:2022", "counter:2023", "counter:2024"]
    static let first = [
        "avatar:7", "board:alltime", "board:weekly", "catalog", "coupon:spring", "customers:active", "log:payments",
        "note:escapes", "orders", "page:home:title", "primes", "queue:mail", "stock:4711", "stock:4712", "tags:coffee",
        "tea:taste", "terms", "user:1", "user:2", "visitors:today",
    ]
    static let second = sessions + ["cache:rates", "cache:stale", "session:old"]
    static let sixth = counters + ["user:1"]
    static let all = first + second + sixth

    struct Case: CustomTestStringConvertible, Sendable {
        var options: [String]
        var keys: [String]
        var testDescription: String { options.joined(separator: " ") }

        init(_ options: String, _ keys: [String]) {
            self.options = options.split(separator: " ").map { String($0) }
            self.keys = keys.sorted()
        }
    }

    static let cases: [Case] = [
        Case("", all),
        // Databases.
        Case("--db 0", first),
        Case("--db 5", sixth),
        Case("--db 0-1", first + second),
        Case("--db 1-4", second),
        Case("--db 1 --db 5", second + sixth),
        Case("--db 0-9", all),
        Case("--db 3", []),
        // Globs.
        Case("--key user:*", ["user:1", "user:2", "user:1"]),
        Case("--key user:?", ["user:1", "user:2", "user:1"]),
        Case("--key user", []),
        Case(
            "--key *:[0-9]*",
            ["avatar:7", "stock:4711", "stock:4712", "user:1", "user:2"] + sixth
                + ["session:9f4fb7a1774f", "session:247578549014", "session:3a9ae261e34a", "session:782aac9f21df"]),
        Case("--key t[aeiou]* --key primes", ["tags:coffee", "tea:taste", "terms", "primes"]),
        Case("--key t[^e]*", ["tags:coffee"]),
        Case("--key stock:471\\1", ["stock:4711"]),
        Case(
            "--key *:* --not-key *:[0-9]* --not-key session:* --db 0",
            [
                "board:alltime", "board:weekly", "coupon:spring", "customers:active", "log:payments", "note:escapes",
                "page:home:title", "queue:mail", "tags:coffee", "tea:taste", "visitors:today",
            ]),
        Case("--not-key *", []),
        // Regular expressions.
        Case("--key-regex ^user:\\d$", ["user:1", "user:2", "user:1"]),
        Case("--key-regex 471[12]", ["stock:4711", "stock:4712"]),
        Case("--key-regex (?i)^BOARD", ["board:alltime", "board:weekly"]),
        Case("--key-regex ^c --not-key-regex :", ["catalog"]),
        Case("--key-regex ^primes$ --key-regex ^terms$", ["primes", "terms"]),
        Case("--key counter:* --key-regex [24]$", ["counter:2022", "counter:2024"]),
        // Types.
        Case("--type list", ["queue:mail", "log:payments"]),
        Case("--type set --type zset", ["primes", "tags:coffee", "customers:active", "board:weekly", "board:alltime"]),
        Case("--type stream", ["orders"]),
        Case("--type module", ["tea:taste"]),
        Case("--type hash", ["user:1", "user:2", "catalog", "coupon:spring", "session:old"]),
        Case("--type array", []),
        Case("--not-type string --db 1-5", ["session:old"]),
        Case(
            "--not-type string --not-type hash --not-type set --db 0",
            ["board:alltime", "board:weekly", "log:payments", "orders", "queue:mail", "tea:taste"]),
        // Slots.
        Case("--slot 10778", ["user:1", "user:1"]),
        Case("--slot 0-1000", ["orders", "session:b361a06d7a69"]),
        Case("--slot 105 --slot 564-1474", ["orders", "session:b361a06d7a69", "counter:2022"]),
        Case("--slot 0-16383", all),
        // Sizes of values in the file.
        Case("--max-size 3", ["stock:4711", "stock:4712"]),
        Case("--min-size 5 --max-size 5", counters + ["cache:stale"]),
        Case("--min-size 300", ["catalog", "log:payments", "orders"]),
        Case("--min-size 300B", ["catalog", "log:payments", "orders"]),
        Case("--min-size 0.3KB", ["catalog", "log:payments", "orders"]),
        Case("--min-size 0.335KiB", ["catalog", "orders"]),
        Case("--min-size 0.0003mb", ["catalog", "log:payments", "orders"]),
        Case("--min-size 1KB", []),
        Case("--max-size 1KiB", all),
        Case("--max-size 1GB --min-size 0", all),
        Case("--max-size 2TiB", all),
        Case("--min-size 100 --max-size 50", []),
        // Elements.
        Case("--min-elements 12 --not-type module", ["catalog", "customers:active", "log:payments"]),
        Case("--min-elements 5 --max-elements 9", ["board:alltime", "orders", "primes", "queue:mail"]),
        Case("--max-elements 1 --db 5", sixth),
        Case("--max-elements 2 --type hash", ["session:old"]),
        // Expiry.
        Case("--expires none --db 1", []),
        Case("--expires none", first + sixth),
        Case("--expires any", second),
        Case("--expires past", ["cache:stale", "session:old"]),
        Case("--expires future", sessions + ["cache:rates"]),
        Case("--expires past --expires none --db 1-5", sixth + ["cache:stale", "session:old"]),
        Case("--expires-before 2024-01-15", ["session:old"]),
        Case("--expires-before 1706745600", ["session:old"]),
        Case("--expires-before 1706745600.001", ["cache:stale", "session:old"]),
        Case("--expires-before +7d", ["cache:stale", "session:old"]),
        Case("--expires-before -2h", ["cache:stale", "session:old"]),
        Case("--key -x --not-key -y", []),
        Case("--key-regex -x|^primes$ --not-key-regex -y", ["primes"]),
        Case("--expires-after +52w", sessions + ["cache:rates"]),
        Case("--expires-after 2100-01-01T05:00:00Z", ["cache:rates"]),
        Case("--expires-after 2100-01-01T05:59:59+01:00", [sessions[4], "cache:rates"]),
        Case("--expires-after 2100-01-01T03:59:59.999Z --expires-before 2100-01-01T05:00:00Z", [sessions[3]]),
        // Shares that take all or nothing.
        Case("--sample 1", all),
        Case("--sample 100%", all),
        Case("--sample 0", []),
        // All conditions hold together.
        Case("--db 1 --type string --key session:* --max-elements 1 --expires future", sessions),
        Case("--limit 0", []),
    ]

    @Test("keys that are taken", arguments: cases)
    func keys(_ given: Case) throws {
        let run = try Program.run(["keys", "shop.rdb"] + given.options)
        #expect(run.status == 0)
        #expect(run.errors == "")
        #expect(run.lines.sorted() == given.keys)
    }

    @Test("json takes the same entries, in the same order", arguments: cases)
    func json(_ given: Case) throws {
        let keys = try Program.run(["keys", "shop.rdb"] + given.options).lines
        let run = try Program.run(["json", "--keys-only", "shop.rdb"] + given.options)
        #expect(run.status == 0)
        #expect(run.lines.map { String($0.drop { $0 != "," }) } == keys.map { ",\"key\":\"\($0)\"}" })
    }

    @Test("--limit takes the first ones", arguments: [1, 5, 32, 33, 34, 1000])
    func limit(_ count: Int) throws {
        let all = try Program.run(["keys", "shop.rdb"]).lines
        let run = try Program.run(["keys", "shop.rdb", "--limit", String(count)])
        #expect(run.lines == Array(all.prefix(count)))
        let lines = try Program.run(["json", "shop.rdb", "--keys-only", "--limit", String(count)]).lines
        #expect(lines.count == min(count, all.count))
    }

    @Test("--limit counts what the other options let through, over all inputs")
    func limitOfSelected() throws {
        let counters = try Program.run(["keys", "shop.rdb", "--key", "counter:*"]).lines
        let run = try Program.run(["keys", "shop.rdb", "shop.rdb", "--key", "counter:*", "--limit", "6"])
        #expect(run.lines == counters + counters.prefix(2))
    }

    @Test("--sample takes the same keys each time, and more with a larger share")
    func sample() throws {
        func taken(_ share: String, _ input: Program.Feed? = nil) throws -> [String] {
            try Program.run(["keys", input == nil ? "shop.rdb" : "-", "--sample", share], input: input ?? .nothing)
                .lines
        }
        let half = try taken("0.5")
        #expect(try taken("50%") == half)
        #expect(try taken("0.5", .pipe(Checkout.shop)) == half)
        #expect((6...27).contains(half.count), "of 33 keys")
        let most = try taken("0.9")
        #expect(Set(half).isSubset(of: Set(most)))
        #expect(Set(try taken("0.1")).isSubset(of: Set(half)))
    }

    @Test(
        "wrong values are a usage error that names the option",
        arguments: [
            ("--db", "x"), ("--db", "3-1"), ("--db", "-1"), ("--type", "table"), ("--not-type", ""),
            ("--slot", "16384"),
            ("--slot", "a"), ("--min-size", "10XB"), ("--max-size", "-5"), ("--min-size", "99999999999999999999"),
            ("--min-elements", "-1"), ("--max-elements", "1k"), ("--expires", "never"), ("--expires-before", "soon"),
            ("--expires-before", "+1000000000000w"), ("--expires-after", "2026-02-30"),
            ("--expires-after", "2026-13-01"), ("--expires-after", "2026-01-01T25:00:00Z"), ("--sample", "2"),
            ("--sample", "x%"), ("--limit", "x"), ("--on-error", "ignore"), ("--color", "blue"),
            ("--error-format", "xml"),
        ])
    func wrongValue(_ option: String, _ value: String) throws {
        let run = try Program.run(["keys", "shop.rdb", "\(option)=\(value)"])
        #expect(run.status == 64)
        #expect(run.text == "")
        #expect(run.errors.hasPrefix("Error: "))
        #expect(run.errors.contains(option == "--slot" && value == "16384" ? "slots" : option), "\(run.errors)")
    }

    @Test("a wrong regular expression is a usage error that says where", arguments: ["--key-regex", "--not-key-regex"])
    func wrongRegex(_ option: String) throws {
        let run = try Program.run(["json", "shop.rdb", option, "a(b"])
        #expect(run.status == 64)
        #expect(run.text == "")
        #expect(run.errors.contains("'a(b'"))
    }
}
