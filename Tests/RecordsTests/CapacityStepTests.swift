import Records
import Statistics
import Testing

@Suite struct CapacityStepTests {
    private let runs = ["a", "b"].map { id in
        var run = RunRecord()
        (run.runId, run.slo) = (id, "p99=1ms")
        return run
    }

    private func step(_ run: String, _ number: Int) -> CapacityStep {
        CapacityStep(
            runId: run, step: number, kind: number > 1 ? .confirmation : .probe, ratePerS: 1414.25, durationS: 0.25,
            servedOpsPerS: 1400, latencyNs: number > 2 ? nil : 812_345, outcome: number > 2 ? .failed : .held)
    }

    private func read(_ text: String, mayHoldOneMore: Bool = false) throws(CSVError) -> [CapacityStep] {
        try CapacityStep.read(Array(text.utf8), file: "capacity.csv", runs: runs, mayHoldOneMore: mayHoldOneMore)
    }

    private func text(_ steps: [CapacityStep]) -> String {
        CapacityStep.csvHeader + steps.map { $0.csvRow() }.joined()
    }

    @Test func readsWhatItWrites() throws {
        let steps = [step("a", 1), step("a", 2), step("a", 3), step("b", 1)]
        #expect(try read(text(steps)) == steps)
        #expect(try read(CapacityStep.csvHeader).isEmpty)
    }

    @Test func whatAnInterruptionLeavesIsLeftOut() throws {
        let whole = text([step("a", 1), step("c", 1), step("c", 2)])
        #expect(throws: CSVError.self) { try read(whole) }
        #expect(try read(whole, mayHoldOneMore: true) == [step("a", 1)])
        #expect(throws: CSVError.self) { try read(text([step("c", 1), step("a", 1)]), mayHoldOneMore: true) }
    }

    @Test(arguments: [
        ("a,2,probe,1,1,1,1,held", "2:3"), ("a,1,look,1,1,1,1,held", "2:5"), ("a,1,probe,x,1,1,1,held", "2:11"),
        ("a,1,probe,1,1,1,1,maybe", "2:19"), ("a,1,probe,1,1,1,-1,held", "2:17"), ("d,1,probe,1,1,1,1,held", "2:1"),
    ]) func whatIsWrongHasItsPlace(_ row: String, _ place: String) {
        do throws(CSVError) {
            _ = try read(CapacityStep.csvHeader + row + "\n")
            Issue.record("\(row) was read")
        } catch {
            #expect(error.description.hasPrefix("capacity.csv:\(place): "), "\(error.description)")
        }
    }
}
