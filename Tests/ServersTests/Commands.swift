import Servers
import TestSupport

extension ExternalServer {
    /// A command of the shell whose output is kept.
    static func theirs(
        _ command: String, _ output: TemporaryFile, timeout: UInt64 = 60_000_000_000
    ) -> ExternalServer {
        var plan = ExternalServer("theirs", .command(command))
        plan.outputPath = output.path
        plan.timeoutNanoseconds = timeout
        return plan
    }
}
