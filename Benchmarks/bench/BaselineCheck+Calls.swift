import Foundation
import Records

extension BaselineCheck {
    /// Which system calls this program makes more or less often than the stored baseline's runs did.
    ///
    /// - Parameter folders: those that hold `fresh`.
    func callDifferences(
        _ name: String, _ stored: [RunRecord], _ fresh: [RunRecord], in folders: [String]
    ) throws -> [CallDifference] {
        let known = Set(fresh.map(\.runId))
        let calls = try folders.flatMap { try StoredCalls.rows($0, of: StoredFolder.rows($0)) }
        return CallDifference.between(
            base: stored, try StoredCalls.rows("\(baseline.path)/\(name)", of: stored), new: fresh,
            calls.filter { known.contains($0.runId) })
    }
}
