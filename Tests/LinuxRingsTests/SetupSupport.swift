import Glibc
import LinuxDescriptors
import LinuxRings
import SystemPackage
import TestSupport
import Testing

/// What io_uring can do here; nil where it can do nothing.
let ringCapabilities = try? RingCapabilities.probe()

/// Whether a ring can be made with a flag.
func ringsTake(_ setup: RingSetup) -> Bool { ringCapabilities?.setups.isSuperset(of: setup) == true }

/// Whether pollers work on descriptors here.
let pollersAvailable =
    ringsTake(.submissionPolling) && ringCapabilities?.features.contains(.pollerTakesDescriptors) == true
/// Why tests of pollers are skipped.
let whyNoPollers: Comment = "a poller needs Linux 5.11, and before 5.13 a privilege"

extension Ring {
    /// A ring with a poller that sleeps soon.
    static func polled(
        entries: UInt32 = 8, completions: UInt32? = nil, _ setup: RingSetup = [.submitAll],
        idle: Duration = .milliseconds(1)
    ) throws(Errno) -> Ring {
        try Ring(entries: entries, completions: completions, setup, poller: SubmissionPoller(idle: idle))
    }

    /// Returns when the poller sleeps.
    mutating func waitUntilPollerSleeps() throws {
        let end = ContinuousClock.now + patience
        // That a thread fell asleep is no event to wait for.
        while !pollerSleeps {
            if ContinuousClock.now > end { throw PatienceIsOver() }
            usleep(500)
        }
    }

    /// Returns when a completion is there, without entering the kernel.
    mutating func spinUntilReady() throws {
        let end = ContinuousClock.now + patience
        while readyCompletions == 0 {
            if ContinuousClock.now > end { throw PatienceIsOver() }
            sched_yield()
        }
    }
}

/// A descriptor that is always writable.
func writableFile() throws -> OwnedDescriptor {
    OwnedDescriptor(owning: try FileDescriptor.open("/dev/null", .writeOnly))
}

/// A number that names a file of nobody's.
func looseNumber() throws -> BorrowedDescriptor {
    BorrowedDescriptor(try FileDescriptor.open("/dev/null", .readOnly))
}

/// Carries a ring from thread to thread, which is not meant to be done, or ends it when wanted.
final class LooseRing: @unchecked Sendable {
    // Unchecked: one thread uses it after the other.
    var ring: Ring

    init(_ ring: consuming Ring) { self.ring = ring }
}
