// Hashes of every layout, with and without expiries of fields.
extension Specimen {
    public static let time = hex("00 20 4A A9 D1 01 00 00")  // 2000000000000
    static let never = hex("FF FF FF FF FF FF FF FF")

    static let hashes: [Specimen] = [
        Specimen(
            "hash table", type: 4, hex("02 01 66 01 76 C0 07 C1 39 30"), ("hash", "hashtable"),
            ["elements 2", "field \"f\"", "fieldValue \"v\"", "field 7", "fieldValue 12345"],
            json: #"{"f":"v","7":"12345"}"#),
        Specimen(
            "hash of bytes that are no text", type: 4, hex("01 02 ff fe 01 80"), ("hash", "hashtable"),
            ["elements 1", "field \"\\xff\\xfe\"", "fieldValue \"\\x80\""],
            json: #"{"$base64://4=":"$base64:gA=="}"#),
        Specimen(
            "zipmap", type: 9, hex("15 02 01 66 03 00 76 76 76 04 6C 6F 6E 67 02 03 78 78 78 78 78 FF"),
            ("hash", "zipmap"),
            ["elements 2", "field \"f\"", "fieldValue \"vvv\"", "field \"long\"", "fieldValue \"xx\""],
            json: #"{"f":"vvv","long":"xx"}"#),
        Specimen(
            "zipmap of unknown count with a long value", type: 9,
            RDB.string(RDB.zipmap([RDB.ZipmapPair("f", text(254)), RDB.ZipmapPair("", text(253))], count: 254)),
            ("hash", "zipmap"),
            [
                "elements ?", "field \"f\"", "fieldValue \"\(text(254))\"", "field \"\"",
                "fieldValue \"\(text(253))\"",
            ],
            json: "{\"f\":\"\(text(254))\",\"\":\"\(text(253))\"}"),
        Specimen(
            "ziplist hash", type: 13, hex("17 17 00 00 00 13 00 00 00 04 00 00 01 66 03 01 76 03 01 6E 03 FE FF FF"),
            ("hash", "ziplist"),
            ["elements 2", "field \"f\"", "fieldValue \"v\"", "field \"n\"", "fieldValue -1"],
            json: #"{"f":"v","n":"-1"}"#),
        Specimen(
            "listpack hash", type: 16, hex("13 13 00 00 00 04 00 81 66 02 81 76 02 81 6E 02 DF FF 02 FF"),
            ("hash", "listpack"),
            ["elements 2", "field \"f\"", "fieldValue \"v\"", "field \"n\"", "fieldValue -1"],
            json: #"{"f":"v","n":"-1"}"#),
        Specimen(
            "listpack hash, compressed", type: 16,
            RDB.lzf(literally: RDB.listpack([.text("f"), .text("v"), .text("n"), .int13(-1)])), ("hash", "listpack"),
            ["elements 2", "field \"f\"", "fieldValue \"v\"", "field \"n\"", "fieldValue -1"],
            json: #"{"f":"v","n":"-1"}"#),
        Specimen("empty hash", type: 4, [0], ("hash", "hashtable"), ["elements 0"], json: "{}"),
    ]

    static let expiringHashes: [Specimen] = [
        Specimen(
            "hash with expiries, Redis 7.4", type: 24,
            hex("00 20 4A A9 D1 01 00 00 02 01 01 62 C0 02 00 01 61 C0 01"), ("hash", "hashtable"),
            [
                "elements 2", "field \"b\"", "fieldValue 2", "expiry 2000000000000", "field \"a\"", "fieldValue 1",
                "expiry none",
            ],
            json: #"{"b":"2","a":"1"}"#, magic: "REDIS0012", attributes: #","field_expires_at_ms":{"b":2000000000000}"#
        ),
        Specimen(
            "expiries above the smallest one", type: 24,
            time + hex("03 41F5 01 61 01 41 | 01 01 62 01 42 | 00 01 63 01 43"), ("hash", "hashtable"),
            [
                "elements 3", "field \"a\"", "fieldValue \"A\"", "expiry 2000000000500", "field \"b\"",
                "fieldValue \"B\"", "expiry 2000000000000", "field \"c\"", "fieldValue \"C\"", "expiry none",
            ],
            json: #"{"a":"A","b":"B","c":"C"}"#, magic: "REDIS0012",
            attributes: #","field_expires_at_ms":{"a":2000000000500,"b":2000000000000}"#),
        Specimen(
            "listpack hash with expiries, Redis 7.4", type: 25,
            hex(
                """
                00 20 4A A9 D1 01 00 00 | 2C 2C 00 00 00 09 00 | 81 62 02  02 01  F4 00 20 4A A9 D1 01 00 00 09
                81 63 02  03 01  F4 F4 21 4A A9 D1 01 00 00 09 | 81 61 02  01 01  00 01 | FF
                """), ("hash", "listpackex"),
            [
                "elements 3", "field \"b\"", "fieldValue 2", "expiry 2000000000000", "field \"c\"", "fieldValue 3",
                "expiry 2000000000500", "field \"a\"", "fieldValue 1", "expiry none",
            ],
            json: #"{"b":"2","c":"3","a":"1"}"#, magic: "REDIS0012",
            attributes: #","field_expires_at_ms":{"b":2000000000000,"c":2000000000500}"#),
        Specimen(
            "listpack hash for expiries that has none", type: 25,
            [UInt8](repeating: 0, count: 8)
                + RDB.lzf(literally: RDB.listpack([.text("a"), .text("b"), .uint7(0)])), ("hash", "listpackex"),
            ["elements 1", "field \"a\"", "fieldValue \"b\"", "expiry none"], json: #"{"a":"b"}"#,
            magic: "REDIS0012"),
        Specimen(
            "hash with expiries, Redis 7.4 release candidate", type: 22,
            [2] + RDB.length(2_000_000_000_000) + hex("01 62 C0 02 | 00 01 61 C0 01"), ("hash", "hashtable"),
            [
                "elements 2", "field \"b\"", "fieldValue 2", "expiry 2000000000000", "field \"a\"", "fieldValue 1",
                "expiry none",
            ],
            json: #"{"b":"2","a":"1"}"#, magic: "REDIS0012", attributes: #","field_expires_at_ms":{"b":2000000000000}"#
        ),
        Specimen(
            "listpack hash with expiries, Redis 7.4 release candidate", type: 23,
            RDB.string(
                RDB.listpack([
                    .text("b"), .uint7(2), .int64(2_000_000_000_000), .text("a"), .uint7(1), .uint7(0),
                ])), ("hash", "listpackex"),
            [
                "elements 2", "field \"b\"", "fieldValue 2", "expiry 2000000000000", "field \"a\"", "fieldValue 1",
                "expiry none",
            ],
            json: #"{"b":"2","a":"1"}"#, magic: "REDIS0012", attributes: #","field_expires_at_ms":{"b":2000000000000}"#
        ),
        Specimen(
            "largest expiry of a field", type: 24, time + hex("01 81 0000FE2E56B5E000 01 66 01 76"),
            ("hash", "hashtable"), ["elements 1", "field \"f\"", "fieldValue \"v\"", "expiry 281474976710655"],
            json: #"{"f":"v"}"#, magic: "REDIS0012", attributes: #","field_expires_at_ms":{"f":281474976710655}"#),
        Specimen(
            "hash with expiries, Valkey 9", type: 22,
            hex("02 01 61 C0 01 FF FF FF FF FF FF FF FF 01 62 C0 02 00 20 4A A9 D1 01 00 00"), ("hash", "hashtable"),
            [
                "elements 2", "field \"a\"", "fieldValue 1", "expiry none", "field \"b\"", "fieldValue 2",
                "expiry 2000000000000",
            ],
            json: #"{"a":"1","b":"2"}"#, magic: "VALKEY080", attributes: #","field_expires_at_ms":{"b":2000000000000}"#
        ),
        Specimen(
            "hash of four fields as Valkey 9.1 wrote it", type: 22,
            hex(
                """
                04 02 'f1' c001 ffffffffffffffff 02 'f2' c002 ffffffffffffffff 02 'f3' c003 ffffffffffffffff
                02 'f4' c004 047737fca1010000
                """), ("hash", "hashtable"),
            [
                "elements 4", "field \"f1\"", "fieldValue 1", "expiry none", "field \"f2\"", "fieldValue 2",
                "expiry none", "field \"f3\"", "fieldValue 3", "expiry none", "field \"f4\"", "fieldValue 4",
                "expiry 1795232855812",
            ],
            json: #"{"f1":"1","f2":"2","f3":"3","f4":"4"}"#, magic: "VALKEY080",
            attributes: #","field_expires_at_ms":{"f4":1795232855812}"#),
    ]

    /// Redis 8.10, newest.md §4.3: names ascend by length, then bytes.
    static let templates: [Specimen] = [
        Specimen(
            "template hash of values", type: 32, hex("07 C0 01 02 'x2' 00"), ("hash", "template"),
            [
                "elements 3", "field \"b\"", "fieldValue 1", "field \"aa\"", "fieldValue \"x2\"", "field \"ab\"",
                "fieldValue \"\"",
            ],
            json: #"{"b":"1","aa":"x2","ab":""}"#, magic: "REDIS0015",
            before: (RDB.hashTemplate(7, ["b", "aa", "ab"]), ["template 7 3"])),
        Specimen(
            "template hash with its own names", type: 31, hex("01 02 06 'field1' 06 'field2' c0 01 c0 02"),
            ("hash", "template"),
            ["elements 2", "field \"field1\"", "fieldValue 1", "field \"field2\"", "fieldValue 2"],
            json: #"{"field1":"1","field2":"2"}"#, magic: "REDIS0015"),
        Specimen(
            "template listpack hash with its own names", type: 29,
            [0] + RDB.string(RDB.listpack([.uint7(1), .text("f"), .text("aa")]))
                + RDB.string(RDB.listpack([.uint7(99), .text("v"), .int13(-1), .uint7(3)])), ("hash", "template"),
            [
                "elements 3", "field \"1\"", "fieldValue \"v\"", "field \"f\"", "fieldValue -1", "field \"aa\"",
                "fieldValue 3",
            ],
            json: #"{"1":"v","f":"-1","aa":"3"}"#, magic: "REDIS0015"),
        Specimen(
            "template hash in a listpack", type: 30, RDB.string(RDB.listpack([.uint7(7), .uint7(1), .text("x2")])),
            ("hash", "template"),
            ["elements 2", "field \"field1\"", "fieldValue 1", "field \"field2\"", "fieldValue \"x2\""],
            json: #"{"field1":"1","field2":"x2"}"#, magic: "REDIS0015",
            before: (
                RDB.hashTemplate(3, ["other"]) + RDB.hashTemplate(7, ["field1", "field2"]),
                ["template 3 1", "template 7 2"]
            )),
    ]
}
