import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import SystemPackage
import Testing

@testable import Loops
@testable import Meters

/// What looks without blocking count: each is a call, and those that find nothing are no wakeups.
@Suite struct WaitOptionTests {
    private func options(_ change: (inout Mode.WaitSettings) -> Void) -> Mode.Options {
        var settings = Mode.WaitSettings()
        change(&settings)
        var options = Mode.Options()
        options.set(settings)
        return options
    }

    /// More than a look takes, so that a second one is due.
    private var spinning: Mode.Options { options { $0.spinNanoseconds = 2_000_000 } }

    @Test func aLookThatFindsSomethingIsOneCall() throws {
        let counter = try EventFD(count: 1)
        let meters = WorkerMeters(count: 1)
        let meter = meters[0]
        let set = try Epoll()
        try set.add(counter.descriptor, .readable, token: 1)
        let events = EpollEventBuffer(capacity: 1)
        #expect(try EpollWaiting(spinning).wait(in: set, events, meter) == 1)
        var polled = PollSet(stop: counter.descriptor.rawValue, listeners: [], connections: [], capacity: 0)
        try polled.wait(spinning: 1_000_000_000, meter)
        var selected = try SelectSet(stop: counter.descriptor.rawValue, listeners: [], connections: [])
        try selected.wait(spinning: 1_000_000_000, meter)
        #expect(polled.entries[0].revents != 0 && selected.isReady(counter.descriptor.rawValue))
        #expect(meter[.systemCalls] == 3)
        #expect(meter[.wakeups] == 3)
    }

    @Test func looksThatFindNothingAreCallsAndNoWakeups() throws {
        let counter = try EventFD()
        let meters = WorkerMeters(count: 1)
        let meter = meters[0]
        let set = try Epoll()
        try set.add(counter.descriptor, .readable, token: 1)
        let events = EpollEventBuffer(capacity: 1)
        // The time of the wait after the looks is over before something comes.
        #expect(try EpollWaiting(spinning).wait(in: set, events, timeout: .milliseconds(1), meter) == 0)
        // A look at least, and the wait.
        #expect(meter[.systemCalls] >= 2)
        #expect(meter[.wakeups] == 1)
        var owned = try InterestSet()
        let before = meter[.systemCalls]
        #expect(try owned.look(1_000_000, meter) == false)
        #expect(meter[.systemCalls] > before)
        #expect(meter[.wakeups] == 1)
    }

    @Test func theOtherCallWaitsAlike() throws {
        var options = Mode.Options()
        options.usesPwait2 = true
        let counter = try EventFD(count: 1)
        let meters = WorkerMeters(count: 1)
        let set = try Epoll()
        try set.add(counter.descriptor, .readable, token: 9)
        let events = EpollEventBuffer(capacity: 1)
        do throws(Errno) {
            #expect(try EpollWaiting(options).wait(in: set, events, meters[0]) == 1)
        } catch {
            #expect(error == .noFunction)
            return print("skipped: epoll_pwait2 needs Linux 5.11")
        }
        #expect(events[0].token == 9)
    }

    @Test func aRingLooksByEnteringAndSleepsThen() throws {
        guard case .available = RingSupport.probe() else { return print("skipped: io_uring is not available here") }
        var waiting = RingWaiting(Mode.Options())
        #expect(waiting.isPlain)
        var ring = try spinning.makeRing(entries: 8, &waiting)
        #expect(!waiting.isPlain)
        let counter = try EventFD(count: 1)
        let meters = WorkerMeters(count: 1)
        try ring.preparePoll(counter.descriptor, .readable, token: 3)
        try waitForCompletions(&ring, waiting, meters[0])
        #expect(ring.nextCompletion()?.token == 3)
        #expect(meters[0][.wakeups] == 1)
        #expect(meters[0][.systemCalls] == ring.enters)
        // Nothing comes before its time.
        try ring.prepareTimeout(.after(.milliseconds(6)), token: 4)
        let enters = ring.enters
        try waitForCompletions(&ring, waiting, meters[0])
        #expect(ring.nextCompletion()?.token == 4)
        #expect(ring.enters - enters >= 2)
        #expect(meters[0][.wakeups] == 2)
        #expect(meters[0][.systemCalls] == ring.enters)
    }

    @Test func timesThatEndWithNothingAreNoWakeups() throws {
        guard case .available(let rings) = RingSupport.probe(), rings.features.contains(.extendedArgument) else {
            return print("skipped: waits with a time need Linux 5.11")
        }
        let options = options {
            $0.waitFor = 4
            $0.waitLimitNanoseconds = 1_000_000
        }
        var waiting = RingWaiting(Mode.Options())
        var ring = try options.makeRing(entries: 8, &waiting)
        let counter = try EventFD()
        let meters = WorkerMeters(count: 1)
        let descriptor = counter.descriptor
        // Signals when enters without a completion were counted, and in the end in any case.
        let other = BenchThread("signals", processor: nil) { () throws(Errno) in
            let deadline = monotonicNanoseconds() + 10_000_000_000
            while meters[0][.systemCalls] < 3 && monotonicNanoseconds() < deadline { usleep(500) }
            var one: UInt64 = 1
            write(descriptor.rawValue, &one, 8)
        }
        try ring.preparePoll(descriptor, .readable, token: 4)
        try waitForCompletions(&ring, waiting, meters[0])
        _ = other.join()
        #expect(ring.nextCompletion()?.token == 4)
        #expect(meters[0][.wakeups] == 1)
        #expect(meters[0][.systemCalls] == ring.enters && ring.enters >= 3)
        withExtendedLifetime(counter) {}
    }

    /// Every way to set a ring up that this kernel has makes one that works, and is what it is said to be.
    @Test func everyVariantHasARingThatWorks() throws {
        let rings = RingSupport.probe()
        for mode in Mode.variants where mode.capabilities.usesRing {
            if let reason = mode.unsupportedReason(rings: rings, for: nil, isLocal: false) {
                print("skipped: \(mode.name): \(reason)")
                continue
            }
            var waiting = RingWaiting(Mode.Options())
            var ring = try mode.options.makeRing(entries: 64, &waiting)
            #expect(ring.setup.contains(.callerMemory) == mode.options.bringsMemory, "\(mode.name)")
            #expect(ring.setup.contains(.mixedCompletions) == mode.options.mixesCompletions, "\(mode.name)")
            if mode.options.registersDescriptor {
                #expect(throws: Errno.fileExists) { try ring.registerDescriptor() }
            }
            let meters = WorkerMeters(count: 1)
            try ring.prepareTimeout(.after(.milliseconds(1)), token: 5)
            try waitForCompletions(&ring, waiting, meters[0])
            #expect(ring.nextCompletion()?.token == 5, "\(mode.name)")
        }
    }
}
