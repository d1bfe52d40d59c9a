import Glibc
import Histogram
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Records
import RunSupport
import TestSupport
import Testing

@testable import Load
@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

/// A coordinator, and hosts that load for it in threads of this process.
final class RunningHosts: @unchecked Sendable {
    // Unchecked: tests start hosts from one thread.
    // The bytes suffice.
    // swift-format-ignore: NeverUseForceTry
    static let secret = try! AgentSecret(Array("0123456789abcdef".utf8), from: "test")
    static let facts = LoadHostFacts(machineID: "m", commit: "abc", build: "debug")

    let hosts: LoadHosts
    let lines = Locked<[String]>([])
    /// What each host has kept, by run.
    let kept = Locked<[UInt64: [LatencyRecorder]]>([:])
    private let stop: EventFD
    private(set) var threads: [TestThread<Void>] = []

    init(_ count: Int, silence: UInt64 = 14_000_000_000) throws {
        var settings = LoadHosts.Settings(Self.secret, AgentVersion(schema: 1), commit: "abc", build: "debug")
        settings.silence = silence
        settings.log = { [lines] line in lines.withLock { $0.append(line) } }
        hosts = try LoadHosts(count, at: .loopback(), settings)
        stop = try EventFD()
    }

    /// Starts a host.
    @discardableResult
    func start(
        _ rank: Int? = nil, size: Int? = nil, secret: AgentSecret = RunningHosts.secret, schema: Int = 1,
        commit: String = "abc"
    ) -> TestThread<Void> {
        var facts = Self.facts
        (facts.rank, facts.size, facts.commit) = (rank, size, commit)
        var settings = LoadHost.Settings(secret, AgentVersion(schema: schema), facts)
        settings.keep = { [kept] (_, run, latencies) throws(RunError) in
            kept.withLock { $0[run, default: []].append(latencies) }
        }
        let (address, end, used) = (hosts.address, stop.descriptor, settings)
        let thread = TestThread {
            guard let host = try LoadHost.join([address], used, seconds: 60, unless: end) else { return }
            try host.run(until: end)
        }
        threads.append(thread)
        return thread
    }

    /// Why a host ended; nil if the coordinator ended it.
    func ending(_ thread: TestThread<Void>) -> String? {
        do {
            try thread.join()
            return nil
        } catch {
            #expect(!"\(error)".contains("\n"))
            return "\(error)"
        }
    }

