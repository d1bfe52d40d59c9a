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
}
