import Foundation
import Meters
import Records
import TestSupport
import Testing

/// Two hosts: network namespaces joined by a veth pair. They belong to the processes that run in them, so that nothing is
/// left of them, whichever way those end.
@Suite(
    .timeLimit(.minutes(5)),
    .enabled(if: MessageAuthentication.installed != nil, "there is no libcrypto of OpenSSL here"))
struct NetworkTests {
    private static let client = "10.231.7.1"
    private static let server = "10.231.7.2"
    private let secret = SecretFile()

    private func hasNetworks() -> Bool {
        isInstalled("unshare") && isInstalled("ip")
            && succeeds(
                ["unshare", "--net", "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"],
                need: "networks of one's own and veth pairs take root")
    }

    /// A command that runs what follows on a host whose only neighbour runs an agent, and ends both.
    ///
    /// - Parameters:
    ///   - there: done on the agent's host when its interface is up.
    ///   - meanwhile: done on the load's host while the load runs.
    private func twoHosts(there: String = ":", meanwhile: String = ":") -> [String] {
        let script = """
            set -e
            ip link set lo up
            unshare --net sh -c '
                until ip address add \(Self.server)/24 dev v1 2>/dev/null; do sleep 0.01; done
                ip link set v1 up; ip link set lo up; \(there)
                exec "$0" agent --listen \(Self.server):9600 --secret-file "$1"
            ' "$0" '\(secret.path)' >agent.out 2>agent.err &
            agent=$!
            trap 'kill $agent 2>/dev/null; wait $agent || true' EXIT
            until [ "$(readlink /proc/$agent/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
            ip link add v0 type veth peer name v1 netns $agent
            ip address add \(Self.client)/24 dev v0
            ip link set v0 up
            until [ -s agent.out ]; do kill -0 $agent; sleep 0.01; done
            (\(meanwhile)) &
            set +e
            "$0" "$@"
            exit $?
            """
        return ["unshare", "--net", "sh", "-c", script]
    }

    private func options(_ workload: String, _ mode: String) -> [String] {
        [
            "run", "--workload", workload, "--mode", mode, "--connections", "1", "--rounds", "1", "--duration", "200ms",
            "--warmup", "20ms", "--output", "out",
        ]
    }

    private var remote: [String] { ["--agent", "\(Self.server):9600", "--secret-file", secret.path] }

    /// One connection in a closed loop makes the counts exact, whatever the times are.
    @Test(arguments: ["accept", "read"])
    func countsOverANetworkAreThoseAtHome(_ workload: String) async throws {
        guard hasNetworks() else { return }
        let run = options(workload, "epoll-lt,uring-multishot")
        let (here, home) = try await BenchProcess.run(
            run, under: ["unshare", "--net", "sh", "-c", "ip link set lo up; exec \"$0\" \"$@\""])
        let (there, outcome) = try await BenchProcess.run(run + remote, under: twoHosts())
        #expect(outcome.exit == home.exit, "\(outcome.complaints)\(there.text("agent.err"))")
        for row in try there.rows() where row.status == .ok {
            let same = try #require(try here.rows().first { $0.mode == row.mode })
            #expect(row.link.hasPrefix("v0;driver=veth;mtu=1500;speed=10000"))
            #expect(row.serverAddress.hasPrefix("\(Self.server):"))
            // What is under way at either end of the window counts on one side of it, in few operations more than 2 %.
            let slack = max(0.02, 4 / Double(min(row.operations, same.operations)))
            let pairs = [(row.syscallsPerOp, same.syscallsPerOp), (row.wakeupsPerOp, same.wakeupsPerOp)]
            for (ours, theirs) in pairs {
                let (ours, theirs) = (try #require(ours), try #require(theirs))
                #expect(abs(ours - theirs) <= slack * theirs, "\(row.mode): \(ours), at home \(theirs)")
            }
        }
    }

    /// The delay is in the latency, once, in either loop: a reading that waited for the network would double it.
    @Test(arguments: [[], ["--rate", "50"]])
    func aDelayedNetworkShowsInTheLatency(_ pace: [String]) async throws {
        guard hasNetworks(), isInstalled("tc") else { return }
        let trial = "ip link set lo up && tc qdisc add dev lo root netem delay 1ms"
        guard succeeds(["unshare", "--net", "sh", "-c", trial], need: "this kernel has no netem") else { return }
        let run = options("read", "epoll-lt") + remote + ["--no-kernel-counts"] + pace
        let delay = "tc qdisc add dev v1 root netem delay 10ms"
        let (process, outcome) = try await BenchProcess.run(
            run + ["--duration", "1s"], under: twoHosts(there: delay))
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let row = try #require(try process.rows().last)
        #expect(row.latencyMinNs ?? 0 >= 10_000_000 && row.status == .ok)
        print("median over 10 ms: \(row.latencyP50Ns ?? 0) ns")
    }

    /// What is under way fails or waits; the agent is the same one afterwards.
    @Test func aNetworkThatIsGoneForAMomentDoesNotEndTheInvocation() async throws {
        guard hasNetworks() else { return }
        let gone = """
            until [ -s out/runs.csv ]; do sleep 0.01; done; sleep 0.2; ip link set v0 down; sleep 0.3; ip link set v0 up
            """
        let (process, outcome) = try await BenchProcess.run(
            options("read", "epoll-lt") + remote + ["--rounds", "3", "--no-kernel-counts"],
            under: twoHosts(meanwhile: gone))
        #expect([0, 3].contains(outcome.exit) && !outcome.complaints.contains("--resume"), "\(outcome.complaints)")
        #expect(try process.rows().count == 3)
        let sessions = process.text("agent.err").split(separator: "\n").filter { $0.contains("serving it") }
        #expect(sessions.count == 1, "\(process.text("agent.err"))")
    }
}
