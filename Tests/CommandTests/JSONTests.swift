import Testing

/// Lines as the schema has them; the values are those of testdata/demo/shop.commands.
@Suite("json")
struct JSONTests {
    private func line(_ key: String, _ options: String..., database: Int = 0) throws -> [String] {
        let run = try Program.run(["json", "shop.rdb", "--db", String(database), "--key", key] + options)
        #expect(run.status == 0)
        #expect(run.errors == "")
        return run.lines
    }

    @Test(
        "a line of each type",
        arguments: [
            #"{"db":0,"key":"stock:4711","type":"string","encoding":"int","value":"1250"}"#,
            #"{"db":0,"key":"page:home:title","type":"string","encoding":"raw","value":"Kaffee & Tee — frisch geröstet ☕"}"#,
            #"{"db":0,"key":"note:escapes","type":"string","encoding":"raw","value":"a \"quoted\" word, a back\\slash and a\ttab"}"#,
            #"{"db":0,"key":"avatar:7","type":"string","encoding":"raw","value":"$base64:iVBORw0KGgoAAAANSUhEUg=="}"#,
            #"{"db":0,"key":"primes","type":"set","encoding":"intset","value":["2","3","5","7","11","13","17","19","23"]}"#,
            #"{"db":0,"key":"tags:coffee","type":"set","encoding":"listpack","value":["arabica","fair trade","espresso","100%"]}"#,
            #"{"db":0,"key":"queue:mail","type":"list","encoding":"quicklist2","value":["order-1000@example.com","order-1001@example.com","order-1002@example.com","order-1003@example.com","order-1004@example.com"]}"#,
            #"{"db":0,"key":"board:weekly","type":"zset","encoding":"listpack","value":[{"member":"anna","score":12.5},{"member":"ben","score":99},{"member":"cleo","score":99},{"member":"dora","score":32500000000}]}"#,
            #"{"db":0,"key":"user:2","type":"hash","encoding":"listpack","value":{"name":"Ben","email":"ben@example.com","visits":"7","vip":"yes"}}"#,
            #"{"db":1,"key":"cache:rates","type":"string","encoding":"raw","expires_at_ms":4102531200000,"value":"EUR/USD=1.09"}"#,
            #"{"db":1,"key":"session:old","type":"hash","encoding":"listpack","expires_at_ms":1704067200000,"value":{"user":"9","cart":"0"}}"#,
            #"{"db":5,"key":"counter:2021","type":"string","encoding":"int","value":"4311189"}"#,
        ])
    func lines(_ expected: String) throws {
        let key = try #require(expected.firstMatch(of: /"key":"([^"]+)"/)).1
        let database = try #require(expected.firstMatch(of: /"db":([0-9]+)/)).1
        #expect(try line(String(key), database: Int(database) ?? 0) == [expected])
    }

    @Test("infinite scores are text")
    func infiniteScores() throws {
        let text = try line("board:alltime").joined()
        #expect(text.contains(#"{"member":"everybody","score":"inf"}"#))
        #expect(text.contains(#"{"member":"nobody","score":"-inf"}"#))
        #expect(text.contains(#"{"member":"emil","score":0.1}"#))
    }

