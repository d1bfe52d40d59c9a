import Testing

@testable import Loops
@testable import Meters

@Suite struct ServiceTimeTests {
    private func spent(_ distribution: ServiceTime.Distribution, _ work: ServiceTime.Work, times: Int) -> UInt64 {
        let meters = WorkerMeters(count: 1)
        defer { withExtendedLifetime(meters) {} }
        let meter = meters[0]
        var server = ServiceTimeSource(ServiceTime(distribution: distribution, work: work), seed: 1)
        let start = monotonicNanoseconds()
        for _ in 0..<times { server.serve(meter) }
        return monotonicNanoseconds() - start
    }

    @Test(arguments: ServiceTime.Work.allCases) func aFixedTimeIsSpentWhole(_ work: ServiceTime.Work) {
        #expect(spent(.fixed(1_000_000), work, times: 5) >= 5_000_000)
    }

    @Test func theCertainBranchOfABimodalTimeIsTaken() {
        #expect(spent(.bimodal(fast: 0, slow: 1_000_000, probability: 1), .sleep, times: 3) >= 3_000_000)
        #expect(spent(.bimodal(fast: 1_000_000, slow: 0, probability: 0), .sleep, times: 3) >= 3_000_000)
    }

    @Test func sleepingIsASystemCallAndBurningIsNot() {
        let meters = WorkerMeters(count: 1)
        defer { withExtendedLifetime(meters) {} }
        let meter = meters[0]
        var busy = ServiceTimeSource(ServiceTime(distribution: .fixed(1_000), work: .busy), seed: 1)
        busy.serve(meter)
        #expect(meter[.systemCalls] == 0)
        var sleeping = ServiceTimeSource(ServiceTime(distribution: .fixed(1_000), work: .sleep), seed: 1)
        sleeping.serve(meter)
        #expect(meter[.systemCalls] == 1)
        var none = ServiceTimeSource(.none, seed: 1)
        none.serve(meter)
        #expect(!none.isBusy && meter[.systemCalls] == 1)
    }

    @Test func itIsWrittenAsTheCommandLineTakesIt() {
        func text(_ distribution: ServiceTime.Distribution) -> String {
            ServiceTime(distribution: distribution, work: .busy).description
        }
        #expect(text(.none) == "none")
        #expect(text(.fixed(100_000)) == "fixed:100us")
        #expect(text(.exponential(mean: 1_500)) == "exp:1500ns")
        #expect(text(.bimodal(fast: 10_000, slow: 1_000_000, probability: 0.01)) == "bimodal:10us,1000us,0.01")
    }
}
