import RDBBytes
import RDBTestSupport

// Faults of values. The value begins at byte 12; what is packed into a string of up to 63 bytes begins at 13.
extension Fault {
    static func packed(
        _ name: String, type: UInt8, _ value: [UInt8], _ code: DecodeError.Code, at offset: UInt64, _ expected: String,
        _ found: String, isStrict: Bool = false
    ) -> Fault {
        Fault(name, type: type, RDB.string(value), code, at: offset, expected, found, isStrict: isStrict)
    }

    /// A file bytes of which were changed in place.
    static func changed(_ bytes: [UInt8], _ index: Int, _ value: UInt8) -> [UInt8] {
        var bytes = bytes
        bytes[index] = value
        return bytes
    }

    /// `a, b` as a listpack of 13 bytes: entries at 6 and 9, the end at 12.
    static let listpack = RDB.listpack([.text("a"), .text("b")])
    /// `a, b` as a ziplist of 17 bytes: entries at 10 and 13, the end at 16.
    static let ziplist = RDB.ziplist([.text("a"), .text("b")])

    static let packed: [Fault] = [
        packed(
            "an intset of 3-byte integers", type: 11, RDB.intset(width: 3, [1]), .badIntset, at: 13,
            "a width of 2, 4 or 8 bytes", "3"),
        packed(
            "an intset that claims one more", type: 11, RDB.intset(width: 2, [1, 2], count: 3), .badIntset, at: 13,
            "as many integers as the string holds", "3"),
        packed(
            "an intset that claims four thousand million", type: 11,
            RDB.intset(width: 8, [1, 2], count: 0xffff_ffff), .badIntset, at: 13,
            "as many integers as the string holds", "4294967295"),
        packed(
            "an intset of seven bytes", type: 11, hex("02000000 010000"), .truncated, at: 20,
            "more bytes in the value", "the end of the value"),
        packed(
            "an intset out of order", type: 11, RDB.intset(width: 2, [5, 4]), .badOrder, at: 23,
            "ascending integers in the intset", "4", isStrict: true),
        Fault(
            "a packed value as an integer", type: 11, RDB.int8(5), .badString, at: 12, "a packed value", "5"),
        Fault(
            "an intset inside an LZF block", type: 11, RDB.lzf(literally: RDB.intset(width: 3, [1])), .badIntset,
            at: 15, inner: 0, "a width of 2, 4 or 8 bytes", "3"),
        packed(
            "a listpack that lies about its size", type: 20, changed(listpack, 0, 14), .badListpack, at: 13,
            "the string's length as the listpack's size", "14"),
        packed(
            "a listpack that lies about its count", type: 20, changed(listpack, 4, 3), .countMismatch, at: 17,
            "the number of entries in the listpack", "3"),
        packed(
            "a listpack without its end byte", type: 20, changed(listpack, 12, 0), .truncated, at: 26,
            "more bytes in the value", "the end of the value"),
        packed(
            "a listpack that ends early", type: 20, changed(listpack, 9, 0xff), .countMismatch, at: 17,
            "the number of entries in the listpack", "2"),
        packed(
            "an encoding byte that a listpack does not know", type: 20, changed(listpack, 9, 0xf5), .badListpack,
            at: 22, "an entry's encoding byte", "0xf5"),
        packed(
            "a listpack entry longer than the listpack", type: 20, changed(listpack, 9, 0xbf), .truncated, at: 26,
            "more bytes in the value", "the end of the value"),
        packed(
            "a listpack entry of four thousand million bytes", type: 20,
            RDB.listpack(bytes: hex("f0 ffffffff 61"), count: 1), .truncated, at: 26, "more bytes in the value",
            "the end of the value"),
        packed(
            "a wrong back-length", type: 20, changed(listpack, 8, 3), .badListpack, at: 21,
            "the entry's length as its back-length", "3", isStrict: true),
        packed(
            "a listpack hash with three elements", type: 16, RDB.listpack([.text("f"), .text("v"), .text("g")]),
            .oddElements, at: 28, "one more element", "the end of the listpack"),
        packed(
            "a listpack score that is no number", type: 17, RDB.listpack([.text("m"), .text("x")]), .badScore, at: 22,
            "the text of a number", "something else"),
        packed(
            "a ziplist that lies about its size", type: 10, changed(ziplist, 0, 16), .badZiplist, at: 13,
            "the string's length as the ziplist's size", "16"),
        packed(
            "a ziplist that lies about its count", type: 10, changed(ziplist, 8, 7), .countMismatch, at: 21,
            "the number of entries in the ziplist", "7"),
        packed(
            "a ziplist that lies about its tail", type: 10, changed(ziplist, 4, 12), .badZiplist, at: 17,
            "the offset of the last entry", "12", isStrict: true),
        packed(
            "a ziplist that lies about the entry before", type: 10, changed(ziplist, 13, 9), .badZiplist, at: 26,
            "the length of the entry before", "9", isStrict: true),
        packed(
            "a ziplist without its end byte", type: 10, changed(ziplist, 16, 0), .truncated, at: 30,
            "more bytes in the value", "the end of the value"),
        packed(
            "an encoding byte that a ziplist does not know", type: 10, changed(ziplist, 14, 0xc1), .badZiplist,
            at: 27, "an entry's encoding byte", "0xc1"),
        packed(
            "a ziplist hash with three elements", type: 13, RDB.ziplist([.text("f"), .text("v"), .text("g")]),
            .oddElements, at: 32, "one more element", "the end of the ziplist"),
        packed(
            "a zipmap that lies about its count", type: 9, RDB.zipmap([RDB.ZipmapPair("f", "v")], count: 2),
            .countMismatch, at: 13, "the number of fields in the zipmap", "2"),
        packed(
            "a zipmap without a value", type: 9, hex("01 01 66 ff"), .oddElements, at: 16, "the field's value",
            "the end of the zipmap"),
        packed(
            "a zipmap without its end byte", type: 9, hex("01 01 66 01 00 76"), .truncated, at: 19,
            "more bytes in the value", "the end of the value"),
        packed(
            "a zipmap field of four thousand million bytes", type: 9, hex("01 fe ffffffff 66 ff"), .truncated, at: 21,
            "more bytes in the value", "the end of the value"),
        packed(
            "bytes behind a zipmap", type: 9, RDB.zipmap([RDB.ZipmapPair("f", "v")]) + [1], .trailingBytes, at: 20,
            "the end of the value", "more bytes"),
        packed(
            "an empty string for a listpack", type: 20, [], .truncated, at: 13, "more bytes in the value",
            "the end of the value"),
    ]

