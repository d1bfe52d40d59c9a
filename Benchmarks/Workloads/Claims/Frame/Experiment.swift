import Meters
public import Records
import SystemPackage

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
    /// What every observation of it holds; more may follow.
    public let keys: [String]
    /// Tries it. Throws ``Unobservable`` where this kernel or user cannot, and other errors when something failed.
    let observe: @Sendable () throws -> Observed
    /// Says whether the statement is true of an observation that holds all keys. Never looks at anything else.
    let judge: @Sendable (Observed) -> ClaimVerdict
    /// Says in one sentence what an observation that holds all keys means.
    let explain: @Sendable (Observed) -> String

    init(
        id: String, statement: String, source: ClaimSource, needs: [Need] = [], keys: [String],
        observe: @escaping @Sendable () throws -> Observed, judge: @escaping @Sendable (Observed) -> ClaimVerdict,
        explain: @escaping @Sendable (Observed) -> String
    ) {
        self.id = id
        self.statement = statement
        self.source = source
        self.needs = needs
        self.keys = keys
        self.observe = observe
        self.judge = judge
        self.explain = explain
    }

    /// The verdict that follows from an observation: unsupported if a key is absent.
    public func verdict(_ observed: Observed) -> ClaimVerdict {
        keys.allSatisfy { observed[$0] != nil } ? judge(observed) : .unsupported
    }

    /// One sentence for the reader.
    public func finding(_ observed: Observed) -> String {
        keys.allSatisfy { observed[$0] != nil } ? explain(observed) : "Not observed: \(observed.detail)"
    }

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
        var observed: Observed
        var failed = false
        do {
            if let reason = needs.lazy.compactMap({ $0.unmet() }).first { throw Unobservable(reason) }
            observed = try observe()
        } catch let error as Unobservable {
            observed = Observed(detail: error.reason)
        } catch {
            failed = true
            observed = Observed(detail: "failed: \(error)")
        }
        let duration = Double(monotonicNanoseconds() - start) / 1e6
        let record = ClaimRecord(
            claim: id, statement: statement, source: source.description, verdict: verdict(observed).rawValue,
            observed: observed.description, detail: observed.detail, durationMs: duration.rounded(),
            finding: finding(observed))
        return Result(record: record, failed: failed)
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
