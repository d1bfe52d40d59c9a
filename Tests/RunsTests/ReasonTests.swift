import Glibc
import Records
import Testing

@testable import Load
@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

/// Every reason says what happened and what to do in the situation at hand, and nothing about options that were not given.
@Suite struct ReasonTests {
    private static let old = KernelVersion(6, 1)
    private static let new = KernelVersion(6, 18)

    private static func tally(_ cause: FailureTally.Cause) -> FailureTally {
        var tally = FailureTally()
        tally.note(cause, count: 408)
        return tally
    }

    private static func plan(_ load: LoadPlan.Pace = .closedLoop, edit: (inout RunPlan) -> Void = { _ in }) -> RunPlan {
        var plan = RunPlan(mode: Mode.all[3])
        plan.load.pace = load
        edit(&plan)
        return plan
    }

    private static let slow = ServiceTime(distribution: .fixed(7_000_000_000), work: .sleep)

    struct Case: Sendable {
        let reason: RunReason
        var plan = ReasonTests.plan()
        let says: [String]
        var lacks: [String] = ["--rate"]
    }

    private static func failures(_ call: String, _ error: CInt, _ says: [String], _ plan: RunPlan = plan()) -> Case {
        let reason = RunReason.failures(tally(.init(call, error)), failed: 408, attempted: 900)
        let fact = "408 of 900 connections failed, 408 × \(call): \(errorName(error)): "
        return Case(reason: reason, plan: plan, says: [fact] + says)
    }

    private static let direct = plan { $0.loop.mode = Mode.named("uring-direct")! }

    static let cases: [Case] = [
        Case(reason: .interrupted, says: ["interrupted"], lacks: [":", "--rate"]),
        Case(reason: .worker("accept4: no"), says: ["accept4: no"]),
        Case(reason: .shortages(3), says: ["a descriptor 3 times", "ulimit -n"]),
        Case(reason: .overflows(65), says: ["overflowed 65 times", "somaxconn", "--connections"], lacks: ["--drain"]),
        Case(
            reason: .overflows(65), plan: plan(.drain(9)), says: ["overflowed 65 times", "--drain"],
            lacks: ["--connections"]),
        failures("connect", ENETUNREACH, ["ip link set lo up"]),
        failures("connect", EHOSTUNREACH, ["ip link set lo up"]),
        failures("connect", ENETDOWN, ["ip link set lo up"]),
        failures("connect", EADDRNOTAVAIL, ["ip_local_port_range"]),
        failures("connect", EADDRNOTAVAIL, ["leave out --close orderly"], plan { $0.load.close = .orderly }),
        failures("connect", ECONNREFUSED, ["nobody listened", "ss -ltnp"]),
        failures("connect", ETIMEDOUT, ["packet filter"]),
        failures("connect", EPERM, ["packet filter"]),
        failures("connect", EACCES, ["packet filter"]),
        failures("socket", EMFILE, ["ulimit -n"]),
        failures("socket", ENFILE, ["fs.file-max"]),
        failures("send", ENOBUFS, ["memory"]),
        failures("send", ENOMEM, ["memory"]),
        failures("recv", ECONNRESET, ["ended connections before"]),
        failures("send", EPIPE, ["ended connections before"]),
        failures("recv", EIO, ["bench doctor"]),
        Case(
            reason: .failures(tally(.earlyEnd), failed: 408, attempted: 900),
            says: ["408 × recv: end of stream", "ended connections before"]),
        Case(
            reason: .failures(tally(.wrongBytes), failed: 408, attempted: 900),
            says: ["408 × recv: wrong bytes", "epoll-lt echoes wrongly"]),
        Case(
            reason: .unanswered(9), plan: plan(.openLoop(perSecond: 5)),
            says: ["9 connections got no answer", "lower --rate"], lacks: []),
        Case(reason: .unanswered(9), says: ["9 connections got no answer", "strace"]),
        Case(reason: .unanswered(9), plan: plan(.drain(20)), says: ["before the last of --drain 20"]),
        Case(reason: .neverAnswered(64), says: ["no connection was ever answered", "64 waited", "the server hung"]),
        Case(
            reason: .neverAnswered(64), plan: plan(.openLoop(perSecond: 5)), says: ["the server hung"]),
        Case(reason: .neverAnswered(64), plan: plan { $0.server.service = slow }, says: ["shorten --service-time"]),
        Case(reason: .neverAnswered(64), plan: direct, says: ["before Linux 6.4 each close"]),
        Case(
            reason: .nothingDue(perSecond: 0.5), plan: plan(.openLoop(perSecond: 0.5)),
            says: ["none was due", "one is every 2.00 s", "raise --rate or --duration"], lacks: []),
        Case(
            reason: .longerThanWindow(1_500_000_000),
            says: ["in the window of 1.00 s", "the fastest took 1.50 s", "raise --duration"],
            lacks: ["--rate", "--service-time"]),
        Case(
            reason: .longerThanWindow(1_500_000_000), plan: plan { $0.server.service = slow },
            says: ["raise --duration or shorten --service-time"]),
        Case(
            reason: .longerThanWindow(1_050_000_000), plan: direct,
            says: ["before Linux 6.4 each close", "raise --duration"], lacks: ["--rate", "--service-time"]),
        Case(
            reason: .skewed(
                HostTimes(
                    begun: [(1, 1), (30_000_001, 30_000_001)], clockErrors: [1],
                    window: RunWindow(loadStart: 1, start: 1, end: 1_000_000_001, deadline: 1_000_000_001))),
            says: ["began within 30.0 ms and loaded together for 970 ms of 1.00 s", "--warmup"]),
        Case(reason: .nothingStarted, says: ["the clients began none", "bench doctor", "--duration"]),
    ]

