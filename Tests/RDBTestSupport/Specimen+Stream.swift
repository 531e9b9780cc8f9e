// Streams of the five generations. The worked examples of encodings.md §8 and newest.md §4.1.
extension Specimen {
    static let streamHead = hex(
        """
        01 | 10 0000000000000001 0000000000000001 | 40 43 | 43 00 00 00 1B 00
        03 01  01 01  01 01  81 66 02  00 01 | 02 01  00 01  00 01  81 76 02  04 01
        03 01  00 01  01 01  81 77 02  04 01 | 00 01  04 01  DF FF 02  01 01  81 67 02  01 01  06 01
        02 01  04 01  00 01  81 7A 02  04 01 | FF | 03 | 05 01
        """)
    static let entriesOfFour = [
        "entry 1-1", "streamField \"f\"", "streamValue \"v\"", "end entry",
        "entry 5-0", "streamField \"g\"", "streamValue 1", "end entry",
        "entry 5-1", "streamField \"f\"", "streamValue \"z\"", "end entry",
    ]
    static let entriesOfFourJSON =
        #"{"entries":[{"id":"1-1","fields":[["f","v"]]},{"id":"5-0","fields":[["g","1"]]},"#
        + #"{"id":"5-1","fields":[["f","z"]]}],"length":3,"last_id":"5-1","#
    static let pendingOfOne = hex("01 0000000000000001 0000000000000001  27 6C 42 FC A1 01 00 00  01")
    static let idempotenceEvent = "idempotence duration 100 max 100 added 0 duplicate 0"
    public static let idempotenceJSON =
        #","idmp":{"producers":[],"duration_seconds":100,"max_entries":100,"iids_added":0,"iids_duplicates":0}}"#

    /// The documents' example as type 21: group G, consumer C.
    public static let streamExample =
        streamHead
        + hex(
            """
            01 01 | 01 02 | 04 | 01 | 01 47 | 01 01 | 81 FF FF FF FF FF FF FF FF
            01 0000000000000001 0000000000000001  27 6C 42 FC A1 01 00 00  01
            01 | 01 43 | 27 6C 42 FC A1 01 00 00 | 27 6C 42 FC A1 01 00 00 | 01  0000000000000001 0000000000000001
            """)
    public static let streamExampleEvents =
        entriesOfFour + [
            "state length 3 last 5-1 first 1-1 deleted 1-2 added 4", "groupName \"G\"", "group last 1-1 read unknown",
            "pending 1-1 at 1795233573927 count 1", "consumerName \"C\"",
            "consumer seen 1795233573927 active 1795233573927", "owns 1-1", "end group",
        ]
    public static let streamExampleJSON =
        entriesOfFourJSON + #""first_id":"1-1","max_deleted_id":"1-2","entries_added":4,"groups":[{"name":"G","#
        + #""last_id":"1-1","entries_read":null,"pending":[{"id":"1-1","consumer":"C","#
        + #""delivered_at_ms":1795233573927,"deliveries":1}],"consumers":[{"name":"C","#
        + #""seen_at_ms":1795233573927,"active_at_ms":1795233573927}]}]"#

    static func stream(
        _ name: String, type: UInt8, _ value: [UInt8], _ events: [String], json: String, magic: String
    ) -> Specimen {
        Specimen(name, type: type, value, ("stream", "stream"), events, json: json, magic: magic)
    }

