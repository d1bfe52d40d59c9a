import RecordSamples
import Records
import Testing

@Suite struct CSVTests {
    private func csv(_ records: [RunRecord]) -> String { RunRecord.csvHeader + records.map { $0.csvRow() }.joined() }

    private func refusal(_ text: String) -> CSVError? { refusal(Array(text.utf8)) }

    private func refusal(_ bytes: [UInt8]) -> CSVError? {
        do throws(CSVError) {
            _ = try RunRecord.read(bytes, file: "runs.csv")
            return nil
        } catch {
            return error
        }
    }

    @Test func columnsStandInTheirPublishedOrder() {
        let published = """
            schema_version,run_id,started_at,git_commit,machine_id,build,workload,mode,topology,listener,workers,\
            connections,message_size_bytes,depth,rate_per_s,service_time,pinning,round,order_in_round,duration_s,\
            operations,errors,status,reason,throughput_ops_per_s,latency_kind,latency_min_ns,latency_mean_ns,\
            latency_p50_ns,latency_p90_ns,latency_p99_ns,latency_p999_ns,latency_max_ns,wakeups_per_op,\
            spurious_wakeups_per_op,empty_calls_per_op,syscalls_per_op,voluntary_switches_per_op,\
            involuntary_switches_per_op,server_cpu_ns_per_op,client_cpu_ns_per_op,fairness_jain,per_worker_ops,\
            starvation_max_ns,out_of_order_per_op,open_peak,sqes_per_op,cqes_per_op,rearms_per_op,lost,\
            listen_overflows,foreign_cpu,implementation,close,rearm,service,clients,drain,seed,latency_samples
            """
        #expect(RunRecord.csvHeader.hasPrefix(published))
    }

    @Test func everyPropertyHasItsColumn() {
        let properties = Mirror(reflecting: Samples.record()).children.compactMap(\.label).map { label in
            label.reduce("") { $1.isUppercase ? "\($0)_\($1.lowercased())" : "\($0)\($1)" }
        }
        #expect(properties == Column.all.map(\.name))
        #expect(Column.all.allSatisfy { $0.meaning.hasSuffix(".") })
        #expect(Column.markdownTable.split(separator: "\n").count == Column.all.count + 2)
    }

    @Test func aRecordSurvivesTheFile() throws {
        var record = Samples.record("epoll-et", round: 3)
        record.status = .failed
        record.reason = "a \"quoted\", multi\nline – reason\r"
        record.serverCpuNsPerOp = 0.1 + 0.2
        record.bytesPerConnection = -1e-7
        (record.ratePerS, record.latencyKind) = (1e21, .fromScheduledStart)
        record.seed = .max
        record.perWorkerOps = [117_999, 0, 1, 0]
        record.fairnessJain = nil
        record.messageSizeBytes = 64
        var empty = Samples.record(round: 2) { ($0.status, $0.reason) = (.failed, "no reason") }
        empty.serverCpuNsPerOp = nil
        empty.perWorkerOps = []
        #expect(try RunRecord.read(Array(csv([record, empty]).utf8), file: "x") == [record, empty])
    }

