import RDBBytes
import RDBFormat
import RDBKit
import RDBModel
import RDBSinks
import RDBTestSupport
import Testing

@Suite("entries as JSON")
struct JSONTests {
    @Test("JSON Lines worked out by hand", arguments: Specimen.all)
    func lines(_ specimen: Specimen) throws {
        let output = try JSONOutput(specimen.bytes)
        #expect(output.fault == nil)
        #expect(output.text == specimen.json)
    }

    @Test("one array of the same objects", arguments: Specimen.all)
    func array(_ specimen: Specimen) throws {
        var options = JSONOptions()
        options.array = true
        let lines = specimen.json.split(separator: "\n")
        let expected = lines.isEmpty ? "[]\n" : "[\n" + lines.joined(separator: ",\n") + "\n]\n"
        #expect(try JSONOutput(specimen.bytes, options: options).text == expected)
    }

    @Test("without values: everything before `value`", arguments: Specimen.all)
    func withoutValues(_ specimen: Specimen) throws {
        var options = JSONOptions()
        options.parts = .withoutValues
        let expected = specimen.json.split(separator: "\n").map { line in
            guard let range = String(line).firstRange(of: #","value":"#) else { return "\(line)\n" }
            // The first such place that is a member of the entry itself: hand-made values hold no such text.
            return String(line)[..<range.lowerBound] + "}\n"
        }.joined()
        #expect(try JSONOutput(specimen.bytes, options: options).text == expected)
    }

    @Test("keys only", arguments: Specimen.all)
    func keysOnly(_ specimen: Specimen) throws {
        var options = JSONOptions()
        options.parts = .keysOnly
        let expected = specimen.json.split(separator: "\n").map { line in
            guard let range = String(line).firstRange(of: #","type":"#) else { return "\(line)\n" }
            return String(line)[..<range.lowerBound] + "}\n"
        }.joined()
        #expect(try JSONOutput(specimen.bytes, options: options).text == expected)
    }

    static let bytesFile = RDBBuilder.file([
        RDB.entry(0, "é", hex("03 'a' ff '\"'")), RDB.entry(0, "n", RDB.int8(-12)),
        RDB.entry(4, "h", hex("01 01 0a 00")), RDB.entry(0, "$base64:", RDB.string("$base64")),
    ])

    @Test(
        "forms of strings",
        arguments: [
            (
                .auto,
                [
                    #"{"db":0,"key":"é","type":"string","encoding":"raw","value":"$base64:Yf8i"}"#,
                    #"{"db":0,"key":"n","type":"string","encoding":"int","value":"-12"}"#,
                    #"{"db":0,"key":"h","type":"hash","encoding":"hashtable","value":{"\n":""}}"#,
                    #"{"db":0,"key":"$base64:JGJhc2U2NDo=","type":"string","encoding":"raw","value":"$base64"}"#,
                ]
            ),
            (
                .base64,
                [
                    #"{"db":0,"key":"$base64:w6k=","type":"string","encoding":"raw","value":"$base64:Yf8i"}"#,
                    #"{"db":0,"key":"$base64:bg==","type":"string","encoding":"int","value":"$base64:LTEy"}"#,
                    #"{"db":0,"key":"$base64:aA==","type":"hash","encoding":"hashtable","#
                        + #""value":{"$base64:Cg==":"$base64:"}}"#,
                    #"{"db":0,"key":"$base64:JGJhc2U2NDo=","type":"string","encoding":"raw","#
                        + #""value":"$base64:JGJhc2U2NA=="}"#,
                ]
            ),
            (
                .hex,
                [
                    #"{"db":0,"key":"c3a9","type":"string","encoding":"raw","value":"61ff22"}"#,
                    #"{"db":0,"key":"6e","type":"string","encoding":"int","value":"2d3132"}"#,
                    #"{"db":0,"key":"68","type":"hash","encoding":"hashtable","value":{"0a":""}}"#,
                    #"{"db":0,"key":"246261736536343a","type":"string","encoding":"raw","value":"24626173653634"}"#,
                ]
            ),
            (
                .latin1,
                [
                    #"{"db":0,"key":"Ã©","type":"string","encoding":"raw","value":"aÿ\""}"#,
                    #"{"db":0,"key":"n","type":"string","encoding":"int","value":"-12"}"#,
                    #"{"db":0,"key":"h","type":"hash","encoding":"hashtable","value":{"\n":""}}"#,
                    #"{"db":0,"key":"$base64:","type":"string","encoding":"raw","value":"$base64"}"#,
                ]
            ),
        ] as [(StringForm, [String])])
    func stringForms(_ form: StringForm, _ lines: [String]) throws {
        var options = JSONOptions()
        options.strings = form
        #expect(try JSONOutput(Self.bytesFile, options: options).text == lines.map { $0 + "\n" }.joined())
    }

    @Test("meta adds length in the file, elements and slot")
    func meta() throws {
        var options = JSONOptions()
        options.meta = true
        // Slots by CRC-16: "123456789" is 12739, "foo" 12182.
        let file = RDBBuilder.file([
            RDB.entry(0, "123456789", RDB.string("hello")), RDB.entry(2, "{foo}x", hex("02 01 61 01 62")),
            RDB.entry(21, "foo", Specimen.streamExample),
            RDB.entry(7, "foo", Specimen.vectorset + hex("01 05 02 06 00")),
        ])
        let whole = try JSONOutput(file, options: options).text.split(separator: "\n")
        let tails = [
            #""value":"hello","serialized_bytes":6,"elements":1,"slot":12739}"#,
            #""value":["a","b"],"serialized_bytes":5,"elements":2,"slot":12182}"#,
            #"]}]},"serialized_bytes":\#(Specimen.streamExample.count),"elements":3,"slot":12182}"#,
            #""serialized_bytes":14,"elements":2,"slot":12182}"#,
        ]
        #expect(whole.count == 4)
        for (line, tail) in zip(whole, tails) { #expect(line.hasSuffix(tail)) }

        options.parts = .keysOnly
        #expect(
            try JSONOutput(file, options: options).text.hasPrefix(
                #"{"db":0,"key":"123456789","serialized_bytes":6,"elements":1,"slot":12739}"# + "\n"))
    }

    @Test("what came before a fault is written, whole lines only")
    func partial() throws {
        let file = RDBBuilder.file([
            RDB.entry(0, "a", RDB.string("1")), RDB.entry(2, "b", hex("02 01 61 c4")),
            RDB.entry(0, "c", RDB.string("2")),
        ])
        let output = try JSONOutput(file)
        #expect(output.text == Specimen.stringLine("a", "1"))
        #expect(output.fault?.error.code == .badString)
        #expect(output.fault?.key == [0x62])
        #expect(output.fault?.database == 0)
    }

    @Test("a value that does not decode is left out where its end is known")
    func skipped() throws {
        let bad = RDB.string(RDB.intset(width: 3, [1]))
        let file = RDBBuilder.file([
            RDB.entry(0, "a", RDB.string("1")), RDB.entry(11, "b", bad), RDB.entry(0, "c", RDB.string("2")),
        ])
        let output = try JSONOutput(file, onError: .skip)
        #expect(output.text == Specimen.stringLine("a", "1") + Specimen.stringLine("c", "2"))
        #expect(output.fault == nil)
        guard case .skipped(let fault) = output.notices.first else {
            Issue.record("\(output.notices)")
            return
        }
        #expect(fault.error.code == .badIntset)
        #expect(fault.key == [0x62])
        #expect(fault.isSkipped)
    }

    @Test("a writer used for files of both families names each type rightly")
    func families() throws {
        let folder = TemporaryFolder()
        let file = try OutputFile(path: folder.file("json"))
        var writer = JSONEntryWriter(file)
        for (type, encoding) in [(.hash, .listpackex), (.pathHash, .hashtable)] as [(ValueType, Encoding)] {
            writer.begin(EntryHeader(type: type, encoding: encoding, typeByte: 23), key: [0x6b].rawSpan)
            writer.elements(0)
            writer.end(valueByteCount: 0, slot: nil)
        }
        writer.finish()
        try file.finish()
        #expect(
            try String(decoding: folder.contents("json"), as: UTF8.self)
                == #"{"db":0,"key":"k","type":"hash","encoding":"listpackex","value":{}}"# + "\n"
                + #"{"db":0,"key":"k","type":"path-hash","encoding":"hashtable","value":{}}"# + "\n")
    }
}