    static let streams: [Specimen] = [
        stream(
            "stream of Redis 5", type: 15,
            streamHead + hex("01 | 01 47 | 01 01") + pendingOfOne
                + hex("01 | 01 43 | 27 6C 42 FC A1 01 00 00 | 01  0000000000000001 0000000000000001"),
            entriesOfFour + [
                "state length 3 last 5-1", "groupName \"G\"", "group last 1-1",
                "pending 1-1 at 1795233573927 count 1", "consumerName \"C\"", "consumer seen 1795233573927",
                "owns 1-1", "end group",
            ],
            json: entriesOfFourJSON
                + #""groups":[{"name":"G","last_id":"1-1","entries_read":null,"pending":[{"id":"1-1","consumer":"C","#
                + #""delivered_at_ms":1795233573927,"deliveries":1}],"consumers":[{"name":"C","#
                + #""seen_at_ms":1795233573927}]}]}"#,
            magic: "REDIS0009"),
        stream(
            "stream of Redis 7.0", type: 19,
            streamHead + hex("01 01 | 01 02 | 04 | 01 | 01 47 | 01 01 | 03") + pendingOfOne
                + hex("01 | 01 43 | 27 6C 42 FC A1 01 00 00 | 01  0000000000000001 0000000000000001"),
            entriesOfFour + [
                "state length 3 last 5-1 first 1-1 deleted 1-2 added 4", "groupName \"G\"", "group last 1-1 read 3",
                "pending 1-1 at 1795233573927 count 1", "consumerName \"C\"", "consumer seen 1795233573927",
                "owns 1-1", "end group",
            ],
            json: entriesOfFourJSON
                + #""first_id":"1-1","max_deleted_id":"1-2","entries_added":4,"#
                + #""groups":[{"name":"G","last_id":"1-1","entries_read":3,"pending":[{"id":"1-1","consumer":"C","#
                + #""delivered_at_ms":1795233573927,"deliveries":1}],"consumers":[{"name":"C","#
                + #""seen_at_ms":1795233573927}]}]}"#,
            magic: "REDIS0010"),
        stream(
            "stream of Redis 7.2", type: 21, streamExample, streamExampleEvents, json: streamExampleJSON + "}",
            magic: "REDIS0011"),
        stream(
            "stream of Redis 8.6", type: 26, streamExample + hex("40 64 40 64 00 00 00"),
            streamExampleEvents + [idempotenceEvent], json: streamExampleJSON + idempotenceJSON, magic: "REDIS0013"),
        stream(
            "stream without groups as Redis 8.8 wrote it", type: 27,
            hex(
                """
                01 10 0000000000000001 0000000000000001
                1d 1d000000 0a00 0101 0001 0101 8166 02 0001 0201 0001 0001 8176 02 0401 ff
                01 | 01 01 | 01 01 | 00 00 | 01 | 00 | 4064 4064 | 00 | 00 00
                """),
            [
                "entry 1-1", "streamField \"f\"", "streamValue \"v\"", "end entry",
                "state length 1 last 1-1 first 1-1 deleted 0-0 added 1", idempotenceEvent,
            ],
            json: #"{"entries":[{"id":"1-1","fields":[["f","v"]]}],"length":1,"last_id":"1-1","first_id":"1-1","#
                + #""max_deleted_id":"0-0","entries_added":1,"groups":[]"# + idempotenceJSON,
            magic: "REDIS0014"),
        stream(
            "empty stream", type: 21, hex("00 00 00 00 00 00 00 00 00 00"),
            ["state length 0 last 0-0 first 0-0 deleted 0-0 added 0"],
            json: #"{"entries":[],"length":0,"last_id":"0-0","first_id":"0-0","max_deleted_id":"0-0","#
                + #""entries_added":0,"groups":[]}"#,
            magic: "REDIS0011"),
        negativelyAcknowledged, producers, twoConsumers,
    ]

    /// Three entries that nobody owns, one of them refused for good, and a consumer that owns none.
    static let negativelyAcknowledged: Specimen = {
        var value = RDB.Stream()
        value.lastID = RDB.ID(3, 1)
        value.firstID = RDB.ID(0, 0)
        value.entriesAdded = 3
        value.groups = [
            RDB.Group(
                "g", lastID: RDB.ID(3, 1), entriesRead: 3,
                pending: [
                    RDB.Pending(RDB.ID(1, 1), time: 0, count: 1), RDB.Pending(RDB.ID(2, 1), time: 0, count: 0),
                    RDB.Pending(RDB.ID(3, 1), time: 0, count: 0x7fff_ffff_ffff_ffff),
                ],
                consumers: [RDB.Consumer("alice", seen: 5, active: -1, ids: [])],
                unowned: [RDB.ID(2, 1), RDB.ID(1, 1), RDB.ID(3, 1)])
        ]
        return stream(
            "stream with negatively acknowledged entries", type: 27, RDB.stream(value, generation: 5),
            [
                "state length 0 last 3-1 first 0-0 deleted 0-0 added 3", "groupName \"g\"", "group last 3-1 read 3",
                "pending 1-1 at 0 count 1", "pending 2-1 at 0 count 0", "pending 3-1 at 0 count 9223372036854775807",
                "consumerName \"alice\"", "consumer seen 5 active -1", "unowned 2-1", "unowned 1-1", "unowned 3-1",
                "end group", idempotenceEvent,
            ],
            json: #"{"entries":[],"length":0,"last_id":"3-1","first_id":"0-0","max_deleted_id":"0-0","#
                + #""entries_added":3,"groups":[{"name":"g","last_id":"3-1","entries_read":3,"pending":["#
                + #"{"id":"1-1","consumer":null,"delivered_at_ms":0,"deliveries":1},"#
                + #"{"id":"2-1","consumer":null,"delivered_at_ms":0,"deliveries":0},"#
                + #"{"id":"3-1","consumer":null,"delivered_at_ms":0,"deliveries":9223372036854775807}],"#
                + #""consumers":[{"name":"alice","seen_at_ms":5,"active_at_ms":-1}]}]"# + idempotenceJSON,
            magic: "REDIS0014")
    }()