    /// A node of one entry: `1, 0, 1, "f", 0 | 2, 0, 0, "v", 4`.
    static func node(_ listpack: [RDB.ListpackEntry], length: UInt64 = 1) -> [UInt8] {
        var stream = RDB.Stream()
        stream.nodes = [RDB.StreamNode(RDB.ID(1, 1), RDB.listpack(listpack))]
        stream.length = length
        stream.lastID = RDB.ID(1, 1)
        stream.firstID = RDB.ID(1, 1)
        stream.entriesAdded = 1
        return RDB.stream(stream, generation: 3)
    }

    static let values: [Fault] = [
        Fault(
            "a list's node of container 3", type: 18, hex("01 03 01 61"), .badQuicklist, at: 13,
            "container 1 (plain) or 2 (packed)", "3"),
        Fault(
            "an expiry beyond 2^48 - 1", type: 24, hex("0000000000000100 01 01 01 66 01 76"), .badExpiry, at: 21,
            "a field's expiry in milliseconds", "281474976710656"),
        Fault(
            "an expiry of 2^64 - 1 above the smallest", type: 24, Specimen.time + [1] + huge + hex("01 66 01 76"),
            .badExpiry, at: 21, "a field's expiry in milliseconds", "1999999999998"),
        Fault(
            "an expiry below -1", type: 22, hex("01 01 66 01 76 feffffffffffffff"), magic: "VALKEY080", .badExpiry,
            at: 17, "a field's expiry in milliseconds", "-2"),
        Fault(
            "a negative expiry in a listpack", type: 25,
            Specimen.time + RDB.string(RDB.listpack([.text("f"), .text("v"), .int13(-1)])), .badExpiry, at: 33,
            "a field's expiry in milliseconds", "-1"),
        Fault(
            "expiries out of order", type: 25,
            Specimen.time
                + RDB.string(
                    RDB.listpack([.text("f"), .text("v"), .uint7(9), .text("g"), .text("w"), .uint7(8)])), .badOrder,
            at: 41, "fields ordered by expiry", "8", isStrict: true),
        Fault(
            "a template nobody defined", type: 32, hex("05 01 61"), .badHashTemplate, at: 12,
            "the ID of a template defined before", "5"),
        Fault(
            "a template in a listpack that nobody defined", type: 30, RDB.string(RDB.listpack([.int13(-1)])),
            .badHashTemplate, at: 19, "the ID of a template defined before", "18446744073709551615"),
        Fault(
            "an array's flag 2", type: 28, hex("01 02 00 00 01 61"), .badArray, at: 13,
            "an insert-index flag of 0 or 1", "2"),
        Fault(
            "an array's index 2^64 - 1", type: 28, hex("01 00") + huge + hex("00 01 61"), .badArray, at: 14,
            "an index below 2^64 - 1", "18446744073709551615"),
        Fault(
            "an array's tag 4", type: 28, hex("01 00 00 04 01 61"), .badArray, at: 15, "an element's tag of 0 to 3",
            "4"),
        Fault(
            "array indices out of order", type: 28, hex("02 00 05 00 01 61 05 00 01 62"), .badArray, at: 18,
            "ascending indices", "5", isStrict: true),
        Fault(
            "a path without fields", type: 23, hex("01 01 70 00"), magic: "VALKEY081", .badPathHash, at: 15,
            "at least one field", "0"),
        Fault(
            "module opcode 6", type: 7, Specimen.vectorset + hex("06"), .badModule, at: 21,
            "a module opcode of 0 to 5", "6"),
        Fault(
            "a node ID of 15 bytes", type: 21, hex("01 0f"), .badStream, at: 13, "a node ID of 16 bytes", "15"),
        // The listpack begins at 31: six bytes of head, then entries of two or three bytes.
        Fault(
            "a master entry without its 0", type: 21,
            node([.uint7(1), .uint7(0), .uint7(1), .text("f"), .uint7(1)]), .badStream, at: 46,
            "0 behind the master entry's fields", "1"),
        Fault(
            "a stream entry of another number of elements", type: 21,
            node([
                .uint7(1), .uint7(0), .uint7(1), .text("f"), .uint7(0), .uint7(2), .uint7(0), .uint7(0), .text("v"),
                .uint7(5),
            ]), .badStream, at: 57, "the number of the entry's elements", "5"),
        Fault(
            "a negative number of field names", type: 21, node([.uint7(0), .uint7(0), .int13(-1), .uint7(0)]),
            .badStream, at: 41, "a number of fields", "-1"),
        Fault(
            "a negative number of fields", type: 21,
            node([
                .uint7(1), .uint7(0), .uint7(0), .uint7(0), .uint7(0), .uint7(0), .uint7(0), .int13(-1), .uint7(2),
            ]), .badStream, at: 51, "a number of fields", "-1"),
        Fault(
            "a stream's text where a number is due", type: 21, node([.text("x")]), .badListpack, at: 37,
            "an integer entry", "a string"),
        Fault(
            "a stream that lies about its length", type: 21,
            node(
                [
                    .uint7(1), .uint7(0), .uint7(1), .text("f"), .uint7(0), .uint7(2), .uint7(0), .uint7(0),
                    .text("v"), .uint7(4),
                ], length: 2), .countMismatch, at: 60, "the number of live entries in the nodes", "2", isStrict: true),
        Fault(
            "a node that lies about its deleted entries", type: 21,
            node([
                .uint7(1), .uint7(1), .uint7(1), .text("f"), .uint7(0), .uint7(2), .uint7(0), .uint7(0), .text("v"),
                .uint7(4),
            ]), .countMismatch, at: 31, "the node's live and deleted entries in its master entry", "1",
            isStrict: true),
        Fault(
            "pending entries without end", type: 21, hex("00 00 0000 0000 0000 00 01 01 67 0000 00") + huge,
            .truncated, at: 45, "more bytes", "the end of the input"),
    ]
}
