import Foundation
import Testing

/// A machine on which no connection can be made.
@Suite struct LoopbackTests {
    @Test func claimsEndAtOnceWhereLoopbackIsDown() throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/unshare") else {
            return print("skipped: there is no unshare(1)")
        }
        let run = try Bench.run(["claims", "--csv", "/dev/null"], isOffline: true)
        if run.error.contains("unshare:") { return print("skipped: \(run.error)") }
        #expect(run.status == 6)
        #expect(run.error.split(separator: "\n").count == 1 && run.error.contains("ip link set lo up"))
        #expect(!run.output.contains("holds"))
    }
}
