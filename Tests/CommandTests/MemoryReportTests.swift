import Glibc
import Testing

/// `rdbkit memory`: its forms, its sums, its statuses.
@Suite("memory reports")
struct MemoryReportTests {
    @Test("reports on the demo dump")
    func demo() throws {
        // Without what expires, because time passes.
        let words = ["memory", "shop.rdb", "--server", "redis-8.2", "--expires", "none"]
        try Golden.expect("memory", words)
        try Golden.expect("memory-json", words + ["--format", "json", "--top", "3"])
        try Golden.expect("memory-csv", words + ["--format", "csv", "--top", "3"])
        try Golden.expect("memory-prometheus", words + ["--format", "prometheus", "--top", "3"])
        try Golden.expect("memory-by", words + ["--by", "elements", "--by", "element", "--per-type", "--top", "2"])
        try Golden.expect("memory-depth", words + ["--prefix-depth", "1"])
        try Golden.expect("memory-slots", words + ["--shards", "3", "--top", "3"])
        try Golden.expect("memory-all", words + ["--all"])
        try Golden.expect(
            "memory-fail", words + ["--top", "0", "--fail-if", "bytes>1KB", "--fail-if", "keys<10", "--db", "0"])
    }

    /// A dump of keys as applications name them.
    static func namedKeys(_ count: Int, seed: UInt64) -> RDBBytes {
        var file = RDBBytes()
        file.database(0)
        var random = seed
        func next(_ bound: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % bound
        }
        let hex = Array("0123456789abcdef")
        for index in 0..<count {
            switch index % 5 {
            case 0: file.text("user:\(next(1_000_000)):profile", String(repeating: "p", count: next(60)))
            case 1: file.text("user:\(next(1_000_000)):cart", String(repeating: "c", count: next(60)))
            case 2:
                let token = String((0..<32).map { _ in hex[next(16)] })
                file.idle(seconds: next(100_000))
                file.text("session:\(token)", String(repeating: "s", count: 100))
            case 3:
                file.entry(
                    4, "order:2026-01-\(10 + next(20)):\(next(9999))", [1] + RDBBytes.string("f") + RDBBytes.string("v")
                )
            default: file.entry(2, "tag:{shop}:\(next(999))", [2] + RDBBytes.string("a") + RDBBytes.string("b"))
            }
        }
        file.end()
        return file
    }

