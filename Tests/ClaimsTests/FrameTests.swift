import Records
import Reports
import SystemPackage
import Testing

@testable import Claims
@testable import Loops
import Meters
@testable import Runs

/// What becomes of an experiment that cannot be made, comes to nothing, or does not end.
@Suite struct FrameTests {
    private func experiment(
        needs: [Need] = [], descriptors: Int = 0, conditions: Conditions? = nil,
        _ observe: @escaping @Sendable () throws -> Observed
    ) -> Experiment {
        Experiment(
            id: "test", statement: "it is so", source: .expectation, needs: needs, descriptors: descriptors,
            conditions: conditions, keys: ["count"], observe: observe,
            judge: { .init(holds: $0["count"] == 1) }, explain: { "\($0["count"])." })
    }

    @Test(arguments: [
        Errno.tooManyOpenFiles, .tooManyOpenFilesInSystem, .resourceTemporarilyUnavailable, .noMemory, .notPermitted,
        .permissionDenied, .noFunction,
    ])
    func whatIsRefusedIsUnsupportedAndNoFailure(error: Errno) {
        let result = experiment { throw error }.run()
        #expect(!result.failed && result.record.verdict == "unsupported")
        #expect(result.record.detail.contains(errorName(error)) || result.record.detail.contains("limit"))
        let run = experiment { throw RunError("epoll_create1", error) }.run()
        #expect(!run.failed && run.record.verdict == "unsupported" && run.record.detail.contains("epoll_create1"))
    }

    @Test func otherErrorsAreFailures() {
        let result = experiment { throw Errno.badAddress }.run()
        #expect(result.failed && result.record.detail.hasPrefix("failed: "))
        #expect(experiment { throw ScriptError("no") }.run().failed)
    }

    @Test func whatCameToNothingIsNotObservable() {
        let result = experiment { throw Undecided("nobody came") }.run()
        #expect(!result.failed && result.record.verdict == "not-observable" && result.record.detail == "nobody came")
    }

    @Test func moreDescriptorsThanTheLimitAreRefusedWithWhatIsNeeded() throws {
        let record = experiment(descriptors: 2_000_000_000) { ["count": 1] }.run().record
        #expect(record.verdict == "unsupported")
        #expect(record.detail.contains("needs 2 000 000 ") && record.detail.contains("ulimit -n 2000000"))
        #expect(record.observed.isEmpty)
    }

    @Test func whereThereAreConditionsTheTimeWithoutAProcessorIsNoted() throws {
        let record = experiment(conditions: Conditions(heldUpLimit: 100)) { ["count": 1] }.run().record
        let observed = try #require(Observed(parsing: record.observed))
        #expect((0...100).contains(observed[Conditions.heldUpKey].number) && record.verdict == "holds")
        #expect(experiment { ["count": 1] }.run().record.observed == "count=1")
    }

    @Test func aVerdictNeedsItsConditionsOrWhatDecidesWithoutThem() {
        let few = Conditions(
            isDecisive: { $0["count"] == 1 }, shortfall: { Conditions.fewer($0, "seen", than: 50, "") })
        let test = experiment(conditions: few) { [:] }
        #expect(test.verdict(["count": 2, "seen": 36]) == .notObservable)
        #expect(test.finding(["count": 2, "seen": 36]).contains("36"))
        #expect(test.verdict(["count": 2, "seen": 50]) == .doesNotHold)
        #expect(test.verdict(["count": 1, "seen": 36]) == .holds)
        #expect(test.verdict(["count": 2, "seen": 50, "held_up_percent": 20]) == .doesNotHold)
        #expect(test.verdict(["count": 2, "seen": 50, "held_up_percent": 21]) == .notObservable)
        #expect(test.verdict(["count": 1, "seen": 50, "held_up_percent": 99]) == .holds)
    }

    @Test func anExperimentThatDoesNotEndIsGivenUp() throws {
        let gate = StartGate()
        let (result, ended) = try experiment {
            gate.arriveAndWait()
            return ["count": 1]
        }.run(within: 0.05)
        gate.open()
        #expect(!ended && result.record.verdict == "not-observable" && result.record.detail.contains("did not end"))
        let (other, hasEnded) = try experiment { ["count": 1] }.run(within: 100)
        #expect(hasEnded && other.record.verdict == "holds")
    }

    @Test func whatIsNotTriedHasALineThatSaysWhy() throws {
        let record = try #require(Experiment.all.first).untried("read-order did not end")
        #expect(record.verdict == "not-observable" && record.detail == "not tried: read-order did not end")
        #expect(record.claim == Experiment.all.first?.id && record.observed.isEmpty)
    }

    @Test func everyExperimentWithARingAsksForIt() {
        for experiment in Experiment.all where experiment.id.contains("uring") {
            #expect(!experiment.needs.isEmpty, "\(experiment.id)")
        }
    }

    @Test func aRunThatFailsForWantOfSomethingIsToldFromOneThatFails() {
        #expect(refusal(ofReason: "a worker stopped: \(Errno.tooManyOpenFiles)")?.contains("EMFILE") == true)
        let tally = "5 × connect: EMFILE, 3 × recv: ECONNRESET: 8 of 20 failed"
        #expect(refusal(ofReason: tally)?.hasPrefix("descriptors ran out") == true)
        let both = "5 × connect: EADDRNOTAVAIL, 3 × socket: EMFILE"
        #expect((0..<20).allSatisfy { _ in refusal(ofReason: both)?.hasPrefix("no port or address") == true })
        #expect(refusal(ofReason: "3 × recv: EMFILES") == nil)
        #expect(refusal(ofReason: "408 × connect: ENETUNREACH")?.contains("ip link set lo up") == true)
        #expect(refusal(ofReason: "a worker stopped: \(Errno.invalidArgument)") == nil)
    }
}