    @Test(arguments: [
        (1.0, "1"), (0.1 + 0.2, "0.30000000000000004"), (1e-7, "0.0000001"), (-1.25e-5, "-0.0000125"),
        (1e21, "1000000000000000000000"),
        (1.5e17, "150000000000000000"), (118_000.5, "118000.5"),
        (Double.leastNonzeroMagnitude, "0." + String(repeating: "0", count: 323) + "5"),
        (.nan, ""), (.infinity, ""),
    ])
    func numbersAreNeverInExponentForm(value: Double, text: String) throws {
        let column = try #require(Column.named("throughput_ops_per_s"))
        #expect(column.text(of: Samples.record { $0.throughputOpsPerS = value }) == text)
        if value.isFinite { #expect(Double(text) == value) }
    }

    @Test func fieldsAreQuotedWhereTheyMustBe() {
        #expect(CSV.row(["a", "b c", ""]) == "a,b c,\n")
        #expect(CSV.row(["a,b", "say \"x\"", "1\n2", "1\r2"]) == "\"a,b\",\"say \"\"x\"\"\",\"1\n2\",\"1\r2\"\n")
        #expect(CSV.row([""]) == "\"\"\n")
    }

    @Test func columnsOfNewerVersionsAreIgnored() throws {
        let record = Samples.record()
        let text = RunRecord.csvHeader.dropLast() + ",new_column\n" + record.csvRow().dropLast() + ",\"a\nb\"\n"
        #expect(try RunRecord.read(Array(text.utf8), file: "x") == [record])
    }

    @Test func aHeaderAloneAndAByteOrderMarkAreRead() throws {
        #expect(try RunRecord.read(Array("\u{feff}\(RunRecord.csvHeader)".utf8), file: "x").isEmpty)
    }

    @Test func brokenFilesAreRefusedWithTheirPlace() throws {
        let header = RunRecord.csvHeader
        let row = Samples.record().csvRow()
        func replaced(_ old: String, _ new: String) throws -> String {
            let range = try #require(row.firstRange(of: old))
            return header + row + row.replacingCharacters(in: range, with: new)
        }
        let shortened = row.split(separator: ",", omittingEmptySubsequences: false).dropLast().joined(separator: ",")
        let cases: [(text: String, line: Int, column: Int, message: String)] = [
            ("", 1, 1, "empty"),
            (header.replacingOccurrence(of: "workers,", with: ""), 1, 1, "column workers is missing from the header"),
            ("mode,\(header)", 1, 76, "\"mode\" appears twice"),
            (header + "2" + row.dropFirst(), 2, 1, "schema_version is \"2\""),
            (
                header + shortened + "\n", 2, 0,
                "\(Column.all.count - 1) fields where the header has \(Column.all.count)"
            ),
            (header + "\n", 2, 1, "1 fields"),
            (header + row + row.dropLast(), 3, 0, "cut off"),
            (header + row + row.prefix(40), 3, 41, "cut off"),
            (String(header.dropLast()), 1, 0, "cut off"),
            (header.dropLast() + "\r\n", 1, 0, "carriage return"),
            (try replaced("epoll-lt-1", "\"epoll"), 3, 3, "never closed"),
            (try replaced("epoll-lt-1", "ep\"oll"), 3, 5, "a quote within"),
            (try replaced("epoll-lt-1", "\"ep\"oll"), 3, 7, "after a closing quote"),
            (try replaced(",4,64,", ",four,64,"), 3, 92, "workers is not a whole number: \"four\""),
            (try replaced(",4,64,", ",-4,64,"), 3, 92, "workers is out of range"),
            (try replaced(",4,64,", ",99999999999999999999,64,"), 3, 92, "workers is out of range"),
            (try replaced(",4,64,", ",,64,"), 3, 92, "workers is not a whole number: \"\""),
            (try replaced(",5120,", ",nan,"), 3, 0, "server_cpu_ns_per_op is not a number"),
            (try replaced(",5120,", ",1e999,"), 3, 0, "server_cpu_ns_per_op is out of range"),
            (try replaced(",5120,", ",0x10,"), 3, 0, "is not a number"),
            (try replaced(",5120,6000,1,", ",5120,6000,1.01,"), 3, 0, "fairness_jain is out of range, which is 0 to 1"),
            (
                try replaced(",ok,", ",fine,"), 3, 0,
                "status is not one of ok, void, partial, unsupported, failed: \"fine\""
            ),
            (try replaced("29500;", "29500;;"), 3, 0, "per_worker_ops is not a whole number"),
            (try replaced("epoll-lt-1", "\0"), 3, 3, "zero byte"),
        ]
        for (text, line, column, message) in cases {
            let error = try #require(refusal(text), "accepted: \(message)")
            #expect(error.line == line, "\(error)")
            // 0 where the exact byte is not the point.
            if column > 0 { #expect(error.column == column, "\(error)") }
            #expect(error.description.hasPrefix("runs.csv:\(line):") && error.description.contains(message), "\(error)")
            #expect(!error.description.contains("\n"))
        }
    }

    @Test func invalidUTF8IsRefused() {
        #expect(
            refusal(Array(RunRecord.csvHeader.utf8) + [0x31, 0x2c, 0xff, 0x0a])?.message == "a field that is not UTF-8")
    }

    @Test func linesAreCountedThroughQuotedLineBreaks() {
        let record = Samples.record { ($0.status, $0.reason) = (.failed, "one\ntwo\nthree") }
        #expect(refusal(RunRecord.csvHeader + record.csvRow() + "x\n")?.line == 5)
    }

    @Test func randomAndMutatedBytesNeverCrash() {
        var generator = TestGenerator(state: 1)
        let good = Array(csv((1...3).map { Samples.record(round: $0) }).utf8)
        var refused = 0
        for _ in 0..<2_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert([0x22, 0x2c, 0x0a, 0x0d].randomElement(using: &generator) ?? 0, at: place)
                default: bytes.removeSubrange(place...)
                }
                if bytes.isEmpty { break }
            }
            if refusal(bytes) != nil { refused += 1 }
        }
        #expect(refused > 1_000)
        for length in 0..<200 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(refusal(bytes) != nil)
        }
    }
}

extension String {
    fileprivate func replacingOccurrence(of old: String, with new: String) -> String {
        firstRange(of: old).map { replacingCharacters(in: $0, with: new) } ?? self
    }

    fileprivate func replacingCharacters(in range: Range<Index>, with new: String) -> String {
        self[..<range.lowerBound] + new + self[range.upperBound...]
    }
}
