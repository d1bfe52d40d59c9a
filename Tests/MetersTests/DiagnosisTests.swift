import Meters
import Testing

@Suite struct DiagnosisTests {
    /// A machine on which nothing is to be mended.
    private var quiet: MachineState {
        var state = MachineState()
        state.processors = 16
        state.pinning = "server=0 client=1"
        state.governor = "performance"
        state.turbo = false
        state.multithreading = false
        state.isolated = "8-15"
        state.pressure = 0
        state.foreignShare = 0.01
        state.descriptorLimit = 1 << 20
        state.somaxconn = 4096
        state.stealShare = 0
        state.ephemeralPorts = 64_512
        state.synCookies = 1
        state.clockSource = "tsc"
        state.ringsDisabled = 0
        state.mayLoadPrograms = true
        state.callSource = "bpf"
        return state
    }

    @Test func aQuietMachineHasNothingToMend() {
        let facts = Diagnosis.all(quiet, build: "release")
        #expect(facts.filter(\.isHarmful) == [])
        #expect(facts.count >= 13)
    }

    private struct Trouble: Sendable {
        let fact: String
        let spoil: @Sendable (inout MachineState) -> Void

        init(_ fact: String, _ spoil: @escaping @Sendable (inout MachineState) -> Void) {
            self.fact = fact
            self.spoil = spoil
        }
    }

    private static let troubles = [
        Trouble("processors") { $0.processors = 1 },
        Trouble("pinning") { $0.pinning = "none" },
        Trouble("CPU quota") { $0.processorQuota = 0.5 },
        Trouble("frequency governor") { $0.governor = "powersave" },
        Trouble("turbo") { $0.turbo = true },
        Trouble("SMT") { $0.multithreading = true },
        Trouble("isolated processors") { $0.isolated = "" },
        Trouble("steal") { $0.stealShare = 0.2 },
        Trouble("CPU pressure") { $0.pressure = 0.3 },
        Trouble("load by others") { $0.foreignShare = 0.3 },
        Trouble("clock source") { $0.clockSource = "hpet" },
        Trouble("loopback") { $0.loopbackRefusal = "127.0.0.1 cannot be reached: lo is down" },
        Trouble("descriptor limit") { $0.descriptorLimit = 1024 },
        Trouble("somaxconn") { $0.somaxconn = 128 },
        Trouble("ephemeral ports") { $0.ephemeralPorts = 5_000 },
        Trouble("SYN cookies") { $0.synCookies = 2 },
        Trouble("io_uring") { $0.ringsDisabled = 2 },
        Trouble("io_uring") { $0.ringRefusal = "EPERM" },
        Trouble("system calls") { ($0.callSource, $0.callRefusal) = ("", "bpf: EPERM") },
        Trouble("system calls") { $0.callSource = "perf" },
        Trouble("BPF programs") { $0.mayLoadPrograms = false },
    ]

    @Test func eachTroubleIsNamedWithItsRemedy() {
        for trouble in Self.troubles {
            var state = quiet
            trouble.spoil(&state)
            let harmful = Diagnosis.all(state, build: "release").filter(\.isHarmful)
            #expect(harmful.map(\.fact) == [trouble.fact])
            #expect(harmful.allSatisfy { !$0.remedy.isEmpty && !$0.value.isEmpty })
        }
    }

    /// A card whose two queues interrupt a processor that runs nothing else.
    private var card: NetworkLink {
        var link = NetworkLink(name: "eth0")
        (link.isVirtual, link.driver, link.mtuBytes, link.speedMbitPerS) = (false, "ice", 1500, 25_000)
        (link.receiveQueues, link.transmitQueues, link.interruptProcessors) = (2, 2, [7])
        (link.steeringProcessors, link.offloads) = ([], ["tso", "gso", "gro"])
        return link
    }

    private func judged(_ edit: (inout NetworkLink) -> Void) throws -> Diagnosis {
        var state = quiet
        state.workerProcessors = [0, 1]
        var link = card
        edit(&link)
        state.links = [link]
        let facts = Diagnosis.all(state, build: "release").filter { $0.fact == "interface eth0" }
        #expect(facts.count == 1)
        return try #require(facts.first)
    }

    @Test func aGoodCardIsToldAndNotJudged() throws {
        let fact = try judged { _ in }
        #expect(!fact.isHarmful)
        #expect(fact.value == "ice, MTU 1500, 25000 Mbit/s, queues 2/2, interrupts on 7, offloads tso gso gro")
        // Loopback and pairs of interfaces have neither interrupts nor queues that could be spread.
        let pair = try judged {
            ($0.isVirtual, $0.receiveQueues, $0.interruptProcessors, $0.offloads) = (true, 1, [], ["tso"])
        }
        #expect(!pair.isHarmful && pair.value.hasSuffix("queues 1/2, offloads tso"))
        let unknown = try judged { $0 = NetworkLink(name: "eth0") }
        #expect(!unknown.isHarmful && unknown.value == "nothing is known of it")
    }

    @Test func whatOfACardDisturbsALoadIsSaid() throws {
        let shared = try judged { $0.interruptProcessors = [1, 7] }
        #expect(shared.effect.contains("time from the workers on 1") && shared.remedy.contains("smp_affinity_list"))
        let narrow = try judged { $0.receiveQueues = 1 }
        #expect(
            narrow.effect.contains("one queue")
                && narrow.remedy.contains("/sys/class/net/eth0/queues && echo MASK > rx-0/rps_cpus"))
        #expect(try !judged { ($0.receiveQueues, $0.steeringProcessors) = (1, [2, 3]) }.isHarmful)
        let alone = try judged { $0.offloads = [] }
        #expect(alone.value.hasSuffix("offloads none") && alone.remedy == "ethtool -K eth0 gro on")
        let all = try judged { ($0.interruptProcessors, $0.receiveQueues, $0.offloads) = ([0], 1, []) }
        #expect(all.effect.split(separator: ";").count == 3)
    }

    @Test func aDebugBuildIsTrouble() {
        #expect(Diagnosis.all(quiet, build: "debug").filter(\.isHarmful).map(\.fact) == ["build"])
    }

    @Test func whatCannotBeReadIsUnknownAndJudgedByNobody() {
        var state = MachineState()
        state.processors = 16
        state.descriptorLimit = 1 << 20
        let facts = Diagnosis.all(state, build: "release")
        #expect(facts.filter(\.isHarmful) == [])
        let unknown = facts.filter { $0.value.hasPrefix("unknown") }.map(\.fact)
        #expect(
            Set(unknown) == [
                "frequency governor", "isolated processors", "steal", "clock source", "somaxconn", "BPF programs",
            ])
    }

    @Test func thisMachineIsRead() {
        let state = MachineState.read(watchingFor: 0.05)
        #expect(state.processors >= 1 && state.descriptorLimit > 0 && (state.somaxconn ?? 1) > 0)
        #expect(state.clockSource != "" && state.stealShare.map((0...1).contains) != false)
        #expect(state.foreignShare.map((0...1).contains) == true)
    }
}
