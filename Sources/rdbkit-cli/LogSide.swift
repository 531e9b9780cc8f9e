import RDBKit

/// What a log leads to, as a side of a comparison. The log is gone through when it is first opened.
final class LogSide: SnapshotSide {
    let name: String
    /// What was wrong with the log: nothing that was not run, or cut off, counts as compared.
    private(set) var status = ExitStatus.done
    private let input: AOFInput
    private let run: InputRun
    private var once: OnceSide?

    var failure: (any Error)? { once?.failure }

    init(_ input: AOFInput, _ run: InputRun) {
        self.input = input
        self.run = run
        name = input.path == "-" ? "standard input" : input.path
    }

    func open(wanting wants: KeyFilter?, isLast: Bool) throws -> any ByteSource {
        if let once { return try once.open(wanting: wants, isLast: isLast) }
        let result = try run.state(of: input).get()
        status = run.tell(result, of: input)
        // Why there is none was told.
        guard let source = result.source else { throw CutRefusal(status: status) }
        let side = OnceSide(name: name, source)
        once = side
        return try side.open(wanting: wants, isLast: isLast)
    }
}

extension InputRun {
    /// A file, a log or standard input as a side of a comparison.
    func side(_ path: String) throws(AOFInputError) -> any SnapshotSide {
        let input = try AOFInput(path: path)
        do throws(InputError) {
            if try input.isLog() { return LogSide(input, self) }
            let name = path == "-" ? "standard input" : path
            let part = try input.open(input.files[0])
            if let file = part.regularFile { return FileSide(name: name, file) }
            do throws(SourceError) { return OnceSide(name: name, try Input(part.source).source) } catch {
                throw InputError(path: name, cause: error)
            }
        } catch { throw .unreadable(error) }
    }
}