    @Test func eachHasItsOwnRemedy() {
        for test in Self.cases {
            let text = test.reason.text(test.plan, kernel: Self.old)
            for part in test.says { #expect(text.contains(part), "\(text)") }
            for part in test.lacks { #expect(!text.contains(part), "\(text)") }
            #expect(!text.contains("\n"))
        }
    }

    @Test func theTableWalksEveryCase() {
        // A case that is added has to be added here, and then the count does not fit the table.
        func number(_ reason: RunReason) -> Int {
            switch reason {
            case .interrupted: 0
            case .worker: 1
            case .shortages: 2
            case .overflows: 3
            case .failures: 4
            case .unanswered: 5
            case .neverAnswered: 6
            case .nothingDue: 7
            case .longerThanWindow: 8
            case .nothingStarted: 9
            case .skewed: 10
            }
        }
        #expect(Set(Self.cases.map { number($0.reason) }) == Set(0...10))
    }

    @Test func aKernelWithoutTheLimitIsNotToldOfIt() {
        let text = RunReason.longerThanWindow(1_050_000_000).text(Self.direct, kernel: Self.new)
        #expect(!text.contains("6.4"))
        #expect(Mode.named("uring-direct")?.limit(.accept, on: Self.old) != nil)
        #expect(Mode.named("uring-direct")?.limit(.accept, on: KernelVersion(6, 4)) == nil)
        #expect(Mode.named("uring-direct")?.limit(.accept, on: nil) == nil)
        #expect(Mode.named("uring-direct")?.limit(.read, on: Self.old) == nil)
        #expect(Mode.named("uring-direct")?.limit(.crr, on: Self.old) == nil)
        #expect(Mode.all.filter { !$0.limits.isEmpty }.map(\.name) == ["uring-direct"])
    }

    @Test func failuresAreSortedByNumberAndThenByName() {
        var tally = FailureTally()
        tally.note(.init("recv", ECONNRESET), count: 2)
        tally.note(.init("connect", ENETUNREACH), count: 400)
        var other = FailureTally()
        other.note(.init("connect", ENETUNREACH), count: 8)
        other.note(.earlyEnd, count: 2)
        other.note(.init("send", 999))
        tally.add(other)
        #expect(
            tally.text
                == "408 × connect: ENETUNREACH, 2 × recv: ECONNRESET, 2 × recv: end of stream, 1 × send: errno 999")
        #expect(tally.total == 413)
        #expect(
            FailureTally.Cause.onConnection("recv", ECONNREFUSED, isFirst: true).description == "connect: ECONNREFUSED")
        #expect(FailureTally.Cause.onConnection("recv", ECONNRESET, isFirst: true).description == "recv: ECONNRESET")
    }
}
