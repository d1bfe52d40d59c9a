import Meters
public import Records
public import SystemPackage

/// A statement about the kernel's interfaces, and how it is put to the test on the running kernel.
public struct Experiment: Sendable {
    /// The name on the command line.
    public let id: String
    /// What is said, in one sentence.
    public let statement: String
    /// Who said it.
    public let source: ClaimSource
    /// What the experiment takes for granted.
    let needs: [Need]
    /// How many descriptors it opens at the most, beside what runs of the harness in it need.
    let descriptors: Int
    /// What must have been so for a verdict; nil if neither times nor shares decide, nor what did not happen.
    let conditions: Conditions?
    /// What every observation of it holds; more may follow.
    public let keys: [String]
    /// Tries it. Throws ``Unobservable`` where this kernel or user cannot, and other errors when something failed.
    let observe: @Sendable () throws -> Observed
    /// Says whether the statement is true of an observation that holds all keys. Never looks at anything else.
    let judge: @Sendable (Observed) -> ClaimVerdict
    /// Says in one sentence what an observation that holds all keys means.
    let explain: @Sendable (Observed) -> String

    init(
        id: String, statement: String, source: ClaimSource, needs: [Need] = [], descriptors: Int = 40,
        conditions: Conditions? = nil, keys: [String],
        observe: @escaping @Sendable () throws -> Observed, judge: @escaping @Sendable (Observed) -> ClaimVerdict,
        explain: @escaping @Sendable (Observed) -> String
    ) {
        self.id = id
        self.statement = statement
        self.source = source
        self.needs = needs
        self.descriptors = descriptors
        self.conditions = conditions
        self.keys = keys
        self.observe = observe
        self.judge = judge
        self.explain = explain
    }

    /// The verdict that follows from an observation: unsupported if a key is absent, not observable if the conditions
    /// for a verdict were not met.
    public func verdict(_ observed: Observed) -> ClaimVerdict {
        guard hasAllKeys(observed) else { return .unsupported }
        return missing(observed) == nil ? judge(observed) : .notObservable
    }

    /// One sentence for the reader.
    public func finding(_ observed: Observed) -> String {
        guard hasAllKeys(observed) else { return "Not observed: \(observed.detail)" }
        if let missing = missing(observed) { return "Not observable here: \(missing)." }
        return explain(observed)
    }

    private func hasAllKeys(_ observed: Observed) -> Bool { keys.allSatisfy { observed[$0] != nil } }

    /// What was missing for a verdict, in one line; nil if nothing was.
    private func missing(_ observed: Observed) -> String? { conditions?.missing(observed) }

    /// What came of a try.
    public struct Result: Sendable {
        /// The line for the file and the table.
        public let record: ClaimRecord
        /// True if something failed that should have worked here.
        public let failed: Bool
    }

    /// Tries it, whatever happens.
    public func run() -> Result {
        let start = monotonicNanoseconds()
        var observed = Observed()
        var verdict: ClaimVerdict?
        var failed = false
        do {
            try checkNeeds()
            observed = try watch()
            if let missing = missing(observed) { observed.detail = missing }
        } catch let error as Unobservable {
            observed.detail = error.reason
        } catch let error as Undecided {
            observed.detail = error.reason
            verdict = .notObservable
        } catch {
            failed = refusal(error) == nil
            observed.detail = refusal(error) ?? "failed: \(error)"
        }
        let duration = Double(monotonicNanoseconds() - start) / 1e6
        return Result(record: record(observed, verdict, duration), failed: failed)
    }

    /// Tries it, and gives it up after a time: then it goes on until the program ends.
    ///
    /// - Throws: `EAGAIN` if there can be no thread for it.
    public func run(within seconds: Double) throws(Errno) -> (result: Result, ended: Bool) {
        let thread = try ScriptThread("claim")
        let step = thread.start { run() }
        guard let result = step.outcome(within: seconds).flatMap({ try? $0.get() }) else {
            let observed = Observed(detail: "it did not end within \(Int(seconds)) s")
            return (Result(record: record(observed, .notObservable, seconds * 1000), failed: false), false)
        }
        thread.end()
        return (result, true)
    }

    /// The line of an experiment that was not tried, and why.
    public func untried(_ reason: String) -> ClaimRecord {
        record(Observed(detail: "not tried: \(reason)"), .notObservable, 0)
    }

    private func record(_ observed: Observed, _ verdict: ClaimVerdict?, _ milliseconds: Double) -> ClaimRecord {
        ClaimRecord(
            claim: id, statement: statement, source: source.description,
            verdict: (verdict ?? self.verdict(observed)).rawValue, observed: observed.description,
            detail: observed.detail, durationMs: milliseconds.rounded(), finding: finding(observed))
    }

    private func checkNeeds() throws {
        if let reason = needs.lazy.compactMap({ $0.unmet() }).first { throw Unobservable(reason) }
        if let reason = descriptorShortage(descriptors) { throw Unobservable(reason) }
    }

    /// Observes; where there are conditions, with the time noted for which threads did not run that were due.
    private func watch() throws -> Observed {
        guard conditions != nil else { return try observe() }
        let pacer = try Pacer()
        let result = Swift.Result { try observe() }
        let heldUp = try pacer.end()
        var observed = try result.get()
        observed[Conditions.heldUpKey] = "\(Int(heldUp.rounded()))"
        return observed
    }
}

/// Why an experiment cannot be made on this kernel or by this user.
struct Unobservable: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}

/// A step of an experiment that did not do what it must for the experiment to mean anything.
struct ScriptError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
