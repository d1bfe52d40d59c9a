import Testing

@testable import Records

@Suite struct CallRowTests {
    /// Read beside two runs of 2.25 calls, and one whose calls the loops counted.
    private func rows(_ text: String, mayHoldOneMore: Bool = false) throws -> [CallRow] {
        let runs = [("a", "bpf"), ("b", "bpf"), ("l", "loop")].map { id, source in
            var record = RunRecord()
            (record.runId, record.syscallsSource, record.syscallsPerOp) = (id, source, 2.25)
            return record
        }
        return try CallRow.read(Array(text.utf8), file: "calls.csv", runs: runs, mayHoldOneMore: mayHoldOneMore)
    }

    @Test func anInterruptionMayLeaveTheCallsOfOneMoreRun() throws {
        let text = CallRow.csvHeader + "a,read,2.25\nn,read,1\nn,close,1\n"
        #expect(try rows(text, mayHoldOneMore: true).map(\.runId) == ["a"])
        #expect(throws: CSVError.self) { try rows(text) }
        for more in ["m,read,1\n", "b,read,2.25\n"] {
            let error = #expect(throws: CSVError.self) { try rows(text + more, mayHoldOneMore: true) }
            #expect(error?.line == 5)
        }
    }

    @Test func whatIsWrittenIsReadBack() throws {
        let written = CallRow.rows(runId: "a", ["close": 1, "accept4": 1, "getppid": 0.25])
        #expect(written.map(\.syscall) == ["accept4", "close", "getppid"])
        let text = CallRow.csvHeader + written.map { $0.csvRow() }.joined()
        #expect(try rows(text) == written)
        #expect(try rows(CallRow.csvHeader).isEmpty)
    }

    @Test(arguments: [
        ("", "1:1: the file holds no header line"),
        ("run_id,call,calls_per_op\n", "1:1: the header does not begin with run_id,syscall,calls_per_op"),
        ("run_id,syscall,calls_per_op\nc,read,1\n", "2:1: the row is of a run that runs.csv does not hold: \"c\""),
        ("run_id,syscall,calls_per_op\nl,read,2.25\n", "2:1: the row is of run l, whose syscalls_source is"),
        (
            "run_id,syscall,calls_per_op\na,read,2\nb,read,1\nb,close,1.25\n",
            "2:1: the calls of run a add up to 2, and not to its syscalls_per_op, 2.25"
        ),
        ("run_id,syscall,calls_per_op\na,Read,1\n", "2:3: column syscall is not the name of a system call: \"Read\""),
        ("run_id,syscall,calls_per_op\na,,1\n", "2:3: column syscall is not the name of a system call: \"\""),
        ("run_id,syscall,calls_per_op\na,read,nan\n", "2:8: column calls_per_op is not a number: \"nan\""),
        ("run_id,syscall,calls_per_op\na,read,\n", "2:8: column calls_per_op is not a number: \"\""),
        ("run_id,syscall,calls_per_op\na,read,-1\n", "2:8: column calls_per_op is out of range"),
        ("run_id,syscall,calls_per_op\na,read,1\na,read,1\n", "3:3: the row is the second of this run and this call"),
        ("run_id,syscall,calls_per_op\na,read\n", "2:3: the row has 2 fields where the header has 3"),
        ("run_id,syscall,calls_per_op\na,read,1", "2:9: the last line is cut off"),
    ])
    func whatIsBrokenIsNamedWithItsPlace(_ text: String, _ message: String) {
        let error = #expect(throws: CSVError.self) { try rows(text) }
        #expect(error?.description.hasPrefix("calls.csv:" + message) == true, "\(error?.description ?? "")")
    }

    /// Three runs of an arm whose calls are given, with ids that begin with `prefix`.
    private func side(_ prefix: String, mode: String = "epoll-lt", _ calls: [[String: Double]]) -> (
        [RunRecord], [CallRow]
    ) {
        let records = calls.indices.map { index in
            var record = RunRecord()
            (record.runId, record.workload, record.mode, record.status) = ("\(prefix)\(index)", "accept", mode, .ok)
            return record
        }
        return (records, zip(records, calls).flatMap { CallRow.rows(runId: $0.runId, $1) })
    }

