import Glibc
import LinuxDescriptors
import SystemPackage
import TestSupport
import Testing

@testable import LinuxReadiness

/// What a set does that must be made anew when no descriptor is left to do it with. Each in a process of its own, whose
/// limit it lowers.
@Suite(.enabled(if: descriptorTablesAvailable, whyNoTables)) struct InterestSetLimitTests {
    @Test func aSetWithAGhostGoesOnUntilItCanBeMadeAnew() async {
        await #expect(processExitsWith: .success) {
            try withTakenDescriptors {
                let set = try TestSet()
                let live = try set.insert(EventFD(count: 1).release(), .readable)
                let ghost = try addGhost(to: set)
                try allowNoMoreDescriptors()
                for _ in 0..<3 { try demand(set.events(timeout: nil) == [live], "a live event is missing") }
                try demand(set.incidents.ghosts == 3 && set.incidents.failedRebuilds > 0)
                try demand(set.incidents.rebuilds == 0 && set.mustRebuild)
                _ = try DescriptorLimit.raise()
                set.base.rebuildAllowedAt = 0
                for _ in 0..<3 { try demand(set.events(timeout: nil) == [live], "a live event is missing") }
                try demand(set.incidents.ghosts == 3, "the ghost is still there")
                try demand(set.incidents.rebuilds == 1 && !set.mustRebuild)
                try ghost.close()
            }
        }
    }

    /// A failure is not tried again at once: it costs as much as a success.
    @Test func aFailureCannotMakeItSpin() async {
        await #expect(processExitsWith: .success) {
            try withTakenDescriptors {
                let set = try TestSet()
                let ghost = try addGhost(to: set)
                try demand(set.events().isEmpty && set.mustRebuild)
                try allowNoMoreDescriptors()
                try demand(set.wait(timeout: .zero) == 0 && set.incidents.failedRebuilds == 1)
                // As if it were not allowed for ever: a wait ends at its limit, having tried nothing.
                set.base.rebuildAllowedAt = .max
                try demand(set.wait(timeout: .milliseconds(2)) == 0 && set.incidents.failedRebuilds == 1)
                set.base.rebuildAllowedAt = 0
                try demand(set.wait(timeout: .zero) == 0 && set.incidents.failedRebuilds == 2)
                try demand(set.base.rebuildAllowedAt > 0, "nothing keeps the next wait from trying again")
                try ghost.close()
                // A sanitizer opens files when the process ends.
                _ = try DescriptorLimit.raise()
            }
        }
    }

    /// What a child could go on with is its parent's.
    @Test func aChildIsToldByAnError() async {
        await #expect(processExitsWith: .success) {
            let set = try TestSet()
            let live = try set.insert(EventFD(count: 1).release(), .readable)
            let child = forkProcess()
            if child == 0 {
                try limitDescriptors(to: 3)
                for _ in 0..<3 {
                    do {
                        _ = try set.wait(timeout: .zero)
                        _exit(1)
                    } catch Errno.tooManyOpenFiles {} catch { _exit(2) }
                }
                _ = try DescriptorLimit.raise()
                _exit((try? set.events()) == [live] && set.incidents.forks == 1 ? 0 : 3)
            }
            try demand(exitStatus(of: child) == 0, "the child used its parent's set")
            try demand(set.events() == [live] && set.incidents == InterestSet.Incidents())
        }
    }

    /// Registrations of the first round could pass for live ones, so this is no set to go on with.
    @Test func usedUpGenerationsAreToldByAnError() async {
        await #expect(processExitsWith: .success) {
            try withTakenDescriptors {
                let set = try TestSet()
                let number = try set.remove(try set.insert(EventFD(count: 1).release(), .readable)).release()
                set.base.slots[Int(number.rawValue)].generation = .max - 1
                let descriptor = try set.remove(try set.insert(OwnedDescriptor(owning: number), .readable))
                let live = try set.insert(descriptor, .readable)
                try allowNoMoreDescriptors()
                do {
                    _ = try set.wait()
                    throw Errno.invalidArgument
                } catch Errno.tooManyOpenFiles {}
                _ = try DescriptorLimit.raise()
                try demand(set.events(timeout: nil) == [live] && set.incidents.rebuilds == 1)
            }
        }
    }
}

/// Puts a ready registration of a former life into the kernel's set; its descriptor, which keeps it there.
private func addGhost(to set: TestSet) throws -> OwnedDescriptor {
    let ghost = try EventFD(count: 1).release()
    let former = InterestToken(ghost.descriptor, generation: 7, set: 0)
    try set.base.kernel.epoll.add(ghost.descriptor, .readable, token: former.life)
    return ghost
}
