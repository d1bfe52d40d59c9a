import Meters
import SystemPackage

extension Errno {
    /// What went wrong and its name: `Permission denied (EACCES)`.
    var named: String { "\(self) (\(errorName(rawValue)))" }
}
