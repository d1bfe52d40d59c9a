import Foundation
import Histogram
import Records
import TestSupport
import Testing

@testable import Meters

/// Load from several processes. Whether they begin in time is a busy machine's to say: a run may be void.
@Suite(
    .serialized, .enabled(if: MessageAuthentication.installed != nil, "there is no libcrypto of OpenSSL here"))
struct LoadCommandTests {
    private func expectRun(_ coordinator: LoadCoordinator, _ hosts: Int) async throws {
        let outcome = await coordinator.process.wait()
        let rows = try coordinator.rows()
        let last = try #require(rows.last, "\(outcome.complaints)")
        #expect(rows.allSatisfy { [.ok, .void].contains($0.status) }, "\(rows.map(\.reason))")
        #expect(outcome.exit == (last.status == .ok ? 0 : 3), "\(outcome.complaints)")
        #expect(rows.allSatisfy { $0.loadHosts == hosts && $0.operations > 0 && $0.clockErrorNs ?? 0 > 0 })
    }

    @Test func processesOfThreeLaunchersLoadTogether() async throws {
        let coordinator = try await LoadCoordinator(3)
        let hosts = [
            try coordinator.host(
                "--output kept", environment: ["OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "3"]),
            try coordinator.host("--output kept", environment: ["SLURM_PROCID": "1", "SLURM_NTASKS": "3"]),
            try coordinator.host("--output kept", environment: ["PARALLEL_SEQ": "1"]),
        ]
        try await expectRun(coordinator, 3)
        for (host, rank) in zip(hosts, [2, 1, 0]) {
            let outcome = await host.wait()
            #expect(outcome.exit == 0 && outcome.otherLines.isEmpty, "\(outcome.complaints)")
            #expect(outcome.output == "joined \(coordinator.place) as load host \(rank)\n")
        }
        // The histogram of each run is the sum of what the hosts kept of it.
        func log(_ process: BenchProcess, _ name: String) throws -> [HistogramLog.Interval] {
            try HistogramLog.read(Array(process.text(name).utf8), file: name)
        }
        let whole = try log(coordinator.process, "out/latency.hlog")
        let parts = try zip(hosts, [2, 1, 0]).map { try log($0, "kept/latency-\($1).hlog") }
        #expect(!whole.isEmpty && parts.allSatisfy { $0.count == whole.count })
        for (run, interval) in whole.enumerated() {
            var sum = parts[0][run].histogram
            for part in parts.dropFirst() { sum.add(part[run].histogram) }
            #expect(sum == interval.histogram)
        }
    }

    @Test func aHostThatIsKilledEndsIt() async throws {
        let coordinator = try await LoadCoordinator(2, "--duration 50s")
        let hosts = [try coordinator.host("--rank 0"), try coordinator.host("--rank 1")]
        for (rank, host) in hosts.enumerated() { #expect(try await host.joined() == rank) }
        hosts[1].send(SIGKILL)
        let outcome = await coordinator.process.wait()
        #expect(outcome.exit == 3)
        #expect(outcome.otherLines.count == 1, "\(outcome.complaints)")
        #expect(outcome.otherLines.first?.contains("load host 1 (127.0.0.1:") == true)
        let rows = try coordinator.rows()
        #expect(rows.count == 1 && rows[0].status == .failed && rows[0].reason.hasPrefix("load host 1 ("))
        #expect(await hosts[0].wait().exit == 0)
    }

    @Test func aCoordinatorThatIsKilledEndsTheHosts() async throws {
        let coordinator = try await LoadCoordinator(1, "--duration 50s")
        let host = try coordinator.host()
        #expect(try await host.joined() == 0)
        coordinator.process.send(SIGKILL)
        let outcome = await host.wait()
        #expect(outcome.exit == 3 && outcome.otherLines.count == 1, "\(outcome.complaints)")
        #expect(outcome.complaints.contains("coordinator: the connection was "))
    }

    @Test func anInterruptionEndsAll() async throws {
        let coordinator = try await LoadCoordinator(1, "--duration 50s")
        let host = try coordinator.host()
        #expect(try await host.joined() == 0)
        coordinator.process.send(SIGINT)
        #expect(await coordinator.process.wait().exit == 130)
        #expect(await host.wait().exit == 0)
        #expect(try coordinator.rows().allSatisfy { $0.status == .partial })
    }

    @Test func aHostWithTooFewDescriptorsIsNamed() async throws {
        let coordinator = try await LoadCoordinator(1, "--connections 200")
        let host = try coordinator.host(under: BenchProcess.limited(descriptors: 100))
        let outcome = await coordinator.process.wait()
        #expect(outcome.exit == 3 && outcome.otherLines.count == 1, "\(outcome.complaints)")
        #expect(try coordinator.rows().first?.reason.contains("the limit is 100; raise it there (ulimit -n)") == true)
        #expect(await host.wait().exit == 0)
    }

    @Test func whoIsMissingIsNamed() async throws {
        let coordinator = try await LoadCoordinator(2, "--join-timeout 300ms")
        let outcome = await coordinator.process.wait()
        #expect(outcome.exit == 3 && outcome.otherLines.count == 1, "\(outcome.complaints)")
        #expect(outcome.complaints.contains("0 of 2 load hosts have joined"))
        #expect(outcome.complaints.contains("missing: 0, 1; start bench load --join"))
    }

    @Test func whoFindsNobodySaysSo() throws {
        let outcome = try BenchProcess.outcome(
            ["load", "--join", "127.0.0.1:1", "--join-timeout", "100ms"], environment: LoadCoordinator.secret)
        #expect(outcome.exit == 3 && outcome.otherLines.count == 1, "\(outcome.complaints)")
        #expect(outcome.complaints.contains("is bench run --load-listen waiting there?"))
    }

    @Test(arguments: [
        ("run --load-hosts 0", "--load-hosts takes 1 to 1000"),
        ("run --load-hosts 2 --load-listen nowhere", "--load-listen takes a numeric HOST:PORT"),
        ("run --load-listen 127.0.0.1:0", "--load-listen belongs to --load-hosts"),
        ("run --join-timeout 5s", "--join-timeout belongs to --load-hosts"),
        ("run --probe-rate 0", "--probe-rate takes operations per second"),
        ("run --probe-rate 100 --drain 100", "--probe-rate and --drain exclude each other"),
        ("run --load-hosts 2 --drain 100", "--drain and --load-hosts exclude each other"),
        ("run --load-hosts 2 --load-listen 127.0.0.1:0 --connections 1", "of each of 2 load hosts is more than"),
        ("run --load-hosts 2 --workload wake", "--load-hosts belongs to --workload"),
        ("load --join nowhere", "--join takes HOST:PORT"),
        ("load --join 127.0.0.1:1 --rank -1", "--rank takes a number from 0"),
        ("load --join 127.0.0.1:1 --join-timeout never", "--join-timeout takes a time"),
        ("load --join 127.0.0.1:1 --pin 4096", "--pin takes none, or a list"),
    ])
    func mistakesAreNamed(_ command: String, _ complaint: String) throws {
        let outcome = try BenchProcess.outcome(
            command.split(separator: " ").map(String.init), environment: LoadCoordinator.secret)
        #expect(outcome.exit == 64 && outcome.complaints.contains(complaint), "\(outcome.complaints)")
        #expect(outcome.otherLines.count == 1)
    }

    @Test(arguments: ["load --join 127.0.0.1:1", "run --load-hosts 1 --load-listen 127.0.0.1:0"])
    func aSecretIsNeeded(_ command: String) throws {
        let outcome = try BenchProcess.outcome(command.split(separator: " ").map(String.init))
        #expect(outcome.exit == 64 && outcome.complaints.contains("needs the secret"), "\(outcome.complaints)")
    }

    // MARK: Engines

    @Test(.enabled(if: isInstalled("pdsh"))) func pdshLaunchesThem() async throws {
        let coordinator = try await LoadCoordinator(3)
        let host = try coordinator.host("--rank %n", under: ["pdsh", "-R", "exec", "-f", "3", "-w", "h[0-2]"])
        try await expectRun(coordinator, 3)
        let outcome = await host.wait()
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        for rank in 0..<3 {
            #expect(outcome.output.contains("h\(rank): joined \(coordinator.place) as load host \(rank)"))
        }
    }

    @Test(.enabled(if: isInstalled("mpirun"))) func mpirunLaunchesThem() async throws {
        let coordinator = try await LoadCoordinator(3)
        let host = try coordinator.host(
            under: ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-np", "3"])
        try await expectRun(coordinator, 3)
        let outcome = await host.wait()
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        for rank in 0..<3 { #expect(outcome.output.contains("as load host \(rank)\n")) }
    }

    /// Three hosts and the server's, network namespaces at one bridge, which end with the processes that run in them.
    private func fourHosts(_ secret: SecretFile) -> [String] {
        let script = """
            ip link set lo up
            ip link add br0 type bridge
            ip address add 10.231.8.1/24 dev br0
            ip link set br0 up
            hosts=
            for rank in 0 1 2; do
                unshare --net sh -c '
                    until ip address add 10.231.8.1$2/24 dev e0 2>/dev/null; do sleep 0.01; done
                    ip link set e0 up
                    exec "$0" load --join 10.231.8.1:9700 --rank $2 --secret-file "$1"
                ' "$0" '\(secret.path)' $rank >load$rank.out 2>load$rank.err &
                host=$!
                until [ "$(readlink /proc/$host/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
                ip link add p$rank type veth peer name e0 netns $host
                ip link set p$rank master br0
                ip link set p$rank up
                hosts="$hosts $host"
            done
            "$0" "$@"
            code=$?
            for host in $hosts; do wait $host || code=99; done
            exit $code
            """
        return ["unshare", "--net", "sh", "-c", script]
    }

    @Test(.enabled(if: canBridge)) func hostsWithNetworksOfTheirOwnLoadTogether() async throws {
        let secret = SecretFile()
        let options =
            "run --workload read --mode lt --connections 6 --warmup 20ms --duration 100ms --rounds 1 --no-kernel-counts "
            + "--output out --load-hosts 3 --load-listen 10.231.8.1:9700 --address 10.231.8.1 --secret-file \(secret.path)"
        let (process, outcome) = try await BenchProcess.run(
            options.split(separator: " ").map(String.init), under: fourHosts(secret))
        let rows = try RunRecord.read(Array(process.text("out/runs.csv").utf8), file: "runs.csv")
        #expect([0, 3].contains(outcome.exit), "\(outcome.complaints)")
        #expect(rows.allSatisfy { [.ok, .void].contains($0.status) && $0.loadHosts == 3 }, "\(rows.map(\.reason))")
        #expect(rows.last.map { ($0.status == .ok) == (outcome.exit == 0) } == true)
        for rank in 0..<3 {
            #expect(process.text("load\(rank).out") == "joined 10.231.8.1:9700 as load host \(rank)\n")
            #expect(outcome.complaints.contains("load host \(rank) (10.231.8.1\(rank):"))
        }
    }

    /// A clock that is a day ahead.
    @Test(.enabled(if: canSkewClocks)) func anotherClockIsNoMatter() async throws {
        let coordinator = try await LoadCoordinator(2)
        let hosts = [
            try coordinator.host(under: ["unshare", "--time", "--monotonic", "86400", "--fork", "--kill-child"]),
            try coordinator.host(),
        ]
        try await expectRun(coordinator, 2)
        for host in hosts { #expect(await host.wait().exit == 0) }
    }
}

private let canSkewClocks = succeeds(
    ["unshare", "--time", "--monotonic", "5", "--fork", "--kill-child", "true"],
    need: "clocks of one's own take root and a kernel with time namespaces")

private let canBridge = succeeds(
    ["unshare", "--net", "ip", "link", "add", "br0", "type", "bridge"],
    need: "networks of one's own and bridges take root")
