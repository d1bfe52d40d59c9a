@testable import Records
import Testing

@testable import Reports

@Suite struct CallDifferenceTests {
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
        return CallDifference.lines(.init(CallDifference.between(base: old, oldCalls, new: [(fresh, freshCalls)])))
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
            return CallDifference.between(base: old, oldCalls, new: [(fresh, freshCalls)])
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
        let found = CallDifference.between(base: old, oldCalls, new: [(fresh, freshCalls)])
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