    @Test("prefixes are grouped as keys are named")
    func groups() throws {
        let folder = try TemporaryFolder()
        try Self.namedKeys(2000, seed: 1).write(to: folder.file("a.rdb"))
        let run = try Program.run(["memory", "a.rdb", "--format", "csv"], in: folder.path)
        #expect(run.status == 0)
        let rows = run.lines.map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        let groups = Dictionary(uniqueKeysWithValues: rows.filter { $0[0] == "prefix" }.map { ($0[1], $0[5]) })
        #expect(
            groups == [
                "user:*:profile": "400", "user:*:cart": "400", "session:*": "400", "order:*:*": "400",
                "tag:{shop}:*": "400",
            ])
    }

    @Test("any number of threads and a pipe give the same bytes", arguments: ["table", "json", "csv", "prometheus"])
    func threads(_ format: String) throws {
        let folder = try TemporaryFolder()
        try Self.namedKeys(30_000, seed: 2).write(to: folder.file("a.rdb"))
        let words = ["--format", format, "--per-type", "--by", "memory", "--by", "size", "--shards", "3"]
        let one = try Program.run(["memory", "a.rdb", "--threads", "1"] + words, in: folder.path)
        #expect(one.status == 0)
        for threads in ["2", "3", "6"] {
            #expect(
                try Program.run(["memory", "a.rdb", "--threads", threads] + words, in: folder.path).output == one.output
            )
        }
        let all = try Program.run(["memory", "a.rdb", "--threads", "1", "--all"], in: folder.path)
        #expect(all.lines.count == 30_001)
        #expect(try Program.run(["memory", "-", "--all"], input: .pipe(folder.file("a.rdb"))).output == all.output)
    }

    @Test("shards are counted together as one file with all their keys")
    func merged() throws {
        let folder = try TemporaryFolder()
        try Program.shell("rdbkit keys shop.rdb > /dev/null").status.isZero()
        // Slots divide the keys of the demo dump; selection plays the shards.
        try Self.namedKeys(3000, seed: 3).write(to: folder.file("a.rdb"))
        try Self.namedKeys(2000, seed: 4).write(to: folder.file("b.rdb"))
        func total(_ inputs: [String], _ more: [String] = []) throws -> [String: Int] {
            let run = try Program.run(["memory", "--format", "csv", "--top", "0"] + inputs + more, in: folder.path)
            #expect(run.status == 0)
            var sums: [String: Int] = [:]
            for line in run.lines {
                let cells = line.split(separator: ",", omittingEmptySubsequences: false)
                guard ["total", "encoding"].contains(cells[0]) else { continue }
                let name = "\(cells[0]) \(cells[3]) \(cells[4])"
                for column in [5, 6, 7] { sums["\(name) \(column)"] = Int(cells[column]) }
            }
            return sums
        }
        let both = try total(["a.rdb", "b.rdb"])
        let sum = try total(["a.rdb"]).merging(total(["b.rdb"])) { $0 + $1 }
        #expect(both == sum)
        #expect(both["total   5"] == 5000)
        // Whether a file is read whole or in two halves of its slots.
        let halves = try total(["a.rdb"], ["--slot", "0-8191"]).merging(total(["a.rdb"], ["--slot", "8192-16383"])) {
            $0 + $1
        }
        #expect(try total(["a.rdb"]) == halves)
        let top = try Program.run(["memory", "a.rdb", "b.rdb", "--top", "2"], in: folder.path).text
        #expect(top.contains("a.rdb\n") && top.contains("b.rdb\n") && top.contains("all inputs\n"))
    }

    // MARK: - Conditions

    @Test(
        "conditions decide the status",
        arguments: [
            ("bytes>10GB", 0), ("bytes>100", 1), ("hash.elements>=12", 1), ("hash.elements>12", 0),
            ("no_expiry_share>75%", 1), ("no_expiry_share>76%", 0), ("keys=33", 1), ("keys!=33", 0),
            ("expired_keys>=2", 1), ("expired_share>50%", 0), ("element_bytes>300", 1), ("key_bytes>100", 0),
            ("total_bytes<1", 0), ("serialized_bytes>=396", 1), ("serialized_bytes>396", 0), ("server_bytes>1KB", 1),
        ] as [(String, Int32)])
    func conditions(_ text: String, _ status: Int32) throws {
        let run = try Program.run(["memory", "shop.rdb", "--fail-if", text, "--top", "0"])
        #expect(run.status == status, "\(run.errors)")
        #expect(run.errors.isEmpty == (status == 0))
        #expect(run.text.contains(status == 0 ? "passed: \(text)" : "FAILED: \(text)"))
    }

    @Test("who offends is named on standard error, in the report, and as JSON")
    func offenders() throws {
        let run = try Program.run(["memory", "shop.rdb", "--fail-if", "hash.elements>=12", "--format", "json"])
        #expect(run.status == 1)
        #expect(run.errors == "rdbkit: hash.elements>=12: 1 key: \"catalog\" (db 0)\n")
        #expect(
            run.text.contains(
                #""conditions":[{"condition":"hash.elements>=12","failed":true,"offending_keys":1,"offenders":[{"db":0,"key":"catalog","#
            ))
        let all = try Program.run(["memory", "shop.rdb", "--fail-if", "hash.elements>=12", "--all"])
        #expect(all.status == 1 && all.lines.count == 34)
    }

    @Test("a condition that holds does not hide damage, and what was read is reported")
    func damage() throws {
        let folder = try TemporaryFolder()
        try writeFile(folder.file("cut.rdb"), Array(try readFile(Checkout.shop).prefix(1500)))
        let run = try Program.run(["memory", "cut.rdb", "--fail-if", "keys>0"], in: folder.path)
        #expect(run.status == 65)
        #expect(run.errors.contains("byte 1500"))
        #expect(run.text.contains("keys:"))
    }

    @Test(
        "wrong options are refused",
        arguments: [
            ["--fail-if", "size>5"], ["--fail-if", "bytes"], ["--by", "weight"], ["--prefix-depth", "0"],
            ["--delimiter", ""], ["--top", "10001"], ["--shards", "0"], ["--server", "mysql-8"],
            ["--allocator", "none"],
            ["--config", "hash-max-listpack-entries"], ["--config", "no-such-limit=5"], ["--all", "--format", "json"],
            ["--format", "xml"],
        ])
    func usage(_ words: [String]) throws {
        #expect(try Program.run(["memory", "shop.rdb"] + words).status == 64)
    }

    @Test("limits and allocators change what the model says")
    func model() throws {
        func bytes(_ words: [String]) throws -> Int {
            let lines = try Program.run(["memory", "shop.rdb", "--format", "csv", "--type", "hash"] + words).lines
            let total = try #require(lines.first { $0.hasPrefix("total,") })
            return try #require(Int(total.split(separator: ",", omittingEmptySubsequences: false)[6]))
        }
        let plain = try bytes(["--server", "redis-8.2"])
        #expect(try bytes(["--server", "redis-8.2", "--config", "hash-max-listpack-entries=1"]) > plain)
        #expect(try bytes(["--server", "redis-8.2", "--allocator", "libc"]) != plain)
    }

    // MARK: - Other programs' readers

    /// Keys with everything that quoting is about, and their places.
    static func hostileKeys() -> RDBBytes {
        var file = RDBBytes()
        file.database(0)
        for key in hostile {
            file.bytes += [0] + RDBBytes.string(key) + RDBBytes.string(String(repeating: "v", count: 3000))
        }
        file.bytes += [0xfc] + (0..<8).map { UInt8(truncatingIfNeeded: Int64(4_102_444_800_123) >> ($0 * 8)) }
        file.text("expires", "2100")
        file.entry(4, "small", [1] + RDBBytes.string("f") + RDBBytes.string("v"))
        file.end()
        return file
    }

    static let hostile: [[UInt8]] = [
        Array("plain".utf8), Array("a,b".utf8), Array("say \"hi\"".utf8), Array("line\nbreak\r\n".utf8),
        Array("back\\slash".utf8),
        Array("'quoted'".utf8), Array("grüße ☕".utf8), Array("\u{2028}\u{202e}\u{7}".utf8),
        [0xff, 0xfe, 0, 1] + Array("<script>".utf8),
        Array("<img src=x onerror=\"window.broken=1\"></script><script>window.broken=2</script>".utf8),
        Array("$base64:AAAA".utf8), Array("]]><!--".utf8), Array("&lt;b&gt;&amp;".utf8),
    ]

    @Test("Python's csv reads every key back")
    func pythonCSV() throws {
        let folder = try TemporaryFolder()
        try Self.hostileKeys().write(to: folder.file("a.rdb"))
        #expect(try Program.run(["memory", "a.rdb", "--all", "-o", "all.csv"], in: folder.path).status == 0)
        #expect(
            try Program.run(["memory", "a.rdb", "--format", "csv", "-o", "report.csv"], in: folder.path).status == 0)
        try writeFile(
            folder.file("read.py"),
            Array(
                """
                import base64, csv, json
                def raw(text):
                    value = json.loads('"' + text + '"')
                    return base64.b64decode(value[8:]) if value.startswith("$base64:") else value.encode()
                rows = list(csv.DictReader(open("all.csv", newline="", encoding="utf-8")))
                assert list(rows[0])[:8] == ["database", "type", "key", "size_in_bytes", "encoding", "num_elements",
                                             "len_largest_element", "expiry"], rows[0]
                for row in rows:
                    assert None not in row and None not in row.values(), row
                    assert int(row["size_in_bytes"]) > 0 and row["database"] == "0", row
                print([list(raw(row["key"])) for row in rows])
                assert rows[-2]["expiry"] == "2100-01-01T00:00:00.123Z", rows[-2]
                report = list(csv.DictReader(open("report.csv", newline="", encoding="utf-8")))
                assert all(None not in row and None not in row.values() for row in report)
                total = [row for row in report if row["section"] == "total"][0]
                assert int(total["size_in_bytes"]) == sum(int(row["size_in_bytes"]) for row in rows), total
                top = [row for row in report if row["section"] == "key_by_memory"]
                assert len(top) == 10 and all(json.loads('"' + row["name"] + '"') is not None for row in top)
                """.utf8))
        let run = try Program.shell("python3 read.py", in: folder.path)
        #expect(run.status == 0, "\(run.errors)")
        let keys = Self.hostile + [Array("expires".utf8), Array("small".utf8)]
        #expect(
            run.text
                == "[\(keys.map { "[" + $0.map { String($0) }.joined(separator: ", ") + "]" }.joined(separator: ", "))]\n"
        )
    }

    @Test(
        "DuckDB reads the lines of keys with their types",
        .enabled(if: DuckDB.python != nil, "no duckdb: make test-deps installs it"))
    func duckDB() throws {
        let folder = try TemporaryFolder()
        try Self.hostileKeys().write(to: folder.file("a.rdb"))
        #expect(try Program.run(["memory", "a.rdb", "--all", "-o", "all.csv"], in: folder.path).status == 0)
        try writeFile(
            folder.file("read.py"),
            Array(
                """
                import duckdb
                lines = duckdb.sql("select * from read_csv('all.csv', header = true)")
                types = dict(zip(lines.columns, [str(kind) for kind in lines.types]))
                assert types["size_in_bytes"] == "BIGINT" and types["num_elements"] == "BIGINT", types
                assert types["expiry"].startswith("TIMESTAMP") and types["key"] == "VARCHAR", types
                print(duckdb.sql("select count(*), sum(size_in_bytes), count(expiry), max(year(expiry)) from lines").fetchall())
                print(duckdb.sql("select type, count(*) from lines group by type order by type").fetchall())
                """.utf8))
        let run = try Program.shell("\(try #require(DuckDB.python)) read.py", in: folder.path)
        #expect(run.status == 0, "\(run.errors)")
        let lines = try Program.run(["memory", "a.rdb", "--format", "csv"], in: folder.path).lines
        let total = try #require(lines.first { $0.hasPrefix("total,") }).split(
            separator: ",", omittingEmptySubsequences: false)
        #expect(
            run.lines == ["[(15, Decimal('\(total[6])'), 1, 2100)]", "[('hash', 1), ('string', 14)]"]
                || run.lines == ["[(15, \(total[6]), 1, 2100)]", "[('hash', 1), ('string', 14)]"], "\(run.text)")
    }

    /// The text format of Prometheus, as its documentation tells it.
    @Test("Prometheus' text form is sound, whatever the keys are")
    func prometheus() throws {
        let folder = try TemporaryFolder()
        try Self.hostileKeys().write(to: folder.file("a.rdb"))
        let run = try Program.run(
            ["memory", "a.rdb", "--format", "prometheus", "--top", "20", "--shards", "2", "--fail-if", "keys>0"],
            in: folder.path)
        #expect(run.status == 1)
        var kinds: [Substring: Substring] = [:]
        var seen: Set<String> = []
        var present: Substring = ""
        for line in run.lines {
            if let head = line.wholeMatch(of: #/# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)/#) {
                if head.1 == "TYPE" {
                    #expect(kinds[head.2] == nil, "\(head.2) begins twice")
                    kinds[head.2] = head.3
                }
                present = head.2
                continue
            }
            let sample = line.wholeMatch(
                of:
                    #/([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? ([0-9.]+)/#
            )
            guard let sample else {
                Issue.record("no sample: \(line)")
                continue
            }
            #expect(sample.1.hasPrefix(present), "\(line) does not stand behind its type")
            #expect(seen.insert("\(sample.1)\(sample.2 ?? "")").inserted, "\(line) comes twice")
        }
        #expect(kinds["rdbkit_keys"] == "gauge" && kinds["rdbkit_key_memory_bytes"] == "histogram")
        for line in [
            "rdbkit_keys 15", "rdbkit_key_memory_bytes_count 15", #"rdbkit_key_memory_bytes_bucket{le="+Inf"} 15"#,
            #"rdbkit_condition_failed{condition="keys>0"} 1"#,
        ] {
            #expect(run.lines.contains(line), "\(line)")
        }
        let raw = run.output.filter { $0 < 0x20 && $0 != 0x0a }
        #expect(raw.isEmpty)
    }

    @Test("nothing that a terminal obeys is shown as it is")
    func controls() throws {
        let folder = try TemporaryFolder()
        try Self.hostileKeys().write(to: folder.file("a.rdb"))
        for format in ["table", "csv", "json", "prometheus"] {
            let run = try Program.run(["memory", "a.rdb", "--top", "20", "--format", format], in: folder.path)
            #expect(!run.output.contains { $0 < 0x20 && $0 != 0x0a }, "\(format)")
            #expect(String(validating: run.output, as: UTF8.self) != nil, "\(format)")
            if format != "json" { #expect(!run.text.unicodeScalars.contains("\u{202e}"), "\(format)") }
        }
    }

    // MARK: - Memory

    /// Nearly every key has a prefix of its own: many times what the tree holds.
    @Test("many prefixes take no more memory than the tree's size")
    func boundedMemory() throws {
        let folder = try TemporaryFolder()
        let writer = try FileWriter(folder.file("a.rdb"))
        try writer.append(Array("REDIS0011".utf8) + [0xfe, 0])
        let letters = Array("abcdefghijklmnopqrstuvwxyz".utf8)
        for index in 0..<200_000 {
            var name: [UInt8] = []
            var rest = index &* 2_654_435_761 & 0xffff_ffff
            for _ in 0..<7 {
                name.append(letters[rest % 26])
                rest /= 26
            }
            // Parts at every level, and one that is met now and then.
            let key =
                index % 100 == 0
                ? Array("heavy:group:\(index)".utf8) : name + Array(":".utf8) + name.reversed() + Array(":x:y:z".utf8)
            try writer.append([0] + RDBBytes.string(key) + [1, 0x31])
        }
        try writer.append([0xff] + Array(repeating: 0, count: 8))
        try writer.flush()
        for threads in ["1", "2"] {
            let run = try Program.run(
                ["memory", "a.rdb", "--threads", threads, "--format", "csv"], in: folder.path, seconds: 300)
            #expect(run.status == 0)
            #expect(run.peakKiB > 0 && run.peakKiB < 256 << 10, "\(run.peakKiB) KiB on \(threads) threads")
            // What takes most is found, with a count that is right.
            let heavy = run.lines.first { $0.hasPrefix("prefix,heavy:group:*,") }
            #expect(heavy?.split(separator: ",", omittingEmptySubsequences: false)[5] == "2000", "\(heavy ?? "none")")
        }
    }
}

extension Int32 {
    fileprivate func isZero(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(self == 0, sourceLocation: sourceLocation)
    }
}

/// Python with the duckdb package, where `make test-deps` could install it.
enum DuckDB {
    static let python: String? = {
        let path = "\(Checkout.root)/.build/test-venv/bin/python"
        guard access(path, X_OK) == 0, (try? Program.shell("\(path) -c 'import duckdb'").status) == 0 else {
            return nil
        }
        return path
    }()
}