    @Test("expiries of hash fields stand before the value")
    func fieldExpiries() throws {
        let text = try line("coupon:spring").joined()
        #expect(
            text.hasPrefix(
                #"{"db":0,"key":"coupon:spring","type":"hash","encoding":"listpackex","field_expires_at_ms":{"#))
        #expect(text.contains(#""percent":4102444800000"#))
        #expect(text.contains(#""left":4102444800000"#))
        #expect(!text.contains(#""code":4102444800000"#))
        #expect(text.contains(#""code":"SPRING26""#))
    }

    @Test("a stream with its group; the deleted entry is gone")
    func stream() throws {
        let text = try line("orders").joined()
        #expect(
            text.hasPrefix(
                #"{"db":0,"key":"orders","type":"stream","encoding":"stream","value":{"entries":[{"id":"1767225600000-0","fields":[["customer","user:1"],["sku","sku-4707"],["count","5"]]},"#
            ))
        #expect(!text.contains(#"{"id":"1767225720000-0""#))
        #expect(
            text.contains(
                #""length":5,"last_id":"1767225900000-0","first_id":"1767225600000-0","max_deleted_id":"1767225720000-0","entries_added":6,"groups":[{"name":"packing","last_id":"1767225660000-0","entries_read":2,"pending":[{"id":"1767225600000-0","consumer":"packer-1","delivered_at_ms":1767226000000,"deliveries":1},"#
            ))
        #expect(text.contains(#""consumers":[{"name":"packer-1","seen_at_ms":"#))
    }

    @Test("a compressed string is whole")
    func compressed() throws {
        let value = String(repeating: "Returned goods are taken back within thirty days. ", count: 12)
        #expect(try line("terms") == [#"{"db":0,"key":"terms","type":"string","encoding":"lzf","value":"\#(value)"}"#])
    }

    @Test("a module's value is its parts")
    func module() throws {
        let text = try line("tea:taste").joined()
        #expect(
            text.hasPrefix(
                #"{"db":0,"key":"tea:taste","type":"module","encoding":"module","value":{"module":"vectorset","encoding_version":0,"#
            ))
    }

    @Test("--keys-only, --no-values, --meta")
    func parts() throws {
        #expect(try line("user:1", "--keys-only") == [#"{"db":0,"key":"user:1"}"#])
        #expect(
            try line("session:old", "--no-values", database: 1) == [
                #"{"db":1,"key":"session:old","type":"hash","encoding":"listpack","expires_at_ms":1704067200000}"#
            ])
        #expect(
            try line("session:old", "--no-values", "--meta", database: 1) == [
                #"{"db":1,"key":"session:old","type":"hash","encoding":"listpack","expires_at_ms":1704067200000,"serialized_bytes":24,"elements":2,"slot":12589}"#
            ])
        #expect(
            try line("stock:4711", "--meta") == [
                #"{"db":0,"key":"stock:4711","type":"string","encoding":"int","value":"1250","serialized_bytes":3,"elements":1,"slot":1689}"#
            ])
        #expect(
            try line("user:1", "--keys-only", "--meta") == [
                #"{"db":0,"key":"user:1","serialized_bytes":63,"elements":3,"slot":10778}"#
            ])
        let run = try Program.run(["json", "shop.rdb", "--keys-only", "--no-values"])
        #expect(run.status == 64)
        #expect(run.text == "")
    }

    @Test(
        "--strings",
        arguments: [
            ("auto", "avatar:7", "$base64:iVBORw0KGgoAAAANSUhEUg=="),
            ("base64", "$base64:YXZhdGFyOjc=", "$base64:iVBORw0KGgoAAAANSUhEUg=="),
            ("hex", "6176617461723a37", "89504e470d0a1a0a0000000d49484452"),
            ("latin1", "avatar:7", "\u{89}PNG\\r\\n\\u001a\\n\\u0000\\u0000\\u0000\\rIHDR"),
        ])
    func strings(_ form: String, _ key: String, _ value: String) throws {
        #expect(
            try line("avatar:7", "--strings", form) == [
                #"{"db":0,"key":"\#(key)","type":"string","encoding":"raw","value":"\#(value)"}"#
            ])
    }

    @Test("--array is one JSON array of the same objects")
    func array() throws {
        let lines = try Program.run(["json", "shop.rdb"]).lines
        let run = try Program.run(["json", "shop.rdb", "--array"])
        #expect(run.status == 0)
        #expect(run.text == "[\n" + lines.joined(separator: ",\n") + "\n]\n")
        #expect(try Program.run(["json", "shop.rdb", "--array", "--db", "9"]).text == "[]\n")
        let two = try Program.run(["json", "shop.rdb", "shop.rdb", "--array"])
        #expect(two.text == "[\n" + (lines + lines).joined(separator: ",\n") + "\n]\n")
    }

    @Test("idle times and counters of eviction, the text rule and its exception")
    func handmade() throws {
        var file = RDBBytes()
        file.database(0)
        file.idle(seconds: 86400)
        file.text("idle", "x")
        file.frequency(255)
        file.text("used", "$base64: is text here")
        file.entry(0, "not text", RDBBytes.string([0xff, 0x00]))
        file.entry(4, "fields", [1] + RDBBytes.string([0xc3]) + RDBBytes.string("v"))
        file.end()
        let folder = try TemporaryFolder()
        try file.write(to: folder.file("a.rdb"))
        let run = try Program.run(["json", "a.rdb"], in: folder.path)
        #expect(run.status == 0)
        #expect(run.errors == "")
        #expect(
            run.text == #"""
                {"db":0,"key":"idle","type":"string","encoding":"raw","idle_seconds":86400,"value":"x"}
                {"db":0,"key":"used","type":"string","encoding":"raw","lfu_freq":255,"value":"$base64:JGJhc2U2NDogaXMgdGV4dCBoZXJl"}
                {"db":0,"key":"not text","type":"string","encoding":"raw","value":"$base64:/wA="}
                {"db":0,"key":"fields","type":"hash","encoding":"hashtable","value":{"$base64:ww==":"v"}}

                """#)
    }

    @Test("the same input gives the same bytes")
    func repeatable() throws {
        let first = try Program.run(["json", "shop.rdb", "--meta"])
        #expect(try Program.run(["json", "shop.rdb", "--meta"]).output == first.output)
        #expect(try Program.run(["json", "shop.rdb"]).output == (try Program.run(["json", Checkout.shop])).output)
    }
}
