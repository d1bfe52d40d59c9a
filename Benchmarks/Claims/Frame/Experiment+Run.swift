import Meters
package import Records
package import SystemPackage

extension Experiment {
    package struct Result: Sendable {
        package let record: ClaimRecord
        /// True if something failed that should have worked here.
        package let failed: Bool
    }

    /// Tries it; errors become a part of the result.
    func run() -> Result {
        let start = monotonicNanoseconds()
        var observed = Observed()
        var verdict: ClaimVerdict?
        var failed = false
        do {
            try checkNeeds()
            observed = try observeUnderConditions()
            if let missing = conditions?.missing(observed) { observed.detail = missing }
        } catch let error as Unobservable {
            observed.detail = error.reason
        } catch let error as Undecided {
            observed.detail = error.reason
            verdict = .notObservable
        } catch {
            failed = refusal(error) == nil
            observed.detail = refusal(error) ?? "failed: \(error)"
        }
        let milliseconds = Double(monotonicNanoseconds() - start) / 1e6
        return Result(record: record(observed, verdict, milliseconds: milliseconds), failed: failed)
    }

    /// Tries it, and gives up after a time; the experiment then goes on until the program ends.
    package func run(within seconds: Double) throws(Errno) -> (result: Result, ended: Bool) {
        let thread = try ScriptThread("claim")
        let step = thread.start { run() }
        guard let result = step.outcome(within: seconds).flatMap({ try? $0.get() }) else {
            let observed = Observed(detail: "it did not end within \(Int(seconds)) s")
            let record = record(observed, .notObservable, milliseconds: seconds * 1000)
            return (Result(record: record, failed: false), false)
        }
        thread.end()
        return (result, true)
    }

    /// The line of an experiment that was not tried, and why.
    package func untried(_ reason: String) -> ClaimRecord {
        record(Observed(detail: "not tried: \(reason)"), .notObservable)
    }

    private func checkNeeds() throws {
        let reason = needs.lazy.compactMap { $0.unmet() }.first ?? descriptorShortage(descriptors)
        if let reason { throw Unobservable(reason) }
    }

    /// Observes; where there are conditions, notes for how much of the time threads that were due did not run.
    private func observeUnderConditions() throws -> Observed {
        guard let conditions else { return try observe() }
        var (observed, heldUp) = try withHeldUpPercent(observe)
        observed[Conditions.heldUpKey] = Int(heldUp.rounded()).observed
        if conditions.needsOptimisation { observed.noteBuild() }
        return observed
    }
}
