// Arrays, path hashes, module values, and the types of other products.
extension Specimen {
    public static let vectorset = hex("81 BD E7 2D A2 BB 1E B4 00")
    public static let json3 = hex("81 45 E2 52 38 DF 91 2C 03")

    static let newerTypes: [Specimen] = [
        Specimen(
            "array without insert index", type: 28,
            hex(
                """
                04 00 | 00 03 02 61 62 | 03 01 07 00 00 00 00 00 00 00 | 05 02 00 00 00 00 00 00 F8 3F
                09 00 11 'longer-than-seven'
                """), ("array", "sliced-array"),
            [
                "elements 4", "index 0", "arrayElement \"ab\"", "index 3", "arrayElement 7", "index 5",
                "arrayElement \"1.5\"", "index 9", "arrayElement \"longer-than-seven\"",
            ],
            json: #"{"elements":[[0,"ab"],[3,"7"],[5,"1.5"],[9,"longer-than-seven"]]}"#, magic: "REDIS0014"),
        Specimen(
            "array as Redis 8.8 wrote it", type: 28,
            hex(
                """
                05 00 · 00 00 0b 'hello world' · 05 01 0c00000000000000 · 06 02 0000000000000c40
                07 01 f9ffffffffffffff · 08 03 03 'abc'
                """), ("array", "sliced-array"),
            [
                "elements 5", "index 0", "arrayElement \"hello world\"", "index 5", "arrayElement 12", "index 6",
                "arrayElement \"3.5\"", "index 7", "arrayElement -7", "index 8", "arrayElement \"abc\"",
            ],
            json: #"{"elements":[[0,"hello world"],[5,"12"],[6,"3.5"],[7,"-7"],[8,"abc"]]}"#, magic: "REDIS0014"),
        Specimen(
            "array with an insert index and far indices", type: 28,
            hex(
                """
                03 01 01 | 01 02 000000000000F03F | 80 00 0f 42 40 03 00
                81 ff ff ff ff ff ff ff fe 00 C0 05
                """), ("array", "sliced-array"),
            [
                "elements 3", "insert index 1", "index 1", "arrayElement \"1.0\"", "index 1000000",
                "arrayElement \"\"", "index 18446744073709551614", "arrayElement 5",
            ],
            json: #"{"elements":[[1,"1.0"],[1000000,""],[18446744073709551614,"5"]],"insert_index":1}"#,
            magic: "REDIS0014"),
        Specimen(
            "path hash", type: 23, hex("02 | 00 01 01 'f' C0 01 | 02 '/a' 02 01 'g' 01 'h' 01 'i' 00"),
            ("path-hash", "hashtable"),
            [
                "elements 2", "path \"\"", "elements 1", "field \"f\"", "fieldValue 1", "path \"/a\"", "elements 2",
                "field \"g\"", "fieldValue \"h\"", "field \"i\"", "fieldValue \"\"",
            ],
            json: #"{"":{"f":"1"},"/a":{"g":"h","i":""}}"#, magic: "VALKEY081"),
        Specimen(
            "path hash without paths", type: 23, [0], ("path-hash", "hashtable"), ["elements 0"], json: "{}",
            magic: "VALKEY081"),
        Specimen(
            "limiter of Redis 8.10", type: 33, hex("81 0000000100000000"), ("gcra", "raw"), ["unsigned 4294967296"],
            json: "4294967296", magic: "REDIS0015"),
        Specimen(
            "limiter of a Redis 8.8 development build", type: 29, hex("42 BC"), ("gcra", "raw"), ["unsigned 700"],
            json: "700", magic: "REDIS0014"),
        Specimen(
            "HyperLogLog as its own type", type: 34, RDB.string("HYLL\u{2}"), ("hll", "raw"),
            ["string \"HYLL\\x02\""], json: #""HYLL\u0002""#, magic: "REDIS0015"),
        Specimen(
            "cron job of KeyDB", type: 64,
            RDB.string("return 1") + RDB.littleEndian(Int64(1_700_000_000_000)) + RDB.littleEndian(Int64(-5))
                + hex("02 01 'a' 01 'b' 01 C0 07"), ("cron", "raw"),
            [
                "elements ?", "modulePart \"return 1\"", "signed 1700000000000", "signed -5", "modulePart \"a\"",
                "modulePart \"b\"", "modulePart 7",
            ],
            json: #"{"parts":[{"string":"return 1"},{"signed":1700000000000},{"signed":-5},{"string":"a"},"#
                + #"{"string":"b"},{"string":"7"}]}"#,
            magic: "REDIS0009"),
    ]

    static let modules: [Specimen] = [
        Specimen(
            "module value of every part", type: 7,
            vectorset + hex("01 81 FFFFFFFFFFFFFFFB | 02 42 BC | 03 0000c03f | 04 9A9999999999B93F | 05 02 'ab'")
                + hex("05 C0 2A 05 00 00"), ("module", "module"),
            [
                "module vectorset 0", "signed -5", "unsigned 700", "float 1.5", "double 0.1", "modulePart \"ab\"",
                "modulePart 42", "modulePart \"\"", "end module",
            ],
            json: #"{"module":"vectorset","encoding_version":0,"parts":[{"signed":-5},{"unsigned":700},"#
                + #"{"float":1.5},{"double":0.1},{"string":"ab"},{"string":"42"},{"string":""}]}"#,
            magic: "REDIS0008"),
        Specimen(
            "JSON document of a module", type: 7, json3 + hex("05 07 '{\"a\":1}' 00"), ("module", "module"),
            ["module ReJSON-RL 3", "modulePart \"{\\x22a\\x22:1}\"", "end module"],
            json: #"{"module":"ReJSON-RL","encoding_version":3,"parts":[{"string":"{\"a\":1}"}]}"#),
    ]

    /// encodings.md §11.1: names and the bytes they are stored as.
    public static let moduleNames: [(String, Int, [UInt8])] = [
        ("ReJSON-RL", 3, hex("45 E2 52 38 DF 91 2C 03")), ("MBbloom--", 4, hex("30 16 E5 A2 89 BE F8 04")),
        ("MBbloomCF", 4, hex("30 16 E5 A2 89 82 14 04")), ("CMSk-TYPE", 0, hex("08 C4 A4 F9 36 0F 10 00")),
        ("TopK-TYPE", 0, hex("4E 8A 4A F9 36 0F 10 00")), ("TDIS-TYPE", 0, hex("4C 32 12 F9 36 0F 10 00")),
        ("TSDB-TYPE", 8, hex("4D 20 C1 F9 36 0F 10 08")), ("vectorset", 0, hex("BD E7 2D A2 BB 1E B4 00")),
        ("bloomfltr", 1, hex("6E 5A 28 99 F9 6D AC 01")),
    ]
}
