import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import SystemPackage
import Testing

@testable import Loops
@testable import Meters

/// Options of a ring that are set together: none is forgotten because of another.
@Suite struct RingOptionTests {
    static let changes: [(name: String, change: @Sendable (inout Mode.Options) -> Void)] = [
        ("nothing", { _ in }),
        ("a poller", { $0.poller = SubmissionPoller(idle: .milliseconds(1)) }),
        ("a registered descriptor", { $0.registersDescriptor = true }),
        (
            "registered waits",
            {
                $0.registersWait = true
                $0.waitLimitNanoseconds = 1_000_000_000
            }
        ),
        ("mixed completions", { $0.mixesCompletions = true }),
        ("busy polling", { $0.busyPollMicroseconds = 50 }),
        ("cooperative task work", { $0.taskRun = .cooperative }),
        ("immediate task work", { $0.taskRun = .immediate }),
    ]

    /// Why the kernel cannot have a ring with these options; nil if it can.
    private func refusal(_ options: Mode.Options, _ rings: RingSupport) -> String? {
        var needs: [RingNeed] = []
        if options.bringsMemory { needs.append(.callerMemory) }
        if options.poller != nil { needs.append(.submissionPoller) }
        if options.registersDescriptor { needs.append(.registeredDescriptor) }
        if options.registersWait { needs.append(.registeredWaits) }
        if options.mixesCompletions { needs.append(.mixedCompletions) }
        if options.busyPollMicroseconds > 0 { needs.append(.busyPolling) }
        if options.taskRun != .deferred { needs.append(.multishotAccept) }
        return RingNeed.refusal(of: needs + [.skipSuccess], by: rings)
    }

    @Test(arguments: changes.indices, [false, true])
    func everyOptionHolds(_ index: Int, withMemoryOfTheServer bringsMemory: Bool) throws {
        var options = Mode.Options()
        options.bringsMemory = bringsMemory
        Self.changes[index].change(&options)
        let name = Self.changes[index].name
        if let reason = refusal(options, RingSupport.probe()) { return print("skipped: \(name): \(reason)") }
        var waiting = RingWaiting(Mode.Options())
        var ring = try options.makeRing(entries: 64, &waiting)
        #expect(ring.setup.contains(.callerMemory) == bringsMemory, "\(name)")
        #expect(ring.setup.contains(.submissionPolling) == (options.poller != nil), "\(name)")
        #expect(ring.setup.contains(.mixedCompletions) == options.mixesCompletions, "\(name)")
        #expect(ring.setup.contains(.cooperativeTaskRun) == (options.taskRun == .cooperative), "\(name)")
        if options.poller != nil || options.taskRun != .deferred { #expect(!ring.setup.contains(.deferTaskRun)) }
        if options.registersDescriptor {
            #expect(throws: Errno.fileExists) { try ring.registerDescriptor() }
        }
        // Its waits are registered as long as it starts disabled, and then it is enabled.
        if options.registersWait { #expect(ring.setup.contains(.startsDisabled)) }
        let counter = try EventFD(count: 1)
        let meters = WorkerMeters(count: 1)
        try ring.preparePoll(counter.descriptor, .readable, token: 5)
        try waitForCompletions(&ring, waiting, meters[0])
        #expect(ring.nextCompletion()?.token == 5, "\(name)")
    }
}
