import Foundation
import FuzzEntrances
import Testing

/// What the fuzzers have found, and what they begin with, put through the same entrances once more. A trap ends the
/// whole run; its last line names the file.
@Suite struct FuzzRegressionTests {
    struct Input: Sendable, CustomTestStringConvertible {
        var entrance: FuzzEntrance
        var file: URL
        var testDescription: String { file.pathComponents.suffix(2).joined(separator: "/") }
    }

    /// `<entrance>` holds what was found, `corpus-<entrance>` what fuzzing begins with.
    static let inputs: [Input] = FuzzEntrance.allCases.flatMap { entrance in
        let fuzz = URL(filePath: #filePath).appending(path: "../../../testdata/fuzz").standardized
        return ["", "corpus-"].flatMap { prefix in
            let folder = fuzz.appending(path: prefix + entrance.rawValue)
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            return names.sorted().filter { !$0.hasPrefix(".") && $0 != "ORIGIN.md" }.map {
                Input(entrance: entrance, file: folder.appending(path: $0))
            }
        }
    }

    @Test("inputs of the fuzzers end in a result or an error", arguments: inputs)
    func replay(_ input: Input) throws {
        input.entrance.run([UInt8](try Data(contentsOf: input.file)))
    }

    @Test("there are inputs to replay")
    func hasInputs() { #expect(Self.inputs.count > 20) }
}