    func gather(seconds: Double = 60) throws { #expect(try hosts.gather(seconds: seconds, unless: [])) }

    deinit {
        hosts.end()
        _ = try? stop.add()
    }
}

private func plan(_ hosts: LoadHosts, _ workload: Workload = .read, _ pace: LoadPlan.Pace = .closedLoop) throws
    -> RunPlan
{
    var plan = RunPlan(workload, mode: try #require(Mode.named("epoll-lt")))
    plan.load.connections = 7
    plan.load.pace = pace
    plan.warmupNanoseconds = 10_000_000
    plan.durationNanoseconds = 100_000_000
    plan.loadHosts = hosts
    return plan
}

/// Hosts that load together. Whether they begin in time is a busy machine's to say, so that a run may be void here.
@Suite(
    .serialized, .enabled(if: MessageAuthentication.installed != nil, "there is no libcrypto of OpenSSL here"))
struct LoadHostTests {
    private func threeHosts() throws -> RunningHosts {
        let running = try RunningHosts(3)
        for rank in [2, 0, 1] { running.start(rank) }
        try running.gather()
        return running
    }

    @Test(arguments: [Workload.read, .crr, .accept, .datagram]) func threeHostsLoadTogether(_ workload: Workload) throws
    {
        let running = try threeHosts()
        let plan = try plan(running.hosts, workload)
        let measurement = try measure(plan)
        #expect([.ok, .void].contains(measurement.status), "\(measurement.reason)")
        #expect(measurement.operations > 0 && measurement.latencies.totalCount > 0)
        let hosts = try #require(measurement.hosts)
        #expect(hosts.clockErrorNanoseconds > 0 && hosts.windowNanoseconds == 100_000_000)
        #expect(measurement.client.cpuNanoseconds > 0 && measurement.clientBusy ?? 0 > 0)
        if workload == .read { #expect(measurement.openConnections == 7) }
        var record = RunRecord(plan)
        measurement.fill(&record, plan)
        #expect(record.loadHosts == 3 && record.loadSkewNs == hosts.skewNanoseconds)
        #expect(record.clockErrorNs == hosts.clockErrorNanoseconds)
        running.hosts.end()
        for thread in running.threads { #expect(running.ending(thread) == nil) }
    }

    @Test func theHistogramIsTheSumOfTheHosts() throws {
        let running = try threeHosts()
        let measurement = try measure(try plan(running.hosts), Interruption())
        var sum = LatencyRecorder()
        for part in running.kept.withLock({ $0[1] ?? [] }) { sum.add(part) }
        #expect(running.kept.withLock { $0[1]?.count } == 3)
        #expect(sum.histogram == measurement.latencies && sum.histogram.totalCount > 0)
        #expect(sum.histogram.maxRecorded == measurement.latencies.maxRecorded)
    }

    @Test func theFirstHostProbes() throws {
        let running = try threeHosts()
        var plan = try plan(running.hosts)
        plan.load.probePerSecond = 500
        let measurement = try measure(plan, Interruption())
        #expect([.ok, .void].contains(measurement.status), "\(measurement.reason)")
        #expect((1...150).contains(measurement.latencies.totalCount) && measurement.openConnections == 7)
        #expect(running.kept.withLock { $0[1] ?? [] }.contains { $0.histogram == measurement.latencies })
    }

    @Test func theyOfferWhatWasAsked() throws {
        let running = try threeHosts()
        let measurement = try measure(try plan(running.hosts, .crr, .openLoop(perSecond: 5_000)), Interruption())
        #expect(measurement.due == 500)
        #expect(measurement.latencies.totalCount + measurement.failedInWindow + measurement.lost >= 490)
    }

    @Test func oneRunFollowsTheOther() throws {
        let running = try threeHosts()
        for run in 1...3 as ClosedRange<UInt64> {
            let measurement = try measure(try plan(running.hosts, run == 2 ? .crr : .read), Interruption())
            #expect([.ok, .void].contains(measurement.status), "\(measurement.reason)")
            #expect(running.kept.withLock { $0[run]?.count } == 3)
        }
        #expect(running.hosts.loss == nil)
    }

    @Test func whoSaysNoNumberGetsOne() throws {
        let running = try RunningHosts(3)
        for _ in 0..<3 { running.start() }
        try running.gather()
        #expect(running.hosts.members.map(\.rank) == [0, 1, 2])
        #expect(running.lines.withLock { $0.filter { $0.contains("has joined") }.count } == 3)
    }

    @Test func whoDoesNotFitIsSentAway() throws {
        let running = try RunningHosts(2)
        let gathering = TestThread { [hosts = running.hosts] in _ = try hosts.gather(seconds: 60, unless: []) }
        let other = try AgentSecret(Array("fedcba9876543210".utf8), from: "test")
        #expect(
            running.ending(running.start(0, secret: other))?.contains("the secret is not the coordinator's") == true)
        #expect(
            running.ending(running.start(0, schema: 2))?.contains("schema 1, the load host protocol 1, schema 2")
                == true)
        #expect(running.ending(running.start(2))?.contains("the ranks of 2 load hosts are 0 to 1") == true)
        #expect(running.ending(running.start(1, size: 3))?.contains("3 processes, and --load-hosts is 2") == true)
        #expect(running.ending(running.start(1, commit: "def"))?.contains("build all hosts from one commit") == true)
        running.start(0)
        #expect(
            eventually {
                running.lines.withLock { $0.contains { $0.contains("load host 0 ") && $0.contains("has joined") } }
            })
        #expect(running.ending(running.start(0))?.contains("--rank 0 has joined already") == true)
        running.start(1)
        try gathering.join()
        #expect(running.ending(running.start())?.contains("all 2 load hosts have joined") == true)
        #expect(running.hosts.members.count == 2 && running.hosts.loss == nil)
    }

    @Test func tooFewAreNamed() throws {
        let running = try RunningHosts(3)
        running.start(1)
        let error = #expect(throws: RunError.self) { _ = try running.hosts.gather(seconds: 0.3, unless: []) }
        #expect(error?.description.contains("of 3 load hosts have joined") == true)
        #expect(error?.description.contains("pdsh needs -f 3") == true)
    }

    @Test func anEndingEndsTheWaitForThem() throws {
        let running = try RunningHosts(1)
        let signal = try EventFD()
        _ = try signal.add()
        #expect(try running.hosts.gather(seconds: 60, unless: [signal.descriptor]) == false)
    }

    /// Joins and says nothing more, as one does that was stopped.
    private func joinSilently(_ running: RunningHosts, _ rank: Int) throws -> AgentChannel {
        let channel = try shakeHands(
            try reach(running.hosts.address, ""), RunningHosts.secret, AgentVersion(schema: 1), .load)
        var facts = RunningHosts.facts
        facts.rank = rank
        try channel.send(LoadReply.hello(facts))
        return channel
    }

    @Test func aHostThatIsGoneFailsTheRun() throws {
        let running = try RunningHosts(2)
        running.start(0)
        let (hosts, other) = (running.hosts, TestThread { [self] in try joinSilently(running, 1) })
        try running.gather()
        try other.join().finish()
        #expect(eventually { hosts.loss != nil })
        let error = #expect(throws: RunError.self) { _ = try Runs.measure(try plan(hosts), Interruption()) }
        #expect(error?.description.hasPrefix("load host 1 (127.0.0.1:") == true)
        #expect(error?.description.contains("the connection was ") == true)
    }

    @Test func aHostThatIsSilentFailsTheRun() throws {
        let running = try RunningHosts(2, silence: 200_000_000)
        running.start(0)
        let other = TestThread { [self] in try joinSilently(running, 1) }
        try running.gather()
        let channel = try other.join()
        let error = #expect(throws: RunError.self) { _ = try Runs.measure(try plan(running.hosts), Interruption()) }
        #expect(error?.description.hasPrefix("load host 1 (127.0.0.1:") == true)
        #expect(running.hosts.loss?.contains("load host 1") == true)
        channel.finish()
    }

    @Test func aHostEndsWhenItsCoordinatorIsGone() throws {
        let running = try RunningHosts(1)
        let thread = running.start(0)
        try running.gather()
        for member in running.hosts.members { member.lose("gone") }
        #expect(running.ending(thread)?.hasPrefix("coordinator: the connection was closed") == true)
    }
}
