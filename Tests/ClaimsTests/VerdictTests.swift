import Testing

@testable import Claims
@testable import Loops
@testable import Runs

/// A verdict follows from the observation and nothing else.
@Suite struct VerdictTests {
    @Test(arguments: Experiment.all.map(\.id)) func followsFromWhatWasObserved(id: String) throws {
        let experiment = try #require(Experiment.named(id))
        let opinions = try #require(Opinions.all[id], "an experiment needs observations of more than one verdict")
        for (text, verdict) in opinions {
            let observed = try #require(Observed(parsing: text))
            #expect(experiment.keys.allSatisfy { observed[$0] != .absent }, "\(text) lacks a key of \(experiment.keys)")
            #expect(experiment.verdict(observed) == verdict, "\(text)")
            #expect(!experiment.finding(observed).contains("Optional"))
            #expect(experiment.finding(observed).hasSuffix("."))
        }
        let decided = Set(opinions.map(\.verdict)).subtracting([.notObservable])
        #expect(decided.count > 1, "an experiment that has one verdict tells nothing")
    }

    @Test(arguments: Experiment.all.map(\.id)) func isUnsupportedWithoutAnObservation(id: String) throws {
        let experiment = try #require(Experiment.named(id))
        #expect(experiment.verdict(Observed(detail: "no kernel")) == .unsupported)
        #expect(experiment.finding(Observed(detail: "no kernel")).contains("no kernel"))
        for key in experiment.keys {
            var observed = try #require(Observed(parsing: Opinions.all[id]?.first?.observed ?? ""))
            observed[key] = .absent
            #expect(experiment.verdict(observed) == .unsupported, "without \(key)")
        }
    }

    @Test func namesAreUnique() {
        let names = Experiment.all.map(\.id)
        #expect(Set(names).count == names.count)
        #expect(Experiment.named("accept-lt-shared-set") != nil && Experiment.named("nothing") == nil)
    }

    @Test func observationsKeepTheirOrder() throws {
        var observed = try #require(Observed(parsing: "b=1;a=2"))
        observed["c"] = true
        observed["b"] = .list([4, 5], "/")
        #expect(observed.description == "b=4/5;a=2;c=1")
        #expect(observed["a"] == 2 && observed["d"] == .absent && observed["d"].number.isNaN)
        #expect(observed["c"] == true && observed["b"].elements == [4, 5])
        #expect(Observed(parsing: "a=1=2") == nil && Observed(parsing: "a") == nil)
    }
}
