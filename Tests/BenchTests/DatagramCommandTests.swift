import Loops
import Meters
import Records
import Testing

/// `bench run --workload datagram`.
@Suite(.serialized) struct DatagramCommandTests {
    private func run(_ options: String) throws -> BenchRunner {
        try BenchRunner(["--workload", "datagram"] + options.split(separator: " ").map(String.init))
    }

    @Test(arguments: [
        ("--mode oneshot", "epoll-oneshot has no loop for --workload datagram; use blocking, poll, epoll-lt"),
        ("--mode async-ring", "async-ring has no loop for --workload datagram"),
        ("--mode lt --topology shared-set", "use --topology set-per-worker"),
        ("--mode lt --message-size 65508", "--message-size takes 1 to 65507 bytes of a datagram, not 65508"),
        ("--mode lt --message-size 1 --depth 129", "take 128 or less"),
        ("--mode lt --rate 1000 --depth 2", "--depth belongs to a closed loop"),
        ("--mode lt --implementation c", "--implementation c has no loops for --workload datagram"),
        ("--mode lt --listener shared", "--listener belongs to --workload accept and crr"),
        ("--mode lt --idle 1", "--idle belongs to --workload read"),
        ("--mode lt --spin 1us", "the workload is datagram: its loops wait in one way"),
        ("--workload accept --depth 2", "--depth belongs to --workload read and datagram"),
        ("--workload read --mode epoll-gro", "epoll-gro does nothing for --workload read that epoll-lt does not"),
    ])
    func badInputIsRefusedInOneLine(_ options: String, _ words: String) throws {
        let run = try run(options)
        #expect(run.exit == 64 && run.complaints.count == 1)
        #expect(run.complaints.first?.contains(words) == true, "\(run.complaints)")
    }

    @Test(arguments: ["all", "everything"]) func everyModeWithALoopHasARow(_ modes: String) throws {
        let run = try run("--mode \(modes) --duration 100ms --depth 4 --connections 4")
        // Of so short a run a busy machine may leave the clients nothing.
        let isStarved = run.rows.contains { $0.reason.contains("got no processor") }
        #expect(run.exit == 0 || isStarved, "\(run.complaints)")
        let wanted = (modes == "all" ? Mode.all : Mode.every).filter { $0.serves(.datagram) }.map(\.name)
        #expect(Set(run.rows.map(\.mode)) == Set(wanted))
        for row in run.rows where row.status == .ok {
            #expect(row.workload == "datagram" && row.protocol == "echo" && row.close.isEmpty && row.depth == 4)
            #expect(row.datagramsLost != nil && row.datagramsReordered == 0 && row.openPeak == nil)
            #expect((row.datagramsPerReceive ?? 0) > 0, "\(row.mode)")
        }
    }
}