    /// The tail of newest.md §4.1: two producers, two adds, two duplicates; and a producer without entries.
    static let producers = stream(
        "stream with idempotent producers", type: 26,
        hex(
            """
            00 | 00 | 00 00 | 00 00 | 00 00 | 00 | 00 | 40 64 40 64 03
            02 'p1' 01  02 'i1' 81 000001a1fc34a584 00
            02 'p2' 01  10 57eed791ce826b8880481eadde025bc5   81 000001a1fc34a585 00
            02 'p3' 00 | 02 02
            """),
        [
            "state length 0 last 0-0 first 0-0 deleted 0-0 added 0", "producerID \"p1\"", "producerEntryID \"i1\"",
            "produced 1795232671108-0", "producerID \"p2\"",
            "producerEntryID \"W\\xee\\xd7\\x91\\xce\\x82k\\x88\\x80H\\x1e\\xad\\xde\\x02[\\xc5\"",
            "produced 1795232671109-0", "producerID \"p3\"", "idempotence duration 100 max 100 added 2 duplicate 2",
        ],
        json: #"{"entries":[],"length":0,"last_id":"0-0","first_id":"0-0","max_deleted_id":"0-0","entries_added":0,"#
            + #""groups":[],"idmp":{"producers":[{"id":"p1","entries":[{"iid":"i1","id":"1795232671108-0"}]},"#
            + #"{"id":"p2","entries":[{"iid":"$base64:V+7Xkc6Ca4iASB6t3gJbxQ==","id":"1795232671109-0"}]},"#
            + #"{"id":"p3","entries":[]}],"duration_seconds":100,"max_entries":100,"iids_added":2,"#
            + #""iids_duplicates":2}}"#,
        magic: "REDIS0013")

    /// Two nodes, one compressed; two groups; pending entries of two consumers, mixed.
    static let twoConsumers: Specimen = {
        var value = RDB.Stream()
        value.nodes = [
            RDB.StreamNode(
                RDB.ID(1000, 5),
                RDB.listpack([
                    .uint7(1), .uint7(0), .uint7(2), .text("temp"), .number(12), .uint7(0),  // master entry
                    .uint7(2), .uint7(0), .uint7(0), .number(-300), .text("x"), .uint7(5),
                ]))
        ]
        value.length = 1
        value.lastID = RDB.ID(2000, .max)
        value.firstID = RDB.ID(1000, 5)
        value.entriesAdded = 9
        value.groups = [
            RDB.Group(
                "one", lastID: RDB.ID(4, 0), entriesRead: 0,
                pending: (1...4).map { RDB.Pending(RDB.ID($0, 0), time: Int64($0) * 10, count: $0) },
                consumers: [
                    RDB.Consumer("a", seen: 1, active: 2, ids: [RDB.ID(2, 0), RDB.ID(3, 0)]),
                    RDB.Consumer("b\n", seen: 3, active: -1, ids: [RDB.ID(1, 0), RDB.ID(4, 0)]),
                ]),
            RDB.Group("two", lastID: RDB.ID(0, 0), entriesRead: .max, pending: [], consumers: []),
        ]
        let pendingJSON = [(1, "b\\n"), (2, "a"), (3, "a"), (4, "b\\n")].map {
            "{\"id\":\"\($0.0)-0\",\"consumer\":\"\($0.1)\",\"delivered_at_ms\":\($0.0 * 10),\"deliveries\":\($0.0)}"
        }.joined(separator: ",")
        return stream(
            "stream with two groups and two consumers", type: 21, RDB.stream(value, generation: 3),
            [
                "entry 1000-5", "streamField \"temp\"", "streamValue -300", "streamField \"12\"",
                "streamValue \"x\"", "end entry",
                "state length 1 last 2000-18446744073709551615 first 1000-5 deleted 0-0 added 9",
                "groupName \"one\"", "group last 4-0 read 0", "pending 1-0 at 10 count 1", "pending 2-0 at 20 count 2",
                "pending 3-0 at 30 count 3", "pending 4-0 at 40 count 4", "consumerName \"a\"",
                "consumer seen 1 active 2", "owns 2-0", "owns 3-0", "consumerName \"b\\x0a\"",
                "consumer seen 3 active -1", "owns 1-0", "owns 4-0", "end group", "groupName \"two\"",
                "group last 0-0 read unknown", "end group",
            ],
            json: #"{"entries":[{"id":"1000-5","fields":[["temp","-300"],["12","x"]]}],"length":1,"#
                + #""last_id":"2000-18446744073709551615","first_id":"1000-5","max_deleted_id":"0-0","#
                + #""entries_added":9,"groups":[{"name":"one","last_id":"4-0","entries_read":0,"pending":["#
                + pendingJSON
                + #"],"consumers":[{"name":"a","seen_at_ms":1,"active_at_ms":2},"#
                + #"{"name":"b\n","seen_at_ms":3,"active_at_ms":-1}]},{"name":"two","last_id":"0-0","#
                + #""entries_read":null,"pending":[],"consumers":[]}]}"#,
            magic: "REDIS0011")
    }()
}
