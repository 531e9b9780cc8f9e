import RDBFormat
import RDBModel
import Testing

@testable import AOFState

@Suite("array and path hash commands")
struct ArrayCommandTests {
    private func array(_ commands: String) throws -> String? {
        let value = try AppliedLog(commands).value("g", RDBVersion(number: 14, family: .redis))
        guard case .array(let array)? = value else { return nil }
        let texts = array.elements.map { "\($0.index):\(String(decoding: $0.text, as: UTF8.self))" }
        return texts.joined(separator: " ") + (array.insertIndex.map { " at \($0)" } ?? "")
    }

    // As observed: formats/newest.md §10.5.
    @Test("rings of other sizes keep the newest")
    func rings() throws {
        let first = "ARRING g 3 a b c d"
        #expect(try array(first) == "0:d 1:b 2:c at 0")
        #expect(try array(first + "\nARRING g 2 e") == "0:e 1:d at 0")
        #expect(try array(first + "\nARRING g 2 e\nARRING g 5 f g h") == "0:d 1:e 2:f 3:g 4:h at 4")
    }

    @Test("elements by index, insertions behind each other, ranges in either order")
    func elements() throws {
        #expect(
            try array("ARSET g 5 a b\nARINSERT g x y\nARMSET g 1 z 1000000 far") == "0:x 1:z 5:a 6:b 1000000:far at 1")
        #expect(try array("ARSET g 62 a b c d\nARDEL g 63 7\nARDELRANGE g 65 64") == "62:a")
        #expect(try array("ARSET g 1 a\nARDEL g 1") == nil)
        #expect(try array("ARSET g 0 a b c\nARSEEK g 10\nARINSERT g x\nARSEEK g 0") == "0:a 1:b 2:c 10:x")
        #expect(try array("ARSET g 0 a\nARDELRANGE g 0 18446744073709551614") == nil)
    }

    @Test("indices at the end of what there is")
    func limits() throws {
        let last = "18446744073709551614"
        #expect(try array("ARSET g \(last) a") == "\(last):a")
        let log = try AppliedLog(
            """
            ARSET g 18446744073709551615 a
            ARSET g \(last) a b
            ARSET g x a
            ARMSET g 1 a x b
            ARRING g 0 a
            ARSET g 1 a
            ARSEEK g 18446744073709551615
            ARINSERT g x
            ARDEL g -1
            SET s v
            ARSET s 1 a
            """)
        #expect(
            log.outcomes.map { $0 == .applied } == [
                false, false, false, false, false, true, true, false, false, true, false,
            ])
        #expect(try array("ARSET g 1 a\nARSEEK g 18446744073709551615\nARRING g 4 x") == "1:a 3:x at 3")
    }

    // Of Valkey 9.2: formats/newest.md §11.3.
    @Test("paths and their fields")
    func paths() throws {
        func paths(_ commands: String) throws -> [String]? {
            let value = try AppliedLog(commands).value("p", RDBVersion(number: 81, family: .valkey))
            guard case .pathHash(let paths)? = value else { return nil }
            return paths.map { path in
                let fields = path.fields.map {
                    "\(String(decoding: $0.field, as: UTF8.self))=\(String(decoding: $0.value, as: UTF8.self))"
                }
                return "\(String(decoding: path.path, as: UTF8.self)): \(fields.sorted().joined(separator: " "))"
            }
        }
        let start = "PHMSET p /b FIELDS 1 f 1 /a/x FIELDS 2 f 1 g 2 /a FIELDS 1 f 3\n"
        #expect(try paths(start) == ["/a: f=3", "/a/x: f=1 g=2", "/b: f=1"])
        #expect(try paths(start + "PHSET p /a FIELDS 2 f 4 h 5") == ["/a: f=4 h=5", "/a/x: f=1 g=2", "/b: f=1"])
        #expect(try paths(start + "PHSET p /a FNX FIELDS 2 f 4 h 5") == ["/a: f=3", "/a/x: f=1 g=2", "/b: f=1"])
        #expect(try paths(start + "PHSET p /a FXX FIELDS 1 f 4") == ["/a: f=4", "/a/x: f=1 g=2", "/b: f=1"])
        #expect(try paths(start + "PHDEL p /a/x f g z\nPHDEL p /b") == ["/a: f=3"])
        #expect(try paths(start + "PHDELPREFIX p /a") == ["/b: f=1"])
        // The key stays without paths.
        #expect(try paths(start + "PHDELPREFIX p \"\"") == [])
        #expect(try paths("PHSET p \"\" FIELDS 1 \"\" \"\"") == [": ="])
        #expect(try paths("PHSET p /a FIELDS 2 f 1") == nil)
    }
}
