/// Makes corpus files, or finds that they are there.
///
/// Beside each file stands `NAME.stamp` with the generator's version, the scale and the file's size; a file that does
/// not agree with its stamp is made again. The server orders keys by hash seeds of its own, so two files of one corpus
/// hold the same data in another order.
struct CorpusMaker {
    /// To be raised by whoever changes what a corpus holds.
    private static let generatorVersion = 1

    let directory: String
    let scale: Double

    func make(_ corpora: [Corpus]) throws(BenchError) {
        try makeDirectories(directory)
        for corpus in corpora {
            let path = corpus.path(in: directory)
            if let size = fileSize(path), readText(path + ".stamp") == stamp(size: size) {
                note("\(path): already there, \(formatMegabytes(size))")
                continue
            }
            let start = ContinuousClock.now
            try make(corpus, at: path)
            let size = fileSize(path) ?? 0
            try writeBytes(Array(stamp(size: size).utf8), to: path + ".stamp")
            let seconds = start.duration(to: .now) / .seconds(1)
            note("\(path): made in \(format(seconds, decimals: 1)) s, \(formatMegabytes(size))")
        }
    }

    private func make(_ corpus: Corpus, at path: String) throws(BenchError) {
        let server = try ScratchServer(in: directory)
        var commands = try server.connect()
        try corpus.fill(&commands, scale: scale)
        commands.begin("SAVE")
        try commands.end()
        try commands.finish()
        try server.moveDump(to: path)
    }

    private func stamp(size: Int) -> String {
        "version \(Self.generatorVersion) scale \(scale) bytes \(size)\n"
    }
}
