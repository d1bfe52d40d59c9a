import LinuxReadiness
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// When a descriptor that stays ready is reported again. Each test waits without time, so that "nothing" is an answer.
@Suite struct EpollTriggerTests {
    let set: Watch

    init() throws {
        set = try Watch()
    }

    @Test func levelReportsAsLongAsItIsReady() throws {
        try set.watch(.readable)
        #expect(try set.events() == nil)
        try set.counter.add(2)
        for _ in 0..<3 { #expect(try set.events() == .readable) }
        #expect(try set.counter.take() == 2)
        #expect(try set.events() == nil)
    }

    @Test func levelReportsWhatWasReadyBeforeItWasWatched() throws {
        try set.counter.add()
        try set.watch(.readable)
        #expect(try set.events() == .readable)
    }

    @Test func edgeReportsEachArrivalOnce() throws {
        try set.watch([.readable, .edgeTriggered])
        try set.counter.add()
        #expect(try set.events() == .readable)
        #expect(try set.events() == nil)
        // Nothing was taken: the arrival counts, not the change from empty to full.
        try set.counter.add()
        #expect(try set.events() == .readable)
        #expect(try set.events() == nil)
        #expect(try set.counter.take() == 2)
    }

    @Test func edgesBetweenTwoWaitsAreOneReport() throws {
        try set.watch([.readable, .edgeTriggered])
        for _ in 0..<5 { try set.counter.add() }
        #expect(try set.events() == .readable)
        #expect(try set.events() == nil)
    }

    @Test func edgeReportsWhatWasReadyBeforeItWasWatched() throws {
        try set.counter.add()
        try set.watch([.readable, .edgeTriggered])
        #expect(try set.events() == .readable)
        #expect(try set.events() == nil)
    }

    @Test func edgeIsReportedThoughItWasTakenBackMeanwhile() throws {
        try set.watch([.readable, .edgeTriggered])
        try set.counter.add()
        #expect(try set.counter.take() == 1)
        // The kernel asks the file again when it reports: readiness that is gone is not reported.
        #expect(try set.events() == nil)
    }

    @Test func modifyReportsAnEdgeAgainWhileReady() throws {
        try set.watch([.readable, .edgeTriggered])
        try set.counter.add()
        #expect(try set.events() == .readable)
        try set.rearm([.readable, .edgeTriggered])
        #expect(try set.events() == .readable)
        #expect(try set.events() == nil)
    }

    @Test(arguments: [EpollEvents.oneShot, [.oneShot, .edgeTriggered]])
    func oneShotReportsOnceUntilItIsArmedAgain(_ flags: EpollEvents) throws {
        try set.watch(flags.union(.readable))
        try set.counter.add()
        #expect(try set.events() == .readable)
        try set.counter.add()
        #expect(try set.events() == nil)
        // What arrived while it was disarmed is reported at once.
        try set.rearm(flags.union(.readable))
        #expect(try set.events() == .readable)
        #expect(try set.events() == nil)
        #expect(try set.counter.take() == 2)
        try set.rearm(flags.union(.readable))
        #expect(try set.events() == nil)
    }

    @Test func armingWithADisarmedOneShotKeepsItsPlace() throws {
        try set.watch([.readable, .oneShot])
        try set.counter.add()
        #expect(try set.events() == .readable)
        #expect(throws: Errno.fileExists) { try set.watch([.readable, .oneShot]) }
    }
}

/// A hangup is reported whether asked for or not, so asking for nothing does not silence a registration.
@Suite struct EpollHangupTests {
    @Test(arguments: [EpollEvents.readable, []]) func levelReportsItAgainAndAgain(_ events: EpollEvents) throws {
        let pair = try ResetPair(watchedFor: .readable)
        try pair.modify(events)
        try pair.reset()
        for _ in 0..<100 { #expect(try pair.events()?.contains([.hangup, .error]) == true) }
    }

    @Test func edgeReportsItOnce() throws {
        let pair = try ResetPair(watchedFor: .readable)
        try pair.modify(.edgeTriggered)
        try pair.reset()
        #expect(try pair.events()?.contains([.hangup, .error]) == true)
        #expect(try pair.events() == nil)
    }

    @Test func firedOneShotIsSilent() throws {
        let pair = try ResetPair(watchedFor: .oneShot)
        try pair.reset()
        #expect(try pair.events()?.contains([.hangup, .error]) == true)
        #expect(try pair.events() == nil)
        try pair.modify(.oneShot)
        #expect(try pair.events()?.contains([.hangup, .error]) == true)
    }
}

/// A connection that an epoll set watches, and a peer that can reset it.
private final class ResetPair {
    private let client: Connection
    private var server: Connection?
    private let set: Epoll

    init(watchedFor events: EpollEvents) throws {
        let listener = try loopbackListener([.resetOnClose])
        client = try connect(to: listener)
        server = try acceptNext(from: listener)
        set = try Epoll()
        try set.add(client.descriptor, events, token: 1)
    }

    func modify(_ events: EpollEvents) throws { try set.modify(client.descriptor, events, token: 1) }

    /// Ends the connection, and waits until that has arrived.
    func reset() throws {
        server = nil
        try waitUntil(0, on: client.descriptor)
    }

    func events() throws -> EpollEvents? {
        let buffer = EpollEventBuffer(capacity: 1)
        return try set.wait(into: buffer, timeout: .zero) == 0 ? nil : buffer[0].events
    }
}

/// An epoll set that watches one event counter.
final class Watch: Sendable {
    let counter: EventFD
    private let set: Epoll

    init() throws {
        counter = try EventFD()
        set = try Epoll()
    }

    func watch(_ events: EpollEvents) throws {
        try set.add(counter.descriptor, events, token: 0)
    }

    func rearm(_ events: EpollEvents) throws {
        try set.modify(counter.descriptor, events, token: 0)
    }

    /// What the set reports at this moment; nil if nothing.
    func events() throws -> EpollEvents? {
        let buffer = EpollEventBuffer(capacity: 4)
        return try set.wait(into: buffer, timeout: .zero) == 0 ? nil : buffer[0].events
    }
}
