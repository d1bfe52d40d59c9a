import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import SystemPackage
import Testing

@testable import LinuxReadiness

/// Forks. Each runs in a process of its own, so that no child holds descriptors of other tests.
@Suite struct InterestSetForkTests {
    /// The child inherits the set, uses it and empties it; the parent's registrations stay as they were.
    @Test func aChildGetsASetOfItsOwn() async {
        await #expect(processExitsWith: .success) {
            let pair = try SharedCounter.make()
            let set = try TestSet()
            let token = try set.insert(owned(pair.descriptor), .readable)
            let child = forkProcess()
            if child == 0 {
                add(1, to: pair.duplicate)
                let delivered = (try? set.events()) == [token]
                take(pair.duplicate)
                let isRemoved = (try? set.close(token)) != nil
                let isNoticed = set.incidents.forks == 1 && set.incidents.rebuilds == 1
                _exit(delivered && isRemoved && isNoticed ? 0 : 1)
            }
            try demand(exitStatus(of: child) == 0, "the child's set is not its own")
            try demand(set.incidents.forks == 0)
            add(1, to: pair.duplicate)
            try demand(set.events() == [token], "the child changed its parent's set")
        }
    }

    /// A child that drops the set without using it takes nothing out of its parent's.
    @Test func aChildThatDropsTheSetChangesNothing() async {
        await #expect(processExitsWith: .success) {
            let pair = try SharedCounter.make()
            var set: TestSet? = try TestSet()
            let token = try set!.insert(owned(pair.descriptor), .readable)
            let child = forkProcess()
            if child == 0 {
                set = nil
                _exit(fcntl(pair.descriptor, F_GETFD) == -1 ? 0 : 1)
            }
            try demand(exitStatus(of: child) == 0, "the child's copies stay open")
            add(1, to: pair.duplicate)
            try demand(set!.events() == [token], "the child changed its parent's set")
        }
    }

    /// An event that was waited for and not taken has fired in the child, too, whatever makes its set anew.
    @Test func aChildKeepsOneShotRegistrationsSilentWhoseEventsWereNotTaken() async {
        await #expect(processExitsWith: .success) {
            let set = try TestSet()
            let fired = try set.insert(EventFD(count: 1).release(), [.readable, .oneShot])
            let level = try set.insert(EventFD(count: 1).release(), .readable)
            try demand(set.wait() == 2)
            let child = forkProcess()
            if child == 0 {
                guard (try? set.insert(EventFD().release(), .readable)) != nil else { _exit(1) }
                var taken: Set<InterestToken> = []
                while let event = set.nextEvent() { taken.insert(event.token) }
                guard taken == [fired, level] else { _exit(2) }
                guard (try? set.events()) == [level] else { _exit(3) }
                guard (try? set.modify(fired, [.readable, .oneShot])) != nil else { _exit(4) }
                guard let again = try? set.events(), Set(again) == [fired, level] else { _exit(5) }
                _exit(set.incidents.lostDescriptors == 0 ? 0 : 6)
            }
            let status = exitStatus(of: child)
            try demand(status == 0, "the child ended with \(status)")
            var taken: Set<InterestToken> = []
            while let event = set.nextEvent() { taken.insert(event.token) }
            try demand(taken == [fired, level] && set.events() == [level], "the child changed its parent's set")
        }
    }

    /// A master makes a set, forks, and drops or changes it before the child looks at its own.
    @Test func aChildKeepsItsCounterWhateverItsParentDoes() async {
        await #expect(processExitsWith: .success) {
            let pair = try SharedCounter.make()
            var set: TestSet? = try TestSet()
            let token = try set!.insert(owned(pair.descriptor), .readable)
            let paused = try set!.insert(EventFD(count: 1).release(), .readable)
            try set!.pause(paused)
            let go = try SharedCounter.make()
            let child = forkProcess()
            if child == 0 {
                var amount: UInt64 = 0
                var entry = pollfd(fd: go.descriptor, events: Int16(POLLIN), revents: 0)
                guard poll(&entry, 1, 60_000) == 1, read(go.descriptor, &amount, 8) == 8 else { _exit(1) }
                add(1, to: pair.duplicate)
                guard (try? set!.events()) == [token] else { _exit(2) }
                guard (try? set!.resume(paused)) != nil else { _exit(3) }
                _exit(set!.incidents.lostDescriptors == 0 ? 0 : 4)
            }
            set = nil
            add(1, to: go.duplicate)
            let status = exitStatus(of: child)
            try demand(status == 0, "the child ended with \(status)")
        }
    }

    /// Children come and look while their parent removes and inserts: each side is told of nothing that the other does.
    @Test func aParentIsNotDisturbedByItsChildren() async {
        await #expect(processExitsWith: .success) {
            let set = try TestSet()
            var tokens = try (0..<50).map { _ in try set.insert(EventFD().release(), .readable) }
            for _ in 0..<40 {
                let child = forkProcess()
                if child == 0 { _exit((try? set.wait(timeout: .zero)) == 0 && set.count == 50 ? 0 : 1) }
                for index in tokens.indices { tokens[index] = try set.insert(try set.remove(tokens[index]), .readable) }
                try demand(exitStatus(of: child) == 0)
            }
            try demand(set.incidents == InterestSet.Incidents())
        }
    }

    /// The fork scenario: the child keeps a socket that the parent closes, whose number is used again.
    @Test func theForkScenarioHasNoGhost() async {
        await #expect(processExitsWith: .success) {
            let old = try SharedCounter.make()
            let set = try TestSet()
            let first = try set.insert(owned(old.descriptor), .readable)
            var ends: [CInt] = [0, 0]
            try demand(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
            let child = c_fork_holder(ends[1], [old.descriptor, set.base.kernel.epoll.descriptor.rawValue], 2)
            try demand(child > 0)
            var byte: UInt8 = 0
            try demand(read(ends[0], &byte, 1) == 1)
            try set.close(first)
            let new = try EventFD().release()
            dup2(new.descriptor.rawValue, old.descriptor)
            let second = try set.insert(owned(old.descriptor), .readable)
            try demand(second.number == first.number && second != first)
            // The old one becomes ready; its description lives in the child.
            add(1, to: old.duplicate)
            for _ in 0..<10 { try demand(set.events().isEmpty, "a ghost was delivered") }
            try demand(set.incidents == InterestSet.Incidents())
            add(1, to: CInt(second.number))
            try demand(set.events() == [second])
            kill(child, SIGKILL)
            _ = exitStatus(of: child)
        }
    }

    @Test func aStampTellsChildrenAndGrandchildrenFromTheirParents() async {
        await #expect(processExitsWith: .success) {
            let stamp = ForkStamp.current()
            try demand(stamp.isCurrent)
            let child = forkProcess()
            if child == 0 {
                if stamp.isCurrent { _exit(1) }
                let own = ForkStamp.current()
                if !own.isCurrent || stamp.isCurrent { _exit(2) }
                let grandchild = forkProcess()
                if grandchild == 0 {
                    let latest = ForkStamp.current()
                    _exit(!own.isCurrent && !stamp.isCurrent && latest.isCurrent ? 0 : 1)
                }
                _exit(exitStatus(of: grandchild) == 0 && own.isCurrent ? 0 : 3)
            }
            try demand(exitStatus(of: child) == 0)
            try demand(stamp.isCurrent)
        }
    }
}

/// `fork(2)`, which Glibc's module withholds: for children that do little in processes that have one thread.
func forkProcess() -> pid_t {
    typealias Fork = @convention(c) () -> pid_t
    let symbol = dlsym(nil, "fork")
    return unsafeBitCast(symbol, to: Fork.self)()
}

/// Waits for a child; its exit code, or -1 if a signal ended it.
func exitStatus(of child: pid_t) -> CInt {
    var status: CInt = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    return status & 0x7f == 0 ? (status >> 8) & 0xff : -1
}

/// Fails a process test, whose expectations are not reported, with a line that says why.
func demand(_ isTrue: Bool, _ what: String = "", line: Int = #line) throws {
    guard !isTrue else { return }
    print("line \(line): \(what)")
    throw Errno.invalidArgument
}
