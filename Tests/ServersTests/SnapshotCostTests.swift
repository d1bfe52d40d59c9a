import Foundation
import Glibc
import TestSupport
import Testing

@testable import Meters
@testable import Servers

/// What a snapshot of a server costs, printed: no time decides a test.
@Suite struct SnapshotCostTests {
    /// A master with two workers, as a user starts it: nginx, or a stand-in of as many processes.
    private func command(_ configuration: TemporaryFile) throws -> String {
        guard isInstalled("nginx") else {
            return "python3 -c 'import os; os.fork() and os.fork(); \(Self.listens)' {port}"
        }
        let folder = configuration.path + ".d"
        let text = """
            worker_processes 2; daemon off; pid \(folder)/pid; error_log /dev/null;
            events { worker_connections 64; }
            http {
                access_log off; client_body_temp_path \(folder); proxy_temp_path \(folder); fastcgi_temp_path \(folder);
                uwsgi_temp_path \(folder); scgi_temp_path \(folder);
                server { listen PORT; return 204; }
            }
            """
        try text.write(toFile: configuration.path, atomically: false, encoding: .utf8)
        let file = configuration.path
        return "mkdir -p \(folder) && sed -i 's/PORT/127.0.0.1:{port}/' \(file) && exec nginx -p \(folder) -c \(file)"
    }

    private static let listens = """
        import socket, sys, time; s = socket.socket(); s.setsockopt(1, 15, 1); \
        s.bind((\"127.0.0.1\", int(sys.argv[1]))); s.listen(); time.sleep(600)
        """

    /// A timed run takes two of these, one at each end of its window, and does nothing else to a server's processes. They
    /// take processor time of this thread, not of the server, which is only kept from what they have locked meanwhile.
    @Test func twoSnapshotsAreAllThatATimedRunTakes() throws {
        let configuration = TemporaryFile()
        defer { try? FileManager.default.removeItem(atPath: configuration.path + ".d") }
        var plan = ExternalServer("theirs", .command(try command(configuration)))
        plan.timeoutNanoseconds = 60_000_000_000
        let server = try ServerProcess(plan)
        #expect(eventually { server.snapshot().processes?.processes == 3 })
        var times: [UInt64] = []
        for _ in 0..<1000 {
            let start = threadNanoseconds()
            let snapshot = server.snapshot()
            times.append(threadNanoseconds() - start)
            #expect(snapshot.processes?.processes == 3 && snapshot.processes?.threads == 3 && snapshot.calls == nil)
        }
        #expect(server.end(windowEnd: 1).error == nil)
        let mean = Double(times.reduce(0, +)) / Double(times.count) / 1000
        let most = Double(times.max() ?? 0) / 1000
        print(
            "snapshot of 3 processes: mean \(mean.rounded()) us, maximum \(most.rounded()) us of processor time; two are "
                + "\((mean * 2 / 10_000 * 1e4).rounded() / 1e4) % of a window of a second, at the most "
                + "\((most * 2 / 10_000 * 1e4).rounded() / 1e4) %")
    }

    private func threadNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
