import Foundation
import Records

extension BaselineCheck {
    /// Which system calls this program makes more or less often than the stored baseline's runs did.
    ///
    /// - Parameter counts: what was counted, folder by folder.
    func callDifferences(_ name: String, _ stored: [RunRecord], _ counts: [Count]) throws -> [CallDifference] {
        let new = try counts.map { count in
            (runs: count.runs, calls: try StoredCalls.rows(count.folder, of: StoredFolder.rows(count.folder)))
        }
        return CallDifference.between(
            base: stored, try StoredCalls.rows("\(baseline.path)/\(name)", of: stored), new: new)
    }

    /// What was counted in one go.
    struct Count {
        /// The folder that holds the runs and their calls.
        let folder: String
        /// Those of its runs that are compared.
        var runs: [RunRecord]
    }
}
