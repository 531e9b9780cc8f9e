import RDBKit

/// Libraries of functions, which every server of the target gets.
extension RestoreEngine {
    /// Loads a library on every server. One that is there with the same code is as good as loaded.
    func load(_ library: FunctionLibrary) {
        guard plan.target.hasFunctions, !library.code.isCut else {
            summary.losses.add(library)
            summary.functions.failed += 1
            return
        }
        if options.isDryRun {
            summary.functions.applied += 1
            return
        }
        var words = [Array("FUNCTION".utf8), Array("LOAD".utf8)]
        if options.onConflict == .replace { words.append(Array("REPLACE".utf8)) }
        words.append(library.source)
        var isSkipped = false
        for server in target.servers {
            guard let reply = askPatiently(server, words) else { return }
            guard let text = reply.errorText else { continue }
            let exists = text.contains("already exists")
            if exists, isThere(library, at: server) { continue }
            if exists, options.onConflict == .skip {
                isSkipped = true
                continue
            }
            summary.functions.failed += 1
            report(
                RestoreFailure(
                    database: 0, key: Array(library.name.utf8), type: nil, offset: 0,
                    reason: exists ? .exists : .refused, message: text))
            if exists { end(.conflict) }
            return
        }
        if isSkipped { summary.functions.skipped += 1 } else { summary.functions.applied += 1 }
    }

    func isThere(_ library: FunctionLibrary, at server: ServerAddress) -> Bool {
        let question = ["FUNCTION", "LIST", "LIBRARYNAME", library.name, "WITHCODE"].map { Array($0.utf8) }
        let found = askPatiently(server, question)?.array?.first
        return found?["library_code"]?.bytes == library.source
    }
}
