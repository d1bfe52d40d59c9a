import Foundation
import Meters
import Records
import TestSupport
import Testing

/// Machines that lack what others have, made of namespaces.
@Suite(.timeLimit(.minutes(10))) struct MissingSystemTests {
    private static let run = ["--rounds", "1", "--duration", "50ms", "--warmup", "0", "--output", "out"]

    private func hasNetworks() -> Bool {
        isInstalled("unshare") && isInstalled("ip")
            && succeeds(["unshare", "--net", "true"], need: "a network of one's own takes root")
    }

    private func hasMounts() -> Bool {
        isInstalled("unshare")
            && succeeds(
                ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], need: "mounting takes root")
    }

    private func network(_ script: String) -> [String] {
        ["unshare", "--net", "sh", "-c", "\(script)\nexec \"$0\" \"$@\""]
    }

    private func mounts(_ script: String) -> [String] {
        ["unshare", "--mount", "sh", "-c", "\(script)\nexec \"$0\" \"$@\""]
    }

    @Test(arguments: ["accept", "crr", "read"]) func aLoopbackThatIsDownIsToldBeforehand(_ workload: String)
        async throws
    {
        guard hasNetworks() else { return }
        let (process, outcome) = try await BenchProcess.run(
            ["--workload", workload, "--mode", "lt"] + Self.run, under: ["unshare", "--net"])
        #expect(outcome.exit == 6)
        #expect(
            outcome.complaintLines == ["bench: 127.0.0.1 cannot be reached: lo is down; ip link set lo up"],
            "\(outcome.complaints)")
        #expect(!FileManager.default.fileExists(atPath: process.folder.appending(path: "out").path()))
    }

    @Test func theDoctorSeesThatLoopbackIsDown() async throws {
        guard hasNetworks() else { return }
        let (_, outcome) = try await BenchProcess.run(["doctor"], under: ["unshare", "--net"])
        #expect(outcome.output.contains("! loopback") && outcome.output.contains("ip link set lo up"))
        let (_, well) = try await BenchProcess.run(["doctor"], under: network("ip link set lo up"))
        #expect(!well.output.contains("! loopback"))
    }

    @Test func theDoctorLooksAtEveryInterfaceThatIsUp() async throws {
        guard hasNetworks(), hasMounts() else { return }
        let script = """
            ip link set lo up && ip link add va type veth peer name vb && ip link set va mtu 1400 up || exit 9
            mount -t sysfs none /sys; exec "$0" "$@"
            """
        let (_, outcome) = try await BenchProcess.run(
            ["doctor"], under: ["unshare", "--net", "--mount", "sh", "-c", script])
        guard outcome.exit != 9 else { return print("skipped: this kernel makes no veth pairs") }
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("  interface lo") && $0.contains("MTU 65536, queues 1/1") })
        #expect(lines.contains { $0.hasPrefix("  interface va") && $0.contains("veth, MTU 1400, 10000 Mbit/s") })
        #expect(!outcome.output.contains("interface vb"))
    }

    @Test func withoutTheAddressAnotherIsNamed() async throws {
        guard hasNetworks() else { return }
        let only6 = network("ip link set lo up && ip address del 127.0.0.1/8 dev lo")
        let (_, outcome) = try await BenchProcess.run(["--mode", "lt"] + Self.run, under: only6)
        #expect(outcome.exit == 6)
        #expect(outcome.complaints.contains("no such address") && outcome.complaints.contains("--address ::1"))
        guard FileManager.default.fileExists(atPath: "/proc/net/if_inet6") else { return }
        let (process, six) = try await BenchProcess.run(
            ["--mode", "lt", "--address", "::1"] + BenchProcess.short, under: only6)
        #expect(six.exit == 0, "\(six.complaints)")
        #expect(try process.rows().map(\.status) == [.ok])
    }

    @Test func aLoopbackThatDropsEverythingIsToldBeforehand() async throws {
        guard hasNetworks(), isInstalled("tc") else { return }
        let drop = "ip link set lo up && tc qdisc add dev lo root netem loss 100%"
        guard succeeds(["unshare", "--net", "sh", "-c", drop], need: "this kernel has no netem") else { return }
        let (_, outcome) = try await BenchProcess.run(
            ["--workload", "read", "--mode", "lt"] + Self.run, under: network(drop))
        #expect(outcome.exit == 6)
        #expect(outcome.complaints.contains("no answer within a second"), "\(outcome.complaints)")
    }

    /// What is asked is that it ends, by itself.
    @Test(arguments: ["accept", "crr", "read"], ["lt", "blocking"])
    func aLoopbackThatGoesAwayEndsTheRun(_ workload: String, _ mode: String) async throws {
        guard hasNetworks() else { return }
        let script =
            "ip link set lo up\n(while ! [ -s out/runs.csv ]; do sleep 0.1; done; sleep 0.3; ip link set lo down) &"
        let (process, outcome) = try await BenchProcess.run(
            ["--workload", workload, "--mode", mode, "--duration", "1s", "--rounds", "1", "--output", "out"],
            under: network(script))
        #expect([0, 3].contains(outcome.exit) && !outcome.endedBySignal, "\(outcome.complaints)")
        #expect(try process.rows().count == 1)
    }

    @Test(
        .enabled(if: AllocationCount.isCounted, "the runtime of a sanitizer complains of /proc itself"),
        arguments: [["list"], ["check", "--counts-only"], ["--version"], []])
    func withoutProcNothingStarts(_ arguments: [String]) async throws {
        guard hasMounts() else { return }
        let noProc = "mkdir empty && mount --bind empty /proc"
        let fake = "mount -t tmpfs none /proc && mkdir /proc/self && printf 'bench\\0list\\0' >/proc/self/cmdline"
        for script in [noProc, fake] {
            let (process, outcome) = try await BenchProcess.run(arguments, under: mounts(script))
            #expect(outcome.exit == 1 && outcome.output.isEmpty)
            #expect(outcome.complaintLines.count == 1 && outcome.complaints.contains("mount -t proc proc /proc"))
            let left = try FileManager.default.contentsOfDirectory(atPath: process.folder.path())
            #expect(Set(left).subtracting(["stdout", "stderr", "empty"]).isEmpty)
        }
    }

    @Test func aProcThatHidesOthersIsEnough() async throws {
        guard hasMounts() else { return }
        let hiding = "mount -t proc -o hidepid=2 proc /proc"
        guard succeeds(["unshare", "--mount", "sh", "-c", hiding], need: "no /proc can be mounted here") else { return }
        let (_, outcome) = try await BenchProcess.run(["list", "--markdown"], under: mounts(hiding))
        #expect(outcome.exit == 0 && outcome.output.contains("epoll-lt"))
    }

    @Test func withoutSysWhatIsUnknownIsNotJudged() async throws {
        guard hasMounts() else { return }
        let (_, outcome) = try await BenchProcess.run(
            ["doctor"], under: mounts("mkdir empty && mount --bind empty /sys"))
        #expect(outcome.exit == 0)
        for fact in ["clock source", "frequency governor", "isolated processors"] {
            let line = outcome.output.split(separator: "\n").first { $0.contains(fact) } ?? ""
            #expect(line.hasPrefix("  \(fact)") && line.contains("unknown"), "\(line)")
        }
    }
}
