import Foundation
import TestSupport
import Testing

/// A machine on which no connection can be made.
@Suite struct LoopbackTests {
    @Test func claimsEndAtOnceWhereLoopbackIsDown() throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/unshare") else {
            return print("skipped: there is no unshare(1)")
        }
        let run = try BenchProcess.outcome(["claims", "--csv", "/dev/null"], under: ["unshare", "-n"])
        if run.complaints.contains("unshare:") { return print("skipped: \(run.complaints)") }
        #expect(run.exit == 6)
        #expect(run.complaints.split(separator: "\n").count == 1 && run.complaints.contains("ip link set lo up"))
        #expect(!run.output.contains("holds"))
    }
}
