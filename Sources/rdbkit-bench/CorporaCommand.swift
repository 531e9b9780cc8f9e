/// `rdbkit-bench corpora`: makes the corpus files.
struct CorporaCommand {
    private let maker: CorpusMaker
    private let corpora: [Corpus]

    init(_ words: some Sequence<String>) throws(BenchError) {
        let arguments = try Arguments(words, valued: ["--dir", "--scale", "--only"])
        maker = CorpusMaker(
            directory: arguments.text("--dir", default: defaultDirectory),
            scale: try arguments.number("--scale", default: 1))
        let letters = try arguments.list("--only", from: Corpus.allCases.map(\.letter))
        corpora = Corpus.allCases.filter { letters.contains($0.letter) }
    }

    func run() throws(BenchError) {
        try maker.make(corpora)
    }
}
