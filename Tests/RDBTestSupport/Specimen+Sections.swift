// Everything around values, and the whole files of rdb.md §12.
extension Specimen {
    static func line(_ members: String) -> String { "{\"db\":\(members)}\n" }
    public static func stringLine(
        _ key: String, _ value: String, db: Int = 0, encoding: String = "raw", attributes: String = ""
    ) -> String {
        line(
            #"\#(db),"key":"\#(key)","type":"string","encoding":"\#(encoding)"\#(attributes),"value":"\#(value)""#)
    }

    static let code = "#!lua name=f\n" + String(repeating: "-", count: 52)

    static let sections: [Specimen] = [
        Specimen("nothing but the end", RDBBuilder.file("REDIS0006", []), events: [], json: ""),
        Specimen(
            "every attribute, repeated and interrupted",
            RDBBuilder.file(
                "REDIS0009",
                [
                    RDB.expireSeconds(7), RDB.idle(700), RDB.aux("mvcc-tstamp", "1"), RDB.frequency(255),
                    RDB.expireMilliseconds(-2), RDB.idle(3), RDB.selectDatabase(2), RDB.resizeDatabase(1, 1),
                    RDB.entry(0, "a", RDB.string("b")), RDB.entry(0, "c", RDB.string("d")),
                    RDB.expireSeconds(-2_147_483_648), RDB.entry(0, "e", RDB.string("f")),
                    RDB.expireMilliseconds(5), RDB.expireMilliseconds(-1), RDB.entry(0, "g", RDB.string("h")),
                ]),
            events: [
                "aux \"mvcc-tstamp\" \"1\"", "select 2", "resize 1 1",
                "db 2 string raw \"a\" expires -2 idle 3 freq 255", "string \"b\"", "db 2 string raw \"c\"",
                "string \"d\"", "db 2 string raw \"e\" expires -2147483648000", "string \"f\"",
                "db 2 string raw \"g\"", "string \"h\"",
            ],
            json: stringLine("a", "b", db: 2, attributes: #","expires_at_ms":-2,"idle_seconds":3,"lfu_freq":255"#)
                + stringLine("c", "d", db: 2)
                + stringLine("e", "f", db: 2, attributes: #","expires_at_ms":-2147483648000"#)
                + stringLine("g", "h", db: 2)),
        Specimen(
            "keys of every string form",
            RDBBuilder.file([
                [0] + RDB.int8(-1) + RDB.string("a"), [0] + RDB.int32(70000) + RDB.string("b"),
                [0] + RDB.lzf(block: hex("01 61 61 E0 1B 00 01 61 61"), count: 40) + RDB.string("c"),
                [0, 0] + RDB.string("d"), [0] + RDB.string([0xff]) + RDB.string("e"),
                [0, 0x80, 0, 0, 0, 1, 0x6b] + RDB.string("f"),
            ]),
            events: [
                "db 0 string raw \"-1\"", "string \"a\"", "db 0 string raw \"70000\"", "string \"b\"",
                "db 0 string raw \"\(text(40, "a"))\"", "string \"c\"", "db 0 string raw \"\"", "string \"d\"",
                "db 0 string raw \"\\xff\"", "string \"e\"", "db 0 string raw \"k\"", "string \"f\"",
            ],
            json: stringLine("-1", "a") + stringLine("70000", "b") + stringLine(text(40, "a"), "c")
                + stringLine("", "d") + stringLine("$base64:/w==", "e") + stringLine("k", "f")),
        Specimen(
            "sections of Redis 8.10",
            RDBBuilder.file(
                "REDIS0015",
                [
                    RDB.aux("redis-ver", "8.10.0"), RDB.aux("redis-bits", hex("C0 40")),
                    hex("fa 10 'cluster-asm-task' 00"), RDB.moduleAux(json3, when: 1, parts: hex("02 05 05 01 'x'")),
                    RDB.function(code), RDB.hashTemplate(1, ["f"]), RDB.selectDatabase(0), RDB.resizeDatabase(1, 0),
                    hex("f4 4ce4 01 00"),
                    RDB.keyMetadata([
                        (hex("28 c4 f5 19"), hex("05 08 'meta-one' · 02 01 · 03 0000c03f · 05 00")),
                        (hex("69 b7 1d 08"), hex("01 05 04 0000000000000000")),
                    ]), RDB.entry(0, "k", RDB.int8(1)), RDB.moduleAux(json3, when: 2, parts: []),
                ]),
            events: [
                "aux \"redis-ver\" \"8.10.0\"", "aux \"redis-bits\" \"64\"", "aux \"cluster-asm-task\" \"\"",
                "module aux ReJSON-RL 3 when 1",
                "function lua f \"#!lua name=f\\x0a\(text(52, "-"))\"", "template 1 1", "select 0", "resize 1 0",
                "slot 3300 1 0", "db 0 string int \"k\"", "string 1", "module aux ReJSON-RL 3 when 2",
            ],
            json: stringLine("k", "1", encoding: "int")),
        Specimen(
            "function of a release candidate",
            RDBBuilder.file(
                "REDIS0010",
                [
                    RDB.functionPreGA(name: "lib", engine: "LUA", description: "words", code: "return"),
                    RDB.functionPreGA(name: "two", engine: "LUA", description: nil, code: ""),
                ]),
            events: ["function LUA lib \"return\"", "function LUA two \"\""], json: ""),
        Specimen(
            "sections of Valkey 9",
            RDBBuilder.file(
                "VALKEY081",
                [
                    RDB.aux("valkey-ver", "9.2.0"), RDB.slotImport(text(40, "j"), [(0, 100), (16000, 16383)]),
                    RDB.selectDatabase(0), RDB.aux("slot-info", "5,1,0,0"), RDB.slotInfo(5, 1, 0),
                    RDB.entry(0, "k", RDB.int8(1)), RDB.inlineUpdate(["SET", "a", "", "with\r\nline"]),
                    RDB.selectDatabase(0), RDB.entry(0, "l", RDB.int8(2)),
                ]),
            events: [
                "aux \"valkey-ver\" \"9.2.0\"", "slot import \(text(40, "j")) 2", "select 0",
                "aux \"slot-info\" \"5,1,0,0\"", "slot 5 1 0", "db 0 string int \"k\"", "string 1",
                "inline update 4", "select 0", "db 0 string int \"l\"", "string 2",
            ],
            json: stringLine("k", "1", encoding: "int") + stringLine("l", "2", encoding: "int")),
        Specimen(
            "hints of Redis Enterprise",
            RDBBuilder.file([hex("6B 40 43 00 01 61 01 62"), RDB.enterpriseSlot(9), hex("00 01 63 01 64")]),
            events: ["db 0 string raw \"a\" idle 67", "string \"b\"", "db 0 string raw \"c\"", "string \"d\""],
            json: stringLine("a", "b", attributes: #","idle_seconds":67"#) + stringLine("c", "d")),
        Specimen(
            "a version from the future", RDBBuilder.file("REDIS0099", [RDB.entry(0, "k", RDB.string("v"))]),
            events: ["db 0 string raw \"k\"", "string \"v\""], json: stringLine("k", "v")),
        Specimen(
            "a version padded with spaces", RDBBuilder.file("REDIS   6", [RDB.entry(0, "k", RDB.string("v"))]),
            events: ["db 0 string raw \"k\"", "string \"v\""], json: stringLine("k", "v")),
    ]

    /// The worked examples of rdb.md §12.
    static let documents: [Specimen] = [
        Specimen(
            "example of Redis 2.6",
            hex(
                """
                52 45 44 49 53 30 30 30 36 | FE 00 | 00 01 61 C0 01 | 00 01 62 05 68 65 6C 6C 6F | FF
                B7 CA F9 50 23 B5 BD 9C
                """),
            events: ["select 0", "db 0 string int \"a\"", "string 1", "db 0 string raw \"b\"", "string \"hello\""],
            json: stringLine("a", "1", encoding: "int") + stringLine("b", "hello")),
        Specimen(
            "example of Redis 7.0",
            RDBBuilder.file(
                "REDIS0010",
                [
                    hex("FA 09 'redis-ver' 06 '7.0.15' FA 0A 'redis-bits' C0 40 FA 05 'ctime' C2 18 1A 01 6B"),
                    hex("FA 08 'used-mem' C2 F0 39 10 00 FA 08 'aof-base' C0 00 F5 40 41"), Array(code.utf8),
                    hex("FE 00 FB 02 01 | 12 01 6C 01 02 0D 0D 00 00 00 02 00 81 78 02 81 79 02 FF"),
                    hex("FC 00 20 4A A9 D1 01 00 00 | 00 01 61 C0 01 | FE 03 FB 01 00 | 00 01 62 05 68 65 6C 6C 6F"),
                ]),
            events: [
                "aux \"redis-ver\" \"7.0.15\"", "aux \"redis-bits\" \"64\"", "aux \"ctime\" \"1795234328\"",
                "aux \"used-mem\" \"1063408\"", "aux \"aof-base\" \"0\"",
                "function lua f \"#!lua name=f\\x0a\(text(52, "-"))\"", "select 0", "resize 2 1",
                "db 0 list quicklist2 \"l\"", "elements ?", "element \"x\"", "element \"y\"",
                "db 0 string int \"a\" expires 2000000000000", "string 1", "select 3", "resize 1 0",
                "db 3 string raw \"b\"", "string \"hello\"",
            ],
            json: line(#"0,"key":"l","type":"list","encoding":"quicklist2","value":["x","y"]"#)
                + stringLine("a", "1", encoding: "int", attributes: #","expires_at_ms":2000000000000"#)
                + stringLine("b", "hello", db: 3)),
        Specimen(
            "example of Valkey 9.1",
            RDBBuilder.file(
                "VALKEY080",
                [
                    hex("FA 0A 'valkey-ver' 05 '9.1.2' FE 00 FB 01 00 16 01 68 02"),
                    hex("01 66 01 76 00 20 4A A9 D1 01 00 00 01 67 01 77 FF FF FF FF FF FF FF FF"),
                ]),
            events: [
                "aux \"valkey-ver\" \"9.1.2\"", "select 0", "resize 1 0", "db 0 hash hashtable \"h\"", "elements 2",
                "field \"f\"", "fieldValue \"v\"", "expiry 2000000000000", "field \"g\"", "fieldValue \"w\"",
                "expiry none",
            ],
            json: line(
                #"0,"key":"h","type":"hash","encoding":"hashtable","field_expires_at_ms":{"f":2000000000000},"#
                    + #""value":{"f":"v","g":"w"}"#)),
        Specimen(
            "example of idle times",
            RDBBuilder.file("REDIS0009", [time, hex("F8 03 00 01 62 C0 02")].map { $0 == time ? [0xfc] + $0 : $0 }),
            events: ["db 0 string int \"b\" expires 2000000000000 idle 3", "string 2"],
            json: stringLine(
                "b", "2", encoding: "int", attributes: #","expires_at_ms":2000000000000,"idle_seconds":3"#)),
        Specimen(
            "example of Redis 2.4",
            hex(
                """
                52 45 44 49 53 30 30 30 32 | FE 00
                09 01 68 15 02 01 66 03 00 76 76 76 04 6C 6F 6E 67 02 03 78 78 78 78 78 FF
                FD 00 1E 01 6B 00 01 65 01 76 | 03 01 7A 03 01 63 02 2D 33 01 61 03 31 2E 35 01 62 FE | FF
                """),
            events: [
                "select 0", "db 0 hash zipmap \"h\"", "elements 2", "field \"f\"", "fieldValue \"vvv\"",
                "field \"long\"", "fieldValue \"xx\"", "db 0 string raw \"e\" expires 1795235328000",
                "string \"v\"", "db 0 zset skiplist \"z\"", "elements 3", "member \"c\"", "score -3.0",
                "member \"a\"", "score 1.5", "member \"b\"", "score inf",
            ],
            json: line(#"0,"key":"h","type":"hash","encoding":"zipmap","value":{"f":"vvv","long":"xx"}"#)
                + stringLine("e", "v", attributes: #","expires_at_ms":1795235328000"#)
                + line(
                    #"0,"key":"z","type":"zset","encoding":"skiplist","value":[{"member":"c","score":-3},"#
                        + #"{"member":"a","score":1.5},{"member":"b","score":"inf"}]"#)),
    ]
}
