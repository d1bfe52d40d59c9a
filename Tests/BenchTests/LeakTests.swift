import Foundation
import TestSupport
import Testing

@Suite(.serialized, .timeLimit(.minutes(60))) struct LeakTests {
    /// Hundreds of runs in one process: a descriptor that each left behind would show. The few that come and go are
    /// those of threads that are about to end.
    @Test(arguments: ["blocking", "epoll-lt", "epoll-oneshot", "dispatcher", "uring-multishot", "uring-direct"])
    func runsLeaveNoDescriptorBehind(_ mode: String) async throws {
        let folder = try BenchFolder()
        let process = try folder.start(
            ["--mode", mode, "--listener", "all", "--workers", "2", "--drain", "5", "--rounds", "60"]
                + ["--quiet", "--output", "out"])
        let early = try await descriptors(of: process, afterRows: 20, in: folder)
        let late = try await descriptors(of: process, afterRows: 120, in: folder)
        process.send(SIGKILL)
        _ = await process.wait()
        #expect(late < early + 50, "\(early) descriptors after 20 runs, \(late) after 120")
    }

    private func descriptors(of process: BenchProcess, afterRows count: Int, in folder: BenchFolder) async throws -> Int
    {
        while process.isRunning, folder.text("out/runs.csv").count(where: { $0 == "\n" }) <= count {
            try await Task.sleep(for: .milliseconds(5))
        }
        return try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.processID)/fd").count
    }
}
