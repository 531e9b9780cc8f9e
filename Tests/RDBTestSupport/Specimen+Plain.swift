// Strings, lists, sets and sorted sets.
extension Specimen {
    static func string(_ name: String, _ value: [UInt8], _ encoding: String, _ event: String, json: String) -> Specimen
    {
        Specimen(name, type: 0, value, ("string", encoding), ["string \(event)"], json: json)
    }

    /// The texts of rdb.md §5 and encodings.md §1, lengths in each form, and the text rule of the contract.
    static let strings: [Specimen] = [
        string("empty string", [0], "raw", "\"\"", json: "\"\""),
        string("raw string", hex("05 68 65 6c 6c 6f"), "raw", "\"hello\"", json: "\"hello\""),
        string("8-bit integer", hex("C0 0C"), "int", "12", json: "\"12\""),
        string("least 8-bit integer", hex("C0 80"), "int", "-128", json: "\"-128\""),
        string("16-bit integer", hex("C1 7F FF"), "int", "-129", json: "\"-129\""),
        string("32-bit integer", hex("C2 70 11 01 00"), "int", "70000", json: "\"70000\""),
        string("least 32-bit integer", hex("C2 00 00 00 80"), "int", "-2147483648", json: "\"-2147483648\""),
        string(
            "number beyond 32 bits as text", hex("0A 32 31 34 37 34 38 33 36 34 38"), "raw", "\"2147483648\"",
            json: "\"2147483648\""),
        string("number with leading zeros", hex("03 30 30 37"), "raw", "\"007\"", json: "\"007\""),
        string(
            "LZF of forty a", hex("C3 09 28 01 61 61 E0 1B 00 01 61 61"), "lzf",
            "\"" + String(repeating: "a", count: 40) + "\"", json: "\"" + String(repeating: "a", count: 40) + "\""),
        string(
            "LZF of nine abc", RDB.lzf(block: hex("03 61 62 63 61 E0 0E 02 01 31 32"), count: 29), "lzf",
            "\"" + String(repeating: "abc", count: 9) + "12\"",
            json: "\"" + String(repeating: "abc", count: 9) + "12\""),
        string(
            "LZF of twenty-one z", RDB.lzf(block: hex("01 7A 7A E0 0A 00"), count: 21), "lzf",
            "\"" + String(repeating: "z", count: 21) + "\"", json: "\"" + String(repeating: "z", count: 21) + "\""),
        string(
            "LZF of literal runs", RDB.lzf(literally: Array("The quick brown fox jumps over the lazy dog".utf8)),
            "lzf", "\"The quick brown fox jumps over the lazy dog\"",
            json: "\"The quick brown fox jumps over the lazy dog\""),
        string("14-bit length", hex("40 02 'ab'"), "raw", "\"ab\"", json: "\"ab\""),
        string("32-bit length", hex("80 00000002 'ab'"), "raw", "\"ab\"", json: "\"ab\""),
        string("64-bit length", hex("81 0000000000000002 'ab'"), "raw", "\"ab\"", json: "\"ab\""),
        string(
            "700 bytes by a 14-bit length", hex("42 BC") + [UInt8](repeating: 0x71, count: 700), "raw",
            "\"" + String(repeating: "q", count: 700) + "\"", json: "\"" + String(repeating: "q", count: 700) + "\""),
        string(
            "text of two, three and four bytes a character", RDB.string("é€😀"), "raw",
            "\"\\xc3\\xa9\\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80\"", json: "\"é€😀\""),
        string("bytes that are no text", hex("02 ff fe"), "raw", "\"\\xff\\xfe\"", json: "\"$base64://4=\""),
        string(
            "text that begins like base64", RDB.string("$base64:x"), "raw", "\"$base64:x\"",
            json: "\"$base64:JGJhc2U2NDp4\""),
        string("text cut within a character", hex("02 61 c3"), "raw", "\"a\\xc3\"", json: "\"$base64:YcM=\""),
        string("a surrogate", hex("03 ed a0 80"), "raw", "\"\\xed\\xa0\\x80\"", json: "\"$base64:7aCA\""),
        string(
            "characters that JSON escapes", hex("0a 22 5c 08 09 0a 0c 0d 00 1f 7f"), "raw",
            "\"\\x22\\x5c\\x08\\x09\\x0a\\x0c\\x0d\\x00\\x1f\\x7f\"",
            json: #""\"\\\b\t\n\f\r\u0000\u001f"# + "\u{7f}\""),
        string(
            "escapes beyond the first sixteen bytes", RDB.string("0123456789abcdefghij\"klmnopqrstuv\né"), "raw",
            "\"0123456789abcdefghij\\x22klmnopqrstuv\\x0a\\xc3\\xa9\"",
            json: #""0123456789abcdefghij\"klmnopqrstuv\né""#),
    ]

    /// The list of encodings.md §3 and §4: `ab 1 13 -5 1000 100000 10000000 10000000000 c×20`.
    static let nine = [
        "element \"ab\"", "element 1", "element 13", "element -5", "element 1000", "element 100000",
        "element 10000000", "element 10000000000", "element \"cccccccccccccccccccc\"",
    ]
    static let nineJSON =
        #"["ab","1","13","-5","1000","100000","10000000","10000000000","cccccccccccccccccccc"]"#
    static let nineZiplist = hex(
        """
        46 00 00 00  2F 00 00 00  09 00 | 00 02 61 62 | 04 F2 | 02 FE 0D | 03 FE FB | 03 C0 E8 03 | 04 F0 A0 86 01
        05 D0 80 96 98 00 | 06 E0 00 E4 0B 54 02 00 00 00 | 0A 14 'cccccccccccccccccccc' | FF
        """)
    static let nineListpack = hex(
        """
        40 00 00 00 09 00 | 82 61 62 03 | 01 01 | 0D 01 | DF FB 02 | C3 E8 02 | F2 A0 86 01 04 | F3 80 96 98 00 05
        F4 00 E4 0B 54 02 00 00 00 09 | 94 'cccccccccccccccccccc' 15 | FF
        """)

    public static func text(_ count: Int, _ character: String = "x") -> String {
        String(repeating: character, count: count)
    }
    static func bytes(_ count: Int, _ byte: UInt8 = 0x78) -> [UInt8] { [UInt8](repeating: byte, count: count) }

    static func packedList(
        _ name: String, _ listpack: [UInt8], _ events: [String], json: String
    ) -> Specimen {
        Specimen(
            name, type: 18, RDB.quicklist2([(2, RDB.string(listpack))]), ("list", "quicklist2"),
            ["elements ?"] + events, json: json)
    }

    static let lists: [Specimen] = [
        Specimen(
            "linked list", type: 1, [4] + RDB.string("a") + RDB.int8(-7) + RDB.lzf(literally: [0x62, 0x62]) + [0],
            ("list", "linkedlist"), ["elements 4", "element \"a\"", "element -7", "element \"bb\"", "element \"\""],
            json: #"["a","-7","bb",""]"#),
        Specimen(
            "ziplist of every entry form", type: 10, RDB.string(nineZiplist), ("list", "ziplist"),
            ["elements 9"] + nine, json: nineJSON),
        Specimen(
            "ziplist, long entry before", type: 10,
            RDB.string(
                hex("41 01 00 00 39 01 00 00 02 00 00 41 2C") + bytes(300) + hex("FE 2F 01 00 00 01 79 FF")),
            ("list", "ziplist"), ["elements 2", "element \"\(text(300))\"", "element \"y\""],
            json: "[\"\(text(300))\",\"y\"]"),
        Specimen(
            "ziplist of unknown count", type: 10,
            RDB.string(
                RDB.ziplist(
                    [.immediate(0), .immediate(12), .longPrevious(.string32(Array("s".utf8))), .int8(-128)],
                    count: 65535)),
            ("list", "ziplist"), ["elements ?", "element 0", "element 12", "element \"s\"", "element -128"],
            json: #"["0","12","s","-128"]"#),
        Specimen(
            "ziplist at the edges of its integers", type: 10,
            RDB.string(
                RDB.ziplist([
                    .int16(.min), .int16(.max), .int24(-0x80_0000), .int24(0x7f_ffff), .int32(.min), .int32(.max),
                    .int64(.min), .int64(.max), .string14([]),
                ])),
            ("list", "ziplist"),
            [
                "elements 9", "element -32768", "element 32767", "element -8388608", "element 8388607",
                "element -2147483648", "element 2147483647", "element -9223372036854775808",
                "element 9223372036854775807", "element \"\"",
            ],
            json: #"["-32768","32767","-8388608","8388607","-2147483648","2147483647","-9223372036854775808","#
                + #""9223372036854775807",""]"#),
        Specimen(
            "quicklist of ziplists", type: 14,
            [3] + RDB.string(RDB.ziplist([.text("a"), .text("b")])) + RDB.lzf(literally: RDB.ziplist([.int8(99)]))
                + RDB.string(RDB.ziplist([])),
            ("list", "quicklist"), ["elements ?", "element \"a\"", "element \"b\"", "element 99"],
            json: #"["a","b","99"]"#),
        Specimen(
            "quicklist of two listpacks", type: 18,
            hex(
                "02 | 02 0A 0A 00 00 00 01 00 81 61 02 FF | 02 0A 0A 00 00 00 01 00 81 62 02 FF"),
            ("list", "quicklist2"), ["elements ?", "element \"a\"", "element \"b\""], json: #"["a","b"]"#),
        Specimen(
            "quicklist with a plain node", type: 18,
            RDB.quicklist2([
                (1, hex("63 28") + bytes(9000)), (2, RDB.lzf(literally: RDB.listpack([.uint7(5)]))),
                (1, RDB.int8(3)),
            ]), ("list", "quicklist2"), ["elements ?", "element \"\(text(9000))\"", "element 5", "element 3"],
            json: "[\"\(text(9000))\",\"5\",\"3\"]"),
        packedList("listpack of every integer form", nineListpack, nine, json: nineJSON),
        packedList(
            "listpack at the edges of its integers",
            RDB.listpack([
                .uint7(127), .int13(-4096), .int13(4095), .int16(.min), .int16(.max), .int24(-0x80_0000),
                .int24(0x7f_ffff), .int32(.min), .int32(.max), .int64(.min), .int64(.max),
            ]),
            [
                "element 127", "element -4096", "element 4095", "element -32768", "element 32767", "element -8388608",
                "element 8388607", "element -2147483648", "element 2147483647", "element -9223372036854775808",
                "element 9223372036854775807",
            ],
            json: #"["127","-4096","4095","-32768","32767","-8388608","8388607","-2147483648","2147483647","#
                + #""-9223372036854775808","9223372036854775807"]"#),
        packedList(
            "listpack with a 12-bit string", RDB.listpack(bytes: hex("E0 64") + bytes(100) + hex("66"), count: 1),
            ["element \"\(text(100))\""], json: "[\"\(text(100))\"]"),
        packedList(
            "listpack with a 32-bit string, count unknown",
            RDB.listpack(bytes: hex("F0 88 13 00 00") + bytes(5000) + hex("27 8D 07 01"), count: 65535),
            ["element \"\(text(5000))\"", "element 7"], json: "[\"\(text(5000))\",\"7\"]"),
        packedList(
            "back-length of an entry of 127 bytes", RDB.listpack([.string12(bytes(125)), .uint7(1)]),
            ["element \"\(text(125))\"", "element 1"], json: "[\"\(text(125))\",\"1\"]"),
        packedList(
            "old back-length of an entry of 16383 bytes",
            RDB.listpack(bytes: hex("F0 FA 3F 00 00") + bytes(16378) + hex("00 FF FF 07 01"), count: 2),
            ["element \"\(text(16378))\"", "element 7"], json: "[\"\(text(16378))\",\"7\"]"),
        packedList(
            "new back-length of an entry of 16383 bytes",
            RDB.listpack(bytes: hex("F0 FA 3F 00 00") + bytes(16378) + hex("7F FF 07 01"), count: 2),
            ["element \"\(text(16378))\"", "element 7"], json: "[\"\(text(16378))\",\"7\"]"),
        packedList(
            "back-length of an entry of 16384 bytes",
            RDB.listpack(bytes: hex("F0 FB 3F 00 00") + bytes(16379) + hex("01 80 80 07 01"), count: 2),
            ["element \"\(text(16379))\"", "element 7"], json: "[\"\(text(16379))\",\"7\"]"),
    ]

    static let sets: [Specimen] = [
        Specimen(
            "hash table set", type: 2, hex("03 01 61 C0 05 02 'bc'"), ("set", "hashtable"),
            ["elements 3", "member \"a\"", "member 5", "member \"bc\""], json: #"["a","5","bc"]"#),
        Specimen(
            "intset of 16 bits", type: 11, RDB.string(hex("02 00 00 00 03 00 00 00 FD FF 01 00 2C 01")),
            ("set", "intset"), ["elements 3", "member -3", "member 1", "member 300"], json: #"["-3","1","300"]"#),
        Specimen(
            "intset of 32 bits", type: 11, RDB.string(hex("04 00 00 00 02 00 00 00 01 00 00 00 70 11 01 00")),
            ("set", "intset"), ["elements 2", "member 1", "member 70000"], json: #"["1","70000"]"#),
        Specimen(
            "intset of 64 bits, compressed", type: 11, RDB.lzf(literally: RDB.intset(width: 8, [.min, 0, .max])),
            ("set", "intset"),
            ["elements 3", "member -9223372036854775808", "member 0", "member 9223372036854775807"],
            json: #"["-9223372036854775808","0","9223372036854775807"]"#),
        Specimen(
            "listpack set", type: 20, hex("0F 0F 00 00 00 03 00 81 61 02 81 62 02 01 01 FF"), ("set", "listpack"),
            ["elements 3", "member \"a\"", "member \"b\"", "member 1"], json: #"["a","b","1"]"#),
    ]

    static let edgeScores = [
        0.1, -0.0, Double.leastNonzeroMagnitude, Double.greatestFiniteMagnitude, 9_007_199_254_740_992, 1e21,
    ]

    static let sortedSets: [Specimen] = [
        Specimen(
            "sorted set with scores as text", type: 3,
            [6] + RDB.string("c") + RDB.oldScore("-3") + hex("01 61 03 31 2E 35 | 01 62 FE | 01 64 FF | 01 65 FD")
                + RDB.string("f") + RDB.oldScore("17179869184.000004"), ("zset", "skiplist"),
            [
                "elements 6", "member \"c\"", "score -3.0", "member \"a\"", "score 1.5", "member \"b\"", "score inf",
                "member \"d\"", "score -inf", "member \"e\"", "score nan", "member \"f\"", "score 17179869184.000004",
            ],
            json: #"[{"member":"c","score":-3},{"member":"a","score":1.5},{"member":"b","score":"inf"},"#
                + #"{"member":"d","score":"-inf"},{"member":"e","score":"nan"},"#
                + #"{"member":"f","score":17179869184.000004}]"#),
        Specimen(
            "sorted set with binary scores", type: 5,
            hex("03 01 62 0000000000000440 01 61 000000000000F03F 01 63 000000000000F0FF"), ("zset", "skiplist"),
            [
                "elements 3", "member \"b\"", "score 2.5", "member \"a\"", "score 1.0", "member \"c\"", "score -inf",
            ],
            json: #"[{"member":"b","score":2.5},{"member":"a","score":1},{"member":"c","score":"-inf"}]"#),
        Specimen(
            "scores at the edges of a double", type: 5,
            [6] + edgeScores.enumerated().flatMap { RDB.int8(Int8($0.offset)) + RDB.double($0.element) },
            ("zset", "skiplist"),
            [
                "elements 6", "member 0", "score 0.1", "member 1", "score -0.0", "member 2", "score 5e-324",
                "member 3", "score 1.7976931348623157e+308", "member 4", "score 9007199254740992.0", "member 5",
                "score 1e+21",
            ],
            json: #"[{"member":"0","score":0.1},{"member":"1","score":-0.0},{"member":"2","score":5e-324},"#
                + #"{"member":"3","score":1.7976931348623157e+308},{"member":"4","score":9007199254740992.0},"#
                + #"{"member":"5","score":1e+21}]"#),
        Specimen(
            "ziplist sorted set", type: 12,
            RDB.string(
                RDB.ziplist([
                    .text("a"), .text("-inf"), .text("b"), .immediate(1), .int16(500), .text("2.5"), .text("c"),
                    .text("1e+20"), .text("d"), .text("inf"),
                ])), ("zset", "ziplist"),
            [
                "elements 5", "member \"a\"", "score -inf", "member \"b\"", "score 1.0", "member 500", "score 2.5",
                "member \"c\"", "score 1e+20", "member \"d\"", "score inf",
            ],
            json: #"[{"member":"a","score":"-inf"},{"member":"b","score":1},{"member":"500","score":2.5},"#
                + #"{"member":"c","score":1e+20},{"member":"d","score":"inf"}]"#),
        Specimen(
            "listpack sorted set", type: 17,
            hex("1D 1D 00 00 00 06 00 81 63 02 84 2D 69 6E 66 05 81 61 02 01 01 81 62 02 83 32 2E 35 04 FF"),
            ("zset", "listpack"),
            [
                "elements 3", "member \"c\"", "score -inf", "member \"a\"", "score 1.0", "member \"b\"", "score 2.5",
            ],
            json: #"[{"member":"c","score":"-inf"},{"member":"a","score":1},{"member":"b","score":2.5}]"#),
        Specimen(
            "listpack scores of every form", type: 17,
            RDB.string(
                RDB.listpack([
                    .text("a"), .int16(-30000), .text("b"), .string12(Array("0.30000000000000004".utf8)), .text("c"),
                    .text("3.0000000000000004e-05"), .text("d"), .int64(1 << 53),
                ])), ("zset", "listpack"),
            [
                "elements 4", "member \"a\"", "score -30000.0", "member \"b\"", "score 0.30000000000000004",
                "member \"c\"", "score 3.0000000000000004e-05", "member \"d\"", "score 9007199254740992.0",
            ],
            json: #"[{"member":"a","score":-30000},{"member":"b","score":0.30000000000000004},"#
                + #"{"member":"c","score":3.0000000000000004e-05},{"member":"d","score":9007199254740992.0}]"#),
    ]
}
