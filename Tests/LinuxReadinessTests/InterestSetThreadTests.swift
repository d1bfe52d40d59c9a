import Foundation
import LinuxDescriptors
import SystemPackage
import Synchronization
import Testing

@testable import LinuxReadiness

/// Sets in several threads, for ThreadSanitizer to watch.
@Suite struct InterestSetThreadTests {
    /// One thread waits, another signals by a second descriptor of the same counter. Nothing is missed.
    @Test func signalsFromAnotherThreadAllArrive() throws {
        let pair = try SharedCounter.make()
        let total: UInt64 = 2000
        let writer = JoinableThread {
            for _ in 0..<total { add(1, to: pair.duplicate) }
        }
        var set = try InterestSet()
        let token = try set.insert(owned(pair.descriptor), .readable)
        var sum: UInt64 = 0
        while sum < total {
            _ = try set.wait()
            while let event = set.nextEvent() {
                #expect(event.token == token)
                sum += take(CInt(event.token.number))
            }
        }
        try writer.join()
        let incidents = set.incidents
        #expect(sum == total && incidents == InterestSet.Incidents())
        close(pair.duplicate)
    }

    /// A descriptor goes to and fro between two threads with a set each.
    @Test func descriptorsMoveBetweenThreads() throws {
        let rounds = 200
        let lanes = [try Lane(), try Lane()]
        let ball = try SharedCounter.make()
        lanes[0].give(ball.descriptor)
        let players = [0, 1].map { player in
            JoinableThread {
                try lanes[player].play(rounds: rounds, ball: ball.duplicate, other: lanes[1 - player])
            }
        }
        add(1, to: ball.duplicate)
        var taken: UInt64 = 0
        for player in players { taken += try player.join() }
        #expect(taken == UInt64(2 * rounds))
        close(ball.duplicate)
    }
}

/// One thread's set, and how another thread hands it a descriptor.
private final class Lane: Sendable {
    private let handed = Mutex<CInt?>(nil)
    /// Both descriptors of a counter that tells of it.
    private let signal: (descriptor: CInt, duplicate: CInt)

    init() throws(Errno) { signal = try SharedCounter.make() }

    deinit { close(signal.duplicate) }

    func give(_ number: CInt) {
        handed.withLock { $0 = number }
        add(1, to: signal.duplicate)
    }

    /// Waits for the ball and its event, adds to it, and gives it on.
    func play(rounds: Int, ball: CInt, other: Lane) throws -> UInt64 {
        var set = try InterestSet()
        let signalToken = try set.insert(owned(signal.descriptor), .readable)
        var taken: UInt64 = 0
        var left = rounds
        while left > 0 {
            _ = try set.wait()
            while let event = set.nextEvent() {
                if event.token == signalToken {
                    take(CInt(signalToken.number))
                    if let number = handed.withLock({ $0.take() }) { _ = try set.insert(owned(number), .readable) }
                } else {
                    taken += take(CInt(event.token.number))
                    let descriptor = try set.remove(event.token)
                    add(1, to: ball)
                    other.give(descriptor.release().rawValue)
                    left -= 1
                }
            }
        }
        return taken
    }
}

/// A thread with a result. Tasks will not do: they share a few threads, which what waits in the kernel would keep.
final class JoinableThread<Outcome: Sendable>: @unchecked Sendable {
    // Unchecked: `outcome` is guarded by `ended`.
    private let ended = NSCondition()
    private var outcome: Result<Outcome, any Error>?

    init(_ body: @escaping @Sendable () throws -> Outcome) {
        Thread { [self] in
            let result = Result { try body() }
            ended.lock()
            outcome = result
            ended.broadcast()
            ended.unlock()
        }.start()
    }

    func join() throws -> Outcome {
        ended.lock()
        defer { ended.unlock() }
        while true {
            if let outcome { return try outcome.get() }
            ended.wait()
        }
    }
}