    private func lines(_ base: [[String: Double]], _ new: [[String: Double]]) -> [String] {
        let (old, oldCalls) = side("a", base)
        let (fresh, freshCalls) = side("b", new)
        return CallDifference.lines(.init(CallDifference.between(base: old, oldCalls, new: fresh, freshCalls)))
    }

    @Test func callsThatAppearedAndWentAreNamed() {
        let usual: [String: Double] = ["accept4": 1, "close": 1]
        let planted = usual.merging(["getppid": 1]) { $1 }
        #expect(lines([usual, usual], [planted, planted]) == ["accept/epoll-lt: +1.00 getppid"])
        #expect(lines([planted, planted], [usual, usual]) == ["accept/epoll-lt: -1.00 getppid"])
        #expect(lines([usual, usual], [usual, usual]).isEmpty)
        let other: [String: Double] = ["accept4": 1, "close": 1.5, "epoll_wait": 3]
        #expect(lines([usual, usual], [other, other]) == ["accept/epoll-lt: +3.00 epoll_wait, +0.50 close"])
    }

    @Test func whatVariesBetweenRunsIsNoDifference() {
        #expect(lines([["accept4": 1.2], ["accept4": 1.6]], [["accept4": 1.5], ["accept4": 1.9]]).isEmpty)
        #expect(lines([["accept4": 1], ["accept4": 1]], [["accept4": 1.005], ["accept4": 1.005]]).isEmpty)
        // One run of three is not every run.
        #expect(lines([["read": 1]], [["read": 1], ["read": 1, "futex": 0.5]]).isEmpty)
    }

    @Test func aCallUnderAnotherNameIsNotOneThatAppeared() {
        func differences(_ base: [String: Double], _ new: [String: Double]) -> [CallDifference] {
            let (old, oldCalls) = side("a", [base])
            let (fresh, freshCalls) = side("b", [new])
            return CallDifference.between(base: old, oldCalls, new: fresh, freshCalls)
        }
        #expect(CallDifference.appeared(differences(["epoll_wait": 1], ["epoll_pwait": 1])).isEmpty)
        #expect(!CallDifference.appeared(differences(["epoll_wait": 1], ["epoll_wait": 1, "getppid": 0.1])).isEmpty)
        #expect(CallDifference.appeared(differences(["read": 1], ["read": 2])).isEmpty)
    }

    @Test func aCallThatOneRunOfTheBaseMadeIsNotNew() {
        let usual: [String: Double] = ["accept4": 1]
        let (old, oldCalls) = side("a", [usual, usual, usual.merging(["getppid": 0.1]) { $1 }])
        let planted = usual.merging(["getppid": 1]) { $1 }
        let (fresh, freshCalls) = side("b", [planted, planted])
        let found = CallDifference.between(base: old, oldCalls, new: fresh, freshCalls)
        #expect(found.count == 1 && found.first?.isNew == false && CallDifference.appeared(found).isEmpty)
    }

    @Test func callsOfSeveralFoldersStayApart() {
        let usual: [String: Double] = ["accept4": 1]
        let (old, oldCalls) = side("a", [usual])
        // Both folders name their run alike.
        let (first, firstCalls) = side("b", [usual])
        let (second, secondCalls) = side("b", [usual.merging(["getppid": 1]) { $1 }])
        let found = CallDifference.between(base: old, oldCalls, new: [(first, firstCalls), (second, secondCalls)])
        #expect(found.isEmpty)
        let counted = CallDifference.between(base: old, oldCalls, new: [([], firstCalls), (second, secondCalls)])
        #expect(counted.map(\.text) == ["+1.00 getppid"])
    }

    @Test func differentSourcesAreSaid() {
        func rows(_ sources: [String]) -> [RunRecord] {
            sources.map { source in
                var record = RunRecord()
                (record.status, record.syscallsSource, record.syscallsPerOp) = (.ok, source, 3)
                return record
            }
        }
        #expect(differentCallSources(base: rows(["bpf", "bpf"]), new: rows(["perf"])) == nil)
        #expect(differentCallSources(base: rows([""]), new: rows(["loop"])) == nil)
        #expect(differentCallSources(base: rows(["loop"]), new: rows(["bpf"]))?.contains("by the loops") == true)
        #expect(differentCallSources(base: rows(["bpf"]), new: rows(["bpf", "loop"]))?.contains("in part") == true)
    }
}
